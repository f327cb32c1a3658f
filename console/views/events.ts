// What the daemons logged lately, all of them in one feed, newest first. Pure.

import { formatMoment } from '../../shared/site/moment.ts';
import { fields, name, rows, text, time } from '../collect/shapes.ts';
import type { SiteReading } from '../collect/types.ts';
import { column, type Level, type Row, type Section, type Table } from './types.ts';

export const EVENT_LEVELS = ['info', 'warn', 'error'] as const;
export type EventLevel = (typeof EVENT_LEVELS)[number];

/** In the page; its JSON has more. */
export const EVENTS_SHOWN = 200;
const KEPT = 1000;
/** As many as a daemon keeps. */
const A_MEMBER = 200;
const LEVELS: Readonly<Record<EventLevel, Level>> = { info: 'ok', warn: 'warn', error: 'bad' };
const HEAD = new Set(['time', 'level', 'service', 'node', 'event', 'msg']);
const MOST_FIELDS = 8;

const COLUMNS = [
  column('timeMs', 'time', 'time'),
  column('day', 'day'),
  column('level', 'level', 'level'),
  column('from', 'from'),
  column('event', 'event'),
  column('message', 'what happened'),
  column('more', 'more'),
];

/** What nobody knows is info. */
export function parseEventLevel(text: string | null): EventLevel {
  return EVENT_LEVELS.find((each) => each === text) ?? 'info';
}

export function eventsSection(site: SiteReading): Section {
  const tables = [eventTable(eventRows(site), 'info')];
  return { id: 'events', title: 'Events', tables, problems: [] };
}

/** Those of a table of events that are at `level` or worse. */
export function withLevel(table: Table, level: EventLevel): Table {
  const least = EVENT_LEVELS.indexOf(level);
  const isMeant = ({ values }: Row) => levelNumber(values.level) >= least;
  return eventTable(table.rows.filter(isMeant), level);
}

function eventTable(all: readonly Row[], level: EventLevel): Table {
  return {
    id: 'events',
    title: 'What happened lately',
    columns: COLUMNS,
    rows: all.slice(0, KEPT),
    total: all.length,
    empty: level === 'info' ? 'Nothing was logged lately.' : `Nothing at ${level} or above lately.`,
  };
}

/** What is unknown counts as info. */
const levelNumber = (level: unknown) => Math.max(0, EVENT_LEVELS.indexOf(level as EventLevel));

function eventRows({ readings, nowMs }: SiteReading): Row[] {
  const all = readings.flatMap(({ service, node, pages }) =>
    rows(fields(pages.get('events')).events, A_MEMBER).map((event) =>
      row(event, `${service}/${name(node)}`, nowMs),
    ),
  );
  return all
    .sort((a, b) => Number(b.values.timeMs ?? 0) - Number(a.values.timeMs ?? 0))
    .slice(0, KEPT);
}

function row(event: ReturnType<typeof fields>, from: string, nowMs: number): Row {
  const timeMs = time(event.time);
  const level = EVENT_LEVELS.find((each) => each === event.level) ?? 'info';
  const more = Object.entries(event)
    .filter(([key]) => !HEAD.has(key))
    .slice(0, MOST_FIELDS)
    .map(([key, value]) => `${name(key)}=${name(fieldText(value))}`);
  return {
    level: LEVELS[level],
    values: {
      timeMs,
      day: timeMs === null || dayOf(timeMs) === dayOf(nowMs) ? null : dayOf(timeMs),
      level,
      from,
      event: name(event.event),
      message: text(event.msg),
      more: text(more.join(' ')),
    },
  };
}

const dayOf = (ms: number) => formatMoment(ms).slice(0, 10);

/** Of an error, its code or its message: the stack is for the log. */
function fieldText(value: unknown): string {
  if (typeof value === 'string') return value;
  const { code, message } = fields(value);
  if (message !== undefined) return text([text(code), text(message)].filter(Boolean).join(' '));
  return JSON.stringify(value)?.slice(0, 100) ?? '';
}
