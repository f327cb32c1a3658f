// What the shell of the answering core (query.ts, edns.ts, responder.ts) and its heart (resolve.ts)
// hand each other. One Query and one Result a responder, filled again for each message. Pure.
import type { AddressBytes, Name } from '../../shared/dns/types.ts';

/** A question that H1 to H5 have let through. */
export type Query = {
  /** The message as received; the question begins at 12. */
  bytes: Uint8Array;
  nameLength: number;
  /** QNAME in lower case, `lower[0, nameLength)`. */
  lower: Name;
  type: number;
  /** QCLASS ANY: answered as IN, without AA. */
  isAnyClass: boolean;
  dnssecOk: boolean;
  /** Whether the answer must carry ECS: then a CNAME by line ends the answer (A5). */
  hasEcs: boolean;
  /** L1, L2: whose line decides; 4 or 16 bytes, and how many bits of it are known. */
  lineAddress: AddressBytes;
  lineBits: number;
  /** Wall clock, s: what is left of a TTL. */
  nowSeconds: number;
};

/** What resolve() made of it. */
export type Result = {
  rcode: number;
  isAuthoritative: boolean;
  answers: number;
  authorities: number;
  additionals: number;
  /** Where the sections end in `out`. */
  end: number;
  /** Something needed did not fit: the shell sends TC and nothing else (E2). */
  isTruncated: boolean;
  /** L3, in the form of `lineAddress`; 0 when no line mattered. */
  scope: number;
  /** Number of the line that answered, or −1. */
  line: number;
  /** Index in the state's zones, or −1: for counters and rate limits. */
  zone: number;
  /**
   * Offset in `query.lower` of the name that stands for all such answers (R1): the zone, a
   * wildcard's parent, or 0.
   */
  likeAt: number;
};

/**
 * resolve(state-bound): writes the three sections into out[from, limit) and fills `result`.
 * `from` is right after the question; the question's name in `out` is what pointers point to.
 */
export type Resolve = (
  query: Query,
  out: Uint8Array,
  from: number,
  limit: number,
  result: Result,
) => void;
