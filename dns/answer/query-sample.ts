// Which queries are noted for the query log, and what is noted of them. One sampler a responder;
// while the log is off, nobody comes here. Pure: time comes with each query.
import { rcodeName } from '../../shared/dns/constants.ts';
import { displayName } from '../../shared/dns/names.ts';
import { typeName } from '../../shared/dns/type-names.ts';
import { addressText, prefixText } from './address-text.ts';
import { OUTCOME_NAMES, type OutcomeName } from './outcomes.ts';
import { prefixBits } from './prefix-hash.ts';
import type { Incoming } from './query.ts';
import type { Result } from './query-types.ts';
import type { Exchange, Transport } from './types.ts';

export type QueryLogSettings = {
  /** On average one of so many. */
  sample: number;
  /** Of all threads together; no thread notes more. */
  maxPerSecond: number;
  /** How much of a client's address is told: all, or its /24 or /56 (ECS too). */
  client: 'prefix' | 'address';
};

/** Plain data, in the words of the log. What is absent is not known, or there was none. */
export type QueryNote = {
  /** Wall clock, s. */
  atSeconds: number;
  client: string;
  transport: Transport;
  outcome: OutcomeName;
  /** Of the answer; 0: silence, or referred to the main thread. */
  bytes: number;
  qname?: string;
  qtype?: string;
  rcode?: string;
  line?: string;
  scope?: number;
  ecs?: string;
};

/** How a message ended. */
export type Seen = {
  asked: Incoming;
  result: Result;
  outcome: number;
  exchange: Exchange;
  bytes: number;
  /** Where the option's data is in the message; −1: none, or not a right one. */
  ecsAt: number;
  lines: readonly string[];
};

export type SamplerOptions = {
  /** Notes that go together; 1: each at once. */
  batch: number;
  /** False: there is no room for them. `dropped`: how many were thrown away before. */
  take: (notes: readonly QueryNote[], dropped: number) => boolean;
  /** 32 bits. */
  seed: number;
};

const WINDOW_MS = 1000;

export class QuerySampler {
  readonly #options: SamplerOptions;
  #settings: QueryLogSettings | undefined;
  #random: number;
  /** Until the next that is noted. */
  #left = 1;
  #windowMs = Number.NEGATIVE_INFINITY;
  #inWindow = 0;
  #notes: QueryNote[] = [];
  #dropped = 0;

  constructor(options: SamplerOptions) {
    this.#options = options;
    this.#random = options.seed | 1; // xorshift never leaves 0
  }

  /** Undefined: the log is off. */
  configure(settings: QueryLogSettings | undefined): void {
    this.#settings = settings;
    this.#left = 1;
    if (settings === undefined) this.flush();
  }

  get isOn(): boolean {
    return this.#settings !== undefined;
  }

  see(seen: Seen): void {
    if (--this.#left > 0 || this.#settings === undefined) return;
    const { sample, maxPerSecond, client } = this.#settings;
    this.#left = this.#draw(sample);
    const { nowMs } = seen.exchange;
    if (nowMs - this.#windowMs >= WINDOW_MS) {
      this.flush();
      this.#windowMs = nowMs;
      this.#inWindow = 0;
    }
    if (this.#inWindow >= maxPerSecond) {
      this.#dropped++;
      return;
    }
    this.#inWindow++;
    this.#notes.push(noteOf(seen, client));
    if (this.#notes.length >= this.#options.batch) this.flush();
  }

  /** To be called before waiting for long: what is noted is told now. */
  flush(): void {
    if (this.#notes.length === 0 && this.#dropped === 0) return;
    const isTaken = this.#options.take(this.#notes, this.#dropped);
    this.#dropped = isTaken ? 0 : this.#dropped + this.#notes.length;
    this.#notes = [];
  }

  /** 1 to 2n − 1, n on average: who asks in a rhythm does not stay unseen. Marsaglia 2003. */
  #draw(sample: number): number {
    if (sample === 1) return 1;
    let word = this.#random;
    word ^= word << 13;
    word ^= word >>> 17;
    word ^= word << 5;
    this.#random = word;
    return 1 + ((word >>> 0) % (2 * sample - 1));
  }
}

function noteOf(seen: Seen, how: QueryLogSettings['client']): QueryNote {
  const { asked, result, outcome, exchange, bytes, ecsAt, lines } = seen;
  const { client, transport, nowSeconds } = exchange;
  const isPrefix = how === 'prefix';
  const note: QueryNote = {
    atSeconds: nowSeconds,
    client: isPrefix ? prefixText(client, prefixBits(client)) : addressText(client),
    transport,
    outcome: OUTCOME_NAMES[outcome] ?? 'other-rcode',
    bytes: Math.max(0, bytes),
  };
  if (asked.questions > 0) {
    note.qname = displayName(asked.lower.subarray(0, asked.nameLength));
    note.qtype = typeName(asked.type);
  }
  if (bytes > 0) {
    note.rcode = rcodeName(result.rcode);
    const line = lines[result.line];
    if (line !== undefined) {
      note.line = line;
      note.scope = result.scope;
    }
  }
  if (ecsAt >= 0) note.ecs = ecsText(asked.bytes, ecsAt, isPrefix);
  return note;
}

/** RFC 7871 §6: FAMILY, SOURCE, SCOPE, ADDRESS as far as SOURCE says. */
function ecsText(bytes: Uint8Array, at: number, isPrefix: boolean): string {
  const address = new Uint8Array(bytes[at + 1] === 2 ? 16 : 4);
  const source = bytes[at + 2] ?? 0;
  address.set(bytes.subarray(at + 4, at + 4 + ((source + 7) >>> 3)));
  return prefixText(address, isPrefix ? Math.min(source, prefixBits(address)) : source);
}
