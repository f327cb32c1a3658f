// The query log: what the samplers of all threads have noted becomes lines of the daemon's log.
import type { Clock } from '../../shared/clock.ts';
import type { Log } from '../../shared/log.ts';
import type { QueryNote } from '../answer/query-sample.ts';
import type { DnsEvent } from '../events.ts';

const WINDOW_MS = 1000;

export type QueryLogOptions = {
  /** Of all threads together. */
  maxPerSecond: number;
  clock: Clock;
  log: Log<DnsEvent>;
};

export class QueryLog {
  maxPerSecond: number;
  readonly #options: QueryLogOptions;
  #dropped = 0;
  #windowMs = Number.NEGATIVE_INFINITY;
  #inWindow = 0;

  constructor(options: QueryLogOptions) {
    this.#options = options;
    this.maxPerSecond = options.maxPerSecond;
  }

  /** Sampled, but not written: there were too many, or no room. */
  get dropped(): number {
    return this.#dropped;
  }

  /** `dropped`: by who noted them. */
  take(notes: readonly QueryNote[], dropped: number): void {
    this.#dropped += dropped;
    const { clock, log } = this.#options;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#windowMs >= WINDOW_MS) {
      this.#windowMs = nowMs;
      this.#inWindow = 0;
    }
    const room = Math.max(0, this.maxPerSecond - this.#inWindow);
    this.#inWindow += Math.min(room, notes.length);
    this.#dropped += Math.max(0, notes.length - room);
    for (const { atSeconds, ...note } of notes.slice(0, room)) {
      const { qname = '-', qtype = '-', outcome } = note;
      const at = new Date(1000 * atSeconds).toISOString();
      log.info('query', `${qname} ${qtype} ${outcome}`, { at, ...note });
    }
  }
}
