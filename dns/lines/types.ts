// Lines: named sets of client prefixes (an ISP, an ISP in a province, overseas). Pure.
import type { Line } from '../../shared/site/dns-objects.ts';

/** The line of every client that no prefix names. Always number 0. */
export { DEFAULT_LINE } from '../../shared/site/line.ts';

/** A line's number is 16 bits in the tree. */
export const MAX_LINES = 65_536;

/** The operator's: its fallback is in the order written and not transitive. */
export type LineSettings = Line;

/**
 * Prefixes of one family as columns, as half a million objects would cost too much. Host bits are
 * clear. Plain data: it goes between threads by structured clone.
 */
export type PrefixColumns = {
  count: number;
  /** Addresses, most significant word first: 1 word each for IPv4, 4 for IPv6. */
  words: Uint32Array;
  bits: Uint8Array;
  /** Index in the list's `lines`. */
  line: Uint16Array;
  /** Where each stood: a text's line, a binary file's record, from 1. */
  row: Uint32Array;
};

/** What one list file says. `lines`: the file's one, or all that its entries name. */
export type LineList = {
  file: string;
  lines: readonly string[];
  v4: PrefixColumns;
  v6: PrefixColumns;
  /** Host bits that were set and are cleared now: how many, and the first of them. */
  stray: { count: number; examples: readonly string[] };
  /** Entries of no line: an ASN or a country that no line names, a route without an origin. */
  unmatched: number;
};

/**
 * The compiled tree, as memory that threads share. A binary tree whose leaves are all prefixes with
 * one answer, no two of which overlap, stored by strides: 65,536 entries for the first 16 bits of a
 * family's addresses, then chunks of 16 (one cache line) for each 4 bits more. A negative entry is
 * a leaf, whose low 24 bits are line × 256 + depth; any other is where its chunk starts. The depth
 * of a leaf is the ECS scope; a leaf shorter than its stride fills all entries that it covers.
 */
export type LineTree = {
  entries: Int32Array<SharedArrayBuffer>;
  /** Entry where the table of the first 16 bits starts. */
  rootV4: number;
  rootV6: number;
  /** Names by number; [0] is `default`. */
  lines: readonly string[];
};

/** The result of a lookup, packed: line × 256 + depth (0 to 128), in the family asked for. */
export type LineAndScope = number;

/** A prefix that something is said of. `file` and `row` are not there for an operator's own. */
export type Sighting = { prefix: string; line: string; file?: string; row?: number };

/** How many, and the first few. */
export type Sightings<Example> = { count: number; examples: Example[] };

export type LineCoverage = {
  line: string;
  /** Prefixes as listed by files and the operator, and leaves of the tree. */
  listed: number;
  leaves: number;
  addressesV4: number;
  /** In /48s; longer prefixes are fractions. */
  sitesV6: number;
  /** Of all that any line but `default` covers in the family, 0 to 1. */
  shareV4: number;
  shareV6: number;
};

/** The state of the lists, as data; hygiene-text.ts says it in words. */
export type LineReport = {
  lines: LineCoverage[];
  files: { file: string; prefixes: number; stray: number; unmatched: number }[];
  /** Host bits that were set: `file:row: 10.0.0.1/8 taken as 10.0.0.0/8`. */
  stray: Sightings<string>;
  /** The same prefix in two lines: the one that was listed first is `kept`. */
  conflicts: Sightings<{ kept: Sighting; dropped: Sighting }>;
  /** The same prefix twice in one line. */
  repeats: number;
  /** A prefix of one line inside of another's: the more specific wins. By pair of lines. */
  nested: {
    line: string;
    inside: string;
    count: number;
    examples: { prefix: string; inside: string }[];
  }[];
  /** The operator's own prefixes without which the tree would be the same. */
  idleOverrides: Sightings<Sighting>;
  /** Private, reserved and documentation space, and forms that are looked up as IPv4. */
  bogons: Sightings<Sighting & { space: string }>;
};
