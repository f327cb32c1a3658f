// The probes of an instance: each target once an interval, at most so many at a time
// (docs/health.md, V4, V8).
import type { Clock } from '../clock.ts';
import { firstDelayMs, nextProbeMs, phaseOf } from './schedule.ts';
import type { ProbeResult, Prober, Target } from './types.ts';

export type ProbeRoundsOptions = {
  self: string;
  prober: Pick<Prober, 'probe'>;
  clock: Clock;
  concurrency: number;
  onResult: (id: string, result: ProbeResult) => void;
};

type Round = {
  id: string;
  target: Target;
  phase: number;
  isFirst: boolean;
  cancel: () => void;
};

export class ProbeRounds {
  /** Probes that had to wait until another one ended. */
  delayed = 0;
  #running = 0;
  readonly #options: ProbeRoundsOptions;
  readonly #rounds = new Map<string, Round>();
  readonly #waiting = new Set<Round>();

  constructor(options: ProbeRoundsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#rounds.size;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** `isKnown`: its state is, and the first probe is in no hurry. */
  add(id: string, target: Target, isKnown: boolean): void {
    if (this.#rounds.has(id)) return;
    const phase = phaseOf(id, this.#options.self);
    const round: Round = { id, target, phase, isFirst: true, cancel: () => {} };
    this.#rounds.set(id, round);
    this.#later(round, firstDelayMs(phase, target.check.intervalMs, isKnown));
  }

  /** A probe that is under way ends unheard. */
  remove(id: string): void {
    const round = this.#rounds.get(id);
    if (round === undefined) return;
    round.cancel();
    this.#rounds.delete(id);
    this.#waiting.delete(round);
  }

  stop(): void {
    for (const id of [...this.#rounds.keys()]) this.remove(id);
  }

  #later(round: Round, delayMs: number): void {
    round.cancel = this.#options.clock.after(delayMs, () => this.#due(round));
  }

  #due(round: Round): void {
    if (this.#running < this.#options.concurrency) return void this.#run(round);
    this.delayed++;
    this.#waiting.add(round);
  }

  async #run(round: Round): Promise<void> {
    const { clock, prober, onResult } = this.#options;
    const { id, target, phase, isFirst } = round;
    const { intervalMs } = target.check;
    const startedMs = clock.monotonicMs();
    this.#running++;
    const result = await prober.probe(target).finally(() => {
      this.#running--;
      this.#next();
    });
    if (this.#rounds.get(id) !== round) return;
    round.isFirst = false;
    const dueMs = nextProbeMs(startedMs, { phase, intervalMs, isFirst });
    this.#later(round, Math.max(0, dueMs - clock.monotonicMs()));
    onResult(id, result);
  }

  #next(): void {
    const [round] = this.#waiting;
    if (round === undefined || this.#running >= this.#options.concurrency) return;
    this.#waiting.delete(round);
    void this.#run(round);
  }
}
