// Every instance of every service: how it is, what it has applied, whether it can be read. Pure.

import { unitsFollowedBy } from '../../shared/site/place.ts';
import { fields, name, number, rows, text, time } from '../collect/shapes.ts';
import type { Reading, SiteReading, StoreReading } from '../collect/types.ts';
import {
  byText,
  column,
  type Level,
  problemsOf,
  type Row,
  type Section,
  worse,
  worstFirst,
} from './types.ts';

/** As edgectl has it: a member that is silent for longer is not waited for. */
const LIVE_MS = 10_000;
/** A heartbeat is up to a second old, and on its way for a while. */
const SKEW_MS = 2000;
const STALE_MS = 60_000;

const STATE_LEVELS: Readonly<Record<string, Level>> = {
  running: 'ok',
  starting: 'warn',
  draining: 'warn',
  drained: 'warn',
};

const COLUMNS = [
  column('node', 'node'),
  column('service', 'service'),
  column('state', 'state', 'level'),
  column('why', 'what is wrong'),
  column('applied', 'version'),
  column('ageSeconds', 'heard', 'age'),
  column('uptimeSeconds', 'up for', 'age'),
  column('skewSeconds', 'clock off', 'seconds'),
  column('cpu', 'CPU', 'bar'),
  column('rssBytes', 'memory', 'bytes'),
  column('version', 'release'),
  column('address', 'admin pages'),
];

export function nodesSection(site: SiteReading): Section {
  const all = site.readings.map((reading) => nodeRow(reading, site.store, site.nowMs));
  const order = (a: Row, b: Row) => byText(sortKey(a), sortKey(b));
  const rows = [...worstFirst(all, order), selfRow(site)];
  const tell = ({ values }: Row) => ({
    what: `${values.service}/${values.node} is ${values.state}`,
    why: String(values.why),
  });
  const table = {
    id: 'nodes',
    title: 'Instances',
    columns: COLUMNS,
    rows,
    total: all.length + 1,
    empty: 'Nobody has told the store of itself within a day.',
  };
  return {
    id: 'nodes',
    title: 'Nodes',
    tables: [table],
    problems: problemsOf('nodes', rows, tell),
  };
}

const sortKey = ({ values }: Row) => `${values.service} ${values.node}`;

function nodeRow(reading: Reading, store: StoreReading, nowMs: number): Row {
  const { service, node, heard, address, ageMs } = reading;
  const state = stateOf(reading);
  const why = [...troubles(reading, store, nowMs)];
  const level = why.reduce((worst, each) => worse(worst, each.level), state.level);
  return {
    level,
    values: {
      service,
      node: name(node),
      state: state.text,
      why: why.map((each) => each.text).join('; '),
      applied: heard === undefined ? null : appliedText(heard.applied),
      ageSeconds: heard === undefined ? null : heard.ageMs / 1000,
      uptimeSeconds: startedAt(reading, nowMs),
      skewSeconds: skewSeconds(reading, nowMs, store),
      cpu: sampleOf(reading, 'process_cpu_seconds_total', 'perSecond'),
      rssBytes: sampleOf(reading, 'process_resident_memory_bytes', 'value'),
      version: heard === undefined ? null : name(heard.version),
      address: address === undefined ? null : name(address),
      readSecondsAgo: ageMs === null ? null : ageMs / 1000,
    },
  };
}

function selfRow({ self, nowMs }: SiteReading): Row {
  const rated = (key: string) => self.rated.find((each) => each.name === key);
  return {
    level: 'ok',
    values: {
      service: 'console',
      node: name(self.node),
      state: 'running',
      why: '',
      applied: null,
      ageSeconds: 0,
      uptimeSeconds: (nowMs - self.startedAtMs) / 1000,
      skewSeconds: null,
      cpu: rated('process_cpu_seconds_total')?.perSecond ?? null,
      rssBytes: rated('process_resident_memory_bytes')?.value ?? null,
      version: self.version,
      address: null,
      readSecondsAgo: 0,
    },
  };
}

