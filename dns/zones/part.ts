// The zones of a running dns: where they come from, which are in force, and what is told of them.
import { parseName } from '../../shared/dns/names.ts';
import type { ZoneProblem } from '../../shared/dns/zone/types.ts';
import type { Log } from '../../shared/log.ts';
import type { DnsEvent } from '../events.ts';
import type { ZoneImage } from '../image/types.ts';
import { emptyZone } from '../image/view.ts';
import type { DnsPlan } from '../plan.ts';
import { ZoneBook } from './book.ts';
import type { Builder } from './builder.ts';
import { ZoneFileList, type ZoneFileSettings } from './files.ts';
import type { BuildResult, RefusedZone, ServedZone, ZoneChange } from './types.ts';
import { type LeaseRecords, type TransferredZone, wantedZones } from './wanted.ts';

const PROBLEMS_TOLD = 20;

export type ZonesOptions = {
  settings: ZoneFileSettings;
  builder: Builder;
  placeOf: (record: { name: string; type: string }) => number;
  nowMs: () => number;
  log: Log<DnsEvent>;
  /** After each batch, and, with none, when nothing is left to be built. */
  onChanged: (changes: readonly ZoneChange[]) => void;
};

export class ZonesPart {
  readonly book: ZoneBook;
  readonly #options: ZonesOptions;
  readonly #files: ZoneFileList;
  #copies = 0;
  readonly #transferred = new Map<string, TransferredZone>();
  #leases: ReadonlyMap<string, LeaseRecords> = new Map();
  readonly #unserved = new Map<string, ZoneImage>();
  /** The same array until a zone is another: catalogs are kept by it. */
  #images: readonly ZoneImage[] | undefined;
  #plan: DnsPlan | undefined;
  #before: ReadonlyMap<string, ServedZone> = new Map();
  #homeless: readonly string[] = [];
  #directoryProblem: string | undefined;

  constructor(options: ZonesOptions) {
    const { builder, nowMs, settings } = options;
    this.#options = options;
    this.#files = new ZoneFileList(settings);
    this.book = new ZoneBook({
      build: (jobs) => builder.run({ kind: 'zones', jobs }),
      onBuilt: (results) => this.#built(results),
      onSettled: () => options.onChanged([]),
      nowMs,
    });
    this.#want();
  }

  get served(): ReadonlyMap<string, ServedZone> {
    return this.book.served;
  }

  get refused(): ReadonlyMap<string, RefusedZone> {
    return this.book.refused;
  }

  /** Whether a zone of site objects is wrong: one of a file is no fault of the site's. */
  get objectsRefused(): boolean {
    return [...this.refused.values()].some(({ source }) => source === 'objects');
  }

