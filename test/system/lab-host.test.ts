// `npm start -- --host`, in a network namespace of its own: from example configurations to answers,
// and nothing stays.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from '../../lab/ready.ts';
import { needs, root } from '../support/skip.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'lab', 'main.ts');
let directory: string;
let child: ChildProcess | undefined;

beforeEach((context) => {
  needs(context, root());
  directory = mkdtempSync(join(tmpdir(), 'edge-host-'));
});
afterEach(() => {
  child?.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

/** In a namespace with loopback and one further link, `eth9`, that leads nowhere. */
function start(...flags: string[]): { said: () => string; ended: () => number | null } {
  const links = 'ip link set lo up; ip link add eth9 type veth peer name eth8';
  const up = 'ip link set eth8 up; ip link set eth9 up; ip address add 10.1.0.1/24 dev eth9';
  const line = `set -e; ${links}; ${up}; exec "$0" "$@"`;
  const argv = [process.execPath, MAIN, '--host', '--directory', directory, ...flags];
  const started = spawn('unshare', ['--net', 'sh', '-c', line, ...argv]);
  child = started;
  let text = '';
  for (const stream of [started.stdout, started.stderr]) {
    stream.on('data', (bytes: Buffer) => {
      text += bytes.toString();
    });
  }
  return { said: () => text, ended: () => started.exitCode };
}

async function code(run: ReturnType<typeof start>): Promise<number | null> {
  await until('it ends', () => run.ended() !== null, { timeoutMs: 90_000 });
  return run.ended();
}

test('each answers, natter and dhcpd run on a named link, and nothing stays', async () => {
  const run = start('--once', '--interface', 'eth9');
  expect(await code(run), run.said()).toBe(0);
  expect(run.said()).toContain('starting: dns, lb, natter, dhcpd, console');
  expect(run.said().match(/^ok /gm)).toHaveLength(6);
  expect(existsSync(directory)).toBe(false);
  expect(existsSync('/sys/fs/bpf/edge/host')).toBe(false);
});

test('Ctrl-C in the middle ends it, and nothing stays', async () => {
  const run = start();
  await until('it is starting them', () => run.said().includes('starting:'));
  child?.kill('SIGINT');
  expect(await code(run), run.said()).toBe(130);
  expect(existsSync(directory)).toBe(false);
});

test('a link that there is not is said, before anything is made', async () => {
  const run = start('--once', '--interface', 'eth7');
  expect(await code(run)).toBe(1);
  expect(run.said()).toContain('Device "eth7" does not exist');
  expect(run.said()).not.toContain('starting');
});

test('a directory of somebody else is not touched', async () => {
  writeFileSync(join(directory, 'precious'), '');
  const run = start('--once');
  expect(await code(run)).toBe(1);
  expect(run.said()).toContain(`${directory} is not empty`);
  expect(existsSync(join(directory, 'precious'))).toBe(true);
});
