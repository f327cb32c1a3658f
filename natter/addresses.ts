// A hash from IPv4 address to a small number, eight to sixteen bytes an entry: a million EIPs must
// not become a million objects. Open addressing, linear probing, deletion by shifting back.

const SMALLEST = 16;

export class AddressMap {
  #keys = new Uint32Array(SMALLEST); // 0 marks a free cell: 0.0.0.0 is nobody's EIP
  #values = new Uint32Array(SMALLEST);
  #shift = 28;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(address: number): number | undefined {
    const cell = this.#find(address);
    return address !== 0 && this.#keys[cell] === address ? this.#values[cell] : undefined;
  }

  has(address: number): boolean {
    return address !== 0 && this.#keys[this.#find(address)] === address;
  }

  /** `address` must not be 0; `value` is an unsigned 32-bit number. */
  set(address: number, value: number): void {
    if (address === 0) throw new Error('0.0.0.0 cannot be a key of an AddressMap');
    if (this.#size * 4 >= this.#keys.length * 3) this.#grow();
    const cell = this.#find(address);
    if (this.#keys[cell] === 0) this.#size += 1;
    this.#keys[cell] = address;
    this.#values[cell] = value;
  }

  delete(address: number): boolean {
    let hole = this.#find(address);
    if (address === 0 || this.#keys[hole] !== address) return false;
    this.#size -= 1;
    const mask = this.#keys.length - 1;
    for (let cell = (hole + 1) & mask; this.#keyAt(cell) !== 0; cell = (cell + 1) & mask) {
      const home = this.#home(this.#keyAt(cell));
      // An entry may fill the hole unless its own home lies cyclically behind the hole.
      if (((cell - home) & mask) < ((cell - hole) & mask)) continue;
      this.#keys[hole] = this.#keyAt(cell);
      this.#values[hole] = this.#values[cell] ?? 0;
      hole = cell;
    }
    this.#keys[hole] = 0;
    return true;
  }

  *entries(): Generator<[address: number, value: number]> {
    for (let cell = 0; cell < this.#keys.length; cell += 1) {
      const key = this.#keyAt(cell);
      if (key !== 0) yield [key, this.#values[cell] ?? 0];
    }
  }

  #keyAt(cell: number): number {
    return this.#keys[cell] ?? 0;
  }

  #home(address: number): number {
    return Math.imul(address, 0x9e3779b1) >>> this.#shift;
  }

  #find(address: number): number {
    const mask = this.#keys.length - 1;
    let cell = this.#home(address);
    while (this.#keys[cell] !== 0 && this.#keys[cell] !== address) cell = (cell + 1) & mask;
    return cell;
  }

  #grow(): void {
    const [keys, values] = [this.#keys, this.#values];
    this.#keys = new Uint32Array(keys.length * 2);
    this.#values = new Uint32Array(keys.length * 2);
    this.#shift -= 1;
    for (let old = 0; old < keys.length; old += 1) {
      const key = keys[old] ?? 0;
      if (key === 0) continue;
      const cell = this.#find(key);
      this.#keys[cell] = key;
      this.#values[cell] = values[old] ?? 0;
    }
  }
}
