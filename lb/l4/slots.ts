// Small numbers that index the kernel's maps, with stable owners: who had one keeps it, over
// changes and restarts. What nobody owns any more is kept for its owner's return, and given to
// another as late as can be, with a new generation: what the kernel still knows of the owner before
// does not fit then. Pure.

export type Slot = { slot: number; generation: number };

/** What an earlier run left: `alias` says as much of the owner as can be read. */
export type RecoveredSlot = Slot & { alias: string };

export class Slots {
  readonly #end: number;
  readonly #generations: Uint32Array;
  /** Active and retired ones. */
  readonly #bySlot = new Map<number, string>();
  readonly #byKey = new Map<string, number>();
  readonly #active = new Set<number>();
  readonly #unclaimed = new Map<string, number[]>();
  /** In the order in which they were left, and are given to others. */
  readonly #retired = new Set<number>();
  #cursor: number;

  /** Numbers from `first` up to, but without, `end`. */
  constructor(first: number, end: number, recovered: Iterable<RecoveredSlot> = []) {
    this.#end = end;
    this.#cursor = first;
    this.#generations = new Uint32Array(end);
    for (const { slot, generation, alias } of recovered) {
      if (slot < first || slot >= end || this.#retired.has(slot)) continue;
      this.#generations[slot] = generation;
      this.#retired.add(slot);
      const known = this.#unclaimed.get(alias);
      if (known === undefined) this.#unclaimed.set(alias, [slot]);
      else known.push(slot);
    }
  }

  /**
   * From now on exactly these keys have a slot. `aliasOf`: by what an earlier run may have left the
   * key's. Returns the slots that were given anew.
   */
  assign(keys: ReadonlySet<string>, aliasOf: (key: string) => string): number[] {
    for (const [key, slot] of this.#byKey) {
      if (keys.has(key) || !this.#active.has(slot)) continue;
      this.#active.delete(slot);
      this.#retired.add(slot);
    }
    const missing: string[] = [];
    for (const key of keys) {
      const slot = this.#byKey.get(key) ?? this.#claim(key, aliasOf(key));
      if (slot === undefined) missing.push(key);
      else this.#activate(slot);
    }
    return missing.map((key) => this.#give(key));
  }

  of(key: string): Slot {
    const slot = this.#byKey.get(key);
    if (slot === undefined || !this.#active.has(slot)) throw new Error(`${key} has no slot`);
    return { slot, generation: this.#generations[slot] ?? 0 };
  }

  #claim(key: string, alias: string): number | undefined {
    for (const slots = this.#unclaimed.get(alias) ?? []; ; ) {
      const slot = slots.shift();
      if (slot === undefined) return undefined;
      // Somebody else may have been given it meanwhile.
      if (!this.#retired.has(slot) || this.#bySlot.has(slot)) continue;
      this.#own(key, slot);
      return slot;
    }
  }

  #give(key: string): number {
    const slot = this.#unused() ?? this.#longestRetired();
    const before = this.#bySlot.get(slot);
    if (before !== undefined) this.#byKey.delete(before);
    this.#generations[slot] = ((this.#generations[slot] ?? 0) + 1) >>> 0;
    this.#own(key, slot);
    this.#activate(slot);
    return slot;
  }

  #unused(): number | undefined {
    while (this.#cursor < this.#end) {
      const slot = this.#cursor;
      this.#cursor += 1;
      if (!this.#active.has(slot) && !this.#retired.has(slot)) return slot;
    }
    return undefined;
  }

  #longestRetired(): number {
    const [slot] = this.#retired.keys();
    if (slot === undefined) throw new Error('no slot is free: capacity was not checked');
    return slot;
  }

  #own(key: string, slot: number): void {
    this.#byKey.set(key, slot);
    this.#bySlot.set(slot, key);
  }

  #activate(slot: number): void {
    this.#active.add(slot);
    this.#retired.delete(slot);
  }
}
