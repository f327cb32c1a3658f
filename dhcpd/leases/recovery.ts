// After a change of lineage (docs/leases.md §7): each block that is known is read, compared with
// what Redis had told before, adopted with its quarantine, and taught what it lost. The same way
// loads blocks at the start and after a gap in the log: then nothing is missing.
import type { Commits } from './commits.ts';
import { MAX_ITEMS } from './commits.ts';
import type { Ground } from './ground.ts';
import {
  addressIn,
  BLOCK_ADDRESSES,
  decodeHeader,
  decodeRecord,
  FIELD,
  HEADER_BYTES,
  RECORD_BYTES,
  recordOffset,
} from './record.ts';
import { type Block, recordBytes } from './replica.ts';
import { GRACE_SECONDS } from './told.ts';
import { CODE, type Item, type Lease, STATE } from './types.ts';

/** §7: when nothing was missing. */
const SHORT_QUARANTINE_SECONDS = 15;
/** §7: so many addresses above the highest used one may have been used by what was lost. */
const SKIP_UNUSED = 32;
/** Blocks a read: 128 kB and, when they are full and new, 3 ms of work. */
const SLICE = 8;
const MAX_ATTEMPTS = 5;
/** No quarantine is longer, whatever the leases are. */
const MAX_QUARANTINE_SECONDS = 366 * 86_400;

type Compared = {
  block: number;
  from: string;
  version: number;
  behind: boolean;
  ahead: Item[];
};

export class Recovery {
  readonly #ground: Ground;
  readonly #commits: () => Commits;
  /** Blocks under way, so that none is recovered twice at once. */
  readonly #running = new Map<number, Promise<void>>();

  constructor(ground: Ground, commits: () => Commits) {
    this.#ground = ground;
    this.#commits = commits;
  }

  get running(): number {
    return this.#running.size;
  }

  /** Rejects when Redis cannot be asked, or has changed again. */
  async verify(numbers: Iterable<number>): Promise<void> {
    const all = [...numbers];
    for (let at = 0; at < all.length; at += SLICE) await this.#slice(all.slice(at, at + SLICE));
  }

  /** Blocks of which a call was refused; those that are ours already cost nothing. */
  async unfence(numbers: readonly number[]): Promise<void> {
    this.#ground.noticeLineage(await this.#ground.backend.lineage());
    await this.verify(numbers);
  }

  async #slice(numbers: readonly number[]): Promise<void> {
    const mine = numbers.filter((number) => !this.#running.has(number));
    const others = numbers.flatMap((number) => this.#running.get(number) ?? []);
    const work = this.#compareAndTeach(mine);
    for (const number of mine) this.#running.set(number, work);
    try {
      await work;
    } finally {
      for (const number of mine) this.#running.delete(number);
    }
    await Promise.all(others);
  }

  async #compareAndTeach(numbers: readonly number[]): Promise<void> {
    let left = numbers;
    for (let attempt = 0; left.length > 0; attempt++) {
      if (attempt === MAX_ATTEMPTS) throw new Error(`${left.length} blocks do not come to rest`);
      left = await this.#attempt(left);
    }
  }

