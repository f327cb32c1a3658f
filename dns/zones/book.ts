// Which zones are served, from what all sources want: builds what has changed, puts a batch into
// force as a whole, and keeps what was served where a new one is refused.
import { describeError } from '../../shared/errors.ts';
import {
  type BuildJob,
  type BuildResult,
  type RefusedZone,
  type ServedZone,
  ZONE_SOURCES,
  type ZoneSourceKind,
} from './types.ts';

/** `fingerprint`: the same as before means that nothing has to be built. */
export type WantedZone = { fingerprint: string; job: BuildJob };
export type WantedZones = ReadonlyMap<string, WantedZone>;

export type ZoneBookOptions = {
  build: (jobs: readonly BuildJob[]) => Promise<readonly BuildResult[]>;
  /** After each batch. */
  onBuilt: (results: readonly BuildResult[]) => void;
  /** Nothing is left to be built. */
  onSettled: () => void;
  nowMs: () => number;
};

export class ZoneBook {
  readonly #options: ZoneBookOptions;
  readonly #wanted = new Map<ZoneSourceKind, WantedZones>();
  /** What was last tried, and so is not tried again until it changes. */
  readonly #tried = new Map<string, string>();
  readonly #served = new Map<string, ServedZone>();
  readonly #refused = new Map<string, RefusedZone>();
  #running: Promise<void> | undefined;

  constructor(options: ZoneBookOptions) {
    this.#options = options;
  }

  get served(): ReadonlyMap<string, ServedZone> {
    return this.#served;
  }

  get refused(): ReadonlyMap<string, RefusedZone> {
    return this.#refused;
  }

  /** Zones that a source has and another one serves. */
  get shadowed(): { zone: string; source: ZoneSourceKind; by: ZoneSourceKind }[] {
    return [...this.#wanted].flatMap(([source, zones]) =>
      [...zones.keys()].flatMap((zone) => {
        const by = this.#sourceOf(zone);
        return by === undefined || by === source ? [] : [{ zone, source, by }];
      }),
    );
  }

  /** All zones of a source, in place of those that it wanted before. */
  want(source: ZoneSourceKind, zones: WantedZones): void {
    this.#wanted.set(source, zones);
    this.#running ??= this.#run();
  }

  /** Whether all that is wanted was built or refused. */
  get isSettled(): boolean {
    return this.#running === undefined;
  }

  /** Resolves when it is settled. */
  async settled(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  async #run(): Promise<void> {
    await Promise.resolve(); // sources that speak in one turn are one batch
    for (;;) {
      const wanted = this.#all();
      const due = [...wanted].filter(([zone, each]) => this.#tried.get(zone) !== keyOf(each));
      const gone = [...this.#tried.keys()].filter((zone) => !wanted.has(zone));
      if (due.length === 0 && gone.length === 0) {
        this.#running = undefined; // in this turn, so that nothing wanted later is missed
        this.#options.onSettled();
        return;
      }
      for (const zone of gone) this.#forget(zone);
      for (const [zone, each] of due) this.#tried.set(zone, keyOf(each));
      const results = due.length === 0 ? [] : await this.#build(due.map(([, { job }]) => job));
      for (const result of results) this.#take(result, wanted);
      this.#options.onBuilt(results);
    }
  }

  #all(): Map<string, WantedZone> {
    const all = new Map<string, WantedZone>();
    for (const source of ZONE_SOURCES) {
      for (const [zone, each] of this.#wanted.get(source) ?? []) {
        if (!all.has(zone)) all.set(zone, each);
      }
    }
    return all;
  }

  #sourceOf(zone: string): ZoneSourceKind | undefined {
    return ZONE_SOURCES.find((source) => this.#wanted.get(source)?.has(zone));
  }

  #forget(zone: string): void {
    this.#tried.delete(zone);
    this.#served.delete(zone);
    this.#refused.delete(zone);
  }

  async #build(jobs: readonly BuildJob[]): Promise<readonly BuildResult[]> {
    try {
      return await this.#options.build(jobs);
    } catch (error) {
      const message = describeError(error);
      const problems = [{ level: 'refusal', place: undefined, message }] as const;
      return jobs.map(({ zone }) => ({ zone, image: undefined, problems, files: [], tookMs: 0 }));
    }
  }

  #take(result: BuildResult, wanted: ReadonlyMap<string, WantedZone>): void {
    const { zone, image, problems, aliases = [] } = result;
    const source = wanted.get(zone)?.job.source;
    if (source === undefined) return;
    if (image === undefined) {
      this.#refused.set(zone, { zone, source, problems });
      return;
    }
    this.#refused.delete(zone);
    const loadedAtMs = this.#options.nowMs();
    this.#served.set(zone, { zone, source, image, aliases, warnings: problems, loadedAtMs });
  }
}

function keyOf({ fingerprint, job }: WantedZone): string {
  return `${job.source} ${fingerprint}`;
}
