// What the words between an owner and its data mean: TTL, class, type (RFC 1035 §5.1). Pure.
import { classCode } from '../constants.ts';
import { parsePeriod } from '../fields-scalar.ts';
import { typeCode } from '../type-names.ts';

/** A word may be none of them. */
export type Meaning = {
  ttlSeconds: number | undefined;
  class: number | undefined;
  type: number | undefined;
};

const MAX_KEPT = 1000;

/** A zone has the same few of these words a million times. */
export class Meanings {
  readonly #kept = new Map<string, Meaning>();

  of(word: string): Meaning {
    const kept = this.#kept.get(word);
    if (kept !== undefined) return kept;
    const made = {
      ttlSeconds: parsePeriod(word),
      class: classCode(word),
      type: typeCode(word),
    };
    if (this.#kept.size < MAX_KEPT) this.#kept.set(word, made);
    return made;
  }
}
