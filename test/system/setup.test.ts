// Set-up: silent when there is nothing to do, and one line when it may not.
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { execute } from '../../lab/exec.ts';
import { needs, program, root } from '../support/skip.ts';

const setup = ['deploy/setup.sh'];
const require = createRequire(import.meta.url);

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

it('says in one line that it knows no such scope', async () => {
  const result = await execute('sh', [...setup, 'everything'], { allowFailure: true });
  const stderr = 'setup: no such scope: everything (runtime, all, bench)\n';
  expect(result).toEqual({ code: 1, stdout: '', stderr });
});

it.each([
  { addon: 'cap', what: 'Cap' },
  { addon: 'raw-socket', what: 'createSocket' },
])('$addon is built for this Node', ({ addon, what }) => {
  expect(require(addon)).toHaveProperty(what, expect.any(Function));
});

it.for(['udhcpc', 'dhclient', 'dhcpcd', 'dhcrelay', 'perfdhcp'])('%s is there', (name, context) => {
  needs(context, root(), program(name));
});

it('cap falls silent when its link goes down, and does not end the process', async (context) => {
  needs(context, root());
  const script = `
    const { Cap } = require('cap');
    const { execFileSync } = require('node:child_process');
    const ip = (text) => execFileSync('ip', text.split(' '));
    ip('link add a0 type veth peer name b0');
    ip('address add 192.0.2.1/24 dev a0');
    ip('link set a0 up');
    const cap = new Cap(), buffer = Buffer.alloc(2048);
    cap.open('a0', 'udp', 1048576, buffer);
    ip('link set a0 down');
    // Between the two, libuv has polled and told cap.
    setImmediate(() => setImmediate(() => process.exit(buffer.length === 2048 ? 0 : 1)));
  `;
  const { code } = await execute('unshare', ['--net', process.execPath, '-e', script]);
  expect(code).toBe(0);
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
