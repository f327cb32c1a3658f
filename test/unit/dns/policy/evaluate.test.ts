// What each line is answered: docs/answers.md §6, rule by rule.
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { evaluate } from '../../../../dns/policy/evaluate.ts';
import { slotsOf } from '../../../../dns/policy/rendezvous.ts';
import type { PolicyInput } from '../../../../dns/policy/types.ts';
import type { TargetHealth } from '../../../../shared/health/types.ts';
import type { LineAnswer, SmartRecord } from '../../../../shared/site/dns-objects.ts';
import type { Pool, PoolTarget } from '../../../../shared/site/pool-objects.ts';

const LINES = ['default', 'telecom', 'unicom', 'gd-telecom'];
const FALLBACKS = new Map([['gd-telecom', ['telecom']]]);
const up: TargetHealth = {
  measured: 'up',
  effective: 'up',
  toFlipMs: Number.POSITIVE_INFINITY,
  sinceMs: 0,
  votes: [],
};
const down: TargetHealth = { ...up, measured: 'down', effective: 'down' };

const target = (address: string, more: Partial<PoolTarget> = {}): PoolTarget => {
  return { address, weight: 1, tier: 0, ...more };
};
const pool = (name: string, targets: PoolTarget[], more: Partial<Pool> = {}): Pool => {
  return { name, targets, answer: 'weighted', answers: 1, minHealthyPercent: 0, ...more };
};
const POOLS = [
  pool('t', [target('192.0.2.1'), target('192.0.2.2')]),
  pool('u', [target('198.51.100.1')]),
  pool('d', [target('203.0.113.1')]),
];
const from = (...names: string[]): LineAnswer => ({
  sources: names.map((name) => ({ pool: name })),
});

type Case = {
  record?: Partial<SmartRecord>;
  lines?: Record<string, LineAnswer>;
  pools?: Pool[];
  health?: Record<string, TargetHealth>;
  nowMs?: number;
};

function input({ record, lines, pools = POOLS, health = {}, nowMs = 0 }: Case): PolicyInput {
  return {
    record: {
      name: 'www.example.com',
      type: 'A',
      ttlSeconds: 60,
      minTtlSeconds: 5,
      lines: new Map(Object.entries(lines ?? { telecom: from('t'), default: from('d') })),
      allDown: 'all',
      overflow: new Map(),
      ...record,
    },
    pools: new Map(pools.map((each) => [each.name, each])),
    healthOf: (_, { address }) => health[address] ?? up,
    lines: LINES,
    fallbacks: FALLBACKS,
    zoneTtlSeconds: 300,
    nowMs,
  };
}

/** All addresses that a line may be answered, sorted. */
function answered(given: Case, line: string): string[] {
  const { answers } = choice(given, line);
  return [...new Set(answers.flat().map((bytes) => bytes.join('.')))].sort();
}

function choice(given: Case, line: string) {
  const { choiceOfLine, choices } = evaluate(input(given));
  const found = choices[choiceOfLine[LINES.indexOf(line)] ?? -1];
  if (found === undefined) throw new Error(`nothing for ${line}`);
  return found;
}

const ALL_T_DOWN = { '192.0.2.1': down, '192.0.2.2': down };
const overflowing = { telecom: from('t'), unicom: from('u'), default: from('d') };

