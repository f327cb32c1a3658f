// Redis behind Sentinels, two dhcpds, clients that come and renew all the time: the primary is
// killed, then frozen and thawed. No address is ever promised to two, and service comes back.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { until } from '../../lab/ready.ts';
import { addBridge } from '../support/dhcp/clients-machines.ts';
import { HandClients } from '../support/dhcp/clients-promises.ts';
import { SentinelGroup } from '../support/dhcp/clients-sentinel.ts';
import { type Dhcpd, DhcpSite } from '../support/dhcp/clients-site.ts';
import { needs, root } from '../support/skip.ts';

const rig = new DhcpSite();
const HAND = '10.20.0.1';
const SERVERS = ['10.20.0.11', '10.20.0.12'] as const;
const WORKERS = 6;
const daemons: Dhcpd[] = [];
let redis: SentinelGroup;
let clients: HandClients;

beforeAll(async () => {
  if (!root().met) return;
  await rig.up(['d1', 'd2'], false);
  addBridge('srv', `${HAND}/24`);
  redis = await SentinelGroup.start(HAND, rig.directory);
  rig.storeUrl = redis.url;
  for (const [at, address] of SERVERS.entries()) {
    const name = `d${at + 1}`;
    await rig.machine(name).plug('srv', 'e0', { addresses: [`${address}/24`] });
    daemons.push(rig.dhcpd(name, { durability: 'replicas:1' }));
  }
  const subnet = { subnet: '10.64.0.0/20', pools: ['10.64.0.10-10.64.15.250'], relays: [HAND] };
  await rig.apply({ subnets: [{ ...subnet, lease: '10m' }] });
  await rig.start(...daemons);
  clients = await HandClients.open(HAND);
});
beforeEach((context) => needs(context, root()));
afterAll(async () => {
  await clients?.close();
  await rig.down();
  await redis?.stop();
});

/** New clients and renewals, until told to stop; each worker one after the other. */
class Load {
  #stopped = false;
  readonly #workers: Promise<void>[];
  leases = 0;
  renewals = 0;

  constructor() {
    this.#workers = Array.from({ length: WORKERS }, (_, at) => this.#work(at));
  }

  async #work(at: number): Promise<void> {
    const own: string[] = [];
    for (let turn = at; !this.#stopped; turn++) {
      const server = SERVERS[turn % 2] ?? SERVERS[0];
      const mac = clients.newMac();
      if ((await clients.lease(server, mac, 1)) !== undefined) {
        own.push(mac);
        this.leases++;
      }
      const known = own[turn % Math.max(1, own.length)];
      const other = SERVERS[(turn + 1) % 2] ?? SERVERS[0];
      if (known !== undefined && (await clients.renew(other, known, 1))?.type === 5) {
        this.renewals++;
      }
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#workers);
  }
}

async function more(load: Load, leases: number, renewals: number): Promise<void> {
  const [wantedLeases, wantedRenewals] = [load.leases + leases, load.renewals + renewals];
  const done = () => load.leases >= wantedLeases && load.renewals >= wantedRenewals;
  await until(`${leases} new clients and ${renewals} renewals`, done, { timeoutMs: 60_000 });
}

function isWell(): void {
  expect(clients.promises.broken).toEqual([]);
  expect(new Set(clients.addressOf.values()).size).toBe(clients.addressOf.size);
}

/** All that a client was promised is what both instances have, from Redis. */
async function allIsKnown(): Promise<void> {
  for (const daemon of daemons) {
    await until(`${daemon.machine.name} knows all`, async () => {
      const rows = await daemon.leases('?state=bound&limit=100000');
      const byMac = new Map(rows.map(({ mac, address }) => [mac, address]));
      const missing = [...clients.addressOf].filter(([mac, is]) => byMac.get(mac) !== is);
      if (missing.length > 0) throw new Error(missing.slice(0, 5).join(' '));
      return true;
    });
  }
}

test('the primary is killed, and comes back as a replica', async () => {
  const load = new Load();
  await more(load, 50, 50);
  const primary = await redis.primary();
  await primary.kill();
  await redis.moved(primary);
  await primary.start();
  await redis.whole();
  await more(load, 50, 50);
  await load.stop();
  isWell();
  await allIsKnown();
});

test('the primary is frozen until another has its place, then thawed', async () => {
  const load = new Load();
  await more(load, 50, 50);
  const primary = await redis.primary();
  primary.freeze();
  await redis.moved(primary);
  primary.thaw();
  await redis.whole();
  await more(load, 50, 50);
  await load.stop();
  isWell();
  await allIsKnown();
});
