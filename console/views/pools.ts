// Pools and their targets as dns and lb act on them, and why one is down. Pure.
import { fields, name, number, rows, text, time } from '../collect/shapes.ts';
import type { SiteReading } from '../collect/types.ts';
import { ratesBy } from './sums.ts';
import {
  byText,
  column,
  type Level,
  problemsOf,
  type Row,
  type Section,
  type Table,
  worse,
  worstFirst,
} from './types.ts';

const MOST_MERGED = 20_000;

type Target = {
  by: string;
  pool: string;
  target: string;
  state: string;
  why: string;
  said: string;
  sinceMs: number | null;
  weight: number | null;
  open: number;
  latencyMs: number | null;
  nodes: number;
};

const LEVELS: Readonly<Record<string, Level>> = {
  up: 'ok',
  unchecked: 'ok',
  drain: 'warn',
  unknown: 'warn',
  ejected: 'bad',
  down: 'bad',
};

export function poolsSection(site: SiteReading): Section {
  const targets = targetsOf(site);
  const answered = ratesBy(site, 'edge_lb_target_requests_total', ({ pool, target, outcome }) =>
    outcome === 'answered' ? `lb ${pool} ${target}` : undefined,
  );
  const targetRows = targets.map((each) => targetRow(each, answered, site.nowMs));
  const pools = poolRows(targets);
  const order = (a: Row, b: Row) => byText(sortKey(a), sortKey(b));
  const shown = worstFirst(targetRows, order);
  const table: Table = {
    id: 'targets',
    title: 'Targets',
    columns: [
      column('target', 'target'),
      column('pool', 'pool'),
      column('state', 'state', 'level'),
      column('why', 'why'),
      column('sinceSeconds', 'for', 'age'),
      column('weight', 'weight', 'count'),
      column('open', 'open', 'count'),
      column('requestsPerSecond', 'requests', 'rate'),
      column('latencyMs', 'latency', 'milliseconds'),
      column('by', 'seen by'),
    ],
    rows: shown,
    total: totalOf(site, targetRows.length),
    empty: 'No pool is in use.',
  };
  const tell = ({ values }: Row) => ({
    what: `target ${values.target} of ${values.pool} is ${values.state}, says ${values.by}`,
    why: String(values.why),
  });
  const down = pools.filter(({ level }) => level === 'bad');
  return {
    id: 'pools',
    title: 'Pools',
    tables: [poolTable(worstFirst(pools, order)), table],
    problems: [
      ...problemsOf('pools', down, ({ values }) => ({
        what: `pool ${values.pool} has no healthy target, says ${values.by}`,
        why: `${values.targets} of ${values.targets} are down`,
      })),
      ...problemsOf('pools', shown, tell),
    ],
  };
}

const sortKey = ({ values }: Row) => `${values.pool} ${values.target ?? ''} ${values.by}`;

function totalOf({ readings }: SiteReading, seen: number): number {
  const told = readings.map(({ pages }) => {
    return number(fields(pages.get('health') ?? pages.get('targets')).total) ?? 0;
  });
  return Math.max(seen, ...told);
}

/** One a target and service: what several instances say of it is taken together. */
function targetsOf({ readings }: SiteReading): Target[] {
  const merged = new Map<string, Target>();
  for (const { service, node, pages } of readings) {
    const found =
      service === 'dns'
        ? rows(fields(pages.get('health')).targets).map(dnsTarget)
        : service === 'lb'
          ? rows(fields(pages.get('targets')).targets).map(lbTarget)
          : [];
    for (const target of found) {
      if (merged.size >= MOST_MERGED) break;
      const key = `${target.by} ${target.pool} ${target.target}`;
      const known = merged.get(key);
      merged.set(key, known === undefined ? target : together(known, target, node));
    }
  }
  return [...merged.values()];
}

function together(known: Target, next: Target, node: string): Target {
  const isWorse = levelOf(next.state) !== levelOf(known.state);
  const isWorst = worse(levelOf(next.state), levelOf(known.state)) === levelOf(next.state);
  const taken =
    isWorse && isWorst ? { ...next, why: `as ${name(node)} sees it: ${next.why}` } : known;
  return { ...taken, open: known.open + next.open, nodes: known.nodes + 1 };
}

const levelOf = (state: string): Level => LEVELS[state] ?? 'warn';

function dnsTarget(row: ReturnType<typeof fields>): Target {
  const { state, who, why } = fields(row.override);
  return {
    by: 'dns',
    pool: name(row.pool),
    target: name(row.address),
    state: name(row.state),
    why: text(row.why),
    said: row.override ? text(`${text(state)} by ${text(who)}: ${text(why)}`) : '',
    sinceMs: time(row.since),
    weight: number(row.weight),
    open: 0,
    latencyMs: null,
    nodes: 1,
  };
}

function lbTarget(row: ReturnType<typeof fields>): Target {
  const skipped = text(row.skipped);
  const isEjected = skipped === 'ejected' && row.health === 'up';
  return {
    by: 'lb',
    pool: name(row.pool),
    target: name(row.target),
    state: isEjected ? 'ejected' : name(row.health),
    why: isEjected ? text(`too many failures in a row; ${text(row.why)}`) : text(row.why),
    said: '',
    sinceMs: null,
    weight: number(row.weightNow),
    open: number(row.open) ?? 0,
    latencyMs: number(row.latencyMs),
    nodes: 1,
  };
}

function targetRow(target: Target, answered: ReadonlyMap<string, number>, nowMs: number): Row {
  const { by, pool, state, why, said, sinceMs, weight, open, latencyMs } = target;
  const isLb = by === 'lb';
  return {
    level: said !== '' && levelOf(state) === 'ok' ? 'warn' : levelOf(state),
    values: {
      pool,
      target: target.target,
      state,
      why,
      override: said === '' ? null : said,
      sinceSeconds: sinceMs === null ? null : Math.max(0, (nowMs - sinceMs) / 1000),
      weight,
      open: isLb ? open : null,
      requestsPerSecond: isLb ? (answered.get(`lb ${pool} ${target.target}`) ?? null) : null,
      latencyMs: isLb && latencyMs !== 0 ? latencyMs : null,
      by,
    },
  };
}

function poolRows(targets: readonly Target[]): Row[] {
  const pools = new Map<string, { by: string; pool: string; up: number; targets: number }>();
  for (const { by, pool, state } of targets) {
    const key = `${by} ${pool}`;
    const known = pools.get(key) ?? { by, pool, up: 0, targets: 0 };
    known.targets++;
    if (state === 'up' || state === 'unchecked' || state === 'unknown') known.up++;
    pools.set(key, known);
  }
  return [...pools.values()].map(({ by, pool, up, targets: count }): Row => {
    const level = up === 0 ? 'bad' : up < count ? 'warn' : 'ok';
    const state = up === 0 ? 'none healthy' : up < count ? 'some healthy' : 'healthy';
    return { level, values: { pool, state, up, targets: count, healthy: up / count, by } };
  });
}

function poolTable(pools: readonly Row[]): Table {
  return {
    id: 'pools',
    title: 'Pools',
    columns: [
      column('pool', 'pool'),
      column('state', 'state', 'level'),
      column('up', 'healthy', 'count'),
      column('targets', 'of', 'count'),
      column('healthy', '', 'bar'),
      column('by', 'seen by'),
    ],
    rows: pools,
    total: pools.length,
    empty: 'No pool is in use.',
  };
}
