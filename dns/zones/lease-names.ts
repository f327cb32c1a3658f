// The names that dhcpd's leases ask for (docs/contracts.md, "dhcpd to dns"), read from Redis and
// made into records: A in the lease's zone, PTR in the reverse zone when that is ours. What changes
// is looked for every two seconds; without Redis what was read stays until its leases end.
import { createHash } from 'node:crypto';
import { type Clock, every } from '../../shared/clock.ts';
import { OperationalError } from '../../shared/errors.ts';
import { storeError } from '../../shared/store/failure.ts';
import { nameKeys } from '../../shared/store/keys.ts';
import type { Call, Reply } from '../../shared/store/link.ts';
import { Links } from '../../shared/store/links.ts';
import type { StoreConfig } from '../../shared/store/open.ts';
import { reachableAddress } from '../../shared/store/url.ts';
import { type LeaseName, leaseRecords, reverseName } from './lease-records.ts';
import type { LeaseRecords } from './wanted.ts';

const WRITER = 'dhcpd';
const LANE = 'lease-names';
const LOOK_MS = 2000;
const PAGE = 1000;
const MAX_ZONES = 1000;
/** Of one zone; a million would take gigabytes, here and where zones are built. */
const MAX_NAMES = 250_000;
const NEVER = '0-0';

export type LeaseNamesOptions = {
  store: StoreConfig;
  clock: Clock;
  signal: AbortSignal;
  /** Zones of site objects: any of them may have leases' names. */
  zones: () => readonly string[];
  /** By zone; those that have none any more with no records. */
  onLeases: (leases: ReadonlyMap<string, LeaseRecords>) => void;
};

type Known = { lastId: string; names: readonly LeaseName[] };

export class LeaseNames {
  readonly #options: LeaseNamesOptions;
  readonly #links: Links;
  readonly #known = new Map<string, Known>();
  #told = '';
  /** For what #tell() last looked: zones, what was read of each, and until when it holds. */
  #looked = '';
  #holdsUntilSeconds = 0;
  #isLooking = false;

  constructor(options: LeaseNamesOptions) {
    this.#options = options;
    this.#links = new Links(reachableAddress(options.store.url), options.store, []);
  }

  /** Resolves after the first look, whether the store answered or not. */
  async start(): Promise<void> {
    const { clock, signal } = this.#options;
    signal.addEventListener('abort', () => this.#links.close(), { once: true });
    await this.look();
    every(clock, LOOK_MS, () => void this.look(), signal);
  }

  async look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      const zones = this.#options.zones().slice(0, MAX_ZONES);
      const lastIds = await this.#lastIds(zones);
      for (const [index, zone] of zones.entries())
        await this.#lookAt(zone, lastIds[index] ?? NEVER);
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error; // the store's own event tells it
    } finally {
      this.#isLooking = false;
    }
    if (!this.#options.signal.aborted) this.#tell();
  }

  /** One pipeline, but for a Cluster, whose servers share the zones. */
  async #lastIds(zones: readonly string[]): Promise<string[]> {
    const keys = zones.map((zone) => nameKeys(WRITER, zone).changes);
    const [first] = keys;
    if (first === undefined) return [];
    const call = (key: string): Call => ['XREVRANGE', key, '+', '-', 'COUNT', 1];
    if (!this.#links.isCluster) return (await this.#run(first, keys.map(call))).map(idOf);
    const ids: string[] = [];
    for (const key of keys) ids.push(...(await this.#run(key, [call(key)])).map(idOf));
    return ids;
  }

  async #lookAt(zone: string, lastId: string): Promise<void> {
    const { names } = nameKeys(WRITER, zone);
    if ((this.#known.get(zone)?.lastId ?? NEVER) === lastId) return;
    const found = new Map<string, LeaseName>();
    let cursor = '0';
    do {
      const scan: Call = ['HSCAN', names, cursor, 'COUNT', PAGE];
      const [reply] = await this.#run(names, [scan]);
      const [next, pairs] = reply as [Buffer, Buffer[]]; // HSCAN's
      cursor = String(next);
      for (let at = 0; at + 1 < pairs.length; at += 2) {
        const name = readName(String(pairs[at]), String(pairs[at + 1]));
        if (name !== undefined) found.set(name.label, name);
      }
    } while (cursor !== '0' && found.size < MAX_NAMES);
    this.#known.set(zone, { lastId, names: [...found.values()] });
  }

  async #run(key: string, calls: readonly Call[]): Promise<Reply[]> {
    const replies = await this.#links.run(LANE, key, calls);
    for (const reply of replies) if (reply instanceof Error) throw storeError(reply);
    return replies;
  }

  #tell(): void {
    const { clock, zones, onLeases } = this.#options;
    const wanted = zones();
    for (const zone of [...this.#known.keys()])
      if (!wanted.includes(zone)) this.#known.delete(zone);
    const nowSeconds = clock.nowMs() / 1000;
    // A million names take a second to make records of.
    const read = [...this.#known].map(([zone, { lastId }]) => `${zone} ${lastId}`);
    const looked = JSON.stringify([wanted, read]);
    if (looked === this.#looked && nowSeconds <= this.#holdsUntilSeconds) return;
    this.#looked = looked;
    this.#holdsUntilSeconds = this.#firstEndAfter(nowSeconds);
    const records = leaseRecords(this.#known, new Set(wanted), nowSeconds);
    // A zone that had names keeps its serial when it has none any more.
    const had = wanted.filter((zone) => records.has(zone) || this.#serialOf(zone) > 0);
    const leases = new Map(
      had.map((zone) => {
        const own = records.get(zone) ?? [];
        const text = own.map(({ name, type, data }) => `${name} ${type} ${data[0]}`).join('\n');
        const fingerprint = createHash('sha1').update(text).digest('hex');
        return [zone, { records: own, fingerprint, serial: this.#serialOf(zone) }] as const;
      }),
    );
    const told = [...leases].map(([zone, { fingerprint }]) => `${zone} ${fingerprint}`).join('\n');
    if (told === this.#told) return;
    this.#told = told;
    onLeases(leases);
  }

  #firstEndAfter(nowSeconds: number): number {
    let first = Number.POSITIVE_INFINITY;
    for (const { names } of this.#known.values()) {
      for (const { until } of names) if (until >= nowSeconds && until < first) first = until;
    }
    return first;
  }

  /** Seconds of the last change: the same in every instance, and never less than before. */
  #serialOf(zone: string): number {
    const ids = zone.endsWith('.arpa')
      ? [...this.#known.values()].map(({ lastId }) => lastId)
      : [this.#known.get(zone)?.lastId ?? NEVER];
    return Math.max(0, ...ids.map((id) => Math.floor(Number(id.split('-')[0]) / 1000)));
  }
}

function idOf(reply: Reply): string {
  const [entry] = Array.isArray(reply) ? reply : [];
  return Array.isArray(entry) ? String(entry[0]) : NEVER;
}

/** What dhcpd did not write is passed over. */
function readName(label: string, json: string): LeaseName | undefined {
  let row: { address?: unknown; until?: unknown };
  try {
    row = Object(JSON.parse(json));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  }
  const { address, until } = row;
  if (typeof address !== 'string' || typeof until !== 'number') return undefined;
  if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(label)) return undefined;
  return reverseName(address) === undefined ? undefined : { label, address, until };
}
