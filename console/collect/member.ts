// One member: its pages, read one round after the other, never two rounds at once. What cannot be
// read is told with the reason, and asked for less and less often.
import type { Clock } from '../../shared/clock.ts';
import type { Service } from '../../shared/site/place.ts';
import { PLOTS } from '../series/plots.ts';
import { parseMetrics } from '../series/prometheus.ts';
import { type Rated, Rates } from '../series/rates.ts';
import { ask, Unanswered } from './ask.ts';
import { eipSamples } from './eip-samples.ts';
import type { Reading } from './types.ts';

const TIMEOUT_MS = 3000;
const JSON_BYTES = 4 * 2 ** 20;
const METRICS_BYTES = 16 * 2 ** 20;
const BACK_OFF_ROUNDS = 12;
/** Of pages that cost the member more. */
const SELDOM_ROUNDS = 6;

type PageSpec = { name: string; path: string; isSeldom?: true };

const COMMON: readonly PageSpec[] = [
  { name: 'status', path: '/status.json' },
  { name: 'events', path: '/events.json' },
];

/** JSON pages of a service's own. */
const PAGES: Readonly<Record<Service, readonly PageSpec[]>> = {
  natter: [{ name: 'stats', path: '/stats?limit=500' }],
  dhcpd: [
    { name: 'networks', path: '/networks?limit=500' },
    { name: 'leases', path: '/leases?state=bound&limit=200', isSeldom: true },
  ],
  dns: [{ name: 'health', path: '/health?limit=500' }],
  lb: [
    { name: 'targets', path: '/targets?limit=500' },
    { name: 'listeners', path: '/listeners?limit=500' },
    { name: 'routes', path: '/routes?limit=500' },
    { name: 'servers', path: '/servers?limit=500' },
    { name: 'pools', path: '/pools?limit=500' },
  ],
};

/** Samples of these are kept, for plots and tables. */
export const WANTED: ReadonlySet<string> = new Set([
  ...PLOTS.map(({ metric }) => metric),
  'edge_lb_target_requests_total',
  'edge_lb_bytes_total',
  'edge_lb_connections_total',
  'edge_lb_server_connections_total',
  'edge_dhcpd_leases_bound',
]);

export type MemberReaderOptions = {
  service: Service;
  node: string;
  address: string;
  token?: string;
  clock: Clock;
  signal: AbortSignal;
};

export class MemberReader {
  readonly options: MemberReaderOptions;
  readonly #rates = { metrics: new Rates(), eips: new Rates() };
  readonly #pages = new Map<string, unknown>();
  readonly #problems = new Map<string, string>();
  #rated: { metrics: readonly Rated[]; eips: readonly Rated[] } = { metrics: [], eips: [] };
  #round = 0;
  #skip = 0;
  #failures = 0;
  #readAtMs: number | undefined;
  #reading: Promise<void> | undefined;

  constructor(options: MemberReaderOptions) {
    this.options = options;
  }

  /** Resolves when this round is over; one that still goes on is not begun anew. */
  read(): Promise<void> {
    if (this.#reading !== undefined) return this.#reading;
    if (this.#skip > 0) {
      this.#skip--;
      return Promise.resolve();
    }
    this.#reading = this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  /** As it is known now. */
  reading(): Pick<Reading, 'ageMs' | 'pages' | 'problems' | 'rated'> {
    const { clock } = this.options;
    const ageMs = this.#readAtMs === undefined ? null : clock.monotonicMs() - this.#readAtMs;
    const rated = [...this.#rated.metrics, ...this.#rated.eips];
    return { ageMs, pages: this.#pages, problems: this.#problems, rated };
  }

  async #read(): Promise<void> {
    const { service, signal } = this.options;
    const round = this.#round++;
    const isReached = await this.#readMetrics();
    if (!isReached || signal.aborted) {
      this.#failures++;
      this.#skip = Math.min(BACK_OFF_ROUNDS, 2 ** Math.min(this.#failures, 10) - 2);
      return;
    }
    this.#failures = 0;
    for (const page of [...COMMON, ...PAGES[service]]) {
      if (page.isSeldom && round % SELDOM_ROUNDS !== 0) continue;
      await this.#readPage(page);
    }
    this.#readAtMs = this.options.clock.monotonicMs();
  }

  async #readMetrics(): Promise<boolean> {
    const page = await this.#ask('/metrics', METRICS_BYTES);
    this.#rated.metrics =
      page === undefined ? [] : this.#rates.metrics.next(parseMetrics(page, WANTED), this.#nowMs);
    if (page === undefined) this.#rated.eips = [];
    return page !== undefined;
  }

  async #readPage({ name, path }: PageSpec): Promise<void> {
    const page = await this.#ask(path, JSON_BYTES);
    this.#pages.delete(name);
    if (page === undefined) return;
    try {
      this.#pages.set(name, JSON.parse(page));
    } catch {
      this.#problems.set(path, 'answers with what is no JSON');
    }
    if (name === 'stats') {
      this.#rated.eips = this.#rates.eips.next(eipSamples(this.#pages.get(name)), this.#nowMs);
    }
  }

  async #ask(path: string, maxBytes: number): Promise<string | undefined> {
    const { address, token, signal } = this.options;
    const credentials = token === undefined ? {} : { token };
    try {
      const bounds = { timeoutMs: TIMEOUT_MS, maxBytes, signal, ...credentials };
      const text = await ask(address, path, bounds);
      this.#problems.delete(path);
      return text;
    } catch (error) {
      if (!(error instanceof Unanswered)) throw error;
      this.#problems.set(path, error.message);
      return undefined;
    }
  }

  get #nowMs(): number {
    return this.options.clock.monotonicMs();
  }
}
