// Ours and the peers by name, and with what they are measured.
import { startEdge } from './edge.ts';
import { startGdnsd, startKnot, startNsd } from './peers.ts';
import { CPUS } from './site.ts';
import type { Contender, Wanted } from './types.ts';

export const EDGE = 'edge-dns';
export const PEERS = ['knot', 'nsd', 'gdnsd'];

/** A thousand names, one worker on its own CPU. */
export const SMALL: Wanted = {
  names: 1000,
  smart: 0,
  prefixes: 0,
  workers: 1,
  cpus: CPUS.server,
  isSecure: false,
};

const STARTS = { knot: startKnot, nsd: startNsd, gdnsd: startGdnsd };

export const edge = (name: string, wanted: Wanted): Contender => {
  return { name, start: startEdge, wanted };
};

export const peers = (names: readonly string[], wanted: Wanted): Contender[] =>
  Object.entries(STARTS)
    .filter(([name]) => names.includes(name))
    .map(([name, start]) => ({ name, start, wanted }));

/** For a case that starts what it needs by itself. */
export const alone: Contender = { name: EDGE, start: undefined, wanted: SMALL };
