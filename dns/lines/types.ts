// Lines: named sets of client prefixes (an ISP, an ISP in a province, overseas). Pure.
import type { Prefix } from '../../shared/net/prefix.ts';

/** The line of every client that no prefix names. Always number 0. */
export const DEFAULT_LINE = 'default';

/** A site object `line`. */
export type LineSettings = {
  name: string;
  /**
   * Which line's answer serves where a record has none for this one: in this order, as written, not
   * transitive; `default` is always last and need not be written.
   */
  fallback: readonly string[];
  /** The operator's own prefixes: they win over those of files, whatever their length. */
  prefixes: readonly Prefix[];
};

/** What one list file said. `line` is the file's, or the entry's own (range CSV, mmdb by ASN). */
export type ListedPrefix = { prefix: Prefix; line: string; file: string; row: number };

/**
 * The compiled tree, as memory that threads share. `nodes`: pairs [zero, one] of 32 bits; with the
 * high bit set the low 16 are a line's number, else the index of the next pair. Fully populated:
 * each leaf is a prefix, no two overlap, and the depth at which a lookup ends is the ECS scope.
 */
export type LineTree = {
  nodes: Uint32Array<SharedArrayBuffer>;
  /** Pair from which addresses of IPv4 start (depth 0 for them), and those of IPv6. */
  rootV4: number;
  rootV6: number;
  /** Names by number; [0] is `default`. */
  lines: readonly string[];
};

/** The result of a lookup, packed: line × 256 + depth (0 to 128), in the family asked for. */
export type LineAndScope = number;
