// The binary tree in the form that is looked up: a table for the first 16 bits of each family, then
// chunks of 16 entries for each 4 bits more (types.ts). A subtree's chunks lie together. Pure.
import { type BinaryTree, LEAF } from './build.ts';

export const ROOT_ENTRIES = 65_536;
export const CHUNK_ENTRIES = 16;
/** In a negative entry: the bit that makes it so. */
const LEAF_ENTRY = 1 << 31;

/** Both families behind each other, IPv4 first. */
export function stridesOf(v4: BinaryTree, v6: BinaryTree): Int32Array<SharedArrayBuffer> {
  const chunks = countChunks(v4, v4.root, 0) + countChunks(v6, v6.root, 0);
  const length = 2 * ROOT_ENTRIES + CHUNK_ENTRIES * chunks;
  const entries = new Int32Array(new SharedArrayBuffer(4 * length));
  const next = fill(entries, v4, 0, 2 * ROOT_ENTRIES);
  fill(entries, v6, ROOT_ENTRIES, next);
  return entries;
}

function countChunks(tree: BinaryTree, reference: number, depth: number): number {
  if (reference >= LEAF) return 0;
  const { pairs } = tree;
  return (
    (depth >= 16 && depth % 4 === 0 ? 1 : 0) +
    countChunks(tree, pairs[2 * reference] ?? 0, depth + 1) +
    countChunks(tree, pairs[2 * reference + 1] ?? 0, depth + 1)
  );
}

/** Returns where the next chunk would start. */
function fill(
  entries: Int32Array,
  { root, pairs }: BinaryTree,
  base: number,
  firstChunk: number,
): number {
  let next = firstChunk;
  const place = (reference: number, depth: number, at: number, width: number): void => {
    if (reference >= LEAF) {
      entries.fill(LEAF_ENTRY | ((reference - LEAF) << 8) | depth, at, at + width);
    } else if (width === 1) {
      entries[at] = next;
      next += CHUNK_ENTRIES;
      place(reference, depth, next - CHUNK_ENTRIES, CHUNK_ENTRIES);
    } else {
      place(pairs[2 * reference] ?? 0, depth + 1, at, width / 2);
      place(pairs[2 * reference + 1] ?? 0, depth + 1, at + width / 2, width / 2);
    }
  };
  place(root, 0, base, ROOT_ENTRIES);
  return next;
}
