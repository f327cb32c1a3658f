// Metrics for Prometheus: a service declares its own in one table and fills them as things happen
// or, for what the kernel counts, when it is scraped. Names follow the Prometheus naming rules, and
// a test lints them.
import * as prom from 'prom-client';
import type { Clock } from './clock.ts';

type Named = { name: string; help: string; labels?: readonly string[] };
export type CounterSpec = Named & { type: 'counter' };
export type GaugeSpec = Named & { type: 'gauge' };
export type HistogramSpec = Named & { type: 'histogram'; buckets: readonly number[] };
export type MetricSpec = CounterSpec | GaugeSpec | HistogramSpec;
export type MetricTable = Readonly<Record<string, MetricSpec>>;
export type Labels = Readonly<Record<string, string>>;

export interface Counter {
  add(count?: number, labels?: Labels): void;
  /** For a total that something else keeps; one that is less than before counts as restarted. */
  setTotal(total: number, labels?: Labels): void;
}
export interface Gauge {
  set(value: number, labels?: Labels): void;
  /** Forgets every label set, for a gauge whose members come and go. */
  reset(): void;
}
export interface Histogram {
  observe(value: number, labels?: Labels): void;
}

type Handle<Spec extends MetricSpec> = Spec extends CounterSpec
  ? Counter
  : Spec extends GaugeSpec
    ? Gauge
    : Histogram;
export type Declared<Table extends MetricTable> = {
  readonly [key in keyof Table]: Handle<Table[key]>;
};

/** What every daemon exports. */
export const everywhereMetrics = {
  buildInfo: {
    type: 'gauge',
    name: 'edge_build_info',
    help: 'Always 1; the labels say what runs.',
    labels: ['service', 'version', 'node_version'],
  },
  configReloadOk: {
    type: 'gauge',
    name: 'edge_config_last_reload_successful',
    help: 'Whether the last load or reload of the configuration was accepted.',
  },
  configReloadTime: {
    type: 'gauge',
    name: 'edge_config_last_reload_timestamp_seconds',
    help: 'When the configuration that is in force was loaded.',
  },
  ready: {
    type: 'gauge',
    name: 'edge_ready',
    help: 'Whether /readyz says that it may have traffic.',
  },
  storeUp: {
    type: 'gauge',
    name: 'edge_store_up',
    help: 'Whether the store answers.',
  },
  snapshotAge: {
    type: 'gauge',
    name: 'edge_snapshot_age_seconds',
    help: 'Time since what is served was last known to equal the store.',
  },
  eventLoopLag: {
    type: 'gauge',
    name: 'edge_event_loop_lag_seconds',
    help: 'The longest delay of the event loop since the scrape before.',
  },
  logEvents: {
    type: 'counter',
    name: 'edge_log_events_total',
    help: 'Log records by event id, suppressed ones included.',
    labels: ['event'],
  },
} as const satisfies MetricTable;

const lagProbeMs = 50;

export type Build = { service: string; version: string; nodeVersion: string };

export class Metrics {
  readonly everywhere: Declared<typeof everywhereMetrics>;
  readonly contentType: string;
  readonly #registry = new prom.Registry();
  readonly #collectors: (() => void | Promise<void>)[] = [];
  readonly #clock: Clock;
  readonly #closed = new AbortController();
  #lagMs = 0;

  constructor(build: Build, clock: Clock) {
    this.#clock = clock;
    this.contentType = this.#registry.contentType;
    this.everywhere = this.declare(everywhereMetrics, (metrics) => {
      metrics.eventLoopLag.set(this.#lagMs / 1000);
      this.#lagMs = 0;
    });
    this.#probeLag();
    this.everywhere.buildInfo.set(1, {
      service: build.service,
      version: build.version,
      node_version: build.nodeVersion,
    });
    prom.collectDefaultMetrics({ register: this.#registry });
  }

  /** `collect` runs before each scrape; what it throws fails the scrape. */
  declare<const Table extends MetricTable>(
    table: Table,
    collect?: (metrics: Declared<Table>) => void | Promise<void>,
  ): Declared<Table> {
    const entries = Object.entries(table).map(([key, spec]) => [key, this.#create(spec)]);
    // One handle a key, of the type its specification says.
    const declared = Object.fromEntries(entries) as Declared<Table>;
    if (collect !== undefined) this.#collectors.push(() => collect(declared));
    return declared;
  }

  /** The exposition text. */
  async text(): Promise<string> {
    for (const collect of this.#collectors) await collect();
    return this.#registry.metrics();
  }

  close(): void {
    this.#closed.abort();
    this.#registry.clear();
  }

  // node:perf_hooks' monitor misses a delay that begins in the first interval after its reset.
  #probeLag(): void {
    const dueMs = this.#clock.monotonicMs() + lagProbeMs;
    const probe = () => {
      this.#lagMs = Math.max(this.#lagMs, this.#clock.monotonicMs() - dueMs);
      this.#probeLag();
    };
    this.#clock.after(lagProbeMs, probe, this.#closed.signal);
  }

  #create(spec: MetricSpec): Counter | Gauge | Histogram {
    const settings = {
      name: spec.name,
      help: spec.help,
      labelNames: [...(spec.labels ?? [])],
      registers: [this.#registry],
    };
    if (spec.type === 'counter') return counter(new prom.Counter(settings));
    if (spec.type === 'gauge') {
      const gauge = new prom.Gauge(settings);
      return { set: (value, labels = {}) => gauge.set(labels, value), reset: () => gauge.reset() };
    }
    const histogram = new prom.Histogram({ ...settings, buckets: [...spec.buckets] });
    return { observe: (value, labels = {}) => histogram.observe(labels, value) };
  }
}

function counter(inner: prom.Counter): Counter {
  const totals = new Map<string, number>();
  return {
    add: (count = 1, labels = {}) => inner.inc(labels, count),
    setTotal(total, labels = {}) {
      const key = JSON.stringify(labels);
      const before = totals.get(key) ?? 0;
      totals.set(key, total);
      inner.inc(labels, total >= before ? total - before : total);
    },
  };
}

const notBaseUnits = /_(ms|millis|milliseconds|us|ns|minutes|hours|kb|mb|kbit|mbit|percent)(_|$)/;
const perClientLabels = new Set(['client', 'ip', 'address', 'mac', 'qname', 'port', 'flow', 'eip']);

/** What is wrong with the names of a table; empty when nothing is. */
export function lintMetrics(table: MetricTable): string[] {
  return Object.values(table).flatMap((spec) => {
    const problems: string[] = [];
    const check = (bad: boolean, problem: string) =>
      bad && problems.push(`${spec.name}: ${problem}`);
    check(!/^edge(_[a-z][a-z0-9]*)+$/.test(spec.name), 'must be edge_ and lower-case words');
    check(notBaseUnits.test(spec.name), 'use base units: seconds, bytes, bits, ratio');
    check(
      spec.name.endsWith('_total') !== (spec.type === 'counter'),
      'counters, and only they, end in _total',
    );
    check(
      /_(count|sum|bucket|info)$/.test(spec.name) && spec.name !== 'edge_build_info',
      'ends in a reserved word',
    );
    check(!/^[A-Z].*\.$/.test(spec.help), 'help must be a sentence');
    for (const label of spec.labels ?? []) {
      check(!/^[a-z][a-z0-9_]*$/.test(label), `label ${label} must be lower case`);
      check(perClientLabels.has(label), `label ${label} has no bound`);
    }
    return problems;
  });
}
