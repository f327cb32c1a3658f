// When a target is probed: spread over its interval by a hash, each prober at a time of its own
// (docs/health.md, V4). Pure.
import { hashText } from './fingerprint.ts';

/** A target of which nothing is known is probed within this, or within its interval. */
const FIRST_WITHIN_MS = 1000;

/** In [0, 1): where in its interval this prober probes this target. */
export function phaseOf(targetId: string, node: string): number {
  return hashText(`${targetId} ${node}`) / 2 ** 32;
}

/** From now to the first probe. */
export function firstDelayMs(phase: number, intervalMs: number, isKnown: boolean): number {
  return phase * (isKnown ? intervalMs : Math.min(FIRST_WITHIN_MS, intervalMs));
}

/**
 * When the probe after one begins: an interval later, and never sooner. `isFirst`: at the phase,
 * for the first probes of all targets may lie close together.
 */
export function nextProbeMs(
  startedMs: number,
  { phase, intervalMs, isFirst }: { phase: number; intervalMs: number; isFirst: boolean },
): number {
  const nextMs = startedMs + intervalMs;
  if (!isFirst) return nextMs;
  const laterMs = (phase * intervalMs - nextMs) % intervalMs;
  return nextMs + (laterMs < 0 ? laterMs + intervalMs : laterMs);
}
