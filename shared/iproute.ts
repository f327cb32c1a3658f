// iproute2 as a process: what `ip` prints, and word of it when links or addresses change. Each user
// names the failures by a code of its own.

import { spawn } from 'node:child_process';
import type { Clock } from './clock.ts';

const COMMAND_TIMEOUT_MS = 10_000;
/** A full table of routes, as JSON, is as large as that. */
const MAX_OUTPUT_BYTES = 256 * 1024 * 1024;
const SETTLE_MS = 50;
const RESTART_MS = 1000;

/** A row of `ip -j address show`, as far as it matters here. */
export type IpAddressRow = {
  ifname?: string;
  ifindex: number;
  link_type: string;
  address?: string;
  flags: string[];
  addr_info: { local: string; prefixlen: number; family: string; label?: string }[];
};

export type IpCommand = {
  args: readonly string[];
  input?: string;
  /** Exit codes that stand for empty output. */
  tolerated?: readonly number[];
};

/** Rejects with `failure` of why: it cannot be run, ended with an error, or said too much. */
export function runIp(
  clock: Clock,
  { args, input = '', tolerated = [] }: IpCommand,
  failure: (what: string, cause: unknown) => Error,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('ip', args, { stdio: ['pipe', 'pipe', 'pipe'] });
    const cancel = clock.after(COMMAND_TIMEOUT_MS, () => child.kill('SIGKILL'));
    const [out, err]: [Buffer[], Buffer[]] = [[], []];
    const fail = (cause: unknown) => reject(failure(`ip ${args.join(' ')}`, cause));
    let bytes = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MAX_OUTPUT_BYTES) child.kill('SIGKILL');
      out.push(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.stdin.on('error', () => {}); // it ended before it read all: its exit code says why
    child.on('error', (error) => {
      cancel();
      fail(error);
    });
    child.on('close', (code) => {
      cancel();
      if (code === 0) return resolve(Buffer.concat(out).toString());
      if (tolerated.includes(code ?? -1)) return resolve(''); // what it began to print is no JSON
      const why = Buffer.concat(err).toString().trim().split('\n')[0];
      fail(new Error(why || `ended with ${code}`));
    });
    child.stdin.end(input);
  });
}

/** Interfaces with a name and their addresses. */
export async function ipAddresses(
  clock: Clock,
  failure: (what: string, cause: unknown) => Error,
): Promise<(IpAddressRow & { ifname: string })[]> {
  const text = await runIp(clock, { args: ['-j', 'address', 'show'] }, failure);
  const rows = JSON.parse(text) as IpAddressRow[]; // iproute2's own
  return rows.flatMap((row) => (row.ifname === undefined ? [] : { ...row, ifname: row.ifname }));
}

/** Administratively, and with a carrier. */
export function isLinkUp({ flags }: IpAddressRow): boolean {
  return flags.includes('UP') && !flags.includes('NO-CARRIER');
}

export type IpListener = { onText?: (text: string) => void; onSettled: () => void };

/** Until the signal aborts: each text of `ip monitor`, and a call some time after the first. */
export function monitorIp(clock: Clock, to: IpListener, signal: AbortSignal): void {
  if (signal.aborted) return;
  const child = spawn('ip', ['-o', 'monitor', 'link', 'address'], {
    stdio: ['ignore', 'pipe', 'ignore'],
    signal,
  });
  let settling = false;
  const settled = (): void => {
    settling = false;
    to.onSettled();
  };
  child.stdout.on('data', (chunk: Buffer) => {
    to.onText?.(chunk.toString());
    if (settling) return;
    settling = true;
    clock.after(SETTLE_MS, settled, signal);
  });
  child.on('error', () => {}); // 'close' follows; an abort is how it is meant to end
  child.on('close', () => {
    clock.after(RESTART_MS, () => monitorIp(clock, to, signal), signal);
  });
}
