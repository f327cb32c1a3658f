// A range of ports as the fewest aligned blocks: what an LPM trie can hold.

export type PortBlock = { port: number; bits: number }; // bits: 0 (all ports) .. 16 (one port)

/** Blocks in ascending order; both ends inclusive, 0..65535; at most 30 blocks. */
export function portBlocks(first: number, last: number): PortBlock[] {
  if (first < 0 || last > 65535 || first > last) throw new Error(`no port range: ${first}-${last}`);
  const blocks: PortBlock[] = [];
  for (let port = first; port <= last; ) {
    // The largest block that starts here: as its alignment allows, and not past the end.
    let size = port === 0 ? 65536 : port & -port;
    while (port + size - 1 > last) size /= 2;
    blocks.push({ port, bits: 16 - Math.log2(size) });
    port += size;
  }
  return blocks;
}
