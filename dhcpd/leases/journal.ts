// What was promised while Redis was gone (docs/leases.md §7): each record on disk, synced, before
// its ACK. An entry: 4 bytes address, the record, CRC-32 of both. A torn end is one promise less,
// and its ACK never left.
import { crc32 } from 'node:zlib';
import type { BookDisk } from './options.ts';
import { RECORD_BYTES } from './record.ts';

const ENTRY_BYTES = 4 + RECORD_BYTES + 4;

export class Journal {
  readonly #disk: BookDisk;
  /** The last word on each address. */
  readonly #entries = new Map<number, Uint8Array>();
  /** Appends under way: whoever replays waits for them. */
  readonly #appending = new Set<Promise<void>>();
  #clearing: Promise<void> = Promise.resolve();

  constructor(disk: BookDisk) {
    this.#disk = disk;
  }

  get size(): number {
    return this.#entries.size;
  }

  async open(): Promise<void> {
    for (const [address, record] of decodeJournal(await this.#disk.readJournal()))
      this.#entries.set(address, record);
  }

  get(address: number): Uint8Array | undefined {
    return this.#entries.get(address);
  }

  entries(): [number, Uint8Array][] {
    return [...this.#entries];
  }

  /** Durable when it resolves. */
  async append(address: number, record: Uint8Array): Promise<void> {
    // What is written while the file goes would go with it.
    const append = this.#clearing.then(() =>
      this.#disk.appendJournal(encodeEntry(address, record)),
    );
    this.#appending.add(append);
    try {
      await append;
      this.#entries.set(address, record);
    } finally {
      this.#appending.delete(append);
    }
  }

  /** Whatever is under way has happened, or failed. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#appending]);
  }

  /** Redis has all of these durably. What came since stays, and then the file, too. */
  async clear(entries: readonly [number, Uint8Array][]): Promise<void> {
    for (const [address, record] of entries) {
      if (this.#entries.get(address) === record) this.#entries.delete(address);
    }
    if (this.#entries.size > 0 || this.#appending.size > 0) return;
    const clearing = this.#disk.clearJournal();
    this.#clearing = clearing.catch(() => {}); // told to who clears
    await clearing;
  }
}

function encodeEntry(address: number, record: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(ENTRY_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, address);
  bytes.set(record, 4);
  view.setUint32(4 + RECORD_BYTES, crc32(bytes.subarray(0, 4 + RECORD_BYTES)));
  return bytes;
}

/** Entries that are whole; what is torn or damaged is passed over, byte by byte. */
export function decodeJournal(bytes: Uint8Array): [number, Uint8Array][] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries: [number, Uint8Array][] = [];
  for (let at = 0; at + ENTRY_BYTES <= bytes.length; ) {
    const sum = view.getUint32(at + 4 + RECORD_BYTES);
    if (crc32(bytes.subarray(at, at + 4 + RECORD_BYTES)) === sum) {
      entries.push([view.getUint32(at), bytes.slice(at + 4, at + 4 + RECORD_BYTES)]);
      at += ENTRY_BYTES;
    } else at++;
  }
  return entries;
}
