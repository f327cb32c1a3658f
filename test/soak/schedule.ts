// Which fault strikes whom, when, and for how long: a function of the seed. Pure. Every pair of
// fault and kind of victim comes once before any comes again. A fault never begins before the one
// before it has been got over, so that moments are the earliest ones; unless they shall overlap.
import { pick, type Random, seededRandom, shuffle } from '../../shared/random.ts';
import { type FaultKind, type Kind, kindOf } from './catalogue.ts';

export type Planned = {
  atMs: number; // after the beginning, at the earliest
  fault: string;
  kind: Kind;
  /** Of this kind, from 1. */
  which: number;
  holdMs: number;
};

export type ScheduleOptions = {
  seed: number;
  durationMs: number;
  faults: readonly string[];
  /** How many there are of each kind; a kind without any is not struck. */
  counts: Readonly<Record<Kind, number>>;
  isOverlapping?: boolean;
};

/** Before the first: what is normal has to be known. */
export const CALM_MS = 15_000;
/** At the end: nothing strikes any more. */
export const END_MS = 20_000;
/** From one fault's planned end to the next. */
const GAP_MS: readonly [number, number] = [10_000, 18_000];
const OVERLAP_GAP_MS: readonly [number, number] = [4_000, 12_000];
/** One that was struck is left in peace for so long, also where faults overlap. */
export const PEACE_MS = 45_000;

const between = (random: Random, [least, most]: readonly [number, number]): number =>
  Math.round(least + random.next() * (most - least));

export function schedule(options: ScheduleOptions): Planned[] {
  const { seed, durationMs, faults, counts, isOverlapping = false } = options;
  const random = seededRandom(seed);
  const pairs = faults.map(kindOf).flatMap((fault) => pairsOf(fault, counts));
  const planned: Planned[] = [];
  if (pairs.length === 0) return planned;
  let deck: typeof pairs = [];
  const busyMs = new Map<string, number>();
  for (let freeMs = CALM_MS; ; ) {
    if (deck.length === 0) deck = shuffle(random, pairs);
    const { fault, kind } = deck.pop() ?? pick(random, pairs);
    const which = 1 + random.integer(counts[kind]);
    const victim = `${kind} ${which}`;
    const holdMs = between(random, fault.holdMs);
    const atMs = isOverlapping ? Math.max(freeMs, busyMs.get(victim) ?? 0) : freeMs;
    if (atMs + holdMs > durationMs - END_MS) return planned;
    planned.push({ atMs, fault: fault.name, kind, which, holdMs });
    busyMs.set(victim, atMs + holdMs + PEACE_MS);
    const gapMs = between(random, isOverlapping ? OVERLAP_GAP_MS : GAP_MS);
    freeMs = atMs + (isOverlapping ? 0 : holdMs) + gapMs;
  }
}

const pairsOf = (fault: FaultKind, counts: ScheduleOptions['counts']) =>
  fault.victims.filter((kind) => counts[kind] > 0).map((kind) => ({ fault, kind }));