  /** Those that changed while they were looked at. */
  async #attempt(numbers: readonly number[]): Promise<number[]> {
    const { backend, replica } = this.#ground;
    const epoch = this.#ground.epoch;
    const touched = new Map(numbers.map((each) => [each, replica.blocks.get(each)?.touched]));
    const read = await backend.read(numbers);
    if (epoch !== this.#ground.epoch) throw new Error('the lineage changed during a comparison');
    const again: number[] = [];
    const compared: Compared[] = [];
    for (const { block, bytes } of read) {
      const known = replica.blocks.get(block);
      if (known?.touched !== touched.get(block)) again.push(block);
      else compared.push(this.#compare(block, bytes, known));
    }
    // Nothing is awaited between the comparison and here, so nothing was learnt in between.
    const bytesOf = new Map(read.map((each) => [each.block, each.bytes]));
    for (const each of compared) this.#take(each, bytesOf.get(each.block) ?? new Uint8Array(0));
    await this.#adopt(compared);
    await this.#teach(compared.flatMap(({ ahead }) => ahead));
    if (epoch !== this.#ground.epoch) throw new Error('the lineage changed during a recovery');
    for (const { block } of compared) {
      const done = replica.blocks.get(block);
      if (done !== undefined) done.epoch = epoch;
    }
    return again;
  }

  #compare(number: number, bytes: Uint8Array, known: Block | undefined): Compared {
    const header = decodeHeader(bytes);
    const from = header.lineage;
    const { version } = header;
    const none = { block: number, from, version, behind: false, ahead: [] };
    if (known === undefined || known.used === 0) return none;
    if (this.#isOurs(known, from, header.version)) return none;
    const ahead: Item[] = [];
    let behind = known.version > header.version;
    for (let octet = 0; octet < BLOCK_ADDRESSES; octet++) {
      const address = addressIn(number, octet);
      if (isSame(known.bytes, bytes, recordOffset(address))) continue;
      const ours = decodeRecord(known.bytes, recordOffset(address), address);
      const theirs = decodeRecord(bytes, recordOffset(address), address);
      if (!isAhead(ours, theirs)) continue;
      if (!isMadeFrom(ours, theirs)) behind = true;
      // A short reserve promised nothing to anybody.
      if (ours.state === STATE.reserved && !ours.isLongReserve) continue;
      const record = recordBytes(known, address);
      ahead.push({ op: 'teach', address, record, seconds: 0 });
    }
    return { block: number, from, version, behind, ahead };
  }

  /** Known under this very lineage: Redis is only ever ahead of us, unless it was emptied. */
  #isOurs(known: Block, from: string, version: number): boolean {
    const isCurrent = known.epoch === this.#ground.epoch && from === this.#ground.lineage;
    return isCurrent && version >= known.version;
  }

  /** The replica becomes what Redis has; what goes back to Redis returns with its answer. */
  #take({ block: number, behind, from, ahead }: Compared, bytes: Uint8Array): void {
    const { replica } = this.#ground;
    const known = replica.blocks.get(number);
    const isOurs = known !== undefined && this.#isOurs(known, from, decodeHeader(bytes).version);
    if (bytes.length === 0 && known === undefined) return;
    const highest = Math.max(highestUsed(known?.bytes), highestUsed(bytes));
    const block = replica.putBlock(number, bytes, !isOurs);
    // Kept as known until Redis has taken it or said what stands instead.
    // By a version that whatever Redis writes from now on is later than.
    for (const { address, record } of ahead)
      replica.put(address, notAfter(block.version, record), 0, true);
    block.epoch = isOurs ? this.#ground.epoch : 0;
    if (!behind) return;
    this.#ground.losses++;
    block.skipBelow = Math.max(block.skipBelow, highest + 1 + SKIP_UNUSED);
    this.#ground.notice('book-loss', `block ${number.toString(16)} is behind what was known`, {
      block: number,
      taught: ahead.length,
    });
  }

  async #adopt(compared: readonly Compared[]): Promise<void> {
    const { backend, lineage } = this.#ground;
    const groups = new Map<string, Compared[]>();
    for (const each of compared) {
      const isThere = each.from !== '' || this.#ground.replica.blocks.has(each.block);
      if (each.from === lineage || !isThere) continue;
      const key = `${each.behind} ${each.from}`;
      groups.set(key, [...(groups.get(key) ?? []), each]);
    }
    const long = this.#longQuarantine;
    for (const group of groups.values()) {
      const [one] = group;
      if (one === undefined) continue;
      const seconds = one.behind ? long : SHORT_QUARANTINE_SECONDS;
      const numbers = group.map(({ block }) => block);
      await backend.adopt(numbers, one.from, seconds);
      this.#quarantine(numbers, seconds);
      for (const { block: number, version } of group) {
        const block = this.#ground.replica.blocks.get(number);
        if (block !== undefined) block.adoptedVersion = version + 1;
      }
    }
    // Whoever adopted before us may not have known what we know.
    for (const { block } of compared.filter(({ behind }) => behind)) {
      await backend.lengthen(block, long);
      this.#quarantine([block], long);
    }
  }

  get #longQuarantine(): number {
    const { maxLeaseSeconds } = this.#ground.settings;
    return Math.min(MAX_QUARANTINE_SECONDS, Math.ceil(1.5 * maxLeaseSeconds) + GRACE_SECONDS);
  }

  #quarantine(numbers: readonly number[], seconds: number): void {
    const until = this.#ground.time.latest + seconds;
    for (const number of numbers) {
      const block = this.#ground.replica.blocks.get(number);
      if (block !== undefined) block.quarantineUntil = Math.max(block.quarantineUntil, until);
    }
  }

  async #teach(items: readonly Item[]): Promise<void> {
    for (let at = 0; at < items.length; at += MAX_ITEMS) {
      const slice = items.slice(at, at + MAX_ITEMS);
      const outcomes = await this.#commits().runNow(slice);
      if (!Array.isArray(outcomes)) throw new Error(`teaching failed: ${outcomes}`);
      for (const [i, outcome] of outcomes.entries()) {
        const item = slice[i];
        if (item === undefined || !outcome.ran || outcome.code === CODE.done) continue;
        this.#conflict(item, outcome.record);
        this.#ground.replica.put(item.address, outcome.record, 0, true);
      }
    }
  }

  /** Two promises of one address, made on two histories: nobody can take one back. */
  #conflict(item: Item, record: Uint8Array): void {
    const ours = decodeRecord(item.record, 0, item.address);
    const theirs = decodeRecord(record, 0, item.address);
    if (ours.state !== STATE.bound || theirs.state !== STATE.bound) return;
    if (sameKey(ours, theirs) || this.#ground.time.earliest > ours.toldUntil) return;
    this.#ground.notice('book-conflict', 'an address has two holders by two histories', {
      address: item.address,
    });
  }
}

