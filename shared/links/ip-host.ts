// The machine through iproute2 and /proc/sys: links, addresses, routes, proxied neighbours.

import { readFileSync, writeFileSync } from 'node:fs';
import { openPacketSocket } from '../bpf/packet-socket.ts';
import type { Clock } from '../clock.ts';
import { type ErrorCode, OperationalError } from '../errors.ts';
import { type IpAddressRow, ipAddresses, isLinkUp, monitorIp, runIp } from '../iproute.ts';
import { gratuitousArp } from '../net/frames.ts';
import { parseIpv4 } from '../net/ipv4.ts';
import { parseMac } from '../net/mac.ts';
import type { Host, HostLink, RouteSet } from './host.ts';

// The shapes of iproute2's JSON, as far as they matter here.
type RouteRow = { type?: string; dst: string };
type NeighbourRow = { dst: string };

/** `code`: of the errors that its promises reject with. */
export function createIpHost(clock: Clock, code: ErrorCode): Host {
  const ip = new Ip(clock, code);
  return {
    links: async () => (await ip.addresses()).map(hostLink),
    watch: (onSettled, signal) => monitorIp(clock, { onSettled }, signal),
    async routes(set) {
      const found = await ip.routesOf(set, 'type', 'unreachable');
      return found.map((dst) => (dst.includes('/') ? dst : `${dst}/32`));
    },
    async changeRoutes(set, add, remove) {
      await ip.batch([
        ...add.map((prefix) => `route replace unreachable ${prefix} ${where(set)}`),
        ...remove.map((prefix) => `route del unreachable ${prefix} ${where(set)}`),
      ]);
    },
    proxyArp: (link, addresses, set) => proxyArp(ip, link, addresses, set),
    async changeAddresses({ name }, label, add, remove) {
      const labelled = `dev ${name} label ${name}:${label}`;
      await ip.batch([
        ...add.map((address) => `address replace ${address}/32 ${labelled}`),
        ...remove.map((address) => `address del ${address}/32 ${labelled}`),
      ]);
    },
    readSysctl(name) {
      try {
        return readFileSync(`/proc/sys/${name}`, 'utf8').trim();
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw ip.failure(`sysctl ${name}`, error);
      }
    },
    writeSysctl(name, value) {
      try {
        writeFileSync(`/proc/sys/${name}`, value);
      } catch (error) {
        throw ip.failure(`sysctl ${name}=${value}`, error);
      }
    },
  };
}

class Ip {
  readonly #clock: Clock;
  readonly #code: ErrorCode;

  constructor(clock: Clock, code: ErrorCode) {
    this.#clock = clock;
    this.#code = code;
  }

  readonly failure = (what: string, cause: unknown): OperationalError =>
    new OperationalError(this.#code, `${what} failed`, {
      cause,
      remedy: 'is iproute2 installed, and does the daemon have CAP_NET_ADMIN?',
    });

  addresses = () => ipAddresses(this.#clock, this.failure);

  run(args: readonly string[], tolerated: readonly number[] = []): Promise<string> {
    return runIp(this.#clock, { args, tolerated }, this.failure);
  }

  /** One process for any number of lines; stops at the first that fails. */
  async batch(lines: readonly string[]): Promise<void> {
    if (lines.length === 0) return;
    const input = `${lines.join('\n')}\n`;
    await runIp(this.#clock, { args: ['-batch', '-'], input }, this.failure);
  }

  async routesOf({ table, protocol }: RouteSet, ...which: string[]): Promise<string[]> {
    const selector = ['table', `${table}`, 'proto', `${protocol}`, ...which];
    // A table that no route was ever in is an error to `ip`, and none to us.
    const text = await this.run(['-j', '-4', 'route', 'show', ...selector], [2]);
    const rows = (text.trim() === '' ? [] : JSON.parse(text)) as RouteRow[]; // iproute2's own
    return rows.map(({ dst }) => dst);
  }
}

function hostLink(row: IpAddressRow & { ifname: string }): HostLink {
  const addresses = row.addr_info.filter(({ family }) => family === 'inet');
  return {
    name: row.ifname,
    ifindex: row.ifindex,
    mac: parseMac(row.address ?? ''),
    up: isLinkUp(row),
    addresses: addresses.map(({ local, prefixlen, label }) => ({
      address: parseIpv4(local) ?? 0,
      bits: prefixlen,
      ...(label === undefined || label === row.ifname ? {} : { label }),
    })),
  };
}

const where = ({ table, protocol }: RouteSet): string => `proto ${protocol} table ${table}`;

/**
 * The kernel answers for a proxied neighbour only where the route to it leaves by another link: so
 * each address gets a host route to the loopback. What natter translates never takes it. The route
 * also tells our proxied neighbours from others', which stay.
 */
async function proxyArp(
  ip: Ip,
  link: HostLink,
  addresses: readonly string[],
  set: RouteSet,
): Promise<void> {
  const shown = await ip.run(['-j', 'neighbour', 'show', 'proxy', 'dev', link.name]);
  const rows = (shown.trim() === '' ? [] : JSON.parse(shown)) as NeighbourRow[]; // iproute2's own
  const own = new Set(await ip.routesOf(set, 'dev', 'lo'));
  const proxied = new Set(rows.map(({ dst }) => dst).filter((dst) => own.has(dst)));
  const wanted = new Set(addresses);
  const fresh = addresses.filter((address) => !proxied.has(address));
  const gone = [...proxied].filter((address) => !wanted.has(address));
  await ip.batch([
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
