// What a load tells: a line of JSON for each second of each load, for each trouble, for each lease.
import type { Grant, Load, Tick, Trouble, TroubleKind } from '../facts.ts';

export type LoadLine = { tick: Tick } | { trouble: Trouble } | { grant: Grant };

const TICK_MS = 1000;
/** Of one load and second; more are counted in the tick, and one of them is told in words. */
const TROUBLES_A_TICK = 50;

type Count = { done: number; failed: number; bytes: number; sumMs: number; worstMs: number };
const NOTHING: Count = { done: 0, failed: 0, bytes: 0, sumMs: 0, worstMs: 0 };

export class Tally {
  readonly #client: string;
  readonly #write: (line: LoadLine) => void;
  readonly #counts = new Map<Load, Count>();
  #toldMs = Date.now();
  #troubles = 0;

  constructor(client: string, write: (line: LoadLine) => void) {
    this.#client = client;
    this.#write = write;
  }

  static start(client: string): Tally {
    const tally = new Tally(client, (line) => process.stdout.write(`${JSON.stringify(line)}\n`));
    setInterval(() => tally.tell(), TICK_MS);
    return tally;
  }

  done(load: Load, tookMs: number): void {
    const count = this.#of(load);
    count.done++;
    count.sumMs += tookMs;
    count.worstMs = Math.max(count.worstMs, tookMs);
  }

  bytes(load: Load, bytes: number): void {
    this.#of(load).bytes += bytes;
  }

  trouble(load: Load, kind: TroubleKind, what: string, sinceMs = Date.now()): void {
    if (kind !== 'overflow') this.#of(load).failed++;
    if (++this.#troubles > TROUBLES_A_TICK) return;
    const atMs = Date.now();
    this.#write({ trouble: { load, client: this.#client, atMs, sinceMs, kind, what } });
  }

  grant(grant: Grant): void {
    this.#write({ grant });
  }

  tell(): void {
    const atMs = Date.now();
    const spanMs = atMs - this.#toldMs;
    for (const [load, { done, failed, bytes, sumMs, worstMs }] of this.#counts) {
      const meanMs = done === 0 ? 0 : sumMs / done;
      const client = this.#client;
      this.#write({ tick: { load, client, atMs, spanMs, done, failed, bytes, meanMs, worstMs } });
      this.#counts.set(load, { ...NOTHING });
    }
    this.#toldMs = atMs;
    this.#troubles = 0;
  }

  #of(load: Load): Count {
    const known = this.#counts.get(load);
    if (known !== undefined) return known;
    const count = { ...NOTHING };
    this.#counts.set(load, count);
    return count;
  }
}

/** Calls `work` so often a second, whether or not the call before has ended. */
export function paced(perSecond: number, work: (round: number) => Promise<void>): void {
  let round = 0;
  setInterval(() => void work(round++), 1000 / perSecond);
}