  /** Zones of ours that nothing was ever served of, and nothing is wrong with: not transferred. */
  get awaited(): string[] {
    return [...this.#names()].filter((zone) => !this.served.has(zone) && !this.refused.has(zone));
  }

  /** Records that no zone of site objects has. */
  get homeless(): readonly string[] {
    return this.#homeless;
  }

  /** Of all zones that are ours: those that cannot be served have an image without memory (A1). */
  get images(): readonly ZoneImage[] {
    this.#images ??= this.#imagesNow();
    return this.#images;
  }

  #imagesNow(): readonly ZoneImage[] {
    const served = [...this.served.values()].map(({ image }) => image);
    const missing = [...this.#names()].filter((zone) => !this.served.has(zone));
    return [...served, ...missing.map((zone) => this.#imageOfNone(zone))];
  }

  wantPlan(plan: DnsPlan): void {
    this.#plan = plan;
    this.#want();
  }

  wantSettings(settings: ZoneFileSettings): void {
    this.#files.settings = settings;
    this.#want();
  }

  /** From a primary; undefined: it has expired. */
  wantTransferred(zone: string, news: Omit<TransferredZone, 'copy'> | undefined): void {
    if (news === undefined) this.#transferred.delete(zone);
    else this.#transferred.set(zone, { ...news, copy: ++this.#copies });
    this.#want();
  }

  /** Of all zones that have any. */
  wantLeases(leases: ReadonlyMap<string, LeaseRecords>): void {
    this.#leases = leases;
    this.#want();
  }

  /** Whether files have changed; a part of them, or all. */
  lookAtFiles(all: boolean): void {
    const changed = all ? this.#files.lookAtAll() : this.#files.lookAtNext();
    if (this.#files.problem !== undefined && this.#files.problem !== this.#directoryProblem) {
      this.#options.log.error('zone-directory-bad', this.#files.problem, {});
    }
    this.#directoryProblem = this.#files.problem;
    if (changed) this.#want();
  }

  settled(): Promise<void> {
    return this.book.settled();
  }

  #names(): Set<string> {
    const zones = this.#plan?.zones.keys() ?? [];
    return new Set([...zones, ...this.#files.zones.map(({ zone }) => zone)]);
  }

  #imageOfNone(zone: string): ZoneImage {
    const known = this.#unserved.get(zone);
    if (known !== undefined) return known;
    const origin = parseName(zone);
    if (origin === undefined) throw new Error(`${zone} is no name`);
    const image = emptyZone(origin);
    this.#unserved.set(zone, image);
    return image;
  }

  #want(): void {
    this.#images = undefined;
    const none = { version: 0, isStep: false, zones: new Map(), plain: [], smart: [], lines: [] };
    const { file, transfer, objects, homeless } = wantedZones({
      plan: this.#plan ?? none,
      files: this.#files.zones,
      transferred: this.#transferred,
      leases: this.#leases,
      placeOf: this.#options.placeOf,
    });
    this.#tellHomeless(homeless);
    this.book.want('file', file);
    this.book.want('transfer', transfer);
    this.book.want('objects', objects);
  }

  #tellHomeless(homeless: readonly string[]): void {
    const isSame = homeless.join() === this.#homeless.join();
    this.#homeless = homeless;
    if (isSame || homeless.length === 0) return;
    const text = `${homeless.length} records, the first is ${homeless[0]}`;
    this.#options.log.warn('records-unused', text, { records: homeless.slice(0, PROBLEMS_TOLD) });
  }

  #built(results: readonly BuildResult[]): void {
    const before = this.#before;
    this.#before = new Map(this.served);
    this.#images = undefined;
    for (const zone of before.keys()) {
      if (!this.served.has(zone)) this.#options.log.info('zone-gone', zone, { zone });
    }
    for (const result of results) {
      this.#files.includes(result.zone, result.files);
      this.#tell(result);
    }
    const names = new Set([...before.keys(), ...this.served.keys()]);
    const changes = [...names].map((zone) => {
      return { zone, before: before.get(zone), after: this.served.get(zone) };
    });
    this.#options.onChanged(
      changes.filter(({ before: old, after }) => old?.image !== after?.image),
    );
  }

  #tell({ zone, image, problems, tookMs }: BuildResult): void {
    const { log } = this.#options;
    const told = problems.slice(0, PROBLEMS_TOLD).map(problemText);
    if (image === undefined) {
      const text = `${zone}: ${told[0] ?? 'no reason was given'}`;
      log.error('zone-refused', text, { zone, problems: told });
      return;
    }
    const { serial, recordCount } = image;
    const text = `${zone}: serial ${serial}, ${recordCount} records`;
    log.info('zone-loaded', text, { zone, serial, records: recordCount, tookMs });
    if (told.length > 0) log.warn('zone-warning', `${zone}: ${told[0]}`, { zone, problems: told });
  }
}

/** `file:line:column: what is wrong`. */
export function problemText({ place, message }: ZoneProblem): string {
  if (place === undefined) return message;
  const { file, line, column } = place;
  return line === 0 ? `${file}: ${message}` : `${file}:${line}:${column}: ${message}`;
}
