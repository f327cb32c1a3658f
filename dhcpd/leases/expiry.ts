// The order in which holds end: a wheel of buckets, coarse ones for what is far away and one of a
// second each for the next minute. An address stands in it once; whether it is really due is looked
// up when its turn comes, so a renewal costs nothing here. Pure.

const COARSE_SECONDS = 64;

/** What the wheel asks of its owner; `dueAt` is kept beside the record. */
export interface Holds {
  dueAt(address: number): number;
  setDueAt(address: number, second: number): void;
}

export class Expiry {
  readonly #holds: Holds;
  readonly #coarse = new Buckets();
  readonly #fine = new Buckets();
  /** Seconds below this are in the fine buckets. */
  #fineEnd = 0;

  constructor(holds: Holds) {
    this.#holds = holds;
  }

  /** The address comes due once `second` is over; a later one than before costs nothing. */
  add(address: number, second: number): void {
    const before = this.#holds.dueAt(address);
    if (before !== 0 && before <= second) return;
    this.#put(address, second);
  }

  /** Hands out what is due before `now`, earliest first, at most `budget`; what it took. */
  due(now: number, budget: number, visit: (address: number) => void): number {
    let spent = 0;
    while (spent < budget) {
      const second = this.#fine.first;
      const coarse = this.#coarse.first;
      const from = coarse === undefined ? Number.POSITIVE_INFINITY : coarse * COARSE_SECONDS;
      if (second !== undefined && second < from) {
        if (second >= now) break;
        spent += this.#drain(second, budget - spent, visit);
      } else if (coarse !== undefined && from < now + COARSE_SECONDS) {
        spent += this.#refine(coarse);
      } else break;
    }
    return spent;
  }

  #drain(second: number, budget: number, visit: (address: number) => void): number {
    let spent = 0;
    while (spent < budget) {
      const address = this.#fine.pop(second);
      if (address === undefined) break;
      spent++;
      if (this.#holds.dueAt(address) !== second) continue; // moved, or here twice
      this.#holds.setDueAt(address, 0);
      visit(address);
    }
    return spent;
  }

  #refine(coarse: number): number {
    let spent = 1;
    this.#fineEnd = Math.max(this.#fineEnd, (coarse + 1) * COARSE_SECONDS);
    for (let address = this.#coarse.pop(coarse); address !== undefined; spent++) {
      const second = this.#holds.dueAt(address);
      if (Math.floor(second / COARSE_SECONDS) === coarse) this.#fine.push(second, address);
      address = this.#coarse.pop(coarse);
    }
    return spent;
  }

  #put(address: number, second: number): void {
    this.#holds.setDueAt(address, second);
    if (second < this.#fineEnd) this.#fine.push(second, address);
    else this.#coarse.push(Math.floor(second / COARSE_SECONDS), address);
  }
}

/** Lists of addresses by number, and the smallest number that has one. */
class Buckets {
  readonly #lists = new Map<number, AddressList>();
  /** A binary heap of the numbers. */
  readonly #heap: number[] = [];

  get first(): number | undefined {
    return this.#heap[0];
  }

  push(number: number, address: number): void {
    let list = this.#lists.get(number);
    if (list === undefined) {
      list = new AddressList();
      this.#lists.set(number, list);
      this.#heap.push(number);
      this.#rise(this.#heap.length - 1);
    }
    list.push(address);
  }

  /** The bucket is gone with its last address: then undefined. */
  pop(number: number): number | undefined {
    const list = this.#lists.get(number);
    const address = list?.pop();
    if (address === undefined && list !== undefined) {
      this.#lists.delete(number);
      this.#removeFirst();
    }
    return address;
  }

  #rise(from: number): void {
    const heap = this.#heap;
    for (let at = from; at > 0; ) {
      const parent = (at - 1) >> 1;
      if ((heap[parent] ?? 0) <= (heap[at] ?? 0)) return;
      swap(heap, at, parent);
      at = parent;
    }
  }

  /** Only ever the first bucket is emptied. */
  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    heap[0] = last;
    for (let at = 0; ; ) {
      const left = 2 * at + 1;
      if (left >= heap.length) return;
      const right = left + 1;
      const smaller = (heap[right] ?? Number.POSITIVE_INFINITY) < (heap[left] ?? 0) ? right : left;
      if ((heap[at] ?? 0) <= (heap[smaller] ?? 0)) return;
      swap(heap, at, smaller);
      at = smaller;
    }
  }
}

function swap(heap: number[], a: number, b: number): void {
  const held = heap[a] ?? 0;
  heap[a] = heap[b] ?? 0;
  heap[b] = held;
}

/** A stack of addresses, four bytes each. */
class AddressList {
  #items = new Uint32Array(4);
  #length = 0;

  push(address: number): void {
    if (this.#length === this.#items.length) {
      const grown = new Uint32Array(this.#length * 2);
      grown.set(this.#items);
      this.#items = grown;
    }
    this.#items[this.#length++] = address;
  }

  pop(): number | undefined {
    return this.#length === 0 ? undefined : this.#items[--this.#length];
  }
}
