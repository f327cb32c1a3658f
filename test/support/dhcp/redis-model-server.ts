// One modelled Redis server: data, a lineage, a history of effects that replicas take over later,
// and the calls of a LeaseBackend as one server runs them, at once and each as a whole.
import { blockOf, encodeHeader, HEADER_BYTES } from '../../../dhcpd/leases/record.ts';
import type {
  BlockBytes,
  Fenced,
  Item,
  ItemResult,
  LogEntry,
} from '../../../dhcpd/leases/types.ts';
import { formatIpv4, type Ipv4 } from '../../../shared/net/ipv4.ts';
import {
  address,
  type Block,
  Data,
  type Effect,
  operate,
  plus,
  recordOf,
} from './redis-model-rules.ts';

const MAX_LOG_ENTRIES = 20_000;

export class ModelServer {
  data = new Data();
  lineage: string;
  /** Effects that a replica may not have yet, numbered from `start`. */
  history: Effect[] = [];
  start = 0;
  isUp = true;
  isFrozen = false;
  isPrimary = true;
  /** This server's clock, against the injected one. */
  skewSeconds = 0;
  readonly #nowMs: () => number;

  constructor(lineage: string, nowMs: () => number) {
    this.lineage = lineage;
    this.#nowMs = nowMs;
  }

  now(): number {
    return Math.floor(this.#nowMs() / 1000) + this.skewSeconds;
  }

  get end(): number {
    return this.start + this.history.length;
  }

  /** Another's data, as a replica has it after a full synchronization. */
  resync(from: ModelServer): void {
    this.data = from.data.copy();
    this.forget(from.end);
  }

  /** A start of the same server: a lineage of its own, no connection left. */
  restart(lineage: string, data?: Data): void {
    this.lineage = lineage;
    this.isUp = true;
    if (data !== undefined) this.data = data.copy();
  }

  forget(before: number): void {
    const gone = Math.min(before - this.start, this.history.length);
    this.history.splice(0, gone);
    this.start = before;
  }

  write(effect: Effect): void {
    this.history.push(effect);
    effect(this.data);
  }

  run(
    lineage: string,
    items: readonly Item[],
    known: (block: number) => boolean,
  ): { nowSeconds: number; results: ItemResult[] } | Fenced {
    const now = this.now();
    const blocks = new Map<number, Block>();
    for (const number of new Set(items.map((item) => blockOf(item.address)))) {
      this.write((data) => data.registry.add(number));
      const held = this.data.blocks.get(number);
      const isOther = held === undefined ? known(number) : held.lineage !== lineage;
      if (isOther) return { fenced: held?.lineage ?? '', block: number, nowSeconds: now };
      const fresh = { lineage, version: 0, quarantineUntil: 0, adoptedVersion: 0 };
      blocks.set(number, held ?? fresh);
    }
    const results: ItemResult[] = [];
    const written = new Set<number>();
    const events: string[] = [];
    const logged: Uint8Array[] = [];
    for (const item of items) {
      const number = blockOf(item.address);
      const block = blocks.get(number);
      if (block === undefined) throw new Error('an item without its block');
      const old = this.data.lease(item.address);
      const { code, lease } = operate(item, old, now, block);
      const record = recordOf(lease ?? old);
      results.push({ code, record });
      if (lease === undefined) continue;
      written.add(number);
      this.write((data) => data.leases.set(item.address, lease));
      this.#keepDetails(item, lease.hasDetails);
      logged.push(loggedOf(item.address, record));
      if (item.event) events.push(eventOf(item, item.event, lease.toldUntil, item.record));
    }
    for (const number of written) this.#raise(number, blocks.get(number));
    if (logged.length > 0) this.#append(items, Buffer.concat(logged), `[${events.join(',')}]`);
    return { nowSeconds: now, results };
  }

  adopt(lineage: string, blocks: readonly number[], from: string, seconds: number): number {
    const quarantine = plus(this.now(), seconds);
    let adopted = 0;
    for (const number of blocks) {
      this.write((data) => data.registry.add(number));
      const fresh = { lineage: '', version: 0, quarantineUntil: 0, adoptedVersion: 0 };
      const held = this.data.blocks.get(number) ?? fresh;
      if (held.lineage !== from) continue;
      if (from === lineage && quarantine <= held.quarantineUntil) continue;
      const version = held.version + 1;
      const quarantineUntil = Math.max(held.quarantineUntil, quarantine);
      const adoptedVersion = from === lineage ? held.adoptedVersion : version;
      const block = { lineage, version, quarantineUntil, adoptedVersion };
      this.write((data) => data.blocks.set(number, block));
      adopted++;
    }
    return adopted;
  }

  read(block: number): BlockBytes {
    const held = this.data.blocks.get(block);
    if (held === undefined) return { block, bytes: new Uint8Array(0) };
    const bytes = new Uint8Array(HEADER_BYTES * 257);
    bytes.set(encodeHeader({ ...held, layout: 1 }));
    new DataView(bytes.buffer).setBigUint64(32, BigInt(held.adoptedVersion));
    for (let octet = 0; octet < 256; octet++) {
      const lease = this.data.leases.get(address(block, octet));
      if (lease !== undefined) bytes.set(recordOf(lease), HEADER_BYTES * (octet + 1));
    }
    return { block, bytes };
  }

  offer(key: string, proposed: Ipv4, ttlMs: number): Ipv4 {
    const standing = this.offered(key);
    if (standing !== undefined) return standing;
    const untilMs = this.#nowMs() + ttlMs;
    this.write((data) => data.offers.set(key, { address: proposed, untilMs }));
    return proposed;
  }

  offered(key: string): Ipv4 | undefined {
    const offer = this.data.offers.get(key);
    return offer !== undefined && offer.untilMs > this.#nowMs() ? offer.address : undefined;
  }

  /** Undefined: nothing after that id yet. */
  after(id: string): LogEntry[] | 'trimmed' | undefined {
    const { log } = this.data;
    if (id !== '0-0') {
      const [oldest, newest] = [log[0], log.at(-1)];
      if (oldest === undefined || newest === undefined) return 'trimmed';
      if (isBefore(id, oldest.id) || isBefore(newest.id, id)) return 'trimmed';
    }
    // From the end: a follower is never far behind, and the log may be long.
    let first = log.length;
    while (first > 0 && isBefore(id, log[first - 1]?.id ?? id)) first--;
    if (first === log.length) return undefined;
    return log.slice(first, first + 128).map((entry) => ({
      id: entry.id,
      instance: entry.instance,
      records: entry.records,
    }));
  }

  trim(keep: number): void {
    this.write((data) => {
      data.log = keep === 0 ? [] : data.log.slice(-keep);
    });
  }

  #raise(number: number, block: Block | undefined): void {
    if (block === undefined) return;
    const raised = { ...block, version: block.version + 1 };
    this.write((data) => data.blocks.set(number, raised));
  }

