// What operators say of targets (docs/health.md, V7): by address, at one port or at any, in one
// pool or wherever it is a target, and while it lasts. Pure.
import type { HealthOverride } from '../site/pool-objects.ts';
import type { Override } from './types.ts';

type Said = { address: string; pool?: string | undefined; port?: number | undefined };

export class Overrides {
  readonly #byKey = new Map<string, Override>();
  readonly #ends: number[];

  constructor(overrides: readonly HealthOverride[]) {
    for (const { address, pool, port, ...override } of overrides) {
      this.#byKey.set(keyOf({ address, pool, port }), override);
    }
    this.#ends = overrides.flatMap(({ untilMs }) => untilMs ?? []);
  }

  /** What is said of the pool goes before the rest, then what is said of the port. */
  of({ address, pool, port }: Said, nowMs: number): Override | undefined {
    if (this.#byKey.size === 0) return undefined;
    const pools = pool === undefined ? [undefined] : [pool, undefined];
    const ports = port === undefined ? [undefined] : [port, undefined];
    for (const inPool of pools) {
      for (const atPort of ports) {
        const found = this.#byKey.get(keyOf({ address, pool: inPool, port: atPort }));
        if (found !== undefined && (found.untilMs ?? Infinity) > nowMs) return found;
      }
    }
    return undefined;
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

function keyOf({ address, pool = '', port = 0 }: Said): string {
  return `${address} ${port} ${pool}`;
}
