// The lab's replicated Redis: a site goes on when the primary dies or stands still, and when all of
// it starts anew.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { until } from '../../lab/ready.ts';
import { type Site, site } from '../../lab/site.ts';
import { needs, root } from '../support/skip.ts';

let lab: Site;
const FAILOVER = { timeoutMs: 30_000 };

beforeAll(async () => {
  if (!root().met) return;
  lab = await site({ redis: 'replicated', isps: 1, natters: 1, vms: 2, dhcpds: 2 });
});
beforeEach((context) => needs(context, root()));
afterAll(() => lab?.down());

async function moved(from: string): Promise<string> {
  return await until(
    `another than ${from} is the primary`,
    async () => {
      const primary = await lab.redis.primary();
      return primary !== from && primary;
    },
    FAILOVER,
  );
}

/** An object is applied and in force. */
async function applies(eip: string): Promise<void> {
  await until('an object is applied', async () => {
    await lab.apply({ eips: [{ address: eip, private: lab.vm(1).address }] }, '--prune');
    return true;
  });
  expect((await lab.client(1).exec('ping', ['-c', '1', '-W', '2', eip])).code).toBe(0);
}

/** A VM that comes with a new MAC gets another address: after a failover, when quarantine ends. */
async function leases(mac: string): Promise<void> {
  const vm = lab.vm(2);
  await vm.ip('link set eth0 down', `link set eth0 address ${mac}`, 'link set eth0 up');
  const before = vm.address;
  await vm.dhcp(40_000);
  expect(vm.address).not.toBe(before);
}

test('all parts use the Sentinels', async () => {
  expect(lab.redis.url).toBe('redis+sentinel://10.0.0.2,10.0.0.3,10.0.0.1/edge');
  expect(await lab.redis.primary()).toBe('10.0.0.2');
  await applies('198.51.100.1');
  await leases('02:aa:00:00:00:01');
});

test('the primary is killed: another takes its place, and it comes back as a replica', async () => {
  const before = await lab.redis.primary();
  await lab.redis.kill();
  const now = await moved(before);
  await applies('198.51.100.2');
  await lab.redis.start();
  await leases('02:aa:00:00:00:02');
  await lab.redis.whole();
  expect(await lab.redis.primary()).toBe(now);
});

test('all of it is stopped and started: what was there is there, and it works', async () => {
  expect(await lab.redis.cli('SET', 'kept', 'yes')).toBe('OK');
  const before = await lab.redis.primary();
  await lab.redis.stopAll();
  await lab.redis.startAll();
  expect(await lab.redis.cli('GET', 'kept')).toBe('yes');
  expect(await lab.redis.primary()).toBe(before);
  const { address } = lab.vm(2);
  await lab.vm(2).dhcp(40_000);
  expect(lab.vm(2).address).toBe(address);
  await applies('198.51.100.3');
});

test('the primary stands still: another takes its place', async () => {
  const before = await lab.redis.primary();
  await lab.redis.freeze();
  await moved(before);
  await until('it takes writes', async () => (await lab.redis.cli('SET', 'new', '1')) === 'OK');
  lab.redis.thaw();
});
