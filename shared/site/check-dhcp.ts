// What only shows when all objects of dhcpd are seen together. Pure, and made for a hundred
// thousand reservations in ten thousand subnets: all is sorted once and searched.
import { formatIpv4, type Ipv4, ipv4, ipv4FromBytes } from '../net/ipv4.ts';
import { formatPrefix } from '../net/prefix.ts';
import { bytesOf } from './bytes.ts';
import type { SiteProblem } from './check.ts';
import { type DhcpObjects, identityKey, type PoolOf } from './dhcp-objects.ts';
import type { L3Net } from './l3net.ts';
import { ROUTERS } from './options.ts';
import { formatPool } from './pool.ts';
import { type Ranged, RangeIndex, rangeOf } from './range-index.ts';
import type { Reservation } from './reservation.ts';
import { networkOf, type Subnet, subnetId } from './subnet.ts';

type Report = (problem: SiteProblem) => void;
/** From these on a prefix has neither a network nor a broadcast address (RFC 3021). */
const NO_BROADCAST_BITS = 31;

export function checkDhcp(site: DhcpObjects, problems: SiteProblem[]): void {
  const report: Report = (problem) => problems.push(problem);
  checkPrefixes(site, report);
  for (const subnet of site.subnets) checkPools(subnet, report);
  checkPoolOverlaps(site, report);
  checkRouters(site, report);
  checkLinks(site, report);
  checkRelays(site, report);
  checkReservations(site, report);
}

type Net = { kind: 'subnet'; net: Subnet } | { kind: 'l3net'; net: L3Net };

function netId(value: Net): string {
  return formatPrefix(value.kind === 'subnet' ? value.net.prefix : value.net.cidr);
}

/** Subnets and l3nets share one space of addresses. */
function checkPrefixes({ subnets, l3nets }: DhcpObjects, report: Report): void {
  const nets: Ranged<Net>[] = [];
  for (const net of subnets) nets.push({ ...rangeOf(net.prefix), value: { kind: 'subnet', net } });
  for (const net of l3nets) nets.push({ ...rangeOf(net.cidr), value: { kind: 'l3net', net } });
  for (const [{ value: one }, { value: other }] of new RangeIndex(nets).overlaps()) {
    const message = `overlaps ${one.kind} ${netId(one)}`;
    const at = [other.kind === 'subnet' ? 'subnet' : 'cidr'];
    report({ kind: other.kind, id: netId(other), message, at });
  }
}

function checkPools(subnet: Subnet, report: Report): void {
  const { first, last } = rangeOf(subnet.prefix);
  const id = subnetId(subnet);
  const hasBroadcast = subnet.prefix.bits < NO_BROADCAST_BITS;
  for (const [index, pool] of subnet.pools.entries()) {
    const say = (message: string, remedy: string) =>
      report({ kind: 'subnet', id, message, remedy, at: ['pools', index] });
    const text = formatPool(pool);
    const hosts = { first: ipv4(first + 1), last: ipv4(Math.max(first + 1, last - 1)) };
    if (pool.first < first || pool.last > last) {
      say(`pool ${text} is not within the subnet`, `keep it within ${rangeText(first, last)}`);
    } else if (hasBroadcast && (pool.first === first || pool.last === last)) {
      const what = pool.first === first ? 'network' : 'broadcast';
      const address = formatIpv4(pool.first === first ? pool.first : pool.last);
      const remedy = `keep it within ${formatPool(hosts)}`;
      say(`pool ${text} has the ${what} address ${address} in it`, remedy);
    }
  }
}

function rangeText(first: number, last: number): string {
  return formatPool({ first: ipv4(first), last: ipv4(last) });
}

function checkPoolOverlaps({ byPool }: DhcpObjects, report: Report): void {
  for (const [one, other] of byPool.overlaps()) {
    const { subnet, index } = other.value;
    const whose = one.value.subnet === subnet ? '' : ` of subnet ${subnetId(one.value.subnet)}`;
    const text = ({ first, last }: Ranged<PoolOf>) => `pool ${rangeText(first, last)}`;
    const message = `${text(other)} overlaps ${text(one)}${whose}`;
    report({ kind: 'subnet', id: subnetId(subnet), message, at: ['pools', index] });
  }
}

/** Of option 3; what is not whole addresses is refused elsewhere. */
function routersOf(subnet: Subnet): Ipv4[] {
  const bytes = bytesOf(subnet.options[ROUTERS] ?? '');
  return Array.from({ length: bytes.length >> 2 }, (_, at) => ipv4FromBytes(bytes, at * 4));
}

