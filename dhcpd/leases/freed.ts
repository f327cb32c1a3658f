// What was freed, in the order of freeing: pairs of address and the hold that was over, eight bytes
// each. An entry whose record has another hold by now is stale and dropped when it is met. Pure.

export class Freed {
  #items = new Uint32Array(64);
  #head = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(address: number, holdUntil: number): void {
    if (2 * this.#length === this.#items.length) this.#grow();
    const at = this.#at(this.#length++);
    this.#items[at] = address;
    this.#items[at + 1] = holdUntil;
  }

  /** The oldest one's address; undefined: none. */
  get address(): number | undefined {
    return this.#length === 0 ? undefined : this.#items[this.#at(0)];
  }

  get holdUntil(): number {
    return this.#items[this.#at(0) + 1] ?? 0;
  }

  drop(): void {
    if (this.#length === 0) return;
    this.#head = (this.#head + 2) & (this.#items.length - 1);
    this.#length--;
  }

  /** Keeps what `isCurrent` says is no older news. */
  compact(isCurrent: (address: number, holdUntil: number) => boolean): void {
    const count = this.#length;
    for (let i = 0; i < count; i++) {
      const at = this.#at(0);
      const address = this.#items[at] ?? 0;
      const holdUntil = this.#items[at + 1] ?? 0;
      this.drop();
      if (isCurrent(address, holdUntil)) this.push(address, holdUntil);
    }
  }

  #at(index: number): number {
    return (this.#head + 2 * index) & (this.#items.length - 1);
  }

  #grow(): void {
    const grown = new Uint32Array(this.#items.length * 2);
    for (let i = 0; i < 2 * this.#length; i++) {
      grown[i] = this.#items[(this.#head + i) & (this.#items.length - 1)] ?? 0;
    }
    this.#items = grown;
    this.#head = 0;
  }
}
