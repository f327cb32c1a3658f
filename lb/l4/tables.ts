// The pools' tables in the kernel: each is built aside and put in whole, several in one write.

import type { BpfMap, BpfObject, InnerMap } from '../../shared/bpf/types.ts';
import { numberKey, readNumber } from '../../shared/bpf/words.ts';
import { MAGLEV_SLOTS, maglevTable } from './maglev.ts';
import type { PlannedPool } from './plan.ts';

/** As many are put in together: each write waits until no program sees what was there before. */
const TOGETHER = 16;

type Held = { signature: string; id: number };

export class Tables {
  readonly #object: BpfObject;
  readonly #outer: BpfMap;
  /** By pool slot; of an earlier run's only that they are there. */
  readonly #held = new Map<number, Held>();
  readonly #keys: Uint8Array;

  constructor(object: BpfObject, outer: BpfMap) {
    this.#object = object;
    this.#outer = outer;
    for (const [slot, id] of this.#present()) this.#held.set(slot, { signature: '', id });
    this.#keys = new Uint8Array(Uint32Array.from({ length: MAGLEV_SLOTS }, (_, at) => at).buffer);
  }

  /** Those that have changed, in slices; how many. Nobody serves: no table. */
  *put(pools: readonly PlannedPool[]): Generator<undefined, number> {
    const full = pools.filter(
      (pool) => pool.kind !== 'empty' && this.#held.get(pool.slot)?.signature !== signOf(pool),
    );
    const empty = pools.filter(({ kind, slot }) => kind === 'empty' && this.#held.has(slot));
    for (let start = 0; start < full.length; start += TOGETHER) {
      yield* this.#putTogether(full.slice(start, start + TOGETHER));
    }
    for (const { slot } of empty) this.#takeOut(slot);
    return full.length + empty.length;
  }

  /** Takes out those of no pool. */
  removeStray(pools: readonly PlannedPool[]): void {
    const slots = new Set(pools.map(({ slot }) => slot));
    for (const slot of [...this.#held.keys()]) if (!slots.has(slot)) this.#takeOut(slot);
  }

  /** Forgets those that others took out or replaced, so that the next put() has them; how many. */
  forgetForeign(): number {
    const present = this.#present();
    let found = 0;
    for (const [slot, { id }] of this.#held) {
      if (present.get(slot) === id) continue;
      this.#held.delete(slot);
      found += 1;
    }
    for (const [slot, id] of present) {
      if (this.#held.has(slot)) continue;
      this.#held.set(slot, { signature: '', id });
      found += 1;
    }
    return found;
  }

  *#putTogether(pools: readonly PlannedPool[]): Generator<undefined> {
    const built: { pool: PlannedPool; inner: InnerMap }[] = [];
    try {
      for (const pool of pools) {
        if (built.length > 0) yield;
        const inner = this.#object.createInner(this.#outer.name);
        built.push({ pool, inner });
        fill(inner, this.#keys, slotsOf(pool));
      }
      const slots = Uint32Array.from(built, ({ pool }) => pool.slot);
      const fds = Uint32Array.from(built, ({ inner }) => inner.fd);
      this.#outer.updateBatch(
        new Uint8Array(slots.buffer),
        new Uint8Array(fds.buffer),
        built.length,
      );
      for (const { pool, inner } of built) {
        this.#held.set(pool.slot, { signature: signOf(pool), id: inner.id });
      }
    } finally {
      for (const { inner } of built) inner.close();
    }
  }

  #takeOut(slot: number): void {
    this.#outer.delete(numberKey(slot));
    this.#held.delete(slot);
  }

  #present(): Map<number, number> {
    const found = new Map<number, number>();
    for (const { keys, values, count } of this.#outer.batches()) {
      for (let at = 0; at < count; at += 1) {
        found.set(readNumber(keys, at * 4), readNumber(values, at * 4));
      }
    }
    return found;
  }
}

/** What a pool's table is made of. */
function signOf({ targets }: PlannedPool): string {
  const inTable = targets.filter(({ weight }) => weight > 0);
  return inTable.map(({ id, slot, weight }) => `${id} ${slot} ${weight}`).join('\n');
}

/** For each slot of the table the slot of its target. */
function slotsOf({ targets }: PlannedPool): Uint32Array {
  const inTable = targets.filter(({ weight }) => weight > 0);
  const table = maglevTable(inTable);
  // A loop: typed arrays' from() takes several times as long.
  const slots = new Uint32Array(table.length);
  for (let at = 0; at < table.length; at += 1) slots[at] = inTable[table[at] ?? -1]?.slot ?? 0;
  return slots;
}

function fill(inner: InnerMap, keys: Uint8Array, slots: Uint32Array): void {
  const view = inner.view();
  if (view === undefined) {
    inner.updateBatch(keys, new Uint8Array(slots.buffer), slots.length);
    return;
  }
  // Entries stand eight bytes apart.
  const words = new Uint32Array(view.buffer, view.byteOffset, 2 * slots.length);
  for (let at = 0; at < slots.length; at += 1) words[2 * at] = slots[at] ?? 0;
}
