// What a smart name answers one client: its line's choice, and of that the answers of its prefix'
// slot (L2 to L4). Pure.
import { lineOf, lookup, scopeOf } from '../lines/lookup.ts';
import type { LineTree } from '../lines/types.ts';
import type { SmartAnswer, SmartChoice } from '../policy/types.ts';
import { prefixBits, prefixHash } from './prefix-hash.ts';
import type { Query } from './query-types.ts';

/** One a resolver, filled again by each choose(). */
export class SmartPick {
  line = -1;
  scope = 0;
  ttlSeconds = 0;
  /** None: no data for this line. */
  rdatas: readonly Uint8Array[] = [];

  /** False: the state has no such answer, which is a fault of who made the state. */
  choose(smart: readonly SmartAnswer[], index: number, lines: LineTree, query: Query): boolean {
    const answer = smart[index];
    if (answer === undefined) return false;
    const { lineAddress } = query;
    const found = lookup(lines, lineAddress.length === 4 ? 4 : 6, lineAddress);
    this.line = lineOf(found);
    this.scope = scopeOf(found);
    const choice: SmartChoice | undefined = answer.choices[answer.choiceOfLine[this.line] ?? 0];
    if (choice === undefined) return false;
    this.ttlSeconds = choice.ttlSeconds;
    let slot = 0;
    if (choice.slots !== undefined) {
      slot = choice.slots[prefixHash(lineAddress)] ?? 0;
      this.scope = Math.max(this.scope, prefixBits(lineAddress));
    }
    this.rdatas = choice.answers[slot] ?? [];
    return true;
  }
}
