// The machine through iproute2 and /proc/sys: links, routes, proxied neighbours.

import { readFileSync, writeFileSync } from 'node:fs';
import { openPacketSocket } from '../shared/bpf/packet-socket.ts';
import type { Clock } from '../shared/clock.ts';
import { OperationalError } from '../shared/errors.ts';
import { type IpAddressRow, ipAddresses, isLinkUp, monitorIp, runIp } from '../shared/iproute.ts';
import { parseIpv4 } from '../shared/net/ipv4.ts';
import { parseMac } from '../shared/net/mac.ts';
import { gratuitousArp } from './frames.ts';
import type { Host, HostLink, RouteSet } from './host.ts';

// The shapes of iproute2's JSON, as far as they matter here.
type RouteRow = { type?: string; dst: string };
type NeighbourRow = { dst: string };

export function createIpHost(clock: Clock): Host {
  return {
    links: async () => (await ipAddresses(clock, hostError)).map(hostLink),
    watch: (onSettled, signal) => monitorIp(clock, { onSettled }, signal),
    async routes(set) {
      const found = await routesOf(clock, set, 'type', 'unreachable');
      return found.map((dst) => (dst.includes('/') ? dst : `${dst}/32`));
    },
    async changeRoutes(set, add, remove) {
      await batch(clock, [
        ...add.map((prefix) => `route replace unreachable ${prefix} ${where(set)}`),
        ...remove.map((prefix) => `route del unreachable ${prefix} ${where(set)}`),
      ]);
    },
    proxyArp: (link, addresses, set) => proxyArp(clock, link, addresses, set),
    readSysctl(name) {
      try {
        return readFileSync(`/proc/sys/${name}`, 'utf8').trim();
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw hostError(`sysctl ${name}`, error);
      }
    },
    writeSysctl(name, value) {
      try {
        writeFileSync(`/proc/sys/${name}`, value);
      } catch (error) {
        throw hostError(`sysctl ${name}=${value}`, error);
      }
    },
  };
}

function hostLink(row: IpAddressRow & { ifname: string }): HostLink {
  const addresses = row.addr_info.filter(({ family }) => family === 'inet');
  return {
    name: row.ifname,
    ifindex: row.ifindex,
    mac: parseMac(row.address ?? ''),
    up: isLinkUp(row),
    addresses: addresses.map(({ local, prefixlen }) => ({
      address: parseIpv4(local) ?? 0,
      bits: prefixlen,
    })),
  };
}

const where = ({ table, protocol }: RouteSet): string => `proto ${protocol} table ${table}`;

async function routesOf(
  clock: Clock,
  { table, protocol }: RouteSet,
  ...which: string[]
): Promise<string[]> {
  const selector = ['table', `${table}`, 'proto', `${protocol}`, ...which];
  // A table that no route was ever in is an error to `ip`, and none to us.
  const args = ['-j', '-4', 'route', 'show', ...selector];
  const text = await runIp(clock, { args, tolerated: [2] }, hostError);
  const rows = (text.trim() === '' ? [] : JSON.parse(text)) as RouteRow[]; // iproute2's own
  return rows.map(({ dst }) => dst);
}

/**
 * The kernel answers for a proxied neighbour only where the route to it leaves by another link: so
 * each address gets a host route to the loopback. What natter translates never takes it. The route
 * also tells our proxied neighbours from others', which stay.
 */
async function proxyArp(
  clock: Clock,
  link: HostLink,
  addresses: readonly string[],
  set: RouteSet,
): Promise<void> {
  const args = ['-j', 'neighbour', 'show', 'proxy', 'dev', link.name];
  const shown = await runIp(clock, { args }, hostError);
  const rows = (shown.trim() === '' ? [] : JSON.parse(shown)) as NeighbourRow[]; // iproute2's own
  const own = new Set(await routesOf(clock, set, 'dev', 'lo'));
  const proxied = new Set(rows.map(({ dst }) => dst).filter((dst) => own.has(dst)));
  const wanted = new Set(addresses);
  const fresh = addresses.filter((address) => !proxied.has(address));
  const gone = [...proxied].filter((address) => !wanted.has(address));
  await batch(clock, [
    ...fresh.map((address) => `route replace ${address}/32 dev lo ${where(set)}`),
    ...fresh.map((address) => `neighbour replace proxy ${address} dev ${link.name}`),
    ...gone.map((address) => `neighbour del proxy ${address} dev ${link.name}`),
    ...gone.map((address) => `route del ${address}/32 dev lo ${where(set)}`),
  ]);
  const { mac } = link;
  if (mac === undefined || fresh.length === 0) return;
  const socket = openPacketSocket(link.ifindex);
  try {
    for (const address of fresh) socket.send(gratuitousArp(mac, parseIpv4(address) ?? 0));
  } finally {
    socket.close();
  }
}

/** One process for any number of lines; stops at the first that fails. */
async function batch(clock: Clock, lines: readonly string[]): Promise<void> {
  if (lines.length === 0) return;
  await runIp(clock, { args: ['-batch', '-'], input: `${lines.join('\n')}\n` }, hostError);
}

function hostError(what: string, cause: unknown): OperationalError {
  return new OperationalError('EDGE_NATTER_HOST', `${what} failed`, {
    cause,
    remedy: 'is iproute2 installed, and does the daemon have CAP_NET_ADMIN?',
  });
}
