// Conformance of HTTP/1.1 over the wire: each row of test/support/lb/conformance, between a client
// and a target, through a worker process of edge-lb; and what HAProxy and nginx do with the same
// bytes. docs/conformance-lb.md is the table for people.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expected, found, summary } from '../support/lb/conformance/compare.ts';
import { isKnownVersion, OTHERS, startOther } from '../support/lb/conformance/others.ts';
import { startWorkers } from '../support/lb/conformance/ours.ts';
import { fill, foundIn } from '../support/lb/conformance/page.ts';
import type { Patience, Played } from '../support/lb/conformance/play.ts';
import type { Row } from '../support/lb/conformance/row.ts';
import { ROWS } from '../support/lb/conformance/rows.ts';
import { AS_SAID, patienceFor, playAll } from '../support/lb/conformance/run.ts';
import { open, type Start } from '../support/lb/conformance/subjects.ts';
import { needs, program } from '../support/skip.ts';

const PAGE = join(import.meta.dirname, '../../docs/conformance-lb.md');
/** Of the project's list, as far as they are about HTTP/1.1, tunnels and PROXY. */
const NUMBERS = [
  ...[1, 2, 3, 5, 6, 7, 8, 11, 12, 14, 15, 16, 17, 18, 19, 20, 22, 23, 24, 26, 27, 28, 29, 30, 32],
  ...[34, 35, 37, 38, 39, 41, 42, 43, 45, 47, 48, 49, 50, 51, 52, 54, 55, 56, 57, 58, 60, 61, 62],
  ...[64, 65, 67, 68, 69, 70, 73, 74, 75, 76, 78, 79, 80, 85],
];
const page = readFileSync(PAGE, 'utf8');

type Results = Map<string, Played | Error>;

async function played(
  rows: readonly Row[],
  network: number,
  start: Start,
  patience: (row: Row) => Patience,
): Promise<Results> {
  const subject = await open(rows, network, start);
  try {
    const results = await playAll(subject.places, ({ row }) => patience(row));
    return new Map(rows.map((row, index) => [row.id, results[index] as Played | Error]));
  } finally {
    await subject.stop();
  }
}

function resultOf(results: Results, { id }: Row): Played {
  const result = results.get(id);
  if (result === undefined || result instanceof Error) throw result ?? new Error('not played');
  return result;
}

describe('edge-lb', () => {
  let results: Results;
  beforeAll(async () => {
    results = await played(ROWS, 77, startWorkers, () => AS_SAID);
  });
  afterAll(() => results?.clear());

  test.each(ROWS)('$id $what', (row) => {
    expect(found(row, resultOf(results, row))).toEqual(expected(row));
  });

  test('docs/conformance-lb.md shows what was found', () => {
    const ours = new Map(ROWS.map((row) => [row.id, summary(row, resultOf(results, row))]));
    expect(fill(page, { ...foundIn(page), ours }).split('\n')).toEqual(page.split('\n'));
  });

  test('each number of the list has a row, and no row is there twice', () => {
    const ids = ROWS.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const numbers = new Set(ids.map((id) => Number.parseInt(id, 10)));
    expect(NUMBERS.filter((number) => !numbers.has(number))).toEqual([]);
  });
});

describe.each(OTHERS)('%s', (name) => {
  test('does what the page says', async (context) => {
    needs(context, program(name));
    // What others do is written down for one version of each.
    needs(context, { what: `the page's ${name}`, met: isKnownVersion(name), owed: false });
    const start: Start = (places) => startOther(name, places);
    const said = foundIn(page)[name];
    const wrong = (rows: readonly Row[], results: Results) =>
      rows.filter(
        (row) => !row.byChance && summary(row, resultOf(results, row)) !== said.get(row.id),
      );
    const different = wrong(ROWS, await played(ROWS, 78, start, patienceFor));
    if (different.length === 0) return;
    // What came late on a busy machine is waited for once more, and longer.
    const longer = (row: Row): Patience => {
      const { quietMs = 0, waitMs } = patienceFor(row);
      return { quietMs: 4 * quietMs, waitMs: 4 * waitMs };
    };
    const again = await played(different, 79, start, longer);
    expect(
      wrong(different, again).map((row) => [row.id, summary(row, resultOf(again, row))]),
    ).toEqual([]);
  });
});
