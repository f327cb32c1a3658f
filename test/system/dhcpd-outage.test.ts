// A real dhcpd whose Redis goes away and comes back: who holds an address is answered on, new
// clients get one of the reserve, and a restart without Redis starts from disk.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../../lab/ready.ts';
import { type DhcpClient, DhcpdRig } from '../support/dhcpd-rig.ts';
import { needs, program, root } from '../support/skip.ts';

const rig = new DhcpdRig();
const udhcpc = ['-i', 'e0', '-n', '-q', '-f', '-s', '/bin/true', '-t', '1', '-T', '1'];

beforeAll(async () => {
  if (!root().met) return;
  await rig.up(3);
  await rig.start();
});
afterAll(() => rig.down());

/** Asks until it is answered. */
function addressOf(client: DhcpClient): Promise<string> {
  return until('an address', async () => {
    const { stderr } = await client.run('udhcpc', ...udhcpc);
    return /lease of (\S+) obtained/.exec(stderr)?.[1];
  });
}

const condition = async () => (await rig.status()).leases.condition;

test('Redis away: old and new clients are served, and again when it is back', async (context) => {
  needs(context, root(), program('udhcpc'));
  const first = await addressOf(rig.client(0));
  await until('the long reserve is there', async () => {
    const { leases } = (await rig.status()) as unknown as { leases: { reserve: { long: number } } };
    return leases.reserve.long > 0;
  });
  await rig.redis.kill();
  await until('it notices', async () => (await condition()) === 'isolated');
  const second = await addressOf(rig.client(1));
  expect(second).not.toBe(first);
  await rig.redis.start();
  await until('it is back', async () => (await condition()) === 'fresh');
  expect(await addressOf(rig.client(0))).toBe(first);
  expect(await addressOf(rig.client(1))).toBe(second);
});

test('Redis away at the start: it begins from disk', async (context) => {
  needs(context, root(), program('udhcpc'));
  await rig.end('SIGTERM');
  await rig.redis.kill();
  rig.launch();
  const isUp = async () => (await rig.status()).plan.version > 0;
  await until('it has the last plan', isUp, { timeoutMs: 30_000 });
  await rig.redis.start();
  await until('it is ready', async () => (await rig.readyz()) === 200);
  expect(await addressOf(rig.client(2))).toMatch(/^10\.9\.0\./);
});
