// How large the kernel's maps are made. Pure.

export type L4Capacity = {
  servers: number;
  /** Of virtual servers; each has a table of 512 KiB. */
  pools: number;
  /** In all pools together. */
  targets: number;
  /** Known flows; an entry takes about 100 bytes. */
  connections: number;
};

/** A range of ports has so many entries at most. */
const RANGE_ENTRIES = 30;

/**
 * Twice as many slots as owners: one that is left is not given to another in the same change, while
 * packets still meet its owner before. The same for entries, which are added before others go.
 */
export function mapSizes({ servers, pools, targets, connections }: L4Capacity) {
  return {
    servers: 4 * servers,
    server_ranges: 2 * RANGE_ENTRIES * servers,
    server_meters: 2 * servers + 1,
    tables: 2 * pools + 1,
    targets: 2 * targets + 1,
    target_meters: 2 * targets + 1,
    reverse: 4 * targets,
    reverse_ranges: RANGE_ENTRIES * targets,
    connections,
  };
}
