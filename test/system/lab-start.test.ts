// `npm start` as a user has it: told to end in the middle of the build, or of a step, it leaves
// nothing; and what is not on the command line's list is a usage error.
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { processesOf } from '../../lab/clean.ts';
import { until } from '../../lab/ready.ts';
import { PIN_ROOT, RUNS_DIRECTORY, runOf } from '../../lab/run.ts';
import { needs, root } from '../support/skip.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'lab', 'main.ts');
const LEAST = ['--services', 'natter', '--natters', '1', '--isps', '1', '--once'];
let child: ChildProcess | undefined;

beforeEach((context) => needs(context, root()));
afterEach(() => child?.kill('SIGINT'));

const isOf = (pid: number) => (name: string) =>
  (runOf(name) ?? name).startsWith(`${pid}-`) || name.startsWith(`${pid}-`);

/** Namespaces, pins, directories and processes of the run that this process owns. */
function traces(pid: number): string[] {
  const named = [...readdirSync('/run/netns'), ...list(PIN_ROOT), ...list(RUNS_DIRECTORY)];
  const found = named.filter(isOf(pid));
  const ids = new Set(found.map((name) => runOf(name) ?? name));
  return [...found, ...[...ids].flatMap(processesOf).map(String)];
}

const list = (path: string): string[] => (existsSync(path) ? readdirSync(path) : []);

test.each([
  ['in the middle of the build', /wires: natter-1/],
  ['in the middle of a step', /^site is up after [\s\S]*\n(ok|FAIL)/m],
])('SIGINT %s: exit code 130, and nothing is left', async (_when, moment) => {
  const run = spawn(process.execPath, [MAIN, ...LEAST]);
  child = run;
  let text = '';
  run.stdout.on('data', (bytes: Buffer) => {
    text += bytes.toString();
  });
  await until(`${moment}`, () => moment.test(text), { timeoutMs: 60_000 });
  const pid = run.pid ?? 0;
  expect(traces(pid)).not.toEqual([]);
  run.kill('SIGINT');
  await until('it ends', () => run.exitCode !== null, { timeoutMs: 30_000 });
  expect(run.exitCode, text).toBe(130);
  expect(traces(pid)).toEqual([]);
});

test('an unknown service is a usage error that names the choices; help is none', () => {
  const { status, stderr } = spawnSync(process.execPath, [MAIN, '--services', 'nat']);
  expect(status).toBe(2);
  expect(`${stderr}`).toContain('choose of natter, dhcpd, dns, lb');
  expect(`${execFileSync(process.execPath, [MAIN, '--help'])}`).toContain('--services LIST');
});
