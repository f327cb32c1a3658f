// A hostile writer in Redis, behind the services' backs: real daemons of all services follow it
// through garbage of every kind. None ends, each goes on with what it had, and once the garbage is
// gone all is well again without a restart.
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { execute } from '../../lab/exec.ts';
import { until } from '../../lab/ready.ts';
import { OperationalError } from '../../shared/errors.ts';
import { openStore } from '../../shared/store/open.ts';
import type { Store } from '../../shared/store/types.ts';
import { runEdgectl } from '../support/edgectl.ts';
import { type RedisProcess, startRedis } from '../support/redis.ts';
import { SERVICES, SITE, SiteDaemons, WEB_PORT } from '../support/site-daemons.ts';
import { needs, program, root } from '../support/skip.ts';
import { type Garbage, garbage, openRaw, randomGarbage, saved } from '../support/store-garbage.ts';

const SEED = 20261121;
/** For what is not seen from outside when it was taken up: several rounds of all that read. */
const TAKEN_UP_MS = 700;

const site = new SiteDaemons();
let redis: RedisProcess;
let raw: Redis;
let store: Store;
let restore: () => Promise<void>;

const isRoot = root().met;
beforeAll(async () => {
  if (!isRoot) return;
  redis = await startRedis({ arguments: ['--appendonly', 'yes', '--appendfsync', 'always'] });
  raw = openRaw(redis.url);
  store = openStore({ url: redis.url, commandTimeoutMs: 10_000 });
  await site.prepare(() => ({ store: redis.url, log: { level: 'warn' } }));
  await site.start();
  const applied = await edgectl('apply', '-f', '-', '--wait', '30s');
  expect(applied).toMatchObject({ code: 0, err: '' });
  const client = ['udhcpc', '-i', 'vm0', '-f', '-n', '-q', '-t', '10', '-x', 'hostname:vm1'];
  await execute('busybox', [...client, '-s', '/bin/true']);
  await until('all to serve', async () => (await served()).length === 0);
  restore = await saved(raw, store);
});
beforeEach((context) => needs(context, root(), program('redis-server'), program('kdig')));
afterAll(async () => {
  raw?.disconnect();
  await store?.close();
  await site.down();
  await redis?.stop();
});

function edgectl(...argv: string[]) {
  const { url: storeUrl, directory } = redis;
  return runEdgectl(argv, { storeUrl, directory, stdin: JSON.stringify(SITE) });
}

/** What of it is not served as it was before anybody struck. */
async function served(isStruck = false): Promise<string[]> {
  const problems = await Promise.all([
    natterServes(),
    dhcpdServes(isStruck),
    dnsServes(),
    lbServes(),
    consoleServes(),
  ]);
  return [...site.ended(), ...problems.filter((each) => each !== undefined)];
}

async function natterServes(): Promise<string | undefined> {
  const stats = JSON.stringify(
    await site.rig('natter').control('GET', '/stats?address=198.51.100.7'),
  );
  return stats.includes('"inPackets"') ? undefined : `natter lost the EIP: ${stats}`;
}

/** It reads them from Redis: while that holds something else, or is busy, it says so. */
async function dhcpdServes(isStruck: boolean): Promise<string | undefined> {
  try {
    const { leases } = (await site.rig('dhcpd').control('GET', '/leases')) as { leases: object[] };
    return leases.length > 0 ? undefined : 'dhcpd has no lease any more';
  } catch (error) {
    const isTold = error instanceof OperationalError && error.code.startsWith('EDGE_STORE_');
    if (isTold && isStruck) return undefined;
    throw error;
  }
}

async function dnsServes(): Promise<string | undefined> {
  const name = ['@127.0.0.1', '-p', '5300', '+short', 'ns1.example.com', 'A'];
  const { stdout } = await execute('kdig', name, { allowFailure: true });
  return stdout.trim() === '192.0.2.1' ? undefined : `dns answers ${JSON.stringify(stdout)}`;
}

async function lbServes(): Promise<string | undefined> {
  const answer = await fetch(`http://127.0.0.1:${WEB_PORT}/`).catch((error: Error) => error);
  if (answer instanceof Error) return `lb: ${answer.message}`;
  return (await answer.text()) === 'backend' ? undefined : `lb answers ${answer.status}`;
}

async function consoleServes(): Promise<string | undefined> {
  if (!SERVICES.includes('console')) return undefined;
  const answer = await fetch('http://127.0.0.1:9180/').catch((error: Error) => error);
  if (answer instanceof Error) return `console: ${answer.message}`;
  await answer.text();
  return answer.status === 200 ? undefined : `console answers ${answer.status}`;
}

/** Of the members, what is told to be wrong with what they follow. */
async function drifts(): Promise<string[]> {
  const told: string[] = [];
  for (const service of ['natter', 'dhcpd', 'dns', 'lb'] as const) {
    const { drift } = JSON.parse(await site.rig(service).admin('/status.json')) as {
      drift?: string[];
    };
    if ((drift ?? []).length > 0) told.push(service);
  }
  return told;
}

async function survives({ strike }: Garbage): Promise<void> {
  await strike(raw);
  await new Promise((resolve) => setTimeout(resolve, TAKEN_UP_MS));
  expect(await served(true)).toEqual([]);
  await restore();
  await until('all to be well again', async () => {
    const wrong = [...(await drifts()), ...(await served())];
    if (wrong.length > 0) throw new Error(wrong.join('; '));
    return true;
  });
}

describe('no daemon ends, and each goes on with what it had', () => {
  test.each(garbage)('$name', (each) => survives(each));
  test.each([0, 1, 2])('random garbage, %i', (at) => survives(randomGarbage(SEED + at, 200)));
});

test('after all of it, a change comes into force everywhere', async () => {
  await until('nobody drifts', async () => (await drifts()).length === 0, { timeoutMs: 60_000 });
  const more = { ...SITE, eips: [...SITE.eips, { address: '198.51.100.8', private: '10.0.0.6' }] };
  const { url: storeUrl, directory } = redis;
  const options = { storeUrl, directory, stdin: JSON.stringify(more) };
  const { code, err } = await runEdgectl(['apply', '-f', '-', '--wait', '30s'], options);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(await served()).toEqual([]);
});
