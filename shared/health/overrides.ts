// What operators say of targets (docs/health.md, V7): by address, in one pool or wherever it is a
// target, and while it lasts. Pure.
import type { HealthOverride } from '../site/pool-objects.ts';
import type { Override } from './types.ts';

export class Overrides {
  readonly #byKey = new Map<string, Override>();
  readonly #ends: number[];

  constructor(overrides: readonly HealthOverride[]) {
    for (const { address, pool, ...override } of overrides) {
      this.#byKey.set(keyOf(address, pool), override);
    }
    this.#ends = overrides.flatMap(({ untilMs }) => untilMs ?? []);
  }

  /** What is said of the pool goes before what is said of the address. */
  of(address: string, pool: string | undefined, nowMs: number): Override | undefined {
    const lasting = (override: Override | undefined) =>
      override?.untilMs !== undefined && override.untilMs <= nowMs ? undefined : override;
    const ofPool = pool === undefined ? undefined : this.#byKey.get(keyOf(address, pool));
    return lasting(ofPool) ?? lasting(this.#byKey.get(keyOf(address)));
  }

  /** Those that last. */
  count(nowMs: number): number {
    return [...this.#byKey.values()].filter(({ untilMs = Infinity }) => untilMs > nowMs).length;
  }

  /** When the next one ends, ms since the epoch; Infinity: none does. */
  nextEndMs(nowMs: number): number {
    return this.#ends.reduce((least, end) => (end > nowMs && end < least ? end : least), Infinity);
  }
}

function keyOf(address: string, pool?: string): string {
  return pool === undefined ? address : `${address} ${pool}`;
}
