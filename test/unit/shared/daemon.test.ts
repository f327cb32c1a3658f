import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../../../lab/ready.ts';
import { controlRequest } from '../../../shared/admin/client.ts';

const main = fileURLToPath(new URL('../../support/daemon-fixture.ts', import.meta.url));
const timeoutMs = 20_000;
const running = new Set<ChildProcess>();
let directory = '';
let config = '';
let socket = '';
let adminPort = 0;

beforeEach(async () => {
  adminPort = await freePort();
  directory = mkdtempSync(join(tmpdir(), 'edge-daemon-'));
  config = join(directory, 'fixture.yaml');
  socket = join(directory, 'fixture.sock');
  settings();
});
afterEach(async () => {
  for (const child of running) child.kill('SIGKILL');
  await until('the end of all children', () => running.size === 0, { timeoutMs });
  rmSync(directory, { recursive: true });
});

function settings(more = ''): void {
  const doors = `admin: { listen: "127.0.0.1:${adminPort}" }\ncontrol: { socket: ${socket} }\n`;
  writeFileSync(config, `node: n1\n${doors}${more}`);
}

/** One that nobody has at the moment. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await until('a free port', () => server.listening, { timeoutMs });
  const { port } = server.address() as AddressInfo; // it listens on TCP
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function run(...flags: string[]) {
  const child = spawn(process.execPath, [main, '--config', config, ...flags]);
  running.add(child);
  const out = { stdout: '', stderr: '', code: undefined as number | null | undefined };
  child.stdout.on('data', (data) => {
    out.stdout += data;
  });
  child.stderr.on('data', (data) => {
    out.stderr += data;
  });
  child.on('close', (code) => {
    out.code = code;
    running.delete(child);
  });
  const ended = async () => {
    await until('the end of the daemon', () => out.code !== undefined, { timeoutMs });
    return out;
  };
  const logged = (event: string) =>
    out.stderr.split('\n').filter((line) => line.includes(`"event":"${event}"`)).length;
  const ready = () =>
    until(`ready: ${out.stderr}`, () => out.stderr.includes('starting → ready'), { timeoutMs });
  return { child, out, ended, logged, ready };
}

describe('the flags of a daemon', () => {
  test('--check-config is silent when all is well', async () => {
    expect(await run('--check-config').ended()).toEqual({ stdout: '', stderr: '', code: 0 });
  });

  test('--check-config names every error and returns 78', async () => {
    settings('greting: hi\nlog: { level: loud }\n');
    const { code, stderr } = await run('--check-config').ended();
    expect(code).toBe(78);
    expect(stderr).toContain(
      `${config}:4:1: error: unknown key "greting" (did you mean "greeting"?)`,
    );
    expect(stderr).toContain(`${config}:5:15: error: expected "debug" or "info"`);
  });

  test('a file that is not there is 78 as well', async () => {
    const { code, stderr } = await run('--config', '/nonexistent/a.yaml').ended();
    expect([code, stderr]).toEqual([78, '/nonexistent/a.yaml: error: does not exist\n']);
  });

  test('--print-config shows defaults', async () => {
    const { code, stdout } = await run('--print-config').ended();
    expect(code).toBe(0);
    expect(stdout).toContain('greeting: hello\n');
    expect(stdout).toContain('timeout: 30s\n');
  });

  test('--version and --help go to stdout', async () => {
    const [version, help] = await Promise.all([run('--version').ended(), run('--help').ended()]);
    expect(version.stdout).toMatch(/^edge-fixture \d+\.\d+\.\d+ \(Node v\d+.*, Linux .*\)\n$/);
    expect(help.stdout).toContain('--linger');
    expect(help.stdout.split('\n').length).toBeLessThanOrEqual(25);
    expect([version.code, help.code]).toEqual([0, 0]);
  });

  test.each([
    ['--chekc-config', 'did you mean "check-config"?'],
    ['--log-level=loud', '"loud" is no log level'],
    ['stray', 'see --help'],
  ])('%s is wrong usage', async (flag, message) => {
    const { code, stderr } = await run(flag).ended();
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });
});

describe('the life of a daemon', () => {
  test('serves, reloads, refuses a bad reload, and stops on SIGTERM', async () => {
    const daemon = run();
    await daemon.ready();
    const url = `http://127.0.0.1:${adminPort}`;
    expect(await (await fetch(`${url}/readyz`)).text()).toBe('ok\n');
    expect(await (await fetch(`${url}/metrics`)).text()).toContain('\nedge_ready 1\n');
    expect(await controlRequest(socket, 'POST', '/greet')).toBe('hello');
    settings('greeting: hi\n');
    daemon.child.kill('SIGHUP');
    await until('the reload', () => daemon.logged('reload-done') === 1, { timeoutMs });
    expect(await controlRequest(socket, 'GET', '/status')).toEqual({
      state: 'ready',
      greeting: 'hi',
    });
    settings('greting: no\n');
    daemon.child.kill('SIGHUP');
    await until('the refusal', () => daemon.logged('reload-refused') === 1, { timeoutMs });
    expect(await controlRequest(socket, 'POST', '/greet')).toBe('hi');
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toContain('edge_config_last_reload_successful 0');
    expect(metrics).toContain('edge_log_events_total{event="reload-refused"} 1');
    daemon.child.kill('SIGTERM');
    expect((await daemon.ended()).code).toBe(0);
    expect(daemon.out.stderr).toContain('draining → stopped');
  });

  test('a second SIGTERM ends a drain that hangs, and not with 0', async () => {
    const daemon = run('--linger');
    await daemon.ready();
    daemon.child.kill('SIGTERM');
    const draining = () => daemon.out.stderr.includes('ready → draining');
    await until('the drain', draining, { timeoutMs });
    daemon.child.kill('SIGTERM');
    expect((await daemon.ended()).code).toBe(1);
    expect(daemon.logged('ended-by-force')).toBe(1);
  });

  test('a start that fails returns the code of its error and leaves nothing', async () => {
    const { code } = await run('--fail-start').ended();
    expect(code).toBe(77);
    await expect(controlRequest(socket, 'GET', '/status')).rejects.toMatchObject({ exitCode: 3 });
  });

  test('a second daemon on the same socket ends, the first goes on', async () => {
    const first = run();
    await first.ready();
    const second = await run().ended();
    expect(second.code).toBe(1);
    expect(second.stderr).toContain('EDGE_ALREADY_RUNNING');
    expect(await controlRequest(socket, 'POST', '/greet')).toBe('hello');
  });

  test('--log-level goes before the settings', async () => {
    const daemon = run('--log-level', 'error');
    const answers = () => controlRequest(socket, 'POST', '/greet');
    await until('the control socket', answers, { timeoutMs });
    daemon.child.kill('SIGTERM');
    expect(await daemon.ended()).toMatchObject({ code: 0, stderr: '' });
  });
});
