// The smart answers of all records, at fixed places: images of zones name a place, and a flip of
// health changes only what stands there. Pure.
import type { SmartRecord } from '../../shared/site/dns-objects.ts';
import { evaluate } from './evaluate.ts';
import type { JudgedPool } from './pools.ts';
import type { PolicyInput, SmartAnswer, SmartChoice } from './types.ts';

/** Against which all records are evaluated. */
export type Round = Omit<PolicyInput, 'record' | 'zoneTtlSeconds'>;

export class SmartTable {
  /** A place stays a record's, also while it is gone: an image of before may still ask for it. */
  readonly #places = new Map<string, number>();
  #answers: readonly SmartAnswer[] = [];
  /** By place: what was evaluated last, and what of it rests on others. */
  readonly #last: ({ record: SmartRecord; rests: string } | undefined)[] = [];
  #lines: Round['lines'] = [];
  #fallbacks: Round['fallbacks'] = new Map();

  get answers(): readonly SmartAnswer[] {
    return this.#answers;
  }

  placeOf({ name, type }: { name: string; type: string }): number {
    const key = `${name}/${type}`;
    const place = this.#places.get(key) ?? this.#places.size;
    this.#places.set(key, place);
    return place;
  }

  /**
   * Whether any answer is another than before; what is the same stays the same object. A record is
   * looked at again only when it, its zone's TTL, the lines or the health of its pools are others.
   */
  evaluate(
    records: Iterable<SmartRecord>,
    round: Round,
    zoneTtlSecondsOf: (record: SmartRecord) => number,
  ): boolean {
    const answers = [...this.#answers];
    const judged = new Map<string, JudgedPool>();
    const words = new Map<string, string>();
    const wordOf = (pool: string): string => {
      const word = words.get(pool) ?? wordOfPool(round, pool);
      words.set(pool, word);
      return word;
    };
    const linesAreSame = this.#lines === round.lines && this.#fallbacks === round.fallbacks;
    [this.#lines, this.#fallbacks] = [round.lines, round.fallbacks];
    let changed = false;
    for (const record of records) {
      const place = this.placeOf(record);
      const rests = [zoneTtlSecondsOf(record), ...poolsOf(record).map(wordOf)].join(' ');
      const last = this.#last[place];
      if (linesAreSame && last?.record === record && last.rests === rests) continue;
      this.#last[place] = { record, rests };
      const input = { ...round, record, zoneTtlSeconds: zoneTtlSecondsOf(record) };
      const next = evaluate(input, judged);
      const before = answers[place];
      if (before !== undefined && isSame(before, next)) continue;
      answers[place] = next;
      changed = true;
    }
    if (changed) this.#answers = filled(answers);
    return changed;
  }
}

const poolNames = new WeakMap<SmartRecord, readonly string[]>();

function poolsOf(record: SmartRecord): readonly string[] {
  const known = poolNames.get(record);
  if (known !== undefined) return known;
  const names = [...record.lines.values()].flatMap(({ sources }) =>
    sources.flatMap((source) => ('pool' in source ? source.pool : [])),
  );
  poolNames.set(record, names);
  return names;
}

const poolNumbers = new WeakMap<object, number>();
let pools = 0;

/** All of a pool that an answer can rest on; of overrides that end, for how many seconds more. */
function wordOfPool({ pools: all, healthOf, nowMs }: Round, name: string): string {
  const pool = all.get(name);
  if (pool === undefined) return '';
  const number = poolNumbers.get(pool) ?? ++pools;
  poolNumbers.set(pool, number);
  const states = pool.targets.map((target) => {
    const { effective, toFlipMs, override } = healthOf(pool, target);
    const leftMs = (override?.untilMs ?? Number.POSITIVE_INFINITY) - nowMs;
    return `${effective} ${Math.floor(Math.min(toFlipMs, leftMs) / 1000)}`;
  });
  return [number, ...states].join(',');
}

/** Places whose record has not been evaluated yet have no data. */
function filled(answers: SmartAnswer[]): SmartAnswer[] {
  return Array.from(answers, (each) => each ?? { choiceOfLine: new Uint16Array(0), choices: [] });
}

/** Steps aside: they say numbers that change although the answer does not. */
function isSame(one: SmartAnswer, other: SmartAnswer): boolean {
  return (
    isSameBytes(one.choiceOfLine, other.choiceOfLine) &&
    one.choices.length === other.choices.length &&
    one.choices.every((choice, index) => isSameChoice(choice, other.choices[index]))
  );
}

function isSameChoice(one: SmartChoice, other: SmartChoice | undefined): boolean {
  if (other === undefined || one.ttlSeconds !== other.ttlSeconds) return false;
  if (!isSameBytes(one.slots, other.slots) || one.answers.length !== other.answers.length) {
    return false;
  }
  return one.answers.every((set, at) => {
    const set2 = other.answers[at] ?? [];
    return set.length === set2.length && set.every((data, index) => isSameBytes(data, set2[index]));
  });
}

type Numbers = Uint8Array | Uint16Array;

function isSameBytes(one: Numbers | undefined, other: Numbers | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return one.length === other.length && one.every((value, at) => value === other[at]);
}
