import { expect, test } from 'vitest';
import { type Round, SmartTable } from '../../../../dns/policy/table.ts';
import type { TargetHealth } from '../../../../shared/health/types.ts';
import type { SmartRecord } from '../../../../shared/site/dns-objects.ts';
import type { Pool } from '../../../../shared/site/pool-objects.ts';

const UP: TargetHealth = {
  measured: 'up',
  effective: 'up',
  toFlipMs: 60_000,
  sinceMs: 0,
  votes: [],
};
const DOWN: TargetHealth = { ...UP, measured: 'down', effective: 'down' };

const pool = (name: string, ...addresses: string[]): Pool => ({
  name,
  targets: addresses.map((address) => ({ address, weight: 1, tier: 0 })),
  answer: 'all',
  answers: 1,
  minHealthyPercent: 0,
});
const record = (name: string, ...pools: string[]): SmartRecord => ({
  name,
  type: 'A',
  ttlSeconds: 60,
  minTtlSeconds: 1,
  lines: new Map([['default', { sources: pools.map((each) => ({ pool: each })) }]]),
  allDown: 'all',
  overflow: new Map(),
});
const POOLS = new Map(
  [pool('a', '192.0.2.1', '192.0.2.2'), pool('b', '192.0.2.3')].map((each) => [each.name, each]),
);
const LINES = ['default'];
const NO_FALLBACK: Round['fallbacks'] = new Map();

/** `asked`: addresses whose health was looked at. */
function round(down: string[], more: Partial<Round> = {}): Round {
  return {
    pools: POOLS,
    healthOf: (_, { address }) => (down.includes(address) ? DOWN : UP),
    lines: LINES,
    fallbacks: NO_FALLBACK,
    nowMs: 0,
    ...more,
  };
}
const ttl = () => 300;
const shown = (table: SmartTable) =>
  table.answers.map(
    ({ choices }) => choices[0]?.answers[0]?.map((data) => data.join('.')).join() ?? '-',
  );

test('a flip changes the answers that rest on it, and leaves the others the very same', () => {
  const table = new SmartTable();
  const records = [record('x.example', 'a'), record('y.example', 'b')];
  expect(table.evaluate(records, round([]), ttl)).toBe(true);
  const before = table.answers;
  expect(table.evaluate(records, round([]), ttl)).toBe(false);
  expect(table.answers).toBe(before);
  expect(table.evaluate(records, round(['192.0.2.1']), ttl)).toBe(true);
  expect(shown(table)).toEqual(['192.0.2.2', '192.0.2.3']);
  expect(table.answers[1]).toBe(before[1]);
});

test('another record, other pools, lines and TTLs are seen', () => {
  const table = new SmartTable();
  const one = record('x.example', 'a');
  table.evaluate([one], round([]), ttl);
  const other = { ...one, lines: record('x.example', 'b').lines };
  expect(table.evaluate([other], round([]), ttl)).toBe(true);
  expect(shown(table)).toEqual(['192.0.2.3']);
  const pools = new Map(POOLS).set('b', pool('b', '192.0.2.9'));
  expect(table.evaluate([other], round([], { pools }), ttl)).toBe(true);
  expect(shown(table)).toEqual(['192.0.2.9']);
  expect(table.evaluate([other], round([], { pools, lines: ['default', 'x'] }), ttl)).toBe(true);
  expect(table.answers[0]?.choiceOfLine.length).toBe(2);
  const { ttlSeconds, ...bare } = other;
  expect(ttlSeconds).toBe(60);
  table.evaluate([bare], round([], { pools }), () => 20);
  expect(table.answers[0]?.choices[0]?.ttlSeconds).toBe(20);
  table.evaluate([bare], round([], { pools }), () => 30);
  expect(table.answers[0]?.choices[0]?.ttlSeconds).toBe(30);
});

test('a place stays a record’s; one that is not evaluated yet has no data', () => {
  const table = new SmartTable();
  expect([
    table.placeOf({ name: 'x', type: 'A' }),
    table.placeOf({ name: 'x', type: 'AAAA' }),
  ]).toEqual([0, 1]);
  table.evaluate([{ ...record('x', 'b'), type: 'AAAA' }], round([]), ttl);
  expect(table.placeOf({ name: 'x', type: 'A' })).toBe(0);
  expect(table.answers[0]?.choices).toEqual([]);
});
