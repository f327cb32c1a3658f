// Set-up: silent when there is nothing to do, and one line when it may not.
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { execute } from '../../lab/exec.ts';
import { needs, root } from '../support/skip.ts';

const setup = ['deploy/setup.sh'];

it('says nothing when everything is there', async (context) => {
  needs(context, root());
  await execute('sh', setup, { timeoutMs: 110_000 });
  expect(await execute('sh', setup)).toEqual({ code: 0, stdout: '', stderr: '' });
});

it('says in one line that it needs root, and exits with 77', async (context) => {
  needs(context, root());
  const nobody = ['--reuid=65534', '--regid=65534', '--clear-groups', 'sh', '-s'];
  // The working tree may be closed to others; the check comes before anything in it is read.
  const result = await execute('setpriv', nobody, {
    input: (await execute('cat', setup)).stdout.replace(/^cd .*$/m, 'cd /'),
    allowFailure: true,
  });
  expect(result.code).toBe(77);
  expect(result.stderr).toMatch(/^setup: root is needed .*\n$/);
});

it.each(['edge-natter', 'edgectl'])('%s starts from a link elsewhere', async (name) => {
  const directory = mkdtempSync(join(tmpdir(), 'edge-launcher-'));
  try {
    symlinkSync(resolve('deploy/bin', name), join(directory, name));
    const { stdout } = await execute(join(directory, name), ['--help']);
    expect(stdout).toMatch(name);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
