// A prober's word on a target, as it stands in Redis: one line of text (docs/health.md). Pure.
import type { Voice } from './quorum.ts';
import type { Measured } from './types.ts';

export type Vote = {
  /** `pending`: at work, no vote yet. `none`: it cannot probe it. */
  state: Voice['state'] | 'none';
  checksToFlip: number;
  /** Redis' time at which it began to say so. */
  sinceMs: number;
  /** The state of the target that it goes by. */
  held: Measured;
  /** Why: `ok`, `refused`, `status 503`. */
  reason: string;
};

const TEXT = /^(up|down|pending|none) (\d{1,3}) (\d{1,15}) (up|down|unknown) (.*)$/;
const MAX_REASON = 120;

export function formatVote({ state, checksToFlip, sinceMs, held, reason }: Vote): string {
  // A server's words may be in a reason: a line stays a line.
  const line = reason.replace(/[^\x20-\x7e]+/g, ' ').slice(0, MAX_REASON);
  return `${state} ${checksToFlip} ${Math.round(sinceMs)} ${held} ${line}`;
}

/** Undefined: no prober of ours wrote it. */
export function parseVote(text: string): Vote | undefined {
  const [, state, checks, since, held, reason = ''] = TEXT.exec(text) ?? [];
  if (state === undefined) return undefined;
  return {
    state: state as Vote['state'], // the pattern's
    checksToFlip: Math.max(1, Number(checks)),
    sinceMs: Number(since),
    held: held as Measured, // the pattern's
    reason,
  };
}