function stateOf({ heard, pages }: Reading): { text: string; level: Level } {
  if (heard === undefined) {
    const state = name(fields(pages.get('status')).state);
    return state === ''
      ? { text: 'unknown', level: 'warn' }
      : { text: state, level: levelOf(state) };
  }
  if (heard.ageMs > LIVE_MS) {
    // One that took its leave has no heartbeat any more: this one ended otherwise.
    return { text: 'silent', level: 'bad' };
  }
  const state = name(heard.state);
  return { text: state, level: levelOf(state) };
}

const levelOf = (state: string): Level => STATE_LEVELS[state] ?? 'bad';

function* troubles(
  reading: Reading,
  store: StoreReading,
  nowMs: number,
): Generator<{ text: string; level: Level }> {
  const { heard, address, problems, pages } = reading;
  const isLive = heard === undefined || heard.ageMs <= LIVE_MS;
  if (heard !== undefined && !isLive) yield { text: 'no heartbeat', level: 'bad' };
  if (isLive) yield* checksOf(pages.get('status'));
  if (heard?.drift !== undefined) yield { text: text(heard.drift), level: 'bad' };
  if (heard !== undefined && isLive) yield* lagOf(reading, store);
  const skew = skewSeconds(reading, nowMs, store);
  if (skew !== null && Math.abs(skew) * 1000 > SKEW_MS) {
    yield { text: `its clock is ${skew.toFixed(1)} s off`, level: 'warn' };
  }
  if (address === undefined) yield { text: 'its admin pages are on loopback only', level: 'ok' };
  const [unread] = problems;
  if (unread !== undefined && isLive) {
    const more = problems.size > 1 ? ` (and ${problems.size - 1} more)` : '';
    yield {
      text: `${unread[0].split('?')[0]} cannot be read: ${text(unread[1])}${more}`,
      level: 'warn',
    };
  }
  if (reading.ageMs !== null && reading.ageMs > STALE_MS && isLive) {
    yield { text: `last read ${Math.round(reading.ageMs / 1000)} s ago`, level: 'warn' };
  }
}

function* checksOf(status: unknown): Generator<{ text: string; level: Level }> {
  for (const check of rows(fields(status).checks)) {
    const problem = text(check.problem);
    if (problem !== '') yield { text: `${name(check.name)}: ${problem}`, level: 'warn' };
  }
}

function* lagOf({ service, heard }: Reading, { heads }: StoreReading) {
  for (const unit of unitsFollowedBy(service)) {
    const wanted = heads.get(unit)?.version ?? 0;
    const applied = number(fields(heard?.applied)[unit]) ?? 0;
    if (applied < wanted) {
      yield { text: `has ${unit} ${applied} of ${wanted}`, level: 'warn' as const };
    } else if (applied > wanted) {
      yield {
        text: `is ahead of the store: ${unit} ${applied} of ${wanted}`,
        level: 'bad' as const,
      };
    }
  }
}

function appliedText(applied: unknown): string {
  const units = Object.entries(fields(applied)).slice(0, 5);
  if (units.length === 1) return text(units[0]?.[1]);
  return text(units.map(([unit, version]) => `${name(unit)} ${text(version)}`).join(', '));
}

function startedAt({ heard, pages }: Reading, nowMs: number): number | null {
  const told = heard?.startedAt ?? time(fields(pages.get('status')).startedAt);
  return told === null ? null : Math.max(0, (nowMs - told) / 1000);
}

/** Of its clock against ours; null for one that is silent, or does not tell. */
function skewSeconds({ heard }: Reading, nowMs: number, store: StoreReading): number | null {
  if (heard?.clockMs === undefined || heard.ageMs > LIVE_MS || store.ageMs === null) return null;
  const skewMs = heard.clockMs + heard.ageMs - nowMs;
  return Math.round(skewMs / 100) / 10;
}

function sampleOf(reading: Reading, metric: string, of: 'value' | 'perSecond'): number | null {
  return reading.rated.find((each) => each.name === metric)?.[of] ?? null;
}