function checkRouters({ subnets, byPool }: DhcpObjects, report: Report): void {
  for (const subnet of subnets) {
    for (const router of routersOf(subnet)) {
      const pool = byPool.find(router);
      if (pool === undefined) continue;
      const range = pool.subnet.pools[pool.index];
      const text = range === undefined ? '' : formatPool(range);
      const whose = pool.subnet === subnet ? '' : ` of subnet ${subnetId(pool.subnet)}`;
      report({
        kind: 'subnet',
        id: subnetId(subnet),
        message: `router ${formatIpv4(router)} is in pool ${text}${whose}`,
        remedy: `leave it out: split the pool around ${formatIpv4(router)}`,
        at: ['options', ROUTERS],
      });
    }
  }
}

/** An interface is one link's, and a link has one. */
function checkLinks({ bySubnet }: DhcpObjects, report: Report): void {
  const byInterface = new Map<string, Subnet>();
  const byNetwork = new Map<string, Subnet>();
  for (const { value: subnet } of bySubnet.sorted) {
    const { interface: name } = subnet;
    if (name === undefined) continue;
    const say = (message: string) =>
      report({ kind: 'subnet', id: subnetId(subnet), message, at: ['interface'] });
    const network = networkOf(subnet);
    const first = byInterface.get(name) ?? subnet;
    if (networkOf(first) !== network) {
      say(`interface ${name} is that of subnet ${subnetId(first)}, of another network`);
    }
    byInterface.set(name, first);
    const sibling = byNetwork.get(network) ?? subnet;
    if (sibling.interface !== name) {
      const other = `subnet ${subnetId(sibling)} of the same network`;
      say(`interface ${name}, but ${other} has ${sibling.interface}`);
    }
    byNetwork.set(network, sibling);
  }
}

/** A relay's address says which link a client is on, so it means one. */
function checkRelays(site: DhcpObjects, report: Report): void {
  const owners = new Map<Ipv4, Subnet>();
  for (const { value: subnet } of site.bySubnet.sorted) {
    for (const [index, relay] of subnet.relays.entries()) {
      const owner = owners.get(relay) ?? site.subnetOf(relay) ?? subnet;
      if (networkOf(owner) !== networkOf(subnet)) {
        const means = `subnet ${subnetId(owner)}, of another network`;
        const message = `relay ${formatIpv4(relay)} means ${means}, already`;
        report({ kind: 'subnet', id: subnetId(subnet), message, at: ['relays', index] });
      }
      if (!owners.has(relay)) owners.set(relay, subnet);
    }
  }
}

function checkReservations(site: DhcpObjects, report: Report): void {
  const routers = new Map(
    site.subnets.flatMap((subnet) => routersOf(subnet).map((router) => [router, subnet] as const)),
  );
  const owners = new Map<Subnet | string, Map<number | string, Reservation>>();
  for (const reservation of site.reservations) {
    const { address, identity } = reservation;
    const say = (message: string, at: string, remedy?: string) => {
      const id = formatIpv4(address);
      report({ kind: 'reservation', id, message, at: [at], ...(remedy ? { remedy } : {}) });
    };
    const subnet = site.subnetOf(address);
    if (subnet === undefined) {
      say('is in no subnet', 'address', 'add its subnet under subnets');
      continue;
    }
    const what = whatIs(address, subnet);
    if (what !== undefined) say(`is the ${what} address of subnet ${subnetId(subnet)}`, 'address');
    const routed = routers.get(address);
    if (routed !== undefined) say(`is a router of subnet ${subnetId(routed)}`, 'address');
    const network = subnet.network ?? subnet;
    const clients = owners.get(network) ?? new Map<number | string, Reservation>();
    owners.set(network, clients);
    const key = identity.by === 'mac' ? identity.mac : identityKey(identity);
    const first = clients.get(key);
    if (first === undefined) clients.set(key, reservation);
    else say(`its client has ${formatIpv4(first.address)} in the same network`, identity.by);
  }
}

function whatIs(address: Ipv4, { prefix }: Subnet): 'network' | 'broadcast' | undefined {
  if (prefix.bits >= NO_BROADCAST_BITS) return undefined;
  const { first, last } = rangeOf(prefix);
  if (address === first) return 'network';
  return address === last ? 'broadcast' : undefined;
}