/** §4, teach: whether `ours` knows more than what Redis has. */
export function isAhead(ours: Lease, theirs: Lease): boolean {
  if (ours.state === STATE.unused) return false;
  if (ours.generation !== theirs.generation) return ours.generation > theirs.generation;
  if (theirs.state === STATE.unused) return true;
  return sameKey(ours, theirs) && ours.holdUntil > theirs.holdUntil;
}

function notAfter(version: number, record: Uint8Array): Uint8Array {
  const lowered = record.slice();
  const view = new DataView(lowered.buffer, FIELD.version);
  if (view.getUint32(0) * 2 ** 32 + view.getUint32(4) > version) {
    view.setUint32(0, version / 2 ** 32);
    view.setUint32(4, version);
  }
  return lowered;
}

/** Promised without Redis, out of the very reserve that Redis still has: nothing was lost. */
function isMadeFrom(ours: Lease, theirs: Lease): boolean {
  const isReserve = theirs.state === STATE.reserved && theirs.isLongReserve;
  const isSame = ours.version === theirs.version && ours.instance === theirs.instance;
  return ours.state === STATE.bound && isReserve && isSame;
}

function sameKey(a: Lease, b: Lease): boolean {
  return (
    a.hasLongKey === b.hasLongKey &&
    a.key.length === b.key.length &&
    a.key.every((byte, i) => byte === b.key[i])
  );
}

/** The highest offset with a record in use; -1: none. */
function highestUsed(bytes: Uint8Array | undefined): number {
  if (bytes === undefined) return -1;
  for (let octet = BLOCK_ADDRESSES - 1; octet >= 0; octet--) {
    if ((bytes[HEADER_BYTES + RECORD_BYTES * octet] ?? STATE.unused) !== STATE.unused) return octet;
  }
  return -1;
}

/** Most records are: this is what makes a comparison cheap. */
function isSame(a: Uint8Array, b: Uint8Array, offset: number): boolean {
  for (let at = offset; at < offset + RECORD_BYTES; at++) {
    if ((a[at] ?? 0) !== (b[at] ?? 0)) return false;
  }
  return true;
}
