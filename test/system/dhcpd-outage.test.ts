// Redis goes away and comes back under two dhcpds: who holds an address keeps it, reservations go
// on, new clients get addresses of the long reserve, and nobody is ever refused.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { until } from '../../lab/ready.ts';
import { addBridge } from '../support/dhcp/clients-machines.ts';
import { HandClients } from '../support/dhcp/clients-promises.ts';
import { type Dhcpd, DhcpSite } from '../support/dhcp/clients-site.ts';
import { needs, root } from '../support/skip.ts';

const rig = new DhcpSite();
const HAND = '10.20.0.1';
const SERVERS = ['10.20.0.11', '10.20.0.12'] as const;
const RESERVE = 16;
const EACH = 8;
const RESERVED_MAC = '02:00:00:00:60:05';
const daemons: Dhcpd[] = [];
let clients: HandClients;
const before: string[] = [];
const during: string[] = [];

beforeAll(async () => {
  if (!root().met) return;
  await rig.up(['d1', 'd2']);
  addBridge('srv', `${HAND}/24`);
  for (const [at, address] of SERVERS.entries()) {
    const name = `d${at + 1}`;
    await rig.machine(name).plug('srv', 'e0', { addresses: [`${address}/24`] });
    daemons.push(rig.dhcpd(name, { outage: { reserve: RESERVE, budget: '10m' } }));
  }
  const subnet = { subnet: '10.60.0.0/24', pools: ['10.60.0.10-10.60.0.250'], relays: [HAND] };
  const reservations = [{ address: '10.60.0.5', mac: RESERVED_MAC }];
  await rig.apply({ subnets: [{ ...subnet, lease: '10m' }], reservations });
  await rig.start(...daemons);
  clients = await HandClients.open(HAND);
});
beforeEach((context) => needs(context, root()));
afterAll(async () => {
  await clients?.close();
  await rig.down();
});

async function allAre(condition: string): Promise<void> {
  for (const daemon of daemons) {
    const is = async () => {
      const { leases, state } = await daemon.status();
      if (leases.condition === condition) return true;
      throw new Error(JSON.stringify({ state, leases }));
    };
    await until(`${daemon.machine.name}: ${condition}`, is, { timeoutMs: 30_000 });
  }
}

async function newClients(server: string, count: number): Promise<string[]> {
  const macs = Array.from({ length: count }, () => clients.newMac());
  const got = await Promise.all(macs.map((mac) => clients.lease(server, mac)));
  if (got.includes(undefined)) {
    const [one, two] = await Promise.all(daemons.map((daemon) => daemon.status()));
    throw new Error(JSON.stringify({ server, got, one, two }));
  }
  return macs;
}

/** Of one server and the other: each gets what it has. */
async function allRenew(macs: readonly string[]): Promise<void> {
  const renewed = await Promise.all(
    macs.map((mac, at) => clients.renew(SERVERS[at % 2] ?? SERVERS[0], mac)),
  );
  expect(renewed.map((answer) => answer?.type)).toEqual(macs.map(() => 5));
  expect(renewed.map((answer) => answer?.address)).toEqual(
    macs.map((mac) => clients.addressOf.get(mac)),
  );
}

function isWell(): void {
  expect(clients.promises.broken).toEqual([]);
  expect(clients.promises.naks).toBe(0);
  expect(new Set(clients.addressOf.values()).size).toBe(clients.addressOf.size);
}

test('while Redis is gone', async () => {
  for (const server of SERVERS) before.push(...(await newClients(server, EACH)));
  for (const daemon of daemons) {
    const full = async () => {
      const { leases } = await daemon.status();
      if (leases.reserve.long >= EACH) return true;
      throw new Error(JSON.stringify(leases));
    };
    await until('the long reserve', full);
  }
  await rig.redis?.kill();
  await allAre('isolated');
  await allRenew(before);
  expect(await clients.lease(SERVERS[0], RESERVED_MAC)).toBe('10.60.0.5');
  expect(await clients.lease(SERVERS[1], RESERVED_MAC)).toBe('10.60.0.5');
  for (const server of SERVERS) during.push(...(await newClients(server, EACH)));
  isWell();
});

test('what cannot be known is met with silence', async () => {
  const from = { mac: clients.newMac(), giaddr: HAND, type: 3 };
  const [held = ''] = [...clients.addressOf.values()];
  const questions = [
    { ...from, requested: '10.60.0.240' }, // INIT-REBOOT
    { ...from, requested: held },
    { ...from, ciaddr: '10.60.0.240' },
  ];
  const answers = await Promise.all(
    questions.map((fields) => clients.relay.tried(SERVERS[0], fields, 1)),
  );
  expect(answers).toEqual([undefined, undefined, undefined]);
  isWell();
});

test('an instance that is killed starts again without Redis, and tells nothing wrong', async () => {
  await daemons[0]?.end('SIGKILL');
  daemons[0]?.launch();
  await until('it is isolated', async () => {
    return (await daemons[0]?.status())?.leases.condition === 'isolated';
  });
  expect(await clients.lease(SERVERS[0], RESERVED_MAC)).toBe('10.60.0.5');
  const own = during.slice(0, EACH);
  const renewed = await Promise.all(own.map((mac) => clients.renew(SERVERS[0], mac, 1)));
  // What it cannot know (R8), it leaves to the others; what it says is right.
  for (const [at, mac] of own.entries()) {
    const said = renewed[at];
    if (said !== undefined) expect(said.address).toBe(clients.addressOf.get(mac));
  }
  isWell();
});

test('Redis is back: what was promised without it is known, and all goes on', async () => {
  await rig.redis?.start();
  await allAre('fresh');
  for (const daemon of daemons) {
    await until(`${daemon.machine.name} knows all`, async () => {
      const rows = await daemon.leases('?state=bound');
      const byMac = new Map(rows.map(({ mac, address }) => [mac, address]));
      const missing = [...clients.addressOf].filter(
        // What is told from the plan alone is not written.
        ([mac, address]) => byMac.get(mac) !== address && mac !== RESERVED_MAC,
      );
      if (missing.length > 0) throw new Error(missing.join(' '));
      return true;
    });
  }
  await allRenew([...before, ...during]);
  for (const server of SERVERS) await newClients(server, EACH);
  isWell();
});

test('Redis frozen: what waited is answered once or never, and nobody twice', async () => {
  rig.redis?.freeze();
  const waiting = Array.from({ length: 40 }, () => ({ mac: clients.newMac(), giaddr: HAND }));
  const from = clients.relay.answers.length;
  const xidOf = (at: number) => 0x7000 + at;
  for (const [at, one] of waiting.entries()) {
    await clients.relay.send(SERVERS[at % 2] ?? SERVERS[0], { ...one, type: 1, xid: xidOf(at) });
  }
  await allAre('isolated');
  await allRenew(before);
  rig.redis?.thaw();
  await allAre('fresh');
  await allRenew([...before, ...during]);
  const xids = clients.relay.answers.slice(from).map(({ xid }) => xid);
  const answered = xids.filter((xid) => xid >= xidOf(0));
  expect(new Set(answered).size).toBe(answered.length);
  for (const server of SERVERS) await newClients(server, EACH);
  isWell();
});
