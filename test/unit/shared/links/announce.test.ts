// What the announcer leaves in the kernel, over reloads of its plan and over restarts.
import { beforeEach, expect, test } from 'vitest';
import { type AnnouncePlan, Announcer } from '../../../../shared/links/announce.ts';
import type { Host, HostLink, RouteSet } from '../../../../shared/links/host.ts';
import { silentLog } from '../../../../shared/log.ts';
import { ipv4 } from '../../../../shared/net/ipv4.ts';

const EIP = ipv4(0xc6336407); // 198.51.100.7
const PREFIX = { family: 4, address: ipv4(0xc6336400), bits: 24 } as const;
const MAIN: RouteSet = { table: 254, protocol: 157 };
const UPLINK: HostLink = {
  name: 'eth0',
  ifindex: 2,
  mac: 0x02ed01000001,
  up: true,
  addresses: [{ address: ipv4(0xc6336402), bits: 24 }],
};

let kernel: Set<string>;
let host: Host;

const plan = (change: Partial<AnnouncePlan> = {}): AnnouncePlan => ({
  prefixes: [PREFIX],
  perAddress: false,
  arp: false,
  routes: MAIN,
  ...change,
});
const start = (first: AnnouncePlan) => new Announcer({ host, log: silentLog, plan: first });
const announce = (announcer: Announcer) => announcer.announce(() => [EIP], [UPLINK]);

/** Routes and proxied neighbours as one set of lines; those of other protocols stay apart. */
beforeEach(() => {
  kernel = new Set();
  const lines = (start: string) => [...kernel].filter((line) => line.startsWith(start));
  const name = ({ table, protocol }: RouteSet) => `table ${table} proto ${protocol} `;
  host = {
    links: async () => [UPLINK],
    watch: () => {},
    routes: async (set) => lines(name(set)).map((line) => line.slice(name(set).length)),
    async changeRoutes(set, add, remove) {
      for (const prefix of add) kernel.add(name(set) + prefix);
      for (const prefix of remove) kernel.delete(name(set) + prefix);
    },
    async proxyArp(link, addresses, set) {
      const own = `${link.name} proxies, by ${name(set)}`;
      for (const line of lines(own)) kernel.delete(line);
      for (const address of addresses) kernel.add(own + address);
    },
    changeAddresses: async () => {},
    readSysctl: () => '0',
    writeSysctl: () => {},
  };
});

test('announces prefixes and answers ARP, and takes both back', async () => {
  const announcer = start(plan({ arp: true }));
  await announce(announcer);
  expect([...kernel]).toEqual([
    'table 254 proto 157 198.51.100.0/24',
    'eth0 proxies, by table 254 proto 157 198.51.100.7',
  ]);
  await announcer.withdraw('drained', [UPLINK]);
  expect([...kernel]).toEqual([]);
});

test('answers ARP no more once a reload says so', async () => {
  const announcer = start(plan({ arp: true }));
  await announce(announcer);
  announcer.setPlan(plan({ arp: false }));
  await announce(announcer);
  expect([...kernel]).toEqual(['table 254 proto 157 198.51.100.0/24']);
});

test('answers ARP no more once a restart says so', async () => {
  await announce(start(plan({ arp: true })));
  await announce(start(plan({ arp: false })));
  expect([...kernel]).toEqual(['table 254 proto 157 198.51.100.0/24']);
});

test('a drain takes back what the plan before a reload announced', async () => {
  const announcer = start(plan({ arp: true }));
  await announce(announcer);
  announcer.setPlan(plan({ routes: { table: 100, protocol: 158 } }));
  await announcer.withdraw('drained', [UPLINK]);
  expect([...kernel]).toEqual([]);
});

test.each([
  ['table', { table: 100, protocol: 157 }],
  ['protocol', { table: 254, protocol: 158 }],
])('moves to another %s on a reload', async (_, routes) => {
  const announcer = start(plan({ arp: true }));
  await announce(announcer);
  announcer.setPlan(plan({ arp: true, routes }));
  await announce(announcer);
  const where = `table ${routes.table} proto ${routes.protocol}`;
  expect([...kernel]).toEqual([
    `${where} 198.51.100.0/24`,
    `eth0 proxies, by ${where} 198.51.100.7`,
  ]);
});

test('leaves what an earlier plan had with the next try when the first fails', async () => {
  const announcer = start(plan());
  await announce(announcer);
  announcer.setPlan(plan({ routes: { table: 100, protocol: 157 } }));
  const { routes } = host;
  host.routes = async () => Promise.reject(new Error('ip failed'));
  await expect(announce(announcer)).rejects.toThrow('ip failed');
  host.routes = routes;
  await announce(announcer);
  expect([...kernel]).toEqual(['table 100 proto 157 198.51.100.0/24']);
});
