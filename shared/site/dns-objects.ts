// The site's dns objects: zones, their records, lines. Unit `dns`. Pure. Names are lower-case text
// without the final dot, escapes as in zone files; the root is `.`.
import type { Prefix } from '../net/prefix.ts';

export type ZoneSoa = {
  /** Of the first name server, and of the mailbox of who is responsible, as a name. */
  primary: string;
  mail: string;
  refreshSeconds: number;
  retrySeconds: number;
  expireSeconds: number;
  minimumSeconds: number;
};

/** A zone made of `record` objects, or, with `primaries`, one that is transferred in. */
export type ZoneObject = {
  name: string;
  /** Absent exactly where there are primaries. */
  soa?: ZoneSoa;
  /** Of its records that name none. */
  ttlSeconds: number;
  /** Added to the unit's version for the SOA's serial (modulo 2^32). */
  serialBase: number;
  /**
   * Who may transfer it out: prefixes, and names of TSIG keys, whose secrets are in the settings of
   * each daemon, never in the store. Nobody unless told.
   */
  transfer: { prefixes: readonly Prefix[]; keys: readonly string[] };
  /** host:port, with an optional key, told of each new serial. */
  notify: readonly { to: string; key?: string }[];
  /** Secondary: from whom, with an optional key. */
  primaries: readonly { from: string; key?: string }[];
};

export type Source =
  | { pool: string }
  /** Never probed; answered together. Each as in a PlainRecord. */
  | { data: readonly string[] };

/** What one line is answered: the first source that is not failed. */
export type LineAnswer = { sources: readonly Source[]; ttlSeconds?: number };

/** All clients alike. `data`: the data of one record each, as `RecordType.format` writes it. */
export type PlainRecord = {
  name: string;
  type: string;
  ttlSeconds?: number;
  data: readonly string[];
};

/** By line. A, AAAA, CNAME or ALIAS. */
export type SmartRecord = {
  name: string;
  type: string;
  /** Ceiling of what is answered; health may ask for less. */
  ttlSeconds?: number;
  /** Floor that health does not go below; 5 unless told. */
  minTtlSeconds: number;
  /** By line's name; `default` must be there. */
  lines: ReadonlyMap<string, LineAnswer>;
  /**
   * When all sources of a line, and of those lines that it overflows to, are failed:
   * `all`: its sources as if healthy (fail open); `default`: what line default gets;
   * `none`: no data.
   */
  allDown: 'all' | 'default' | 'none';
  /** Lines whose sources serve when all of a line's own are failed, in this order. */
  overflow: ReadonlyMap<string, readonly string[]>;
};

export type RecordObject = PlainRecord | SmartRecord;

/** A named set of client prefixes: an ISP, an ISP in a province. Files of each dns add to it. */
export type Line = {
  name: string;
  /** They win over those of files, whatever their length. */
  prefixes: readonly Prefix[];
  /** Lines whose answer serves where a record has none for this one; `default` is always last. */
  fallback: readonly string[];
};
