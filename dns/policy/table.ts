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

  get answers(): readonly SmartAnswer[] {
    return this.#answers;
  }

  placeOf({ name, type }: { name: string; type: string }): number {
    const key = `${name}/${type}`;
    const place = this.#places.get(key) ?? this.#places.size;
    this.#places.set(key, place);
    return place;
  }

  /** Whether any answer is another than before; what is the same stays the same object. */
  evaluate(
    records: Iterable<SmartRecord>,
    round: Round,
    zoneTtlSecondsOf: (record: SmartRecord) => number,
  ): boolean {
    const answers = [...this.#answers];
    const judged = new Map<string, JudgedPool>();
    let changed = false;
    for (const record of records) {
      const place = this.placeOf(record);
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
