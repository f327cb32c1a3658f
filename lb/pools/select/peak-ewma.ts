// The better of two that are drawn by weight (Mitzenmacher's power of two choices), by what a
// request would wait there: peak-EWMA latency times open requests (after Finagle's). Several
// workers that know nothing of each other do not herd to one target so. Pure.
import type { Random } from '../../../shared/random.ts';
import type { Member } from '../member.ts';
import { draw } from './random.ts';
import type { Selector } from './selector.ts';

/** Of a target where no target's latency is known. */
const UNKNOWN_MS = 30;
/** What differs by less is the same: the first drawn, so that weights hold. */
const SAME = 1.2;

export class PeakEwma implements Selector {
  readonly #random: Random;
  #members: readonly Member[] = [];
  #meanWeight = 1;

  constructor(random: Random) {
    this.#random = random;
  }

  update(members: readonly Member[]): void {
    this.#members = members;
    const total = members.reduce((sum, { weight }) => sum + weight, 0);
    this.#meanWeight = total / Math.max(1, members.length);
  }

  select(_hash: number, isFree: (member: Member) => boolean, nowMs: number): Member | undefined {
    const first = draw(this.#members, isFree, this.#random);
    if (first === undefined) return undefined;
    const second = draw(this.#members, isFree, this.#random, first);
    if (second === undefined) return first;
    const ratio = this.#cost(first, nowMs) / this.#cost(second, nowMs);
    return ratio > SAME ? second : first;
  }

  #cost(member: Member, nowMs: number): number {
    const known = member.latencyMs > 0;
    const latencyMs = member.latencyAt(nowMs, known ? 0 : this.#meanLatency(nowMs));
    const well = member.wellAt(nowMs);
    const open = (member.open * this.#meanWeight) / member.weight;
    return (latencyMs * (1 + open)) / (well * well);
  }

  /** A new target is taken to be as fast as the others, and not to be faster than all. */
  #meanLatency(nowMs: number): number {
    const known = this.#members.filter(({ latencyMs }) => latencyMs > 0);
    if (known.length === 0) return UNKNOWN_MS;
    return known.reduce((sum, each) => sum + each.latencyAt(nowMs, 0), 0) / known.length;
  }
}
