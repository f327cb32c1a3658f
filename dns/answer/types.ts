// From a query's bytes to the answer's: what transports and the answering core say to each other.
// Pure. The rules are docs/answers.md.

import type { AddressBytes } from '../../shared/dns/types.ts';
import type { ZoneImage } from '../image/types.ts';
import type { LineTree } from '../lines/types.ts';
import type { SmartAnswer } from '../policy/types.ts';
import type { OutsideAddresses } from './alias-table.ts';
import type { QueryLogSettings } from './query-sample.ts';

export type Transport = 'udp' | 'tcp' | 'tls' | 'https';

/** Who asks, and how. One object that a transport fills again for each message. */
export type Exchange = {
  transport: Transport;
  /** 4 or 16 bytes; an IPv4 client of a v6 socket as 4. */
  client: AddressBytes;
  clientPort: number;
  /** Wall clock, s (cookies), and monotonic, ms (rate limits). */
  nowSeconds: number;
  nowMs: number;
};

/** Answered by nobody: not a query, or limited. */
export const SILENCE = 0;
/** For the control plane: AXFR, IXFR, NOTIFY, UPDATE, anything with TSIG. */
export const REFERRED = -1;

/** What settings of the daemon the core needs. Plain data. */
export type AnswerSettings = {
  nodeId: string;
  /** Empty: no NSID. */
  nsid: Uint8Array;
  /** Largest UDP answer, bytes: min with what the client takes; 1232 unless told. */
  udpBytes: number;
  ecs: boolean;
  cookies: {
    enabled: boolean;
    /** 16-byte SipHash keys (RFC 9018), the newest first; all are good for checking. */
    secrets: readonly Uint8Array[];
    /** Refuse (BADCOOKIE) UDP queries without a right one; off unless told. */
    required: boolean;
  };
  rateLimit: {
    /** Like answers a second for a client's prefix (/24, /56); 0: no limit. */
    perSecond: number;
    /** Every n-th limited answer goes out truncated (TC), so that real clients try TCP; 0: none. */
    slip: number;
    exempt: readonly string[];
  };
  /** Answers to CH TXT: id.server, version.server (what is served). Others are refused. */
  chaos: Readonly<Record<string, string>>;
  /** Absent: off. */
  queryLog?: QueryLogSettings;
};

/** All that answering needs; replaced as a whole, so an answer is wholly of one of them. */
export type ServingState = {
  /** Counts up within a process, for `diff` and acknowledgement by threads. */
  generation: number;
  zones: readonly ZoneImage[];
  lines: LineTree;
  smart: readonly SmartAnswer[];
  settings: AnswerSettings;
  /** Absent: nobody is asked. */
  aliases?: readonly OutsideAddresses[];
};

/** One for each thread. Throws nothing: what fails inside is SERVFAIL, and counted. */
export interface Responder {
  /**
   * Answers `query[0, length)` into `out` (65,535 bytes). Returns the answer's length, SILENCE or
   * REFERRED. `exchange` and both arrays may be reused at once after it returns.
   */
  respond(query: Uint8Array, length: number, exchange: Exchange, out: Uint8Array): number;
  adopt(state: ServingState): void;
  /** Counts since the start, by slot (counters.ts); the main thread reads them. */
  readonly counters: Float64Array<SharedArrayBuffer>;
}
