// Gathers facts while a soak runs: what loads tell, what daemons log, and samples of them.
import { setTimeout as pause } from 'node:timers/promises';
import type { LabProcess } from '../../../lab/process.ts';
import type { ErrorRecord, Facts, Grant, Sample, Tick, Trouble } from '../facts.ts';
import type { LoadLine } from '../loads/tally.ts';
import { keepTools, toolsOf } from '../loads/tools.ts';
import type { SoakSite } from '../site.ts';
import { sample } from './daemons.ts';
import { Lines } from './lines.ts';

const LOOK_MS = 500;
const SAMPLE_MS = 5000;
const MESSAGE_CHARACTERS = 300;

/**
 * A record of level error; a line of no record is one, too, as a crash's stack is. Its time is when
 * it was seen: the daemon's own clock may be one that a fault has moved.
 */
export function errorOf(daemon: string, line: string, nowMs: number): ErrorRecord | undefined {
  if (!/^\{".*\}$/.test(line)) {
    return { daemon, atMs: nowMs, event: 'stderr', message: line.slice(0, MESSAGE_CHARACTERS) };
  }
  const record = JSON.parse(line) as {
    level?: string;
    time?: string;
    event?: string;
    msg?: string;
  };
  if (record.level !== 'error') return undefined;
  const { event = '', msg = '', time = '' } = record;
  return { daemon, atMs: Date.parse(time) || nowMs, event, message: msg };
}

export class Recorder {
  readonly ticks: Tick[] = [];
  readonly troubles: Trouble[] = [];
  readonly grants: Grant[] = [];
  readonly samples: Sample[] = [];
  readonly errors: ErrorRecord[] = [];
  /** What loads said that they should not have. */
  readonly noise: string[] = [];
  readonly #site: SoakSite;
  readonly #loads: readonly LabProcess[];
  readonly #stop = new AbortController();
  readonly #lines = new Map<string, { daemon: string; lines: Lines }>();
  #running: Promise<unknown> = Promise.resolve();
  readonly #loadLines: readonly Lines[];

  constructor(site: SoakSite, loads: readonly LabProcess[]) {
    this.#site = site;
    this.#loads = loads;
    this.#loadLines = loads.map(({ logPath }) => new Lines(logPath));
    this.#followLogs('now');
    const { signal } = this.#stop;
    const sink = {
      tick: (tick: Tick) => this.ticks.push(tick),
      trouble: (trouble: Trouble) => this.troubles.push(trouble),
    };
    this.#running = Promise.all([
      keepTools(toolsOf(site, signal), sink, signal),
      this.#repeat(LOOK_MS, () => this.#look()),
      this.#repeat(SAMPLE_MS, () => this.#sample()),
    ]);
  }

  /** Of the own loads, in the last so many ms: what each client has done, and what went wrong. */
  lately(ms: number): { ticks: Tick[]; troubles: Trouble[] } {
    const since = Date.now() - ms;
    return {
      ticks: lastOf(this.ticks, (tick) => tick.atMs >= since),
      troubles: lastOf(this.troubles, (trouble) => trouble.atMs >= since),
    };
  }

  /** Leases were promised before, too. */
  since(startMs: number): Pick<Facts, 'ticks' | 'troubles' | 'grants' | 'samples' | 'errors'> {
    const later = <T extends { atMs: number }>(all: readonly T[]): T[] =>
      all.filter(({ atMs }) => atMs >= startMs);
    const { ticks, troubles, grants, samples, errors } = this;
    return {
      ticks: later(ticks),
      troubles: later(troubles),
      grants,
      samples: later(samples),
      errors: later(errors),
    };
  }

  /** Safe to repeat. */
  async stop(): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    await this.#running;
    this.#look();
  }

  async #repeat(everyMs: number, work: () => void | Promise<void>): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await work();
      const { signal } = this.#stop;
      await pause(everyMs, undefined, { signal }).catch(() => undefined); // told to end
    }
  }

  #followLogs(from: 'start' | 'now'): void {
    for (const { name, daemon } of this.#site.daemons) {
      if (daemon === undefined || this.#lines.has(daemon.logPath)) continue;
      this.#lines.set(daemon.logPath, { daemon: name, lines: new Lines(daemon.logPath, from) });
    }
  }

  #look(): void {
    for (const [at, lines] of this.#loadLines.entries()) {
      for (const line of lines.take()) this.#take(line, this.#loads[at]?.name ?? '');
    }
    this.#followLogs('start');
    for (const { daemon, lines } of this.#lines.values()) {
      for (const line of lines.take()) {
        const record = errorOf(daemon, line, Date.now());
        if (record) this.errors.push(record);
      }
    }
  }

  #take(text: string, from: string): void {
    if (!text.startsWith('{"')) {
      this.noise.push(`${from}: ${text}`); // an error that it died of, or a warning
      return;
    }
    const line = JSON.parse(text) as LoadLine; // tally.ts wrote it
    if ('tick' in line) this.ticks.push(line.tick);
    else if ('trouble' in line) this.troubles.push(line.trouble);
    else this.grants.push(line.grant);
  }

  async #sample(): Promise<void> {
    const samples = await Promise.all(this.#site.daemons.map(sample));
    this.samples.push(...samples.filter((one) => one !== undefined));
  }
}

/** From the end on, for as long as it is so; what came earlier may be very long. */
function lastOf<T>(all: readonly T[], isSo: (one: T) => boolean): T[] {
  const first = all.findLastIndex((one) => !isSo(one)) + 1;
  return all.slice(first);
}
