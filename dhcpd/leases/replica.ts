// The replica (docs/leases.md §1, §5): the blocks as Redis has them, byte for byte, and the index
// client → addresses. Nothing is allocated for a lease but its 64 bytes and what its block keeps
// beside them. Pure.
import type { Ipv4 } from '../../shared/net/ipv4.ts';
import { ClientIndex, hashKey } from './client-index.ts';
import {
  addressIn,
  BLOCK_ADDRESSES,
  BLOCK_BYTES,
  decodeHeader,
  decodeRecord,
  FIELD,
  HEADER_BYTES,
  PACKED_KEY_BYTES,
  packKey,
  RECORD_BYTES,
  recordOffset,
} from './record.ts';
import { type Lease, STATE } from './types.ts';

export type Block = {
  number: number;
  /** Header and records; the header as of the last time that it was read. */
  bytes: Uint8Array;
  view: DataView;
  /** For the ledger: what each address counts as, and the second at which it looks again. */
  kind: Uint8Array;
  dueAt: Uint32Array;
  /** Records that are not unused. */
  used: number;
  /** Which lineage, counted from 1, the block was last compared under. */
  epoch: number;
  /** Counts changes, so that a comparison sees what happened while it read. */
  touched: number;
  /** The highest version of a record or of the header that was seen. */
  version: number;
  /** Records up to this version are durable (R4); what was followed since may still be lost. */
  provenVersion: number;
  quarantineUntil: number;
  /** §4: what is not newer is suspect while the quarantine lasts. */
  adoptedVersion: number;
  /** Never-used addresses below this offset may have been used by what was lost (§7). */
  skipBelow: number;
};

/** Called after each change of a record. */
export type Changed = (address: number, block: Block) => void;

/** As memory is taken for a block: bytes, kinds, seconds. */
const BLOCK_MEMORY = BLOCK_BYTES + BLOCK_ADDRESSES + 4 * BLOCK_ADDRESSES;
/** Of a block's header. */
const ADOPTED_VERSION = 32;
const keyBytes = new Uint8Array(PACKED_KEY_BYTES);
const keyView = new DataView(keyBytes.buffer);

export class Replica {
  readonly blocks = new Map<number, Block>();
  /** Of blocks that are heard of first: all that is known of them is of this lineage. */
  epoch = 0;
  readonly #index: ClientIndex;
  readonly #seed: number;
  #changed: Changed = () => {};
  #records = 0;

  constructor(seed: number) {
    this.#seed = seed >>> 0;
    this.#index = new ClientIndex((address) => this.#hashAt(address));
  }

  onChange(changed: Changed): void {
    this.#changed = changed;
  }

  get records(): number {
    return this.#records;
  }

  get bytes(): number {
    return this.blocks.size * BLOCK_MEMORY + this.#index.bytes;
  }

  block(address: number): Block | undefined {
    return this.blocks.get(address >>> 8);
  }

  blockMade(number: number): Block {
    const known = this.blocks.get(number);
    if (known !== undefined) return known;
    const memory = new ArrayBuffer(BLOCK_MEMORY);
    const made: Block = {
      number,
      bytes: new Uint8Array(memory, 0, BLOCK_BYTES),
      view: new DataView(memory, 0, BLOCK_BYTES),
      dueAt: new Uint32Array(memory, BLOCK_BYTES, BLOCK_ADDRESSES),
      kind: new Uint8Array(memory, BLOCK_BYTES + 4 * BLOCK_ADDRESSES, BLOCK_ADDRESSES),
      used: 0,
      epoch: this.epoch,
      touched: 0,
      version: 0,
      provenVersion: 0,
      quarantineUntil: 0,
      adoptedVersion: 0,
      skipBelow: 0,
    };
    this.blocks.set(number, made);
    return made;
  }

  /** Undefined for an address that nobody ever had. */
  get(address: Ipv4): Lease | undefined {
    const block = this.block(address);
    if (block === undefined || this.state(block, address) === STATE.unused) return undefined;
    return decodeRecord(block.bytes, recordOffset(address), address);
  }

  state(block: Block, address: number): number {
    return block.bytes[HEADER_BYTES + RECORD_BYTES * (address & 255)] ?? STATE.unused;
  }

  /** A 32-bit field of the address's record. */
  field(block: Block, address: number, field: number): number {
    return block.view.getUint32(HEADER_BYTES + RECORD_BYTES * (address & 255) + field);
  }

  /** Written before this lineage adopted the block, which has a quarantine. */
  isSuspect(block: Block, address: number, earliestNow: number): boolean {
    if (block.quarantineUntil < earliestNow) return false;
    const at = HEADER_BYTES + RECORD_BYTES * (address & 255);
    return wide(block.view, at + FIELD.version) <= block.adoptedVersion;
  }

  /** Whether what the record says is known to be durable (R4). */
  isProven(block: Block, address: number): boolean {
    const at = HEADER_BYTES + RECORD_BYTES * (address & 255);
    return wide(block.view, at + FIELD.version) <= block.provenVersion;
  }

