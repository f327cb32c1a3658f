// How a call of the backend is split: by the server that a block is on, by block where scripts are
// bound to a slot, and to a size. Pure.
import { blockOf } from './record.ts';
import type { Item } from './types.ts';

const BLOCKS_PER_ADOPT = 128;

/** What goes to one server: the blocks, each once; items with their places in the call. */
export type Part = { node: string; blocks: number[]; items: Item[]; places: number[] };

export function onePart(node: string, blocks: readonly number[], items: readonly Item[]): Part {
  return { node, blocks: [...new Set(blocks)], items: [...items], places: [...items.keys()] };
}

export function splitByBlock(part: Part): Part[] {
  return part.blocks.map((block) => {
    const at = [...part.items.keys()].filter((i) => blockOf(itemAt(part, i).address) === block);
    const places = at.map((i) => part.places[i] ?? 0);
    return { node: part.node, blocks: [block], items: at.map((i) => itemAt(part, i)), places };
  });
}

export function splitToAdopt(part: Part): Part[] {
  const count = Math.ceil(part.blocks.length / BLOCKS_PER_ADOPT);
  return Array.from({ length: count }, (_, at) => {
    const first = at * BLOCKS_PER_ADOPT;
    return { ...part, blocks: part.blocks.slice(first, first + BLOCKS_PER_ADOPT) };
  });
}

export function itemAt(part: Part, at: number): Item {
  return part.items[at] as Item; // `at` is one of its indexes
}