describe('which answer', () => {
  test.each<[string, Case, string, string[]]>([
    ['P1 its own entry', {}, 'telecom', ['192.0.2.1', '192.0.2.2']],
    ['P1 the fallback of its line', {}, 'gd-telecom', ['192.0.2.1', '192.0.2.2']],
    ['P1 default where there is no other', {}, 'unicom', ['203.0.113.1']],
    [
      'P2 the first source that is not failed',
      {
        lines: { telecom: from('t', 'u'), default: from('d') },
        health: ALL_T_DOWN,
      },
      'telecom',
      ['198.51.100.1'],
    ],
    ['P2 one of two is down', { health: { '192.0.2.1': down } }, 'telecom', ['192.0.2.2']],
    [
      'P2 below its least share of healthy ones',
      {
        lines: { telecom: from('t', 'u'), default: from('d') },
        pools: [{ ...(POOLS[0] as Pool), minHealthyPercent: 60 }, ...POOLS.slice(1)],
        health: { '192.0.2.1': down },
      },
      'telecom',
      ['198.51.100.1'],
    ],
    [
      'P2 data never fails',
      {
        lines: {
          telecom: { sources: [{ pool: 't' }, { data: ['192.0.2.9'] }] },
          default: from('d'),
        },
        health: ALL_T_DOWN,
      },
      'telecom',
      ['192.0.2.9'],
    ],
    [
      'P3 overflow to the next line',
      {
        lines: overflowing,
        record: { overflow: new Map([['telecom', ['unicom']]]) },
        health: ALL_T_DOWN,
      },
      'telecom',
      ['198.51.100.1'],
    ],
    [
      'P3 overflow of the line whose answer it has',
      {
        lines: overflowing,
        record: { overflow: new Map([['telecom', ['unicom']]]) },
        health: ALL_T_DOWN,
      },
      'gd-telecom',
      ['198.51.100.1'],
    ],
    ['P3 all: as if healthy', { health: ALL_T_DOWN }, 'telecom', ['192.0.2.1', '192.0.2.2']],
    [
      'P3 default',
      { record: { allDown: 'default' }, health: ALL_T_DOWN },
      'telecom',
      ['203.0.113.1'],
    ],
    [
      'P3 default, which fails too',
      {
        record: { allDown: 'default' },
        health: { ...ALL_T_DOWN, '203.0.113.1': down },
      },
      'telecom',
      ['192.0.2.1', '192.0.2.2'],
    ],
    ['P3 none', { record: { allDown: 'none' }, health: ALL_T_DOWN }, 'telecom', []],
    [
      'P4 unknown is up',
      {
        health: { '192.0.2.1': { ...up, measured: 'unknown', effective: 'unknown' } },
      },
      'telecom',
      ['192.0.2.1', '192.0.2.2'],
    ],
    [
      'P4 drained',
      {
        health: {
          '192.0.2.1': {
            ...up,
            effective: 'down',
            override: { state: 'drain', who: 'a', why: 'b' },
          },
        },
      },
      'telecom',
      ['192.0.2.2'],
    ],
    [
      'P5 the lowest tier',
      {
        pools: [
          pool('t', [target('192.0.2.1', { tier: 1 }), target('192.0.2.2')]),
          ...POOLS.slice(1),
        ],
      },
      'telecom',
      ['192.0.2.2'],
    ],
    [
      'P5 the next tier',
      {
        pools: [
          pool('t', [target('192.0.2.1', { tier: 1 }), target('192.0.2.2')]),
          ...POOLS.slice(1),
        ],
        health: { '192.0.2.2': down },
      },
      'telecom',
      ['192.0.2.1'],
    ],
    [
      'P5 weight 0 waits',
      {
        pools: [
          pool('t', [target('192.0.2.1', { weight: 0 }), target('192.0.2.2')]),
          ...POOLS.slice(1),
        ],
      },
      'telecom',
      ['192.0.2.2'],
    ],
    [
      'P5 weight 0 steps in',
      {
        pools: [
          pool('t', [target('192.0.2.1', { weight: 0 }), target('192.0.2.2')]),
          ...POOLS.slice(1),
        ],
        health: { '192.0.2.2': down },
      },
      'telecom',
      ['192.0.2.1'],
    ],
  ])('%s', (_, given, line, expected) => {
    expect(answered(given, line)).toEqual(expected);
  });

  test('P5 all: one set with every healthy address', () => {
    const pools = [{ ...(POOLS[0] as Pool), answer: 'all' as const }, ...POOLS.slice(1)];
    const found = choice({ pools }, 'telecom');
    expect(found.slots).toBeUndefined();
    expect(found.answers.map((set) => set.length)).toEqual([2]);
  });

  test('P5 two answers: both, in the order of their rank', () => {
    const pools = [{ ...(POOLS[0] as Pool), answers: 2 }, ...POOLS.slice(1)];
    const { answers, slots } = choice({ pools }, 'telecom');
    expect(answers.map((set) => set.length)).toEqual([2, 2]);
    expect(new Set(slots).size).toBe(2);
  });

  test('a choice says why', () => {
    const { steps } = choice({ health: ALL_T_DOWN }, 'telecom');
    expect(steps.join('\n')).toMatch(/pool t failed.*192\.0\.2\.1 not served \(down, weight 1\)/);
    expect(steps.join('\n')).toMatch(/as if all of it were healthy/);
  });
});

