// What the store says: who is there, where the units stand, and what it thinks of its own set-up.
import type { Clock } from '../../shared/clock.ts';
import { describeError, OperationalError } from '../../shared/errors.ts';
import { type Eip, parseEip } from '../../shared/site/eip.ts';
import { SERVICES, UNITS } from '../../shared/site/place.ts';
import type { Head, ServerFacts, Store } from '../../shared/store/types.ts';
import type { Heard, StoreReading } from './types.ts';

const MEMBERS_A_SERVICE = 1000;
/** Each question costs the server a little. */
const INSPECT_MS = 10_000;

export class StoreReader {
  readonly #store: Store;
  readonly #clock: Clock;
  #members: readonly Heard[] = [];
  #heads: ReadonlyMap<string, Head> = new Map();
  #servers: readonly ServerFacts[] = [];
  #serversProblem: string | undefined;
  #readAtMs: number | undefined;
  #inspectedAtMs: number | undefined;
  #tookMs: number | null = null;
  #problem: string | undefined = 'it was not asked yet';
  #reading: Promise<void> | undefined;
  #eips = new Map<string, Eip>();
  #eipsOf = '';

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Never two rounds at once; resolves also when it fails. */
  read(): Promise<void> {
    this.#reading ??= this.#read()
      .then(() => {
        this.#problem = undefined;
      })
      .catch((error: unknown) => {
        this.#problem = describeError(error);
      })
      .finally(() => {
        this.#reading = undefined;
      });
    return this.#reading;
  }

  reading(): StoreReading {
    const { nowMs } = this;
    const ageMs = this.#readAtMs === undefined ? null : nowMs - this.#readAtMs;
    return {
      ...(this.#problem === undefined ? {} : { problem: this.#problem }),
      tookMs: this.#tookMs,
      ageMs,
      heads: this.#heads,
      members: this.#members.map((each) => ({ ...each, ageMs: each.ageMs + (ageMs ?? 0) })),
      servers: this.#servers,
      ...(this.#serversProblem === undefined ? {} : { serversProblem: this.#serversProblem }),
    };
  }

  /** The objects of these EIPs, asked for again when the site has changed. Rejects as the store. */
  async eips(addresses: readonly string[]): Promise<ReadonlyMap<string, Eip>> {
    const digest = this.#heads.get('natter')?.digest ?? '';
    if (digest !== this.#eipsOf) this.#eips = new Map();
    this.#eipsOf = digest;
    const known = this.#eips;
    const found = new Map<string, Eip>();
    const find = async (address: string): Promise<void> => {
      const eip = known.get(address) ?? (await this.#eip(address));
      if (eip !== undefined) found.set(address, eip);
    };
    await Promise.all(addresses.map(find));
    this.#eips = found;
    return found;
  }

  async #eip(address: string): Promise<Eip | undefined> {
    const value = await this.#store.get('natter', 'eip', address);
    const eip = value === undefined ? undefined : parseEip(address, value);
    return eip === undefined || 'reasons' in eip ? undefined : eip;
  }

  async #read(): Promise<void> {
    const began = this.nowMs;
    const [members, heads] = await Promise.all([
      Promise.all(SERVICES.map((service) => this.#store.members(service))),
      Promise.all(UNITS.map(async (unit) => [unit, await this.#store.head(unit)] as const)),
    ]);
    this.#tookMs = this.nowMs - began;
    this.#members = members.flatMap((each) => each.slice(0, MEMBERS_A_SERVICE));
    this.#heads = new Map(heads);
    this.#readAtMs = this.nowMs;
    if (began - (this.#inspectedAtMs ?? Number.NEGATIVE_INFINITY) < INSPECT_MS) return;
    this.#inspectedAtMs = began;
    await this.#inspect();
  }

  /** Its rights may be for less than that. */
  async #inspect(): Promise<void> {
    try {
      this.#servers = await this.#store.inspect();
      this.#serversProblem = undefined;
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      this.#serversProblem = describeError(error);
    }
  }

  get nowMs(): number {
    return this.#clock.monotonicMs();
  }
}
