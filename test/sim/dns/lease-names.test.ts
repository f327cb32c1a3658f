// Names of leases from dhcpd's own writer, through a real Redis, to the records that dns serves.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RedisNames } from '../../../dhcpd/ddns/records.ts';
import type { NameChange } from '../../../dhcpd/ddns/wanted.ts';
import { LeaseNames } from '../../../dns/zones/lease-names.ts';
import type { LeaseRecords } from '../../../dns/zones/wanted.ts';
import { until } from '../../../lab/ready.ts';
import { ManualClock } from '../../../shared/clock.ts';
import { ipv4, parseIpv4 } from '../../../shared/net/ipv4.ts';
import { type RedisProcess, startRedis } from '../../support/redis.ts';

const ZONE = 'vm.example';
const REVERSE = '1.10.in-addr.arpa';
const FOREVER = 0xffff_ffff;

let redis: RedisProcess;
let names: RedisNames;
let clock: ManualClock;
let stopping: AbortController;
let told: ReadonlyMap<string, LeaseRecords>;
let reader: LeaseNames;

beforeEach(async () => {
  redis = await startRedis();
  const store = { url: redis.url, clientName: 'test' };
  names = new RedisNames(store);
  clock = new ManualClock(Date.now());
  stopping = new AbortController();
  told = new Map();
  reader = new LeaseNames({
    store,
    clock,
    signal: stopping.signal,
    zones: () => [ZONE, REVERSE],
    onLeases: (leases) => {
      told = leases;
    },
  });
});
afterEach(async () => {
  stopping.abort();
  names.close();
  await redis.stop();
});

const set = (name: string, address: string, untilSeconds = FOREVER): NameChange => ({
  op: 'set',
  zone: ZONE,
  address: parseIpv4(address) ?? ipv4(0),
  untilSeconds,
  generation: 1,
  key: '01',
  name,
  reserved: false,
});
const lines = (zone: string) =>
  (told.get(zone)?.records ?? []).map(({ name, type, data }) => `${name} ${type} ${data[0]}`);

test('a name that comes, and one that goes', async () => {
  await reader.start();
  expect([...told]).toEqual([]);
  await names.write(ZONE, [set('web', '10.1.0.7'), set('db', '10.1.0.8')]);
  await clock.advance(2000);
  await until('both are told', async () => lines(ZONE).length === 2);
  expect(lines(ZONE).sort()).toEqual(['db.vm.example A 10.1.0.8', 'web.vm.example A 10.1.0.7']);
  expect(lines(REVERSE).sort()).toEqual([
    '7.0.1.10.in-addr.arpa PTR web.vm.example.',
    '8.0.1.10.in-addr.arpa PTR db.vm.example.',
  ]);
  const before = told.get(ZONE);
  const gone = { zone: ZONE, address: parseIpv4('10.1.0.8') ?? ipv4(0), generation: 9 };
  await names.write(ZONE, [{ op: 'remove', ...gone }]);
  await clock.advance(2000);
  await until('one is left', async () => lines(ZONE).length === 1);
  expect(told.get(ZONE)?.fingerprint).not.toBe(before?.fingerprint);
  expect(told.get(ZONE)?.serial).toBeGreaterThanOrEqual(before?.serial ?? 0);
});

test('a lease that ends takes its name with it, also when nobody removes it', async () => {
  const end = Math.floor(clock.nowMs() / 1000) + 60;
  await names.write(ZONE, [set('web', '10.1.0.7', end)]);
  await reader.start();
  expect(lines(ZONE)).toEqual(['web.vm.example A 10.1.0.7']);
  await clock.advance(62_000);
  await until('it is gone', async () => lines(ZONE).length === 0);
  expect(told.get(ZONE)?.serial).toBeGreaterThan(0);
});

test('without Redis what was read stays; hostile entries are passed over', async () => {
  await names.write(ZONE, [set('web', '10.1.0.7')]);
  await redis.ask(`HSET edge:1:{dhcpd/names/${ZONE}}:a bad nonsense`);
  await redis.ask(`HSET edge:1:{dhcpd/names/${ZONE}}:a a.b {"address":"10.1.0.9","until":1}`);
  await reader.start();
  expect(lines(ZONE)).toEqual(['web.vm.example A 10.1.0.7']);
  await redis.kill();
  await reader.look();
  expect(lines(ZONE)).toEqual(['web.vm.example A 10.1.0.7']);
});
