// A running console: reads the store and the members in rounds, keeps an hour of what they count,
// and publishes pages. Everything it touches is injected.
import type { ReadyCheck } from '../shared/admin/server.ts';
import type { Clock } from '../shared/clock.ts';
import { OperationalError } from '../shared/errors.ts';
import type { Log } from '../shared/log.ts';
import type { Metrics } from '../shared/metrics.ts';
import type { Store } from '../shared/store/types.ts';
import { type Configured, Members } from './collect/members.ts';
import { StoreReader } from './collect/store.ts';
import type { SiteReading } from './collect/types.ts';
import type { ConsoleEvent } from './events.ts';
import { SERVICE } from './name.ts';
import { SeriesBook } from './series/book.ts';
import { PLOTS } from './series/plots.ts';
import { parseMetrics } from './series/prometheus.ts';
import { Rates } from './series/rates.ts';
import { busiestEips } from './views/eips.ts';
import { type SiteView, siteView } from './views/site.ts';
import type { Pages } from './web/pages.ts';

export type ConsoleServiceOptions = {
  node: string;
  version: string;
  intervalMs: number;
  configured: readonly Configured[];
  /** For the members' admin pages. */
  token?: string;
  store: Store;
  pages: Pages;
  metrics: Pick<Metrics, 'text'>;
  clock: Clock;
  log: Log<ConsoleEvent>;
  fail: (error: unknown) => void;
};

/** Of a round: who takes longer is shown with what was known of it. */
const STORE_PART = 0.25;
const MEMBERS_PART = 0.4;
const OWN_METRICS: ReadonlySet<string> = new Set(PLOTS.map(({ metric }) => metric));

export class ConsoleService {
  readonly counts = { rounds: 0, roundMs: 0, answers: new Map<number, number>() };
  readonly #options: ConsoleServiceOptions;
  readonly #stopping = new AbortController();
  readonly #store: StoreReader;
  readonly #members: Members;
  readonly #book: SeriesBook;
  readonly #ownRates = new Rates();
  readonly #startedAtMs: number;
  #site: SiteReading | undefined;
  #view: SiteView | undefined;
  #wasUp = true;
  #rounds: Promise<void> = Promise.resolve();

  constructor(options: ConsoleServiceOptions) {
    const { configured, token, clock, store, intervalMs } = options;
    this.#options = options;
    this.#startedAtMs = clock.nowMs();
    this.#store = new StoreReader(store, clock);
    const credentials = token === undefined ? {} : { token };
    const { signal } = this.#stopping;
    this.#members = new Members({ configured, ...credentials, clock, signal });
    this.#book = new SeriesBook(intervalMs);
  }

  get site(): SiteReading | undefined {
    return this.#site;
  }

  get view(): SiteView | undefined {
    return this.#view;
  }

  set configured(members: readonly Configured[]) {
    this.#members.configured = members;
  }

  /** Resolves when there is something to show. */
  async start(): Promise<void> {
    await this.#round();
    this.#rounds = this.#goOn().catch(this.#options.fail);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#rounds;
  }

  answered(status: number): void {
    const { answers } = this.counts;
    answers.set(status, (answers.get(status) ?? 0) + 1);
  }

  checks(): ReadyCheck[] {
    return [
      this.#view === undefined ? { name: 'page', problem: 'nothing read yet' } : { name: 'page' },
    ];
  }

  async #goOn(): Promise<void> {
    const { clock, intervalMs } = this.#options;
    const { signal } = this.#stopping;
    let dueMs = clock.monotonicMs();
    while (!signal.aborted) {
      dueMs = Math.max(dueMs + intervalMs, clock.monotonicMs());
      await clock.sleep(dueMs - clock.monotonicMs(), signal).catch(() => {});
      if (!signal.aborted) await this.#round();
    }
  }

  async #round(): Promise<void> {
    const { clock, intervalMs, pages } = this.#options;
    const began = clock.monotonicMs();
    await this.#within(intervalMs * STORE_PART, this.#store.read());
    const { members } = this.#store.reading();
    await this.#members.read(members, intervalMs * MEMBERS_PART);
    const site = await this.#read();
    const { node } = this.#options;
    this.#book.tick(site.nowMs, [
      ...site.readings,
      { service: SERVICE, node, rated: site.self.rated },
    ]);
    this.#site = site;
    this.#view = siteView(site);
    pages.publish(this.#view, this.#book.plots());
    this.#tellStore(site);
    this.counts.rounds++;
    this.counts.roundMs = clock.monotonicMs() - began;
  }

  async #read(): Promise<SiteReading> {
    const { clock, intervalMs, node, version, metrics } = this.#options;
    const store = this.#store.reading();
    const own = parseMetrics(await metrics.text(), OWN_METRICS);
    const rated = this.#ownRates.next(own, clock.monotonicMs());
    const site: SiteReading = {
      nowMs: clock.nowMs(),
      store,
      readings: this.#members.readings(store.members),
      eips: new Map(),
      self: { node, version, startedAtMs: this.#startedAtMs, rated },
    };
    if (store.problem !== undefined) return site;
    const eips = this.#store.eips(busiestEips(site)).catch((error: unknown) => {
      if (error instanceof OperationalError) return undefined;
      throw error;
    });
    return { ...site, eips: (await this.#within(intervalMs * STORE_PART, eips)) ?? site.eips };
  }

  /** Undefined when it takes longer; it goes on. */
  async #within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
    const over = new AbortController();
    const signal = AbortSignal.any([over.signal, this.#stopping.signal]);
    const late = this.#options.clock.sleep(ms, signal).then(
      () => undefined,
      () => undefined,
    );
    try {
      return await Promise.race([work, late]);
    } finally {
      over.abort();
    }
  }

  #tellStore({ store }: SiteReading): void {
    const { log } = this.#options;
    const isUp = store.problem === undefined;
    if (isUp !== this.#wasUp || this.counts.rounds === 0) {
      if (isUp) log.info('store-answers', 'the store answers', {});
      else log.warn('store-silent', store.problem ?? '', {});
    }
    this.#wasUp = isUp;
  }
}
