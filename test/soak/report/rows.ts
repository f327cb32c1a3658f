// The tables of a report, as rows of text: the page and the Markdown show the same. Pure.
import { kindOf } from '../catalogue.ts';
import { type Facts, TOOLS, type Verdict } from '../facts.ts';
import { charge } from '../judge/clients.ts';
import { trends } from '../judge/daemons.ts';
import { short } from './escape.ts';
import { slowestDuring } from './series.ts';
import { totals } from './totals.ts';

export type Table = { title: string; head: readonly string[]; rows: readonly string[][] };

const MOST_LINES = 40;

function faultRows(facts: Facts): string[][] {
  const { charges } = charge(facts);
  return facts.faults.map((fault, at) => {
    const { name, victim, struckAtMs, healedAtMs, recoveredAtMs, trouble } = fault;
    const failed = charges
      .filter((each) => each.fault === fault)
      .map(({ load, count, allowed }) =>
        TOOLS.includes(load) ? `${count} × ${load} in part` : `${load} ${count} (${allowed} may)`,
      );
    const overflows = facts.troubles.filter(
      ({ kind, atMs }) =>
        kind === 'overflow' && struckAtMs <= atMs && atMs <= (recoveredAtMs ?? atMs),
    ).length;
    if (overflows > 0) failed.push(`${overflows} DNS answers of the overflow`);
    const seconds = (ms: number): string => `${short(ms / 1000)} s`;
    const slowest = slowestDuring(facts, at, [
      'l7-http',
      'l7-https',
      'l4-requests',
      'eip-requests',
    ]);
    const slowestName = slowestDuring(facts, at, ['dns']);
    return [
      seconds(struckAtMs - facts.startedAtMs),
      name,
      victim,
      seconds(healedAtMs - struckAtMs),
      trouble ?? seconds((recoveredAtMs ?? healedAtMs) - healedAtMs),
      failed.join(', ') || 'nothing failed',
      `${short(slowest)} / ${short(slowestName)} ms`,
    ];
  });
}

export const faultTable = (facts: Facts): Table => ({
  title: 'Faults, and what clients saw',
  head: ['at', 'fault', 'victim', 'held', 'well after', 'failed', 'slowest request / DNS answer'],
  rows: faultRows(facts),
});

export const invariantTable = (verdicts: readonly Verdict[]): Table => ({
  title: 'Invariants',
  head: ['invariant', 'looked at', 'verdict'],
  rows: verdicts.map(({ invariant, checked, breaches, note }) => {
    const verdict = breaches.length === 0 ? (checked === 0 ? 'not tried' : 'held') : 'BROKEN';
    const why = breaches.slice(0, 3).join('; ');
    const more = breaches.length > 3 ? `; and ${breaches.length - 3} more` : '';
    const words = [`${verdict}${why === '' ? '' : `: ${why}${more}`}`, note].filter(Boolean);
    return [invariant, short(checked), words.join('. ')];
  }),
});

export const loadTable = (facts: Facts): Table => ({
  title: 'Loads',
  head: ['load', 'done', 'a second', 'failed', 'MB', 'mean ms', 'worst ms'],
  rows: totals(facts).map(({ load, done, perSecond, failed, megabytes, meanMs, worstMs }) => [
    load,
    ...[done, perSecond, failed, megabytes, meanMs, worstMs].map(short),
  ]),
});

/** The worst of each daemon and measure, for a process that ended leaves a series of its own. */
export function trendTable(facts: Facts): Table {
  const worst = new Map<string, ReturnType<typeof trends>[number]>();
  for (const trend of trends(facts)) {
    const key = `${trend.daemon} ${trend.measure}`;
    const known = worst.get(key);
    if (known === undefined || trend.growth > known.growth) worst.set(key, trend);
  }
  return {
    title: 'Growth where nothing was the matter with a daemon or the store (its worst process)',
    head: ['daemon', 'measure', 'minutes', 'grew by', 'may'],
    rows: [...worst.values()].map(({ daemon, measure, unit, minutes, growth, allowed }) => [
      daemon,
      measure,
      short(minutes),
      `${short(growth)} ${unit}`.trim(),
      `${short(allowed)} ${unit}`.trim(),
    ]),
  };
}

export const kindTable = (facts: Facts): Table => ({
  title: 'What the faults are',
  head: ['fault', 'is'],
  rows: [...new Set(facts.faults.map(({ name }) => name))].map((name) => [name, kindOf(name).what]),
});

export const troubleTable = (facts: Facts): Table => ({
  title: `Troubles of clients (the first ${MOST_LINES} of ${facts.troubles.length})`,
  head: ['at', 'load', 'client', 'kind', 'what'],
  rows: facts.troubles
    .slice(0, MOST_LINES)
    .map(({ atMs, load, client, kind, what }) => [
      `${short((atMs - facts.startedAtMs) / 1000)} s`,
      load,
      client,
      kind,
      what,
    ]),
});

export const errorTable = (facts: Facts): Table => ({
  title: `Errors in logs (the first ${MOST_LINES} of ${facts.errors.length})`,
  head: ['at', 'daemon', 'event', 'message'],
  rows: facts.errors
    .slice(0, MOST_LINES)
    .map(({ atMs, daemon, event, message }) => [
      `${short((atMs - facts.startedAtMs) / 1000)} s`,
      daemon,
      event,
      message,
    ]),
});

export function about(facts: Facts): string[][] {
  const { seed, command, machine, versions, startedAtMs, endedAtMs } = facts;
  return [
    ['command', command],
    ['seed', String(seed)],
    ['began', new Date(startedAtMs).toISOString()],
    ['lasted', `${short((endedAtMs - startedAtMs) / 60_000)} min`],
    ['machine', machine],
    [
      'versions',
      Object.entries(versions)
        .map((pair) => pair.join(' '))
        .join(', '),
    ],
  ];
}
