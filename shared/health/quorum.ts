// From the votes of a target's probers to its state, and how soon that can turn (docs/health.md,
// V3, V4). Pure.
import type { CheckSettings, Measured } from './types.ts';

/** What one of the counted probers says. `pending`: it is at work, and has no vote yet. */
export type Voice = {
  state: 'up' | 'down' | 'pending';
  /** Its probes until it may vote otherwise than the state that it holds. */
  checksToFlip: number;
  /** The state that it goes by: what decides where the votes do not. */
  held: Measured;
};

/** A vote is told and heard within this, unless the store is in trouble. */
export const TELLING_MS = 1000;

/**
 * More than half of the counted decide. Otherwise it stays as it was: as the first in rank who
 * knows it says, so that all say the same; then as `before`; then by the votes there are, up in a
 * tie.
 */
export function decide(voices: readonly Voice[], before: Measured): Measured {
  for (const state of ['up', 'down'] as const) {
    if (2 * countOf(voices, state) > voices.length) return state;
  }
  const holder = voices.find(({ held }) => held !== 'unknown');
  if (holder !== undefined) return holder.held;
  if (before !== 'unknown') return before;
  const [up, down] = [countOf(voices, 'up'), countOf(voices, 'down')];
  if (up + down === 0) return 'unknown';
  return up >= down ? 'up' : 'down';
}

/**
 * The least time until the votes can turn the state. Between two probes of a prober lies an
 * interval, but the next one may be about to end, and may have taken as long as it may.
 */
export function toFlipMs(
  voices: readonly Voice[],
  state: Measured,
  { intervalMs, timeoutMs }: Pick<CheckSettings, 'intervalMs' | 'timeoutMs'>,
): number {
  if (state === 'unknown' || voices.length === 0) return 0;
  const other = state === 'up' ? 'down' : 'up';
  const lacking = Math.floor(voices.length / 2) + 1 - countOf(voices, other);
  if (lacking <= 0) return 0;
  const checks = voices.filter((voice) => voice.state !== other).map((each) => each.checksToFlip);
  checks.sort((a, b) => a - b);
  const needed = checks[lacking - 1] ?? 1;
  return Math.max(0, (needed - 1) * intervalMs - timeoutMs - TELLING_MS);
}

function countOf(voices: readonly Voice[], state: Voice['state']): number {
  return voices.reduce((count, voice) => count + (voice.state === state ? 1 : 0), 0);
}
