// Hands out small numbers (slots of EIPs, ids of buckets) that index the kernel's maps. A number
// that its owner had before a restart is claimed first, so that meters and buckets go on.

export class NumberPool {
  readonly #first: number;
  readonly #taken: Uint8Array;
  readonly #freed: number[] = [];
  #cursor: number;
  #used = 0;

  /** Numbers from `first` up to, but without, `end`. */
  constructor(first: number, end: number) {
    this.#first = first;
    this.#taken = new Uint8Array(end);
    this.#cursor = first;
  }

  get used(): number {
    return this.#used;
  }

  get free(): number {
    return this.#taken.length - this.#first - this.#used;
  }

  /** Takes this very number; false when it is out of range or taken already. */
  claim(number: number): boolean {
    if (number < this.#first || number >= this.#taken.length) return false;
    if (this.#taken[number] === 1) return false;
    this.#taken[number] = 1;
    this.#used += 1;
    return true;
  }

  /** The number released last, or the lowest never used; undefined when all are taken. */
  allocate(): number | undefined {
    for (let freed = this.#freed.pop(); freed !== undefined; freed = this.#freed.pop()) {
      if (this.claim(freed)) return freed;
    }
    for (; this.#cursor < this.#taken.length; this.#cursor += 1) {
      if (this.claim(this.#cursor)) return this.#cursor;
    }
    return undefined;
  }

  release(number: number): void {
    if (this.#taken[number] !== 1) throw new Error(`number ${number} was not taken`);
    this.#taken[number] = 0;
    this.#used -= 1;
    this.#freed.push(number);
  }
}
