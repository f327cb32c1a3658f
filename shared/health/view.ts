// What readers of health see, made from what is known when they ask (docs/health.md, V7).
import type { Clock } from '../clock.ts';
import { targetId } from './fingerprint.ts';
import type { Mode } from './mode.ts';
import { SETTLE_MS } from './mode.ts';
import type { Overrides } from './overrides.ts';
import type { Replica } from './replica.ts';
import type { TargetState } from './target-state.ts';
import type { CheckSettings, HealthView, Measured, Override, TargetHealth } from './types.ts';

export type LiveViewOptions = {
  self: string;
  clock: Clock;
  replica: Replica;
  target: (id: string) => TargetState | undefined;
  overrides: () => Overrides;
  mode: () => Mode;
  boardMs: () => number;
};

type Known = Pick<TargetHealth, 'measured' | 'toFlipMs' | 'sinceMs' | 'votes'>;

const UNKNOWN: Known = { measured: 'unknown', toFlipMs: 0, sinceMs: 0, votes: [] };
const UNCHECKED: Known = {
  measured: 'up',
  toFlipMs: Number.POSITIVE_INFINITY,
  sinceMs: 0,
  votes: [],
};

export class LiveView implements HealthView {
  readonly #options: LiveViewOptions;
  /** Fingerprints cost something, and a pool's targets share their check. */
  readonly #ids = new WeakMap<CheckSettings, Map<string, string>>();

  constructor(options: LiveViewOptions) {
    this.#options = options;
  }

  of(id: string, pool?: string, port?: number): TargetHealth {
    const state = this.#options.target(id);
    if (state === undefined) return healthOf(UNKNOWN, undefined);
    return healthOf(this.#known(state), this.#override(state.target.address, pool, port));
  }

  ofAddress(
    address: string,
    check: CheckSettings | undefined,
    pool?: string,
    port?: number,
  ): TargetHealth {
    const state = check && this.#options.target(this.#idOf(address, check));
    const known = state !== undefined ? this.#known(state) : check ? UNKNOWN : UNCHECKED;
    return healthOf(known, this.#override(address, pool, port));
  }

  #idOf(address: string, check: CheckSettings): string {
    const ids = this.#ids.get(check) ?? new Map<string, string>();
    const id = ids.get(address) ?? targetId({ address, check });
    ids.set(address, id);
    this.#ids.set(check, ids);
    return id;
  }

  #override(address: string, pool?: string, port?: number): Override | undefined {
    const { overrides, clock } = this.#options;
    return overrides().of({ address, pool, port }, clock.nowMs());
  }

  #known(state: TargetState): Known {
    const { measured, sinceMs } = state;
    return { measured, sinceMs, toFlipMs: this.#toFlipMs(state), votes: this.#votes(state) };
  }

  /** What comes when the board comes back is not known. */
  #toFlipMs(state: TargetState): number {
    const mode = this.#options.mode();
    if (mode !== 'shared' && mode !== 'alone') return 0;
    const leastMs = state.toFlipMs(this.#options.clock.monotonicMs());
    return mode === 'alone' ? Math.min(SETTLE_MS, leastMs) : leastMs;
  }

  #votes(state: TargetState): TargetHealth['votes'] {
    const { replica, self, boardMs, mode } = this.#options;
    const nowMs = boardMs();
    const isAlone = mode() === 'alone';
    return (isAlone ? [self] : state.counted).flatMap((node) => {
      const vote = isAlone && state.own ? state.voteAt(nowMs) : replica.vote(node, state.id);
      if (vote?.state !== 'up' && vote?.state !== 'down') return [];
      const ageMs = Math.max(0, Math.round(nowMs - vote.sinceMs));
      return [{ node, state: vote.state, reason: vote.reason, ageMs }];
    });
  }
}

function healthOf(known: Known, override: Override | undefined): TargetHealth {
  if (override === undefined) return { ...known, effective: known.measured };
  const effective: Measured = override.state === 'up' ? 'up' : 'down';
  return { ...known, effective, override, toFlipMs: Number.POSITIVE_INFINITY };
}