  /** Whether the record's key is this one (packed). */
  isKey(block: Block, address: number, packed: Uint8Array): boolean {
    const at = HEADER_BYTES + RECORD_BYTES * (address & 255) + FIELD.key;
    for (let i = 0; i < PACKED_KEY_BYTES; i++) {
      if (block.bytes[at + i] !== packed[i]) return false;
    }
    return true;
  }

  /** Addresses whose record has the client's key. */
  ofClient(key: Uint8Array): Ipv4[] {
    const packed = packKey(key);
    keyBytes.set(packed);
    const found: Ipv4[] = [];
    this.#index.each(hashKey(keyView, 0, this.#seed), (address) => {
      const block = this.block(address);
      if (block !== undefined && this.isKey(block, address, packed))
        found.push(addressIn(block.number, address & 255));
    });
    return found;
  }

  /** Takes a record that is as new as ours, or newer; whatever it is when `force`. */
  put(address: number, source: Uint8Array, offset: number, force = false): boolean {
    const block = this.blockMade(address >>> 8);
    const at = HEADER_BYTES + RECORD_BYTES * (address & 255);
    if (!force && isNewer(block.bytes, at, source, offset)) return false;
    if (same(block.bytes, at, source, offset)) return false;
    this.#write(block, address, at, source, offset);
    return true;
  }

  /** A block as it was just read. With `force`, what is known beyond it is forgotten. */
  putBlock(number: number, bytes: Uint8Array, force = false): Block {
    const block = this.blockMade(number);
    const header = decodeHeader(bytes);
    block.version = force ? header.version : Math.max(block.version, header.version);
    if (force) block.provenVersion = 0;
    block.quarantineUntil = Math.max(force ? 0 : block.quarantineUntil, header.quarantineUntil);
    block.bytes.set(bytes.subarray(0, HEADER_BYTES));
    block.adoptedVersion = wide(block.view, ADOPTED_VERSION);
    for (let octet = 0; octet < BLOCK_ADDRESSES; octet++) {
      const offset = HEADER_BYTES + RECORD_BYTES * octet;
      if (offset + RECORD_BYTES > bytes.length) {
        if (force && block.used > 0) this.put(addressIn(number, octet), zeros, 0, true);
        continue;
      }
      this.put(addressIn(number, octet), bytes, offset, force);
    }
    return block;
  }

  #write(block: Block, address: number, at: number, source: Uint8Array, offset: number): void {
    block.touched++;
    const keyAt = at + FIELD.key;
    const hadKey = block.bytes[keyAt] !== 0;
    const hasKey = source[offset + FIELD.key] !== 0;
    const sameKey = hadKey && hasKey && equal(block.bytes, keyAt, source, offset + FIELD.key);
    if (hadKey && !sameKey) this.#index.remove(this.#hashAt(address), address);
    if (block.bytes[at] !== STATE.unused) {
      block.used--;
      this.#records--;
    }
    block.bytes.set(source.subarray(offset, offset + RECORD_BYTES), at);
    block.version = Math.max(block.version, wide(block.view, at + FIELD.version));
    if (block.bytes[at] !== STATE.unused) {
      block.used++;
      this.#records++;
    }
    if (hasKey && !sameKey) this.#index.add(this.#hashAt(address), address);
    this.#changed(address, block);
  }

  #hashAt(address: number): number {
    const block = this.blocks.get(address >>> 8);
    if (block === undefined) return 0;
    const at = HEADER_BYTES + RECORD_BYTES * (address & 255) + FIELD.key;
    return hashKey(block.view, at, this.#seed);
  }
}

/** 64 bits, of which Redis' scripts use 53. */
function wide(view: DataView, at: number): number {
  return view.getUint32(at) * 2 ** 32 + view.getUint32(at + 4);
}

const zeros = new Uint8Array(RECORD_BYTES);

/** Whether the version at `a` is later than the one at `b`. */
function isNewer(a: Uint8Array, at: number, b: Uint8Array, offset: number): boolean {
  for (let i = FIELD.version; i < RECORD_BYTES; i++) {
    const difference = (a[at + i] ?? 0) - (b[offset + i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}

function same(a: Uint8Array, at: number, b: Uint8Array, offset: number): boolean {
  for (let i = RECORD_BYTES - 1; i >= 0; i--) if (a[at + i] !== b[offset + i]) return false;
  return true;
}

function equal(a: Uint8Array, at: number, b: Uint8Array, offset: number): boolean {
  for (let i = 0; i < PACKED_KEY_BYTES; i++) if (a[at + i] !== b[offset + i]) return false;
  return true;
}

/** The records of a log entry (§5): 4 bytes address, 64 bytes record, again and again. */
export function eachLogged(
  records: Uint8Array,
  visit: (address: number, source: Uint8Array, offset: number) => void,
): void {
  const view = new DataView(records.buffer, records.byteOffset, records.byteLength);
  for (let at = 0; at + 4 + RECORD_BYTES <= records.length; at += 4 + RECORD_BYTES)
    visit(view.getUint32(at), records, at + 4);
}

/** Of the address's record, a copy. */
export function recordBytes(block: Block, address: Ipv4): Uint8Array {
  const at = recordOffset(address);
  return block.bytes.slice(at, at + RECORD_BYTES);
}
