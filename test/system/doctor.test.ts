// doctor on a real host: a natter and an lb in a network namespace, and a Redis. What is planted is
// found, and nothing else.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { until } from '../../lab/ready.ts';
import { controlRequest } from '../../shared/admin/client.ts';
import { runEdgectl } from '../support/edgectl.ts';
import { NatterRig } from '../support/natter-rig.ts';
import { ip } from '../support/network-namespace.ts';
import { needs, program, root } from '../support/skip.ts';
import type { Line } from '../unit/ctl/doctor-rig.ts';

const rig = new NatterRig();
const lbSocket = join(rig.directory, 'lb.sock');
const edgectlConfig = join(rig.directory, 'edgectl.yaml');
let endLb: () => Promise<void> = async () => {};

/** A second daemon of the same host, with links of its own. */
async function startLb(): Promise<void> {
  ip('link add lbup0 type veth peer name lbup1', 'link set lbup0 up', 'link set lbup1 up');
  ip('link add lbin0 type veth peer name lbin1', 'link set lbin0 up', 'link set lbin1 up');
  const config = join(rig.directory, 'lb.yaml');
  const settings = {
    node: 'lb-1',
    store: rig.redis.url,
    stateDirectory: join(rig.directory, 'lb'),
    control: { socket: lbSocket },
    admin: { listen: '127.0.0.1:9104' },
    l4: { uplink: ['lbup0'], inside: ['lbin0'], instance: rig.instance },
    workers: 1,
  };
  writeFileSync(config, JSON.stringify(settings));
  const main = join(import.meta.dirname, '../../lb/main.ts');
  const child = spawn(process.execPath, [main, '--config', config], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => {
    log = (log + chunk.toString()).slice(-10_000);
  });
  endLb = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    await gone;
  };
  const isReady = async () => {
    if (child.exitCode !== null) throw new Error(`lb ended: ${log}`);
    const status = await controlRequest(lbSocket, 'GET', '/status').catch(() => undefined);
    if (Object(status).state === 'running') return true;
    throw new Error(`${JSON.stringify(Object(status).checks)} ${log.slice(-2000)}`);
  };
  await until('the lb to be ready', isReady, { timeoutMs: 60_000 });
}

const isRoot = root().met;
beforeAll(async () => {
  if (!isRoot) return;
  await rig.up();
  writeFileSync(edgectlConfig, JSON.stringify({ store: rig.redis.url }));
  await rig.start();
  await startLb();
});
beforeEach((context) => needs(context, root(), program('redis-server'), program('ip')));
afterAll(async () => {
  await endLb();
  await rig.down();
});

async function examine(): Promise<{ code: number | null; lines: Line[]; bad: string[] }> {
  const argv = ['doctor', '--json', '--config', edgectlConfig, '--store', rig.redis.url];
  const { code, out } = await runEdgectl(argv, {
    storeUrl: rig.redis.url,
    directory: rig.directory,
  });
  const lines = JSON.parse(out) as Line[];
  const bad = lines
    .filter(({ level }) => level !== 'ok')
    .map(({ level, check, message }) => `${level} ${check}: ${message}`);
  return { code, lines, bad };
}

test('finds what was planted, and nothing else', async () => {
  const before = await examine();
  const well = ['natter.socket', 'natter.ready', 'natter.links', 'natter.rights', 'natter.store'];
  const levels = new Map(before.lines.map(({ check, level }) => [check, level]));
  for (const check of [...well, 'lb.socket', 'lb.ready', 'lb.links', 'lb.workers', 'net.mtu']) {
    expect([check, levels.get(check)]).toEqual([check, 'ok']);
  }
  ip('link add extra0 type veth peer name extra1', 'link set in0 mtu 1400');
  writeFileSync('/proc/sys/net/ipv4/conf/extra0/rp_filter', '1');
  expect(await rig.redis.ask('CONFIG SET maxmemory-policy allkeys-lru')).toContain('OK');
  const after = await examine();
  expect(after.code).toBe(1);
  expect(after.bad.filter((line) => !before.bad.includes(line)).sort()).toEqual([
    'fail store.eviction: maxmemory-policy is allkeys-lru: Redis may throw site objects away',
    expect.stringMatching(/^warn net\.mtu: in0 has an MTU of 1400, .* of 1500: /),
    expect.stringMatching(/^warn net\.rp_filter: strict reverse-path filter on (.*, )?extra0/),
  ]);
  ip('link del extra0', 'link set in0 mtu 1500');
  expect(await rig.redis.ask('CONFIG SET maxmemory-policy noeviction')).toContain('OK');
  expect((await examine()).bad).toEqual(before.bad);
});

test('finds a daemon that has ended, at the socket of its configuration', async () => {
  const before = await examine();
  await endLb();
  const after = await examine();
  expect(after.code).toBe(1);
  const socket = after.bad.filter((line) => !before.bad.includes(line));
  expect(socket).toContainEqual(expect.stringMatching(/^fail lb\.socket: .*lb\.sock/));
});
