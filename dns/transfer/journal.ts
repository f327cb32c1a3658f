// What changed between the versions of zones, for IXFR (RFC 1995): differences, computed piece by
// piece between other work of the main thread, the newest kept, within bounds.
import type { ZoneDiff } from '../../shared/dns/zone/diff.ts';
import type { ZoneImage } from '../image/types.ts';
import { diffImages } from './diff.ts';
import { madeNames } from './made-names.ts';
import { inPieces } from './pieces.ts';
import { isNewerSerial } from './serial.ts';

export type JournalOptions = {
  /** Of one zone; the oldest go first. */
  versions: number;
  /** Of all zones together; those that changed longest ago go first. */
  maxBytes: number;
};

export const JOURNAL_BOUNDS: JournalOptions = { versions: 64, maxBytes: 64 * 1024 * 1024 };

type Step = { from: number; to: number; diff: ZoneDiff; records: number; bytes: number };
type Work = { before: ZoneImage; after: ZoneImage };

/** Of a step besides its records; roughly. */
const STEP_BYTES = 512;

/** Each step begins where the one before ends. */
type ZoneSteps = { steps: Step[]; due: Work[]; running: Promise<void> | undefined };

export class Journal {
  readonly #bounds: JournalOptions;
  /** Those that changed last are last. */
  readonly #zones = new Map<string, ZoneSteps>();
  #bytes = 0;
  /** One difference at a time, whatever the zone. */
  #last: Promise<void> = Promise.resolve();

  constructor(bounds: JournalOptions = JOURNAL_BOUNDS) {
    this.#bounds = bounds;
  }

  /** That are held. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * A version was replaced by another: to be told of every one, in order, of zones that somebody
   * may transfer. Where policy makes answers in one of them, differences would not tell all.
   */
  changed(zone: string, before: ZoneImage, after: ZoneImage): void {
    if (before.memory === after.memory) return;
    const isServed = before.memory.byteLength > 0 && after.memory.byteLength > 0;
    if (!isServed || !isNewerSerial(after.serial, before.serial)) {
      this.forget(zone);
      return;
    }
    const own = this.#zones.get(zone) ?? { steps: [], due: [], running: undefined };
    this.#zones.delete(zone);
    this.#zones.set(zone, own);
    const waiting = own.due.at(-1);
    // When versions come faster than differences are made, one difference is for several.
    if (waiting?.after === before) waiting.after = after;
    else own.due.push({ before, after });
    own.running ??= this.#run(zone, own);
  }

  /** A zone that is gone, or whose versions are not known to follow each other. */
  forget(zone: string): void {
    const own = this.#zones.get(zone);
    if (own === undefined) return;
    this.#zones.delete(zone);
    this.#clear(own);
    own.due = [];
  }

  /** Resolves when all that has changed is known. */
  async settled(zone: string): Promise<void> {
    await this.#zones.get(zone)?.running;
  }

  /**
   * From `serial` to the image, oldest first; undefined: not known, or more than the zone itself.
   * Waits for what is being computed.
   */
  async since(zone: string, serial: number, image: ZoneImage): Promise<ZoneDiff[] | undefined> {
    await this.settled(zone);
    const steps = this.#zones.get(zone)?.steps ?? [];
    const first = steps.findIndex(({ from }) => from === serial);
    const last = steps.findLastIndex(({ to }) => to === image.serial);
    if (first < 0 || last < first) return undefined;
    const path = steps.slice(first, last + 1);
    const records = path.reduce((sum, step) => sum + step.records, 0);
    return records > image.recordCount ? undefined : path.map(({ diff }) => diff);
  }

  async #run(zone: string, own: ZoneSteps): Promise<void> {
    for (;;) {
      const before = this.#last;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#last = promise;
      await before;
      try {
        const work = own.due.shift();
        if (work === undefined) break;
        await this.#add(zone, own, work);
      } finally {
        resolve();
      }
    }
    own.running = undefined;
    if (this.#zones.get(zone) === own) this.#shrink();
  }

  async #add(zone: string, own: ZoneSteps, { before, after }: Work): Promise<void> {
    const arePlain = (await isPlain(before)) && (await isPlain(after));
    const diff = arePlain && (await inPieces(diffImages(before, after, after.recordCount)));
    if (this.#zones.get(zone) !== own) return; // forgotten meanwhile
    if (own.steps.at(-1)?.to !== before.serial || !diff) this.#clear(own);
    if (!diff) return;
    const { deleted, added } = diff;
    const records = deleted.count + added.count;
    const bytes = STEP_BYTES + deleted.byteLength + added.byteLength + 8 * records;
    own.steps.push({ from: before.serial, to: after.serial, diff, records, bytes });
    this.#bytes += bytes;
    if (own.steps.length > this.#bounds.versions) this.#dropFirst(own);
  }

  #shrink(): void {
    for (const own of this.#zones.values()) {
      while (this.#bytes > this.#bounds.maxBytes && own.steps.length > 0) this.#dropFirst(own);
    }
  }

  #clear(own: ZoneSteps): void {
    while (own.steps.length > 0) this.#dropFirst(own);
  }

  #dropFirst(own: ZoneSteps): void {
    this.#bytes -= own.steps.shift()?.bytes ?? 0;
  }
}

async function isPlain(image: ZoneImage): Promise<boolean> {
  const { smart, aliases } = await inPieces(madeNames(image));
  return smart.length === 0 && aliases.length === 0;
}
