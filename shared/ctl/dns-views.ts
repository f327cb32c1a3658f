// The columns of each kind of object of dns and of pools.

import type { CheckSettings } from '../health/types.ts';
import type { Line, LineAnswer, RecordObject, Source, ZoneObject } from '../site/dns-objects.ts';
import { formatTtl } from '../site/dns-times.ts';
import { formatMoment } from '../site/moment.ts';
import type { HealthOverride, Pool } from '../site/pool-objects.ts';
import { isSmart } from '../site/record.ts';
import { targetText } from '../site/target-pool.ts';
import { someNames } from './names.ts';
import type { Column } from './table.ts';

export const ZONE_COLUMNS: readonly Column<ZoneObject>[] = [
  { title: 'ZONE', value: (row) => row.name },
  { title: 'TTL', right: true, value: (row) => row.soa && formatTtl(row.ttlSeconds) },
  { title: 'PRIMARY', value: (row) => row.soa?.primary },
  { title: 'FROM', value: (row) => someNames(row.primaries.map(({ from }) => from)) },
  { title: 'NOTIFY', value: (row) => someNames(row.notify.map(({ to }) => to)) },
];

export const RECORD_COLUMNS: readonly Column<RecordObject>[] = [
  { title: 'NAME', value: (row) => row.name },
  { title: 'TYPE', value: (row) => row.type },
  {
    title: 'TTL',
    right: true,
    value: (row) => (row.ttlSeconds === undefined ? undefined : formatTtl(row.ttlSeconds)),
  },
  { title: 'DATA', value: dataText },
];

function dataText(record: RecordObject): string {
  if (!isSmart(record)) return someNames(record.data);
  const lines = [...record.lines].map(([line, answer]) => `${line}: ${answerText(answer)}`);
  return lines.join('; ');
}

function answerText({ sources }: LineAnswer): string {
  return sources.map(sourceText).join(', else ');
}

function sourceText(source: Source): string {
  return 'pool' in source ? `pool ${source.pool}` : someNames(source.data);
}

export const LINE_COLUMNS: readonly Column<Line>[] = [
  { title: 'LINE', value: (row) => row.name },
  { title: 'PREFIXES', right: true, value: (row) => row.prefixes.length },
  { title: 'FALLBACK', value: (row) => row.fallback.join(', ') },
];

export const POOL_COLUMNS: readonly Column<Pool>[] = [
  { title: 'POOL', value: (row) => row.name },
  { title: 'TARGETS', value: (row) => someNames(row.targets.map(targetText)) },
  { title: 'CHECK', value: (row) => row.check && checkText(row.check) },
  { title: 'ANSWER', value: (row) => row.answer },
  { title: 'MIN', right: true, value: (row) => `${row.minHealthyPercent}%` },
];

function checkText(check: CheckSettings): string {
  if (check.type === 'icmp') return check.type;
  const path = 'path' in check ? check.path : '';
  return `${check.type}${check.port === 0 ? '' : `:${check.port}`}${path}`;
}

export const OVERRIDE_COLUMNS: readonly Column<HealthOverride>[] = [
  { title: 'TARGET', value: targetText },
  { title: 'POOL', value: (row) => row.pool },
  { title: 'STATE', value: (row) => row.state },
  {
    title: 'UNTIL',
    value: (row) => (row.untilMs === undefined ? undefined : formatMoment(row.untilMs)),
  },
  { title: 'WHO', value: (row) => row.who },
  { title: 'WHY', value: (row) => row.why },
];
