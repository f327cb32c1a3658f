// The lab's address plan: as many of each as are allowed, and no address or MAC twice.
import { expect, it } from 'vitest';
import * as plan from '../../../lab/plan.ts';
import { parseIpv4 } from '../../../shared/net/ipv4.ts';
import { parseMac } from '../../../shared/net/mac.ts';

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

const clients = upTo(plan.MAX_ISPS).map(plan.planClient);
const natters = upTo(plan.MAX_NATTERS).map(plan.planNatter);
const hosts = [plan.CORE, plan.STORE, ...upTo(plan.MAX_VMS).map(plan.planVm)];

const ends = [
  ...clients.flatMap((client) => [client, client.router]),
  ...natters.flatMap((natter) => [natter.uplink, natter.router, natter.inside]),
  ...hosts,
];

it('gives every end of a link a valid address and MAC of its own', () => {
  for (const { address, mac } of ends) {
    expect(parseIpv4(address), address).toBeDefined();
    expect(parseMac(mac), mac).toBeDefined();
  }
  expect(new Set(ends.map((end) => end.address)).size).toBe(ends.length);
  expect(new Set(ends.map((end) => end.mac)).size).toBe(ends.length);
});

it('names nodes and links so that no two are alike and the kernel takes them', () => {
  const names = [...clients, ...natters, ...hosts].map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  const links = [...clients, ...natters].map(({ router }) => router.link);
  expect(new Set(links).size).toBe(links.length);
  for (const link of links) expect(link.length).toBeLessThan(10);
});

it('starts with the three ISPs of the picture', () => {
  expect(clients.slice(0, 4).map(({ name }) => name)).toEqual([
    'telecom',
    'unicom',
    'mobile',
    'isp-4',
  ]);
});