describe('P6: the TTL', () => {
  const flips = (toFlipMs: number) => ({ ...up, toFlipMs });
  test.each<[string, Case, number]>([
    ['as configured without checks', {}, 60],
    [
      'of the line',
      {
        lines: { telecom: { ...from('t'), ttlSeconds: 20 }, default: from('d') },
      },
      20,
    ],
    ['of the zone', { record: { ttlSeconds: undefined } as never }, 300],
    ['what health permits', { health: { '192.0.2.1': flips(15_900) } }, 15],
    ['not below its floor', { health: { '192.0.2.1': flips(1000) } }, 5],
    [
      'a floor above the ceiling is the ceiling',
      { record: { ttlSeconds: 3, minTtlSeconds: 5 } },
      3,
    ],
    ['0 is 1', { record: { ttlSeconds: 0, minTtlSeconds: 0 } }, 1],
    ['another pool does not matter', { health: { '203.0.113.1': flips(9000) } }, 60],
    [
      'a pool that failed and may come back does',
      {
        lines: { telecom: from('t', 'u'), default: from('d') },
        health: { '192.0.2.1': down, '192.0.2.2': { ...down, toFlipMs: 8000 } },
      },
      8,
    ],
    [
      'an override ends',
      {
        nowMs: 1000,
        health: {
          '192.0.2.1': { ...up, override: { state: 'up', who: 'a', why: 'b', untilMs: 11_000 } },
        },
      },
      10,
    ],
  ])('%s', (_, given, expected) => {
    expect(choice(given, 'telecom').ttlSeconds).toBe(expected);
  });
});

describe('P5: slots', () => {
  const weights = fc
    .uniqueArray(fc.ipV4(), { minLength: 2, maxLength: 8 })
    .chain((keys) =>
      fc
        .array(fc.integer({ min: 1, max: 100 }), { minLength: keys.length, maxLength: keys.length })
        .map((each) => keys.map((key, index) => ({ key, weight: each[index] ?? 1 }))),
    );

  test('one that goes moves only its own share', () => {
    fc.assert(
      fc.property(weights, (all) => {
        const [, ...left] = all;
        const before = slotsOf(all, 1);
        const after = slotsOf(left, 1);
        before.forEach(([index = 0], slot) => {
          if (index !== 0) expect(left[after[slot]?.[0] ?? -1]?.key).toBe(all[index]?.key);
        });
      }),
      { numRuns: 50 },
    );
  });

  test('shares follow the weights', () => {
    const all = [1, 2, 3, 4].map((weight) => ({ key: `192.0.2.${weight}`, weight }));
    const counts = [0, 0, 0, 0];
    for (const [index = 0] of slotsOf(all, 1)) counts[index] = (counts[index] ?? 0) + 1;
    counts.forEach((count, index) => {
      expect(Math.abs(count - 25.6 * (index + 1))).toBeLessThan(20);
    });
  });

  test('the order in which targets come does not matter', () => {
    fc.assert(
      fc.property(weights, (all) => {
        const keys = (of: typeof all) => slotsOf(of, 2).map((s) => s.map((i) => of[i]?.key));
        expect(keys([...all].reverse())).toEqual(keys(all));
      }),
      { numRuns: 20 },
    );
  });
});
