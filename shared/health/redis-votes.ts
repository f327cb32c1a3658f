// The board in Redis: a server, a Sentinel group or a Cluster, where all keys share a slot. Each
// operation is one script of lua/, by Redis' clock; the stream is read on a lane of its own.
import { storeError } from '../store/failure.ts';
import { healthKeys } from '../store/keys.ts';
import type { Call, Reply } from '../store/link.ts';
import { Links } from '../store/links.ts';
import type { StoreConfig } from '../store/open.ts';
import { readScript, type Script } from '../store/script.ts';
import { reachableAddress } from '../store/url.ts';
import {
  FORGOTTEN_MS,
  type Lease,
  MAX_VOTES_PER_WRITE,
  type VoteBoard,
  type VoteChanges,
  type VoteEntry,
  type VoteReceipt,
  type VoteWrite,
} from './board.ts';

const [LANE, CHANGES_LANE] = ['health', 'health-changes'];
const MAX_ENTRIES = 1000;
const ENTRIES_PER_READ = 100;
const BEFORE_ALL = '0-0';

const scripts = {
  renew: readScript('renew', new URL('./lua/renew.lua', import.meta.url)),
  vote: readScript('vote', new URL('./lua/vote.lua', import.meta.url)),
  read: readScript('read', new URL('./lua/read.lua', import.meta.url)),
};

export class RedisVotes implements VoteBoard {
  readonly #links: Links;
  readonly #keys = healthKeys();

  /** Connects when first used. Throws EDGE_STORE_URL for a URL that is none. */
  constructor(store: StoreConfig) {
    this.#links = new Links(reachableAddress(store.url), store, Object.values(scripts));
  }

  async renew(node: string, join: boolean): Promise<{ nowMs: number; leases: Lease[] }> {
    const keys = [this.#keys.probers, this.#keys.votes(node)];
    const argv = [node, join ? '1' : '', FORGOTTEN_MS];
    const [nowMs = '0', ...rows] = await this.#ask(scripts.renew, keys, argv);
    const leases: Lease[] = [];
    for (let at = 0; at + 2 < rows.length; at += 3) {
      const [ageMs, generation] = [Number(rows[at + 1]), Number(rows[at + 2])];
      leases.push({ node: rows[at] ?? '', ageMs, generation });
    }
    return { nowMs: Number(nowMs), leases };
  }

  async vote(node: string, write: VoteWrite): Promise<VoteReceipt> {
    const { probers, votes, changes } = this.#keys;
    const pairs = [...write.changes].flatMap(([id, text]) => [id, text ?? '']);
    const isTold = !write.whole && write.changes.size <= MAX_VOTES_PER_WRITE;
    const told = isTold ? JSON.stringify(pairs) : '';
    const base = write.whole ? '' : write.base;
    const argv = [node, base, write.generation, MAX_ENTRIES, FORGOTTEN_MS, told, ...pairs];
    const keys = [probers, votes(node), changes];
    const [done, generation] = await this.#ask(scripts.vote, keys, argv);
    return { accepted: done === '1', generation: Number(generation) };
  }

  async votesOf(node: string): Promise<{ generation: number; votes: Map<string, string> }> {
    const keys = [this.#keys.probers, this.#keys.votes(node)];
    const [generation, ...pairs] = await this.#ask(scripts.read, keys, [node]);
    return { generation: Number(generation), votes: pairsOf(pairs) };
  }

  async tail(): Promise<string> {
    const { changes } = this.#keys;
    const newest: Call = ['XREVRANGE', changes, '+', '-', 'COUNT', 1];
    const [reply] = await this.#links.run(LANE, changes, [newest]);
    return rowsOf(answerOf(reply))[0]?.id ?? BEFORE_ALL;
  }

  async follow(afterId: string, blockMs: number, signal: AbortSignal) {
    signal.throwIfAborted();
    const { changes } = this.#keys;
    const link = await this.#links.link(CHANGES_LANE, await this.#links.nodeOf(changes));
    signal.throwIfAborted();
    const stop = () => link.close();
    signal.addEventListener('abort', stop, { once: true });
    try {
      const waitMs = Math.max(1, Math.ceil(blockMs));
      const [count, block] = [String(ENTRIES_PER_READ), String(waitMs)];
      const call: Call = ['XREAD', 'COUNT', count, 'BLOCK', block, 'STREAMS', changes, afterId];
      const [reply] = await this.#links.runOn(link, [call], waitMs);
      const rows = rowsOf(streamOf(answerOf(reply)));
      return { lastId: rows.at(-1)?.id ?? afterId, entries: rows.flatMap(entryOf) };
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  close(): void {
    this.#links.close();
  }

  async #ask(script: Script, keys: string[], argv: (string | number)[]): Promise<string[]> {
    const [reply] = await this.#links.run(LANE, keys[0] ?? '', [{ script, keys, argv }]);
    return (answerOf(reply) as Reply[]).map(String); // as the scripts' headers say
  }
}

function answerOf(reply: Reply | undefined): Reply {
  if (reply instanceof Error) throw storeError(reply);
  return reply ?? null;
}

function pairsOf(words: readonly string[]): Map<string, string> {
  const pairs = new Map<string, string>();
  for (let at = 0; at + 1 < words.length; at += 2) pairs.set(words[at] ?? '', words[at + 1] ?? '');
  return pairs;
}

type Row = { id: string; fields: Map<string, string> };

/** Of XREAD's reply for one stream. */
function streamOf(reply: Reply): Reply {
  const [stream] = Array.isArray(reply) ? reply : [];
  return Array.isArray(stream) ? (stream[1] ?? null) : null;
}

function rowsOf(reply: Reply): Row[] {
  if (!Array.isArray(reply)) return [];
  return reply.flatMap((row) => {
    if (!Array.isArray(row) || !Array.isArray(row[1])) return [];
    return [{ id: String(row[0]), fields: pairsOf(row[1].map(String)) }];
  });
}

/** What is none of ours is passed over: generations tell what is missing. */
function entryOf({ fields }: Row): VoteEntry[] {
  const [node, told = ''] = [fields.get('node'), fields.get('changes')];
  const [from, generation] = [Number(fields.get('from')), Number(fields.get('generation'))];
  const isOurs = [from, generation].every((each) => Number.isSafeInteger(each) && each >= 0);
  if (node === undefined || !isOurs) return [];
  const changes = changesOf(told);
  return [{ node, from, generation, ...(changes === undefined ? {} : { changes }) }];
}

function changesOf(told: string): VoteChanges | undefined {
  if (told === '') return undefined;
  try {
    const words: unknown = JSON.parse(told);
    if (!Array.isArray(words)) return undefined;
    const pairs = pairsOf(words.map(String));
    return new Map([...pairs].map(([id, text]) => [id, text === '' ? null : text]));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  }
}
