// Who probes a target: rendezvous hashing over the live probers (docs/health.md, V1). Pure.
import { hashText, mix } from './fingerprint.ts';

/** Probers of each target, where so many live. */
export const PROBERS = 3;

/** What ranks for any number of targets share. */
export type Ranking = readonly { node: string; hash: number }[];

export function rankingOf(nodes: Iterable<string>): Ranking {
  return [...nodes].map((node) => ({ node, hash: hashText(node, 0x9e3779b9) }));
}

/** The nodes, best first; a node that comes or goes leaves the order of the others as it was. */
export function rank(ranking: Ranking, targetId: string): string[] {
  const target = hashText(targetId);
  const scored = ranking.map(({ node, hash }) => ({ node, score: mix(hash ^ target) }));
  scored.sort((a, b) => b.score - a.score || (a.node < b.node ? -1 : 1));
  return scored.map(({ node }) => node);
}

/** `counted` are asked for the state; `probing` besides those who were passed over for another. */
export type Chosen = { counted: string[]; probing: string[] };

/**
 * The first three of a rank. Who is passed over (cannot probe the target, or does not know it) goes
 * on trying, and the next one stands in.
 */
export function choose(ranked: readonly string[], isPassedOver: (node: string) => boolean): Chosen {
  const counted: string[] = [];
  const probing: string[] = [];
  for (const node of ranked) {
    if (counted.length >= PROBERS) break;
    probing.push(node);
    if (!isPassedOver(node)) counted.push(node);
  }
  return { counted, probing };
}
