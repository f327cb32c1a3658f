// The interfaces of this machine and their addresses, through iproute2; told again when they
// change.

import { spawn } from 'node:child_process';
import type { Clock } from '../../shared/clock.ts';
import { OperationalError } from '../../shared/errors.ts';
import { ipv4, parseIpv4 } from '../../shared/net/ipv4.ts';
import { macToBytes, parseMac } from '../../shared/net/mac.ts';
import type { Ipv4Prefix } from '../../shared/net/prefix.ts';

export type Interface = {
  name: string;
  index: number;
  /** 6 bytes; undefined where the interface is no Ethernet. */
  mac: Uint8Array | undefined;
  /** Administratively, and with a carrier. */
  up: boolean;
  addresses: readonly Ipv4Prefix[];
};

export interface Interfaces {
  list(): Promise<Interface[]>;
  /**
   * Until the signal aborts. Calls back some time after a change, once for many, with the
   * interfaces that were down or gone at any moment meanwhile.
   */
  watch(onChange: (wentDown: ReadonlySet<string>) => void, signal: AbortSignal): void;
}

const COMMAND_TIMEOUT_MS = 10_000;
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
const SETTLE_MS = 50;
const RESTART_MS = 1000;

// iproute2's JSON, as far as it matters here.
type Row = {
  ifname?: string;
  ifindex: number;
  link_type: string;
  address?: string;
  flags: string[];
  addr_info: { local: string; prefixlen: number; family: string }[];
};

export function createInterfaces(clock: Clock): Interfaces {
  return {
    async list() {
      const rows = JSON.parse(await ip(clock, ['-j', 'address', 'show'])) as Row[];
      return rows.flatMap(interfaceOf);
    },
    watch: (onChange, signal) => watch(clock, onChange, signal),
  };
}

function interfaceOf(row: Row): Interface[] {
  if (row.ifname === undefined) return [];
  const inet = row.addr_info.filter(({ family }) => family === 'inet');
  return [
    {
      name: row.ifname,
      index: row.ifindex,
      mac: row.link_type === 'ether' ? macBytes(row.address) : undefined,
      up: row.flags.includes('UP') && !row.flags.includes('NO-CARRIER'),
      addresses: inet.map(({ local, prefixlen }) => ({
        family: 4,
        address: parseIpv4(local) ?? ipv4(0),
        bits: prefixlen,
      })),
    },
  ];
}

function macBytes(text: string | undefined): Uint8Array | undefined {
  const mac = parseMac(text ?? '');
  return mac === undefined ? undefined : macToBytes(mac);
}

function ip(clock: Clock, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('ip', args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const cancel = clock.after(COMMAND_TIMEOUT_MS, () => child.kill('SIGKILL'));
    const [out, err]: [Buffer[], Buffer[]] = [[], []];
    let bytes = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MAX_OUTPUT_BYTES) child.kill('SIGKILL');
      out.push(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.on('error', (error) => reject(interfacesError(args, error)));
    child.on('close', (code) => {
      cancel();
      if (code === 0) return resolve(Buffer.concat(out).toString());
      const why = Buffer.concat(err).toString().trim().split('\n')[0];
      reject(interfacesError(args, new Error(why || `ended with ${code}`)));
    });
  });
}

function watch(
  clock: Clock,
  onChange: (wentDown: ReadonlySet<string>) => void,
  signal: AbortSignal,
): void {
  if (signal.aborted) return;
  const child = spawn('ip', ['-o', 'monitor', 'link', 'address'], {
    stdio: ['ignore', 'pipe', 'ignore'],
    signal,
  });
  let wentDown = new Set<string>();
  let settling = false;
  const settled = (): void => {
    const names = wentDown;
    wentDown = new Set();
    settling = false;
    onChange(names);
  };
  child.stdout.on('data', (chunk: Buffer) => {
    for (const name of downIn(chunk.toString())) wentDown.add(name);
    if (settling) return;
    settling = true;
    clock.after(SETTLE_MS, settled, signal);
  });
  child.on('error', () => {}); // 'close' follows; an abort is how it is meant to end
  child.on('close', () => {
    clock.after(RESTART_MS, () => watch(clock, onChange, signal), signal);
  });
}

/** `3: eth1@if4: <BROADCAST,MULTICAST> mtu …`, or the same after "Deleted". */
export function downIn(monitored: string): string[] {
  const lines = monitored.matchAll(/^(Deleted )?\d+: ([^:@\s]+)[^<\n]*<([^>\n]*)>/gm);
  return [...lines].flatMap(([, deleted, name = '', flags = '']) => {
    return deleted !== undefined || !flags.split(',').includes('UP') ? [name] : [];
  });
}

function interfacesError(args: readonly string[], cause: unknown): OperationalError {
  return new OperationalError('EDGE_DHCPD_INTERFACES', `ip ${args.join(' ')} failed`, {
    cause,
    remedy: 'is iproute2 installed?',
  });
}
