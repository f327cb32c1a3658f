// perfdhcp against one, two and three dhcpds on one Redis, and while one of them is killed: no
// address is given twice. The rates are such as any machine carries, and decide nothing.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { until } from '../../lab/ready.ts';
import type { Report } from '../bench/dhcpd/perfdhcp.ts';
import { boundLeases, load } from '../support/dhcp/clients-load.ts';
import { addBridge } from '../support/dhcp/clients-machines.ts';
import { type Dhcpd, DhcpSite, type LeaseRow } from '../support/dhcp/clients-site.ts';
import { needs, program, root } from '../support/skip.ts';

const rig = new DhcpSite();
const RATE = 300; // exchanges a second and server
const SECONDS = 3;
const NAMES = ['d1', 'd2', 'd3'];
const serverOf = (at: number) => `10.20.0.${11 + at}`;
const relayOf = (at: number) => `10.20.0.${101 + at}`;
const shares = NAMES.map((_, at) => ({ server: serverOf(at), relay: relayOf(at) }));
const daemons: Dhcpd[] = [];
/** Every address that an ACK ever named: no lease ends during the test. */
const given: string[] = [];

beforeAll(async () => {
  if (!root().met) return;
  await rig.up([...NAMES, 'load']);
  addBridge('srv');
  for (const [at, name] of NAMES.entries()) {
    await rig.machine(name).plug('srv', 'e0', { addresses: [`${serverOf(at)}/24`] });
  }
  const addresses = NAMES.map((_, at) => `${relayOf(at)}/24`);
  await rig.machine('load').plug('srv', 'e0', { addresses });
  const relays = NAMES.map((_, at) => relayOf(at));
  await rig.apply({
    subnets: [{ subnet: '10.50.0.0/16', pools: ['10.50.1.0-10.50.250.255'], relays }],
  });
  for (const name of NAMES) daemons.push(rig.dhcpd(name, { maxPending: 65_536 }));
});
beforeEach((context) => needs(context, root(), program('perfdhcp')));
afterAll(() => rig.down());

/** No address twice, in this run or with an earlier one; what Redis holds is what was told. */
async function judge(report: Report, least: number): Promise<void> {
  expect(report.acks.nonUnique).toBe(0);
  expect(report.malformed).toBe(0);
  expect(report.acks.received).toBeGreaterThan(least);
  given.push(...report.leases);
  expect(new Set(given).size).toBe(given.length);
  const alive = daemons.filter(({ program }) => program !== undefined && !program.ended);
  for (const daemon of alive) {
    await until(`${daemon.machine.name} knows them all`, async () => {
      const rows = await boundLeases(daemon);
      const bound = new Map(rows.map(({ address, mac }) => [address, mac]));
      expect(new Set(bound.values()).size).toBe(rows.length); // one address a client
      return given.every((address) => bound.has(address));
    });
  }
}

test('one', async () => {
  await daemons[0]?.start();
  const report = await load(rig.machine('load'), shares.slice(0, 1), RATE, SECONDS);
  await judge(report, RATE);
});

test('two', async () => {
  await daemons[1]?.start();
  await judge(await load(rig.machine('load'), shares.slice(0, 2), RATE, SECONDS), RATE);
});

test('three', async () => {
  await daemons[2]?.start();
  await judge(await load(rig.machine('load'), shares, RATE, SECONDS), RATE);
});

test('three, of which one is killed and comes back', async () => {
  const victim = daemons[1];
  const before = await victim?.count('acked-new');
  const running = load(rig.machine('load'), shares, RATE, 2 * SECONDS);
  await until(
    'it serves',
    async () => Number(await victim?.count('acked-new')) > Number(before) + 100,
  );
  await victim?.end('SIGKILL');
  await victim?.start();
  await judge(await running, 2 * RATE);
});

test('edgectl lists them, and none has two owners', async () => {
  const socket = daemons[0]?.socket ?? '';
  const leases = await rig.asked<LeaseRow[]>(
    ...['lease', 'list', '--state', 'bound', '--socket', socket],
  );
  const listed = new Set(leases.map(({ address }) => address));
  expect(listed.size).toBe(leases.length);
  expect(given.filter((address) => !listed.has(address))).toEqual([]);
  expect(new Set(leases.map(({ mac }) => mac)).size).toBe(leases.length);
});