  #keepDetails(item: Item, has: boolean): void {
    const { details } = item;
    const stores = details !== undefined && (item.op === 'bind' || item.op === 'teach');
    if (stores) this.write((data) => data.details.set(item.address, { ...details }));
    else if (!has && item.op === 'bind') this.write((data) => data.details.delete(item.address));
  }

  #append(items: readonly Item[], records: Uint8Array, events: string): void {
    const instance = new DataView(items[0]?.record.slice().buffer ?? new ArrayBuffer(64));
    const id = nextId(this.data.lastId, this.#nowMs());
    const entry = { id, instance: instance.getUint32(20), records, events };
    this.write((data) => {
      data.log = [...data.log.slice(1 - MAX_LOG_ENTRIES), entry];
      data.lastId = id;
    });
  }
}

function loggedOf(at: Ipv4, record: Uint8Array): Uint8Array {
  const logged = new Uint8Array(68);
  new DataView(logged.buffer).setUint32(0, at);
  logged.set(record, 4);
  return logged;
}

function eventOf(
  item: Item,
  event: NonNullable<Item['event']>,
  told: number,
  record: Uint8Array,
): string {
  const lease = new DataView(record.buffer, record.byteOffset).getUint32(52);
  const { type, mac, keyHex, hostname } = event;
  const parts = [type, formatIpv4(item.address), mac, keyHex, told, lease];
  return JSON.stringify(hostname === undefined ? parts : [...parts, hostname]);
}

function nextId(last: string, nowMs: number): string {
  const [ms = 0, count = 0] = last.split('-').map(Number);
  return nowMs > ms ? `${Math.floor(nowMs)}-0` : `${ms}-${count + 1}`;
}

export function isBefore(a: string, b: string): boolean {
  const [aMs = 0, aCount = 0] = a.split('-').map(Number);
  const [bMs = 0, bCount = 0] = b.split('-').map(Number);
  return aMs < bMs || (aMs === bMs && aCount < bCount);
}
