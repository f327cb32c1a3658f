// dnsperf, the client of every case but for HTTPS. It is started anew for each load, and what it
// prints at its end is read.
import { join } from 'node:path';
import type { Run } from '../../../lab/run.ts';
import { CPUS, runInside, SERVER } from './site.ts';

export interface Wish {
  /** A file, as dnsperf reads it; `isBinary`: messages, not text. */
  queries: string;
  isBinary?: boolean;
  /** `doh`: by doh-client.ts, whose queries are messages. */
  mode?: 'udp' | 'tcp' | 'dot' | 'doh';
  seconds: number;
  /** A second; undefined: as soon as another one is answered. */
  rate?: number;
  /** Sockets, or connections, that they come from. */
  clients?: number;
  /** Queries that wait for an answer, at most. */
  outstanding?: number;
  cpus?: string;
  threads?: number;
}

export interface Report {
  sent: number;
  completed: number;
  lost: number;
  seconds: number;
  perSecond: number;
  meanMs: number;
  mostMs: number;
  codes: Map<string, number>;
}

/** A report as JSON. */
export type Written = Omit<Report, 'codes'> & { codes: [string, number][] };

const DOH_CLIENT = join(import.meta.dirname, 'doh-client.ts');
const PORTS = { udp: 53, tcp: 53, dot: 853 } as const;
/** Queries without an answer for so long are lost. */
const TIMEOUT_SECONDS = 1;
const GRACE_MS = 30_000;
const CLIENTS = 20;
const OUTSTANDING = 100;

function wordsOf(wish: Wish, mode: keyof typeof PORTS): string[] {
  const { clients = CLIENTS, outstanding = OUTSTANDING, threads = 1, rate } = wish;
  const options = {
    '-s': SERVER,
    '-p': PORTS[mode],
    '-m': mode,
    '-d': wish.queries,
    '-l': wish.seconds,
    '-c': clients,
    '-q': outstanding,
    '-T': threads,
    '-t': TIMEOUT_SECONDS,
    '-b': 4096,
    ...(rate === undefined ? {} : { '-Q': Math.round(rate) }),
  };
  const words = Object.entries(options).flatMap(([key, value]) => [key, String(value)]);
  return [
    ...['-O', 'suppress=timeouts,congestion,sendfailed,sockready,unexpected'],
    ...words,
    ...(wish.isBinary ? ['-B'] : []),
  ];
}

const numberIn = (text: string, pattern: RegExp): number => {
  const found = pattern.exec(text)?.[1];
  if (found === undefined) throw new Error(`dnsperf wrote no ${pattern.source}:\n${text}`);
  return Number(found);
};

/** Of what dnsperf 2.10 prints at its end. */
export function readReport(text: string): Report {
  const codes = new Map<string, number>();
  const listed = /Response codes:\s+(.*)/.exec(text)?.[1] ?? '';
  for (const [, code = '', count] of listed.matchAll(/(\w+) (\d+) \(/g)) {
    codes.set(code, Number(count));
  }
  const latency = /Average Latency \(s\):\s+([\d.]+) \(min [\d.]+, max ([\d.]+)\)/.exec(text);
  return {
    sent: numberIn(text, /Queries sent:\s+(\d+)/),
    completed: numberIn(text, /Queries completed:\s+(\d+)/),
    lost: numberIn(text, /Queries lost:\s+(\d+)/),
    seconds: numberIn(text, /Run time \(s\):\s+([\d.]+)/),
    perSecond: numberIn(text, /Queries per second:\s+([\d.]+)/),
    meanMs: Number(latency?.[1] ?? 0) * 1000,
    mostMs: Number(latency?.[2] ?? 0) * 1000,
    codes,
  };
}

async function askByHttps(run: Run, wish: Wish, limitMs: number): Promise<Report> {
  const { cpus = CPUS.client, queries, seconds } = wish;
  const { clients = CLIENTS, outstanding = OUTSTANDING } = wish;
  const argv = [DOH_CLIENT, queries, ...[seconds, clients, outstanding].map(String)];
  const text = await runInside(run, cpus, [process.execPath, ...argv], limitMs);
  const { codes, ...report } = JSON.parse(text) as Written; // doh-client's own
  return { ...report, codes: new Map(codes) };
}

export async function runClient(run: Run, wish: Wish): Promise<Report> {
  const { cpus = CPUS.client, seconds, mode = 'udp' } = wish;
  const limitMs = seconds * 1000 + GRACE_MS;
  if (mode === 'doh') return askByHttps(run, wish, limitMs);
  return readReport(await runInside(run, cpus, ['dnsperf', ...wordsOf(wish, mode)], limitMs));
}
