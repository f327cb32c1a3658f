// The machine through iproute2 and /proc/sys: links, routes, proxied neighbours.

import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { openPacketSocket } from '../shared/bpf/packet-socket.ts';
import type { Clock } from '../shared/clock.ts';
import { OperationalError } from '../shared/errors.ts';
import { parseIpv4 } from '../shared/net/ipv4.ts';
import { parseMac } from '../shared/net/mac.ts';
import { gratuitousArp } from './frames.ts';
import type { Host, HostLink, RouteSet } from './host.ts';

const COMMAND_TIMEOUT_MS = 10_000;
const MAX_OUTPUT_BYTES = 256 * 1024 * 1024;
const WATCH_SETTLE_MS = 50;
const WATCH_RESTART_MS = 1000;

// The shapes of iproute2's JSON, as far as they matter here.
type AddressRow = {
  ifname: string;
  ifindex: number;
  address?: string;
  flags: string[];
  addr_info: { local: string; prefixlen: number; family: string }[];
};
type RouteRow = { type?: string; dst: string };
type NeighbourRow = { dst: string };

export function createIpHost(clock: Clock): Host {
  return {
    async links() {
      const rows = JSON.parse(await ip(['-j', 'address', 'show'])) as AddressRow[];
      return rows.filter((row) => row.ifname !== undefined).map(hostLink);
    },
    watch: (onChange, signal) => watch(clock, onChange, signal),
    async routes(set) {
      const found = await routesOf(set, 'type', 'unreachable');
      return found.map((dst) => (dst.includes('/') ? dst : `${dst}/32`));
    },
    async changeRoutes(set, add, remove) {
      await batch([
        ...add.map((prefix) => `route replace unreachable ${prefix} ${where(set)}`),
        ...remove.map((prefix) => `route del unreachable ${prefix} ${where(set)}`),
      ]);
    },
    proxyArp,
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

function hostLink(row: AddressRow): HostLink {
  const addresses = row.addr_info.filter(({ family }) => family === 'inet');
  return {
    name: row.ifname,
    ifindex: row.ifindex,
    mac: parseMac(row.address ?? ''),
    up: row.flags.includes('UP') && !row.flags.includes('NO-CARRIER'),
    addresses: addresses.map(({ local, prefixlen }) => ({
      address: parseIpv4(local) ?? 0,
      bits: prefixlen,
    })),
  };
}

const where = ({ table, protocol }: RouteSet): string => `proto ${protocol} table ${table}`;

async function routesOf({ table, protocol }: RouteSet, ...which: string[]): Promise<string[]> {
  const selector = ['table', `${table}`, 'proto', `${protocol}`, ...which];
  // A table that no route was ever in is an error to `ip`, and none to us.
  const text = await ip(['-j', '-4', 'route', 'show', ...selector], [2]);
  const rows = (text.trim() === '' ? [] : JSON.parse(text)) as RouteRow[]; // iproute2's own
  return rows.map(({ dst }) => dst);
}

/**
 * The kernel answers for a proxied neighbour only where the route to it leaves by another link: so
 * each address gets a host route to the loopback. What natter translates never takes it. The route
 * also tells our proxied neighbours from others', which stay.
 */
async function proxyArp(
  link: HostLink,
  addresses: readonly string[],
  set: RouteSet,
): Promise<void> {
  const shown = await ip(['-j', 'neighbour', 'show', 'proxy', 'dev', link.name]);
  const rows = (shown.trim() === '' ? [] : JSON.parse(shown)) as NeighbourRow[]; // iproute2's own
  const own = new Set(await routesOf(set, 'dev', 'lo'));
  const proxied = new Set(rows.map(({ dst }) => dst).filter((dst) => own.has(dst)));
  const wanted = new Set(addresses);
  const fresh = addresses.filter((address) => !proxied.has(address));
  const gone = [...proxied].filter((address) => !wanted.has(address));
  await batch([
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
async function batch(lines: readonly string[]): Promise<void> {
  if (lines.length === 0) return;
  await ip(['-batch', '-'], [], `${lines.join('\n')}\n`);
}

function ip(args: readonly string[], tolerated: number[] = [], input?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('ip', args, { stdio: ['pipe', 'pipe', 'pipe'] });
    const timer = setTimeout(() => child.kill('SIGKILL'), COMMAND_TIMEOUT_MS);
    const [out, err]: [Buffer[], Buffer[]] = [[], []];
    let bytes = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MAX_OUTPUT_BYTES) child.kill('SIGKILL');
      out.push(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.stdin.on('error', () => {}); // it ended before it read all: its exit code says why
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(hostError(`ip ${args.join(' ')}`, error));
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      const text = Buffer.concat(out).toString();
      if (code === 0) return resolve(text);
      if (tolerated.includes(code ?? -1)) return resolve(''); // what it began to print is no JSON
      const why = Buffer.concat(err).toString().trim().split('\n')[0];
      reject(hostError(`ip ${args.join(' ')}`, new Error(why || `ended with ${code}`)));
    });
    child.stdin.end(input ?? '');
  });
}

function watch(clock: Clock, onChange: () => void, signal: AbortSignal): void {
  if (signal.aborted) return;
  const child = spawn('ip', ['-o', 'monitor', 'link', 'address'], {
    stdio: ['ignore', 'pipe', 'ignore'],
    signal,
  });
  let settling = false;
  child.stdout.on('data', () => {
    if (settling) return;
    settling = true;
    clock.after(
      WATCH_SETTLE_MS,
      () => {
        settling = false;
        onChange();
      },
      signal,
    );
  });
  child.on('error', () => {}); // 'close' follows; an abort is how it is meant to end
  child.on('close', () => {
    clock.after(WATCH_RESTART_MS, () => watch(clock, onChange, signal), signal);
  });
}

function hostError(what: string, cause: unknown): OperationalError {
  return new OperationalError('EDGE_NATTER_HOST', `${what} failed`, {
    cause,
    remedy: 'is iproute2 installed, and does the daemon have CAP_NET_ADMIN?',
  });
}
