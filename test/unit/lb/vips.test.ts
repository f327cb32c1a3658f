// The addresses of servers and listeners: on a link, and announced while the instance serves.
import { beforeEach, expect, test } from 'vitest';
import { type LbPlan, lbPlanOf } from '../../../lb/plan.ts';
import { Vips, vipsOf } from '../../../lb/vips.ts';
import { silentLog } from '../../../shared/log.ts';
import { formatIpv4, ipv4, parseIpv4 } from '../../../shared/net/ipv4.ts';
import { FakeHost } from '../../support/lb/fake-host.ts';
import { server, VIP } from '../../support/lb/l4-objects.ts';
import { listener } from '../../support/lb/objects.ts';

const OTHER_VIP = '198.51.100.11';
const ROUTES = { table: 254, protocol: 158 };

let host: FakeHost;

const planOf = (servers: string[], listeners: string[] = []): LbPlan => ({
  ...lbPlanOf(new Map(), 1),
  servers: servers.map((address) => server({ address })),
  listeners: [listener({ at: listeners })],
});
const start = (link: string | undefined = 'lo') =>
  new Vips({ host, log: silentLog, link, announce: ROUTES });

/** Wanted, and served at once. */
async function serve(vips: Vips, plan: LbPlan): Promise<void> {
  vips.want(plan);
  vips.serve(plan);
  await vips.settled();
}

beforeEach(() => {
  host = new FakeHost();
});

test('VIPs are routes and addresses; a drain takes the routes away', async () => {
  const vips = start();
  await serve(vips, planOf([VIP], [`${OTHER_VIP}:443`, '0.0.0.0:80', '127.0.0.1:81', '[::]:80']));
  expect([...host.announced]).toEqual([`${VIP}/32`, `${OTHER_VIP}/32`]);
  expect(host.addressesOf('lo')).toEqual([VIP, OTHER_VIP]);
  await serve(vips, planOf([VIP]));
  expect([[...host.announced], host.addressesOf('lo')]).toEqual([[`${VIP}/32`], [VIP]]);
  await vips.setDraining(true);
  expect([[...host.announced], host.addressesOf('lo')]).toEqual([[], [VIP]]);
  await vips.setDraining(false);
  expect([...host.announced]).toEqual([`${VIP}/32`]);
});

test('what is wanted is an address at once, and a route when it is served', async () => {
  host.announced.add(`${OTHER_VIP}/32`); // by an earlier run
  const vips = start();
  vips.want(planOf([VIP]));
  await vips.settled();
  expect([[...host.announced], host.addressesOf('lo')]).toEqual([[`${OTHER_VIP}/32`], [VIP]]);
  vips.serve(planOf([VIP]));
  await vips.settled();
  expect([...host.announced]).toEqual([`${VIP}/32`]);
  vips.want(planOf([VIP, OTHER_VIP]));
  await vips.settled();
  expect([[...host.announced], host.addressesOf('lo')]).toEqual([[`${VIP}/32`], [VIP, OTHER_VIP]]);
  vips.want(planOf([OTHER_VIP]));
  await vips.settled();
  expect([...host.announced]).toEqual([]);
});

test('what cannot be served just now is no route until it can', async () => {
  const vips = start();
  vips.withhold();
  await serve(vips, planOf([VIP]));
  vips.withhold();
  await vips.settled();
  expect([[...host.announced], host.addressesOf('lo')]).toEqual([[], [VIP]]);
  await serve(vips, planOf([VIP]));
  expect([...host.announced]).toEqual([`${VIP}/32`]);
});

test('it is told when addresses were not tried yet', async () => {
  const vips = start();
  expect(vips.want(planOf([VIP]))).toBe(false);
  expect(vips.want(planOf([VIP]))).toBe(false);
  await vips.settled();
  expect(vips.want(planOf([VIP]))).toBe(true);
  expect(vips.want(planOf([VIP, OTHER_VIP]))).toBe(false);
  await vips.settled();
  expect(vips.want(planOf([VIP, OTHER_VIP]))).toBe(true);
});

test('an address that the host has anyway is left alone', async () => {
  const [, uplink] = host.present;
  uplink?.addresses.push({ address: parseIpv4(VIP) ?? 0, bits: 24 });
  const vips = start();
  await serve(vips, planOf([VIP, OTHER_VIP]));
  expect([host.addressesOf('lo'), host.addressesOf('up0')]).toEqual([[OTHER_VIP], [VIP]]);
});

test('without a link they are announced alone', async () => {
  const vips = new Vips({ host, log: silentLog, link: undefined, announce: ROUTES });
  await serve(vips, planOf([VIP]));
  expect([[...host.announced], host.addressesOf('lo')]).toEqual([[`${VIP}/32`], []]);
});

test('what fails is told, and tried again with the next change', async () => {
  const vips = start();
  const { changeRoutes } = host;
  host.changeRoutes = () => Promise.reject(new Error('no right'));
  await serve(vips, planOf([VIP]));
  expect(vips.problem).toMatch('no right');
  host.changeRoutes = changeRoutes;
  await serve(vips, planOf([VIP]));
  expect(vips.problem).toBeUndefined();
  expect([...host.announced]).toEqual([`${VIP}/32`]);
});

test('wildcards, loopback and IPv6 are nobody’s to announce', () => {
  const found = vipsOf(planOf([VIP], ['0.0.0.0:80', '127.0.0.2:80', '[2001:db8::1]:443']));
  expect([...found].map((address) => formatIpv4(ipv4(address)))).toEqual([VIP]);
});
