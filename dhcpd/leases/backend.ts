// The leases in Redis: docs/leases.md §3 to §7, on links (shared/store/link.ts), so that a script
// carries the run id of the very server it is sent to. Lanes: two for commits, in turn; one for
// reads and offers; one for the log, which blocks.
import { OperationalError } from '../../shared/errors.ts';
import type { Ipv4 } from '../../shared/net/ipv4.ts';
import { ipv4FromBytes, ipv4ToBytes } from '../../shared/net/ipv4.ts';
import type { StoreConfig } from '../../shared/store/connection.ts';
import { storeError } from '../../shared/store/failure.ts';
import { type LeaseKeys, leaseKeys } from '../../shared/store/keys.ts';
import type { Call, Link, Reply } from '../../shared/store/link.ts';
import { Links, ONLY } from '../../shared/store/links.ts';
import { readScript } from '../../shared/store/script.ts';
import { reachableAddress } from '../../shared/store/url.ts';
import { SERVICE } from '../name.ts';
import type { Durability } from './durability.ts';
import { inspectDurability, Proof, WAIT_MS } from './durability.ts';
import { LogReader } from './log-reader.ts';
import {
  blockBytes,
  entryOf,
  hasVersion,
  packItems,
  parseDetails,
  unpackResults,
  writerOf,
} from './packed.ts';
import { itemAt, onePart, type Part, splitByBlock, splitToAdopt } from './parts.ts';
import { blockId, blockOf, LINEAGE_CHARACTERS } from './record.ts';
import type {
  BlockBytes,
  Details,
  Fenced,
  Item,
  ItemResult,
  LeaseBackend,
  LogEntry,
  Ran,
} from './types.ts';

const MAX_LOG_ENTRIES = 20_000;
const MAX_LOG_RECORDS = 200_000;
const MIN_LOG_ENTRIES = 1000;
/** WAIT tells of the writes of its own connection alone: this one is nothing else. */
const PROOF_MS = 60_000;
const BLOCKS_PER_READ = 64;
const BLOCKS_PER_SCAN = 1000;
const COMMIT_LANES = ['commit-0', 'commit-1'] as const;
const READ_LANE = 'read';

const scripts = {
  leases: readScript('leases', new URL('../lua/leases.lua', import.meta.url)),
  adopt: readScript('adopt', new URL('../lua/adopt.lua', import.meta.url)),
  offer: readScript('offer', new URL('../lua/offer.lua', import.meta.url)),
};

export type RedisLeasesOptions = {
  store: StoreConfig;
  /** Of keys: `dhcpd`. */
  service?: string;
  /** As inspectLeaseStore() or the operator says. */
  durability: Durability;
};

/** Connects when first used. Throws EDGE_STORE_URL for a URL that is none. */
export function openRedisLeases(options: RedisLeasesOptions): RedisLeases {
  return new RedisLeases(linksTo(options.store), options);
}

/** §6's `auto`: what the store, as it is now, makes durable; on every primary of a Cluster. */
export async function inspectLeaseStore(store: StoreConfig): Promise<Durability> {
  const links = linksTo(store);
  try {
    const nodes = await links.nodes();
    const open = await Promise.all(nodes.map((node) => links.link(READ_LANE, node)));
    return await inspectDurability(open, links.timeoutMs);
  } finally {
    links.close();
  }
}

function linksTo(store: StoreConfig): Links {
  return new Links(reachableAddress(store.url), store, Object.values(scripts));
}

export class RedisLeases implements LeaseBackend {
  /** Entries of the log that a Cluster did not take. */
  unlogged = 0;
  readonly #links: Links;
  readonly #keys: LeaseKeys;
  readonly #proof: Proof;
  readonly #log: LogReader;
  readonly #turns: Promise<unknown>[] = COMMIT_LANES.map(() => Promise.resolve());
  #turn = 0;
  /** Blocks that exist, with the run id of the server that has registered them. */
  readonly #known = new Map<number, string>();
  #recordsPerEntry = 1;

  constructor(links: Links, options: RedisLeasesOptions) {
    this.#links = links;
    this.#keys = leaseKeys(options.service ?? SERVICE);
    this.#proof = new Proof(options.durability);
    this.#log = new LogReader(links, this.#keys.log);
  }

