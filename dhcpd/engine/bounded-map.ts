// A map with room for so many. What was written longest ago makes room, half of it at a time: to
// take the eldest out of a Map one by one would cost a walk over those that left before. Pure.

export class BoundedMap<K, V> {
  readonly #half: number;
  #recent = new Map<K, V>();
  #before = new Map<K, V>();

  constructor(capacity: number) {
    this.#half = Math.max(1, Math.ceil(capacity / 2));
  }

  /** Upper bound: what was written again counts twice. */
  get size(): number {
    return this.#recent.size + this.#before.size;
  }

  get(key: K): V | undefined {
    return this.#recent.get(key) ?? this.#before.get(key);
  }

  set(key: K, value: V): void {
    if (this.#recent.size >= this.#half && !this.#recent.has(key)) {
      this.#before = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(key, value);
  }

  delete(key: K): void {
    this.#recent.delete(key);
    this.#before.delete(key);
  }
}
