// Facts as lines of plots: sums and worst values in as many spans of time as a plot can show. Pure.
import type { Facts, Load, Sample, Tick } from '../facts.ts';
import { during, windowsOf } from '../judge/windows.ts';
import type { Band, Plot, Series } from './plot.ts';

const SPANS = 240;
const LEAST_SPAN_MS = 1000;

type Span = { atSeconds: number; ticks: Tick[] };

const spanMsOf = ({ startedAtMs, endedAtMs }: Facts): number =>
  Math.max(LEAST_SPAN_MS, (endedAtMs - startedAtMs) / SPANS);

/** Ticks of a load by the span in which they ended; of a tool's run, each span that it covers. */
function spansOf(facts: Facts, load: Load): Span[] {
  const spanMs = spanMsOf(facts);
  const spans = new Map<number, Tick[]>();
  for (const tick of facts.ticks) {
    if (tick.load !== load) continue;
    const last = Math.floor((tick.atMs - facts.startedAtMs) / spanMs);
    const covered = Math.max(1, Math.round(tick.spanMs / spanMs));
    for (let at = Math.max(0, last - covered + 1); at <= last; at++) {
      const share = { ...tick, done: tick.done / covered, failed: tick.failed / covered };
      spans.set(at, [...(spans.get(at) ?? []), { ...share, bytes: tick.bytes / covered }]);
    }
  }
  return [...spans]
    .sort(([a], [b]) => a - b)
    .map(([at, ticks]) => ({ atSeconds: ((at + 0.5) * spanMs) / 1000, ticks }));
}

type Value = (ticks: readonly Tick[], seconds: number) => number;
const sum = (ticks: readonly Tick[], of: (tick: Tick) => number): number =>
  ticks.reduce((all, tick) => all + of(tick), 0);
const perSecond: Value = (ticks, seconds) => sum(ticks, ({ done }) => done) / seconds;
const failures: Value = (ticks) => sum(ticks, ({ failed }) => failed);
const megabits: Value = (ticks, seconds) => (8 * sum(ticks, ({ bytes }) => bytes)) / seconds / 1e6;
const worst: Value = (ticks) => ticks.reduce((most, { worstMs }) => Math.max(most, worstMs), 0);

function lines(facts: Facts, loads: readonly Load[], value: Value): Series[] {
  const seconds = spanMsOf(facts) / 1000;
  return loads.map((load) => ({
    name: load,
    points: spansOf(facts, load).map(({ atSeconds, ticks }) => [atSeconds, value(ticks, seconds)]),
  }));
}

const FLOWS: readonly Load[] = ['eip-flows', 'vm-flows', 'l4-flows', 'iperf3'];
const REQUESTS: readonly Load[] = ['l7-http', 'l7-https', 'h2load', 'l4-requests', 'eip-requests'];
const QUERIES: readonly Load[] = ['dns', 'dnsperf'];
const LEASES: readonly Load[] = ['dhcp-new', 'dhcp-renew', 'perfdhcp'];

export const loadPlots = (facts: Facts): Plot[] => [
  { title: 'Requests', unit: 'a second', series: lines(facts, REQUESTS, perSecond) },
  { title: 'DNS answers', unit: 'a second', series: lines(facts, QUERIES, perSecond) },
  { title: 'Leases and renewals', unit: 'a second', series: lines(facts, LEASES, perSecond) },
  { title: 'Flows', unit: 'Mbit/s', series: lines(facts, FLOWS, megabits) },
  {
    title: 'Failures',
    unit: 'in a span of time',
    series: lines(facts, [...REQUESTS, ...QUERIES, ...LEASES], failures).filter(({ points }) =>
      points.some(([, value]) => value > 0),
    ),
  },
  { title: 'Slowest request', unit: 'ms', series: lines(facts, REQUESTS, worst) },
  {
    title: 'Slowest answer and lease',
    unit: 'ms',
    series: lines(facts, ['dns', 'dhcp-new', 'dhcp-renew'], worst),
  },
];

function sampled(facts: Facts, of: (sample: Sample) => number | undefined): Series[] {
  const byDaemon = Map.groupBy(facts.samples, ({ daemon }) => daemon);
  return [...byDaemon].map(([name, samples]) => ({
    name,
    points: samples.flatMap((sample) => {
      const value = of(sample);
      const seconds = (sample.atMs - facts.startedAtMs) / 1000;
      return value === undefined ? [] : [[seconds, value] as const];
    }),
  }));
}

/** Of a core, between two samples of one process. */
function cpuShares(facts: Facts): Series[] {
  return [...Map.groupBy(facts.samples, ({ daemon }) => daemon)].map(([name, samples]) => ({
    name,
    points: samples.flatMap((sample, at) => {
      const before = samples[at - 1];
      if (before === undefined || before.pid !== sample.pid) return [];
      const share = (sample.cpuSeconds - before.cpuSeconds) / (sample.atMs - before.atMs);
      const seconds = (sample.atMs - facts.startedAtMs) / 1000;
      return [[seconds, Math.max(0, share * 100_000)] as const];
    }),
  }));
}

export const daemonPlots = (facts: Facts): Plot[] => [
  { title: 'Resident memory', unit: 'MB', series: sampled(facts, ({ rssMb }) => rssMb) },
  { title: 'Open files', unit: '', series: sampled(facts, ({ files }) => files) },
  { title: 'Event-loop lag', unit: 'ms', series: sampled(facts, ({ lagMs }) => lagMs) },
  { title: 'CPU', unit: '% of a core', series: cpuShares(facts) },
  { title: 'Map entries', unit: '', series: sampled(facts, ({ entries }) => entries) },
];

export function bandsOf({ faults, startedAtMs }: Facts): Band[] {
  return windowsOf(faults).map(({ fault, fromMs, toMs }) => ({
    fromSeconds: (fromMs - startedAtMs) / 1000,
    toSeconds: (toMs - startedAtMs) / 1000,
    label: `${fault.name} of ${fault.victim}`,
  }));
}

/** The slowest answer that a load's clients saw while a fault was at work. */
export function slowestDuring(facts: Facts, at: number, loads: readonly Load[]): number {
  const window = windowsOf(facts.faults)[at];
  if (window === undefined) return 0;
  const own = facts.ticks.filter(
    ({ load, atMs }) => loads.includes(load) && during([window], atMs).length > 0,
  );
  return worst(own, 1);
}
