// The embedded store with a real redis-server: what it keeps, and how it begins and ends.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from '../../../lab/ready.ts';
import { systemClock } from '../../../shared/clock.ts';
import { judgeServers } from '../../../shared/ctl/doctor/redis.ts';
import type { OperationalError } from '../../../shared/errors.ts';
import { silentLog } from '../../../shared/log.ts';
import { systemRandom } from '../../../shared/random.ts';
import { type EmbeddedServer, startEmbedded } from '../../../shared/store/embedded.ts';
import { openStore } from '../../../shared/store/open.ts';
import { processId, readOwners, writeOwners } from '../../../shared/store/pidfile.ts';

let stateDirectory: string;
let server: EmbeddedServer | undefined;
const owners: ChildProcess[] = [];

beforeEach(() => {
  stateDirectory = mkdtempSync(join(tmpdir(), 'edge-embedded-'));
});

afterEach(async () => {
  await server?.stop();
  server = undefined;
  for (const owner of owners.splice(0)) owner.kill('SIGKILL');
  rmSync(stateDirectory, { recursive: true, force: true });
});

function start(): Promise<EmbeddedServer> {
  const options = { owner: process, clock: systemClock, random: systemRandom, log: silentLog };
  return startEmbedded({ stateDirectory, ...options });
}

async function startOwner(): Promise<{ owner: ChildProcess; serverPid: number }> {
  const program = new URL('../../support/embedded-owner.ts', import.meta.url).pathname;
  const stdio = ['ignore', 'pipe', 'inherit'] as const;
  const owner = spawn(process.execPath, [program, stateDirectory], { stdio: [...stdio] });
  owners.push(owner);
  if (owner.stdout === null) throw new Error('no stdout');
  const [bytes] = await once(owner.stdout, 'data');
  return { owner, serverPid: Number(String(bytes)) };
}

async function put(of: EmbeddedServer, id: string): Promise<void> {
  const store = openStore({ url: of.url });
  await store.apply('natter', [{ kind: 'eip', id, value: '{}' }]);
  await store.close();
}

async function countIn(of: EmbeddedServer): Promise<number> {
  const store = openStore({ url: of.url });
  const { count } = await store.head('natter');
  await store.close();
  return count;
}

test('keeps what was applied over a stop, and doctor finds nothing wrong with it', async () => {
  server = await start();
  await put(server, 'a');
  const store = openStore({ url: server.url });
  const found = judgeServers(await store.inspect(), { needsDurable: false });
  expect(found.filter(({ level }) => level === 'fail')).toEqual([]);
  expect(found.map(({ check }) => check)).not.toContain('store.aof');
  await store.close();
  const { pid = 0 } = server;
  await server.stop();
  expect(processId(pid)).toBeUndefined();
  expect(existsSync(join(stateDirectory, 'redis.pid'))).toBe(false);
  server = await start();
  expect(await countIn(server)).toBe(1);
});

test('comes back with its data when redis-server is killed', async () => {
  server = await start();
  await put(server, 'a');
  const { pid = 0 } = server;
  process.kill(pid, 'SIGKILL');
  await until('another redis-server serves', async () => server?.pid !== pid);
  const again = server;
  await until('it has the data', async () => (await countIn(again)) === 1);
});

test('ends with its owner, however that ends', async () => {
  const { owner, serverPid } = await startOwner();
  expect(processId(serverPid)).toBeDefined();
  owner.kill('SIGKILL');
  await until('redis-server has ended', () => processId(serverPid) === undefined);
  server = await start();
  expect(server.pid).not.toBe(serverPid);
});

test('ends a server that a dead owner left behind, in order', async () => {
  server = await start();
  await put(server, 'a');
  const path = join(stateDirectory, 'redis.pid');
  const left = readOwners(path);
  if (left === undefined) throw new Error('no pid file');
  writeOwners(path, { ...left, owner: { pid: process.pid, startTicks: 1 } });
  const old = server;
  server = await start();
  expect(processId(left.server.pid)).toBeUndefined();
  expect(await countIn(server)).toBe(1);
  await old.stop();
  expect(await countIn(server), 'the old owner does not end the new server').toBe(1);
});

test('leaves alone a directory that another process uses', async () => {
  const { owner, serverPid } = await startOwner();
  await expect(start()).rejects.toMatchObject({
    code: 'EDGE_STORE_EMBEDDED',
    message: `${stateDirectory} is in use by process ${owner.pid}`,
  });
  expect(processId(serverPid)).toBeDefined();
});

test('tells why redis-server will not start, in its own words', async () => {
  server = await start();
  await server.stop();
  writeFileSync(join(stateDirectory, 'redis/appendonlydir/appendonly.aof.manifest'), 'nonsense');
  const error = await start().catch((reason: OperationalError) => reason);
  expect(error).toMatchObject({ code: 'EDGE_STORE_EMBEDDED' });
  expect('remedy' in error ? error.remedy : '').toMatch(/redis.log: .*manifest/i);
});

test('refuses a path that no socket can have', async () => {
  const options = { owner: process, clock: systemClock, random: systemRandom, log: silentLog };
  const long = { stateDirectory: join(stateDirectory, 'x'.repeat(100)), ...options };
  await expect(startEmbedded(long)).rejects.toThrow('too long for a unix socket');
});