  async lineage(): Promise<string> {
    const nodes = await this.#links.nodes();
    const links = await Promise.all(nodes.map((node) => this.#links.link(COMMIT_LANES[0], node)));
    return links.map(lineageOf).sort().join('+');
  }

  /** The third call waits for the first: one at a time in each lane. */
  run(items: readonly Item[]): Promise<Ran | Fenced> {
    const turn = this.#turn++ % COMMIT_LANES.length;
    const before = this.#turns[turn];
    const lane = COMMIT_LANES[turn] ?? COMMIT_LANES[0];
    const result = (async () => {
      await before;
      return this.#run(lane, items);
    })();
    this.#turns[turn] = result.catch(() => {}); // the caller's
    return result;
  }

  async adopt(blocks: readonly number[], from: string, seconds: number): Promise<number> {
    let adopted = 0;
    const parts = await this.#calls(blocks);
    for (const part of parts.flatMap(splitToAdopt)) {
      const link = await this.#links.link(COMMIT_LANES[0], part.node);
      if (from === lineageOf(link)) continue; // ours: lengthen() is for those
      const keys = part.blocks.map((block) => this.#keys.block(blockId(block)).records);
      // As it was read, a character a byte: what a foreign hand damaged is adopted, too.
      const argv = [Buffer.from(from, 'latin1'), lineageOf(link), seconds];
      const register = await this.#register(link, part.blocks);
      const call: Call = { script: scripts.adopt, keys, argv };
      const reply = await this.#commit(link, [...register, call]);
      adopted += Number((reply.answer as Reply[])[1]); // as the script's header says
      if (!reply.durable) throw notDurable();
    }
    return adopted;
  }

  async lengthen(block: number, seconds: number): Promise<void> {
    const key = this.#keys.block(blockId(block)).records;
    const link = await this.#links.link(COMMIT_LANES[0], await this.#links.nodeOf(key));
    const lineage = lineageOf(link);
    const argv = [lineage, lineage, seconds];
    const { durable } = await this.#commit(link, [{ script: scripts.adopt, keys: [key], argv }]);
    if (!durable) throw notDurable();
  }

  async prove(blocks: readonly number[], lineage: string): Promise<boolean> {
    const proofs = (await this.#parts(blocks)).map(async ({ node, blocks: some }) => {
      const link = await this.#links.link(COMMIT_LANES[0], node);
      if (!lineage.split('+').includes(lineageOf(link))) return false;
      if (this.#proof.isByReply) return this.#proof.keeps(link, this.#links.timeoutMs);
      const { proof } = this.#keys.block(blockId(some[0] ?? 0));
      return (await this.#commit(link, [['SET', proof, '', 'PX', PROOF_MS]])).durable;
    });
    return (await Promise.all(proofs)).every((isHeld) => isHeld);
  }

  async blocks(): Promise<number[]> {
    const found = new Set<number>();
    let cursor = '0';
    do {
      const call: Call = ['SSCAN', this.#keys.blocks, cursor, 'COUNT', BLOCKS_PER_SCAN];
      const [reply] = await this.#read(this.#keys.blocks, [call]);
      const [next, ids] = reply as [Buffer, Buffer[]]; // SSCAN's
      for (const id of ids.map(String)) {
        if (/^[0-9a-f]{6}$/.test(id)) found.add(Number.parseInt(id, 16));
      }
      cursor = String(next);
    } while (cursor !== '0');
    return [...found].sort((a, b) => a - b);
  }

  async read(blocks: readonly number[]): Promise<BlockBytes[]> {
    const found = new Map<number, BlockBytes>();
    for (const part of await this.#parts(blocks)) {
      for (let at = 0; at < part.blocks.length; at += BLOCKS_PER_READ) {
        const some = part.blocks.slice(at, at + BLOCKS_PER_READ);
        const keys = some.map((block) => this.#keys.block(blockId(block)).records);
        const calls = keys.map((key): Call => ['GET', key]);
        const replies = await this.#read(keys[0] ?? '', calls);
        for (const [i, block] of some.entries()) found.set(block, blockBytes(block, replies[i]));
      }
    }
    return blocks.map((block) => found.get(block) ?? blockBytes(block, null));
  }

  async details(addresses: readonly Ipv4[]): Promise<(Details | undefined)[]> {
    const found = new Map<number, Details | undefined>();
    for (const part of await this.#parts(addresses.map(blockOf))) {
      const asked = part.blocks.map((block) => addresses.filter((each) => blockOf(each) === block));
      const keys = part.blocks.map((block) => this.#keys.block(blockId(block)).details);
      const calls = keys.map((key, at): Call => {
        return ['HMGET', key, ...(asked[at] ?? []).map((address) => address & 255)];
      });
      const replies = await this.#read(keys[0] ?? '', calls);
      for (const [at, reply] of replies.entries()) {
        for (const [i, address] of (asked[at] ?? []).entries()) {
          const json = (reply as (Buffer | null)[])[i]; // HMGET's
          if (json !== undefined && json !== null) found.set(address, parseDetails(String(json)));
        }
      }
    }
    return addresses.map((address) => found.get(address));
  }

  async offer(key: Uint8Array, address: Ipv4, ttlMs: number): Promise<Ipv4> {
    const name = this.#keys.offer(Buffer.from(key).toString('hex'));
    const argv = [Buffer.from(ipv4ToBytes(address)), Math.max(1, Math.ceil(ttlMs))];
    const [reply] = await this.#read(name, [{ script: scripts.offer, keys: [name], argv }]);
    return addressOf(reply) ?? address;
  }

  async offered(key: Uint8Array): Promise<Ipv4 | undefined> {
    const name = this.#keys.offer(Buffer.from(key).toString('hex'));
    const [reply] = await this.#read(name, [['GET', name]]);
    return addressOf(reply);
  }

  logTail(): Promise<string> {
    return this.#log.tail();
  }

  follow(afterId: string, blockMs: number, signal: AbortSignal): Promise<LogEntry[] | 'trimmed'> {
    return this.#log.follow(afterId, blockMs, signal);
  }

  close(): void {
    this.#links.close();
  }

  async #run(lane: string, items: readonly Item[]): Promise<Ran | Fenced> {
    if (items.length === 0) {
      const [time] = await this.#read(this.#keys.log, [['TIME']]);
      return { nowSeconds: Number((time as Buffer[])[0]), results: [], durable: true }; // TIME's
    }
    const blocks = items.map(({ address }) => blockOf(address));
    const calls = await this.#calls(blocks, items);
    const answers = await Promise.all(calls.map((part) => this.#runPart(lane, part)));
    const results: ItemResult[] = [];
    let durable = true;
    let nowSeconds = 0;
    for (const [at, answer] of answers.entries()) {
      if ('fenced' in answer) return answer;
      durable &&= answer.durable;
      nowSeconds = Math.max(nowSeconds, answer.nowSeconds);
      for (const [i, place] of (calls[at]?.places ?? []).entries()) {
        const result = answer.results[i];
        if (result !== undefined) results[place] = result;
      }
    }
    return { nowSeconds, results, durable };
  }

  async #runPart(lane: string, part: Part): Promise<Ran | Fenced> {
    const link = await this.#links.link(lane, part.node);
    const register = await this.#register(link, part.blocks);
    const keys = part.blocks.flatMap((block) => {
      const { records, details } = this.#keys.block(blockId(block));
      return [records, details];
    });
    if (!this.#links.isCluster) keys.push(this.#keys.log);
    const known = part.blocks.map((block) => this.#known.has(block));
    const index = new Map(part.blocks.map((block, at) => [block, at]));
    const argv = [
      lineageOf(link),
      Buffer.concat(part.blocks.map((block, at) => blockWord(block, known[at] ?? false))),
      this.#logEntries(part.items.length),
      writerOf(part.items),
      packItems(part.items, (block) => index.get(block) ?? 0),
    ];
    const call: Call = { script: scripts.leases, keys, argv };
    const { answer, durable } = await this.#commit(link, [...register, call]);
    return this.#understand(link, part, answer, durable);
  }

  /** As the script's header says. */
  #understand(link: Link, part: Part, answer: Reply, durable: boolean): Ran | Fenced {
    const [first, second, third, fourth] = answer as [Reply, Buffer, Buffer, number];
    if (first instanceof Uint8Array) {
      const block = part.blocks[fourth] ?? 0;
      this.#known.delete(block);
      return { fenced: String(third), block, nowSeconds: Number(second) };
    }
    const results = unpackResults(second, third);
    for (const [at, { record }] of results.entries()) {
      if (durable && hasVersion(record))
        this.#known.set(blockOf(itemAt(part, at).address), link.runId);
    }
    if (this.#links.isCluster) this.#append(part.items, results);
    return { nowSeconds: Number(first), results, durable };
  }

  /**
   * What has to precede the first write of blocks that are not known. In a Cluster the registry is
   * elsewhere, and it is written at once.
   */
  async #register(link: Link, blocks: readonly number[]): Promise<Call[]> {
    const fresh = blocks.filter((block) => this.#known.get(block) !== link.runId);
    if (fresh.length === 0) return [];
    const add: Call = ['SADD', this.#keys.blocks, ...fresh.map(blockId)];
    if (!this.#links.isCluster) return [add];
    const home = await this.#links.nodeOf(this.#keys.blocks);
    const { durable } = await this.#commit(await this.#links.link(READ_LANE, home), [add]);
    if (!durable) throw notDurable();
    return [];
  }

  /** The last call's answer; the calls before it are part of what has to be done. */
  async #commit(link: Link, calls: Call[]): Promise<{ answer: Reply; durable: boolean }> {
    const waits = this.#proof.calls;
    const waitMs = waits.length > 0 ? WAIT_MS : 0;
    const keeps = await this.#proof.keeps(link, this.#links.timeoutMs);
    const replies = await this.#links.runOn(link, [...calls, ...waits], waitMs);
    const done = replies.slice(0, calls.length);
    for (const reply of done) if (reply instanceof Error) throw storeError(reply);
    const durable = keeps && this.#proof.counts(replies.slice(calls.length));
    return { answer: done.at(-1) ?? null, durable };
  }

  async #read(key: string, calls: readonly Call[]): Promise<Reply[]> {
    const replies = await this.#links.run(READ_LANE, key, calls);
    for (const reply of replies) if (reply instanceof Error) throw storeError(reply);
    return replies;
  }

  /** As parts, but in a Cluster a script's keys have to share a slot: a call a block. */
  async #calls(blocks: readonly number[], items: readonly Item[] = []): Promise<Part[]> {
    const parts = await this.#parts(blocks, items);
    return this.#links.isCluster ? parts.flatMap(splitByBlock) : parts;
  }

  /** The blocks by the server they are on, each block once, and the items with them. */
  async #parts(blocks: readonly number[], items: readonly Item[] = []): Promise<Part[]> {
    if (!this.#links.isCluster) return [onePart(ONLY, blocks, items)];
    const parts = new Map<string, Part>();
    const homes = new Map<number, Part>();
    for (const block of new Set(blocks)) {
      const node = await this.#links.nodeOf(this.#keys.block(blockId(block)).records);
      const part = parts.get(node) ?? { node, blocks: [], items: [], places: [] };
      parts.set(node, part);
      part.blocks.push(block);
      homes.set(block, part);
    }
    for (const [place, item] of items.entries()) {
      const part = homes.get(blockOf(item.address));
      part?.items.push(item);
      part?.places.push(place);
    }
    return [...parts.values()];
  }

  /** The log is bounded by records, too: entries of 128 are big. */
  #logEntries(items: number): number {
    this.#recordsPerEntry += (items - this.#recordsPerEntry) / 64;
    const entries = Math.round(MAX_LOG_RECORDS / Math.max(1, this.#recordsPerEntry));
    return Math.max(MIN_LOG_ENTRIES, Math.min(MAX_LOG_ENTRIES, entries));
  }

  #append(items: readonly Item[], results: readonly ItemResult[]): void {
    const entry = entryOf(items, results);
    if (entry === undefined) return;
    const fields = ['i', writerOf(items), 'r', entry.records, 'e', entry.events];
    const most = this.#logEntries(items.length);
    const call: Call = ['XADD', this.#keys.log, 'MAXLEN', '~', most, '*', ...fields];
    this.#read(this.#keys.log, [call]).catch(() => {
      this.unlogged++;
    });
  }
}

function lineageOf(link: Link): string {
  return link.runId.slice(0, LINEAGE_CHARACTERS);
}

function blockWord(block: number, known: boolean): Buffer {
  const word = Buffer.alloc(4);
  word.writeUInt32BE(block + (known ? 0x1000000 : 0));
  return word;
}

function addressOf(reply: Reply | undefined): Ipv4 | undefined {
  return reply instanceof Uint8Array && reply.length === 4 ? ipv4FromBytes(reply) : undefined;
}

function notDurable(): OperationalError {
  return new OperationalError('EDGE_STORE_UNREACHABLE', 'too few servers hold the write');
}
