// The store: whether it answers, where each unit stands, and what its servers say of themselves.
// Pure.

import { FOLLOWERS, UNITS } from '../../shared/site/place.ts';
import type { ServerFacts } from '../../shared/store/types.ts';
import { name, text } from '../collect/shapes.ts';
import type { SiteReading } from '../collect/types.ts';
import {
  column,
  type Level,
  type Problem,
  type Row,
  type Section,
  type Table,
  worstFirst,
} from './types.ts';

export function storeSection(site: SiteReading): Section {
  const { store } = site;
  const tables = [serverTable(site), unitTable(site)];
  const problems: Problem[] = [];
  if (store.problem !== undefined) {
    const last =
      store.ageMs === null ? 'it never has' : `last ${Math.round(store.ageMs / 1000)} s ago`;
    problems.push({
      level: 'bad',
      section: 'store',
      what: 'the store does not answer',
      why: text(`${store.problem} (${last})`),
    });
  }
  for (const row of tables[0]?.rows ?? []) {
    if (row.level === 'ok' || row.values.server === 'the store') continue;
    const what = `Redis ${row.values.server} is not well`;
    problems.push({ level: row.level, section: 'store', what, why: String(row.values.why) });
  }
  return { id: 'store', title: 'Store', tables, problems };
}

function serverTable({ store, nowMs }: SiteReading): Table {
  const rows = store.servers.slice(0, 100).map((facts) => serverRow(facts, nowMs));
  const state = store.problem === undefined ? 'answers' : 'silent';
  const own: Row = {
    level: store.problem === undefined ? 'ok' : 'bad',
    values: {
      server: 'the store',
      state,
      why: text(store.problem ?? store.serversProblem ?? ''),
      answersMs: store.tookMs,
    },
  };
  return {
    id: 'store',
    title: 'Redis',
    columns: [
      column('server', 'server'),
      column('state', 'state', 'level'),
      column('why', 'what is wrong'),
      column('answersMs', 'a round of questions', 'milliseconds'),
      column('version', 'release'),
      column('uptimeSeconds', 'up for', 'age'),
      column('memoryBytes', 'memory', 'bytes'),
      column('clients', 'clients', 'count'),
      column('commandsPerSecond', 'commands', 'rate'),
      column('replicas', 'replicas', 'count'),
      column('persistence', 'on disk'),
    ],
    rows: [own, ...rows],
    total: rows.length + 1,
    empty: 'The store was not asked yet.',
  };
}

function serverRow({ info }: ServerFacts, nowMs: number): Row {
  const count = (field: string) => {
    const value = Number(info.get(field) ?? Number.NaN);
    return Number.isFinite(value) ? value : null;
  };
  const hasAppendOnly = info.get('aof_enabled') === '1';
  const failed = [
    info.get('rdb_last_bgsave_status') === 'err' && 'the last snapshot to disk failed',
    hasAppendOnly && info.get('aof_last_write_status') === 'err' && 'appending to disk failed',
    info.get('loading') === '1' && 'it is loading',
  ].filter((each) => each !== false);
  const level: Level = failed.length > 0 ? 'bad' : 'ok';
  const saved = count('rdb_last_save_time');
  const age = saved === null ? '' : `, ${Math.round((nowMs / 1000 - saved) / 60)} min ago`;
  return {
    level,
    values: {
      server:
        `${name(info.get('role')) || 'server'} ${name(info.get('run_id')).slice(0, 8)}`.trim(),
      state: failed.length > 0 ? 'not well' : 'answers',
      why: failed.join('; '),
      answersMs: null,
      version: name(info.get('redis_version')) || null,
      uptimeSeconds: count('uptime_in_seconds'),
      memoryBytes: count('used_memory'),
      clients: count('connected_clients'),
      commandsPerSecond: count('instantaneous_ops_per_sec'),
      replicas: count('connected_slaves'),
      persistence: hasAppendOnly ? 'append-only file' : `snapshot${age}`,
    },
  };
}

function unitTable({ store, readings }: SiteReading): Table {
  const rows = UNITS.flatMap((unit): Row[] => {
    const head = store.heads.get(unit);
    if (head === undefined) return [];
    const followers = readings.filter(
      ({ service, heard }) => FOLLOWERS[unit].includes(service) && heard !== undefined,
    );
    const behind = followers.filter(({ heard }) => (heard?.applied[unit] ?? 0) !== head.version);
    if (head.version === 0 && followers.length === 0) return [];
    const state = behind.length === 0 ? 'applied' : 'on its way';
    return [
      {
        level: behind.length === 0 ? 'ok' : 'warn',
        values: {
          unit,
          state,
          version: head.version,
          objects: head.count,
          followers: followers.length,
          behind: behind.length,
          digest: name(head.digest),
        },
      },
    ];
  });
  return {
    id: 'units',
    title: 'Desired state',
    columns: [
      column('unit', 'unit'),
      column('state', 'state', 'level'),
      column('version', 'version', 'count'),
      column('objects', 'objects', 'count'),
      column('followers', 'instances', 'count'),
      column('behind', 'not at it', 'count'),
      column('digest', 'digest'),
    ],
    rows: worstFirst(rows),
    total: rows.length,
    empty: 'Nothing has been applied yet.',
  };
}
