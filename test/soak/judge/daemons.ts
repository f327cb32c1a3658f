// What daemons may do and what not: end, grow, and log errors. Pure.
import { kindOf } from '../catalogue.ts';
import type { Facts, FaultSeen, Sample, Verdict } from '../facts.ts';
import { during, type Window, windowsOf } from './windows.ts';

type Seen = Pick<Facts, 'samples' | 'faults' | 'errors'>;

/** A new pid only where a fault struck between the two samples. */
export function judgePids({ samples, faults }: Pick<Seen, 'samples' | 'faults'>): Verdict {
  const breaches: string[] = [];
  const last = new Map<string, Sample>();
  const isStruck = (daemon: string, fromMs: number, toMs: number): boolean =>
    faults.some(
      ({ struck, struckAtMs, healedAtMs }) =>
        struck.includes(daemon) && struckAtMs <= toMs && fromMs <= healedAtMs,
    );
  for (const sample of samples.toSorted((a, b) => a.atMs - b.atMs)) {
    const { daemon, pid, atMs } = sample;
    const before = last.get(daemon);
    if (before !== undefined && before.pid !== pid && !isStruck(daemon, before.atMs, atMs)) {
      breaches.push(`${daemon}: process ${before.pid} ended, ${pid} came; nobody struck it`);
    }
    last.set(daemon, sample);
  }
  return { invariant: 'who was not struck keeps its process', checked: samples.length, breaches };
}

export type Measure = {
  name: string;
  unit: string;
  of: (sample: Sample) => number | undefined;
  /** Growth that is none: so much at once, as between two collections, and so much a minute. */
  base: number;
  perMinute: number;
};

/** V8's heap of a dhcpd goes up in steps from 205 to 313 MB and back, seen over 30 minutes. */
const HEAP_STEPS_MB = 110;

export const MEASURES: readonly Measure[] = [
  { name: 'RSS', unit: 'MB', of: ({ rssMb }) => rssMb, base: HEAP_STEPS_MB, perMinute: 0.5 },
  { name: 'open files', unit: '', of: ({ files }) => files, base: 12, perMinute: 0.2 },
  { name: 'map entries', unit: '', of: ({ entries }) => entries, base: 0, perMinute: 0 },
  { name: 'event-loop lag', unit: 'ms', of: ({ lagMs }) => lagMs, base: 100, perMinute: 0 },
];

/** A process that has just started still grows into its work. */
export const WARM_MS = 45_000;
const LEAST_SAMPLES = 8;
const LEAST_MS = 40_000;

export type Trend = {
  daemon: string;
  pid: number;
  measure: string;
  unit: string;
  minutes: number;
  growth: number;
  allowed: number;
};

const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
};

/** The median of the slopes of all pairs (Theil and Sen): what a few odd values do not move. */
export function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const slopes = points.flatMap(([x, y], at) =>
    points.slice(at + 1).flatMap(([x2, y2]) => (x2 === x ? [] : [(y2 - y) / (x2 - x)])),
  );
  return slopes.length === 0 ? 0 : median(slopes);
}

/** Of each process, over the time in which nothing was the matter with it, or with the store. */
export function trends({ samples, faults }: Pick<Seen, 'samples' | 'faults'>): Trend[] {
  const windows = windowsOf(faults);
  const series = Map.groupBy(samples, ({ daemon, pid }) => `${daemon} ${pid}`);
  return [...series.values()].flatMap((own) => {
    const startMs = Math.min(...own.map(({ atMs }) => atMs)) + WARM_MS;
    const isQuiet = ({ atMs, daemon }: Sample): boolean =>
      !during(windows, atMs).some(({ fault: { victim } }) => ['redis', daemon].includes(victim));
    const quiet = own.filter((sample) => sample.atMs >= startMs && isQuiet(sample));
    return MEASURES.flatMap((measure) => trendOf(quiet, measure) ?? []);
  });
}

function trendOf(samples: readonly Sample[], measure: Measure): Trend | undefined {
  const points = samples.flatMap((sample) => {
    const value = measure.of(sample);
    return value === undefined ? [] : [[sample.atMs, value] as const];
  });
  const [first] = samples;
  const spanMs = (points.at(-1)?.[0] ?? 0) - (points[0]?.[0] ?? 0);
  if (first === undefined || points.length < LEAST_SAMPLES || spanMs < LEAST_MS) return undefined;
  const minutes = spanMs / 60_000;
  const { daemon, pid } = first;
  const growth = slope(points) * spanMs;
  const allowed = measure.base + measure.perMinute * minutes;
  return { daemon, pid, measure: measure.name, unit: measure.unit, minutes, growth, allowed };
}

export function judgeGrowth(seen: Pick<Seen, 'samples' | 'faults'>): Verdict {
  const all = trends(seen);
  const breaches = all
    .filter(({ growth, allowed }) => growth > allowed)
    .map(({ daemon, pid, measure, unit, growth, allowed, minutes }) => {
      const [grew, most] = [growth, allowed].map((value) => `${value.toFixed(1)} ${unit}`.trim());
      const over = `in ${minutes.toFixed(1)} min, at most ${most}`;
      return `${daemon} (process ${pid}): ${measure} grew by ${grew} ${over}`;
    });
  const stated = MEASURES.map(
    ({ name, base, perMinute, unit }) =>
      `${name} ${base} ${unit}`.trim() + (perMinute === 0 ? '' : ` and ${perMinute} a minute`),
  ).join(', ');
  const invariant = 'memory, files, map entries and lag are flat';
  const note = `allowed: ${stated}`;
  return { invariant, checked: all.length, breaches, note, isTimed: true };
}

const explains = ({ fault }: Window, event: string, daemon: string): boolean =>
  kindOf(fault.name).explains.some((own) => own === event) ||
  (event === 'stderr' && fault.struck.includes(daemon));

export function judgeErrors({ errors, faults, samples }: Seen): Verdict {
  const windows = windowsOf(faults);
  const unexplained = errors.filter(
    ({ atMs, event, daemon }) =>
      !during(windows, atMs).some((window) => explains(window, event, daemon)),
  );
  const breaches = unexplained.map(
    ({ daemon, event, message }) => `${daemon}: ${event}: ${message}`,
  );
  const note = `${errors.length} errors in all; looked at beside each sample`;
  return {
    invariant: 'no error in a log but what a fault explains',
    checked: samples.length,
    breaches,
    note,
  };
}

export function judgeRecovery(faults: readonly FaultSeen[]): Verdict {
  const breaches = faults.flatMap(({ name, victim, trouble }) =>
    trouble === undefined ? [] : [`${name} of ${victim}: ${trouble}`],
  );
  const invariant = 'after each fault all is well within its time';
  return { invariant, checked: faults.length, breaches, isTimed: true };
}
