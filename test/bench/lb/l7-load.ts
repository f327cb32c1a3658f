// Loads of HTTP: wrk as fast as it goes, h2load for HTTP/2 and at a rate; what came of them, and
// what CPU the proxy took.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Run } from '../../../lab/run.ts';
import { cpuSeconds } from '../dhcpd/processes.ts';
import { HOST } from './l7-proxies.ts';
import { CPUS, runInside } from './l7-site.ts';

export type Wish = {
  url: string;
  seconds: number;
  connections: number;
  /** Lines of wrk's -H. */
  headers?: readonly string[];
  /** A wrk script. */
  script?: string;
  cpus?: string;
};

export type Load = { requests: number; perSecond: number; p50Ms: number; p99Ms: number };
export type Measured = Load & { cpuMicros: number; busy: number };

const FAILED_SHARE = 0.01;
const TIME = { us: 1e-3, ms: 1, s: 1000, m: 60_000 } as const;

function timeMs(text: string | undefined): number {
  const [, number, unit] = /^([\d.]+)(us|ms|s|m)$/.exec(text ?? '') ?? [];
  // as: the pattern has no other units
  return number === undefined ? Number.NaN : Number(number) * TIME[unit as keyof typeof TIME];
}

/** Throws when an answer was not 2xx or 3xx, or too many connections failed. */
export async function runWrk(run: Run, wish: Wish): Promise<Load> {
  const { url, seconds, connections, headers = [], script, cpus = CPUS.load } = wish;
  const words = ['-t', '1', '-c', String(connections), '-d', `${seconds}s`, '--latency'];
  const named = [`Host: ${HOST}`, ...headers].flatMap((line) => ['-H', line]);
  const scripted = script === undefined ? [] : ['-s', script];
  const argv = ['wrk', ...words, ...named, ...scripted, url];
  const text = await runInside(run, cpus, argv);
  const requests = Number(/(\d+) requests in/.exec(text)?.[1] ?? 0);
  if (requests === 0) throw new Error(`no request was answered:\n${text}`);
  const refused = /Non-2xx or 3xx responses: \d+/.exec(text)?.[0];
  const [errors = '', ...counts] =
    /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text) ?? [];
  const failed = counts.reduce((sum, count) => sum + Number(count), 0);
  if (refused !== undefined) throw new Error(refused);
  // A machine that others use lets single requests wait for seconds.
  if (failed > requests * FAILED_SHARE) throw new Error(errors);
  const percentile = (name: string) =>
    timeMs(new RegExp(`^ +${name}% +(\\S+)`, 'm').exec(text)?.[1]);
  return {
    requests,
    perSecond: Number(/Requests\/sec: +([\d.]+)/.exec(text)?.[1]),
    p50Ms: percentile('50'),
    p99Ms: percentile('99'),
  };
}

/** By h2load; `perSecond` over all connections: a rate to be kept, or as fast as it goes. */
export async function runH2load(
  run: Run,
  wish: Wish & { isHttp1: boolean; rate?: number; streams?: number },
): Promise<Load> {
  const { url, seconds, connections, isHttp1, rate, streams = 1 } = wish;
  const log = join(run.directory, 'h2load.log');
  writeFileSync(log, '');
  // Paced over a span of time, h2load 1.52 does not end.
  const amount = rate === undefined ? ['-D', String(seconds)] : ['-n', String(rate * seconds)];
  const words = [...amount, '-c', String(connections), '-m', String(streams)];
  const paced = rate === undefined ? [] : [`--rps=${rate / connections}`, `--log-file=${log}`];
  const version = isHttp1 ? ['--h1'] : [];
  const argv = ['h2load', ...words, ...version, ...paced, url];
  const text = await runInside(run, CPUS.load, argv);
  const [, failed = '1'] = /(\d+) failed/.exec(text) ?? [];
  const [, good = '0'] = /status codes: (\d+) 2xx/.exec(text) ?? [];
  if (Number(failed) > 0 || Number(good) === 0) throw new Error(`requests failed:\n${text}`);
  const times = readFileSync(log, 'latin1').trim().split('\n');
  const sorted = times.map((line) => Number(line.split('\t')[2]) / 1000).sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
  const perSecond = Number(good) / seconds;
  return { requests: Number(good), perSecond, p50Ms: at(0.5), p99Ms: at(0.99) };
}

/** The same, and the CPU time of the processes under `pid`. */
export async function withCpu(pid: number, load: () => Promise<Load>): Promise<Measured> {
  const before = cpuSeconds([pid]);
  const startedMs = performance.now();
  const done = await load();
  const used = cpuSeconds([pid]) - before;
  const seconds = (performance.now() - startedMs) / 1000;
  return { ...done, cpuMicros: (1e6 * used) / done.requests, busy: used / seconds };
}
