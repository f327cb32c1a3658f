// A worker: one process of L7. It takes plans from the daemon, holds the client connections that
// the kernel gives it, and tells what it counted. Everything it touches is injected.
import type { Socket } from 'node:net';
import type { Clock } from '../../shared/clock.ts';
import { every } from '../../shared/clock.ts';
import type { Random } from '../../shared/random.ts';
import type { Listener, Route } from '../../shared/site/lb-objects.ts';
import { AccessLog } from '../l7/access-log/access-log.ts';
import { createForwarder } from '../l7/forward/forwarder.ts';
import { createSticky, type Sticky } from '../l7/forward/sticky.ts';
import type { TimedForwarder } from '../l7/forward/types.ts';
import type { Http1Front } from '../l7/front-http1/types.ts';
import { RoutePolicy } from '../l7/policy/policy.ts';
import { CertificateStore } from '../l7/tls/certificate-store.ts';
import type { AccessEntry, WorkerPlan } from '../l7/types.ts';
import type { TargetUpstreams } from '../l7/upstream/types.ts';
import { createUpstreams } from '../l7/upstream/upstreams.ts';
import { Buckets } from '../limits/gcra.ts';
import { createBalancer } from '../pools/balancer.ts';
import type { Balancer, PoolState } from '../pools/types.ts';
import type {
  ExplainRequest,
  FromWorker,
  Question,
  ToWorker,
  WorkerSettings,
  WorkerStats,
} from '../workers/messages.ts';
import { Admission } from './admission.ts';
import { explainRequest } from './explain.ts';
import { Fronts } from './fronts.ts';
import type { Held } from './held.ts';
import { endedBy } from './impact.ts';
import { Listening } from './listening.ts';
import { Pacing } from './pacing.ts';
import { Tally } from './tally.ts';

/** Resident memory would not do: what was freed is mostly not given back to the kernel. */
export type Memory = {
  /** Of heap and buffers, garbage that was not looked for yet included. */
  usedBytes: () => number;
  /** Looks for garbage. */
  collect: () => void;
};

export type WorkerOptions = {
  settings: WorkerSettings;
  send: (message: FromWorker) => void;
  clock: Clock;
  random: Random;
  rssBytes: () => number;
  memory: Memory;
  signal: AbortSignal;
};

const TICK_MS = 100;
const LIMITS_MS = 50;
const STATS_MS = 1000;
/** A worker that is full looks for garbage that often: it may be idle, and would stay full. */
const COLLECT_MS = 2000;
const NOTHING: WorkerPlan = {
  version: -1,
  listeners: [],
  routes: [],
  pools: [],
  certificates: [],
};

export class L7Worker {
  readonly #options: WorkerOptions;
  readonly #tally = new Tally();
  readonly #buckets = { own: new Buckets(), shared: new Buckets() };
  readonly #held = new Map<Held, string>();
  readonly #pacing = new Pacing();
  readonly #balancers = new Map<string, Balancer>();
  readonly #store = new CertificateStore();
  readonly #policy: RoutePolicy;
  readonly #admission: Admission;
  readonly #accessLog: AccessLog;
  readonly #upstreams: TargetUpstreams;
  readonly #sticky: Sticky;
  readonly #forwarder: TimedForwarder;
  readonly #fronts: Fronts;
  readonly #listening: Listening;
  #settings: WorkerSettings;
  #plan = NOTHING;
  #listeners = new Map<string, Listener>();
  #pools = new Map<string, PoolState>();
  #lagMs = 0;
  #tickedMs: number;
  #collectedMs = Number.NEGATIVE_INFINITY;

  constructor(options: WorkerOptions) {
    const { clock, signal, settings } = options;
    this.#options = options;
    this.#settings = settings;
    this.#tickedMs = clock.monotonicMs();
    const self = `edge-lb-${settings.node}`;
    const nowMs = () => clock.monotonicMs();
    this.#admission = new Admission(this.#admissionLimits(settings), this.#tally);
    const isFull = () => this.#admission.isFull;
    this.#policy = new RoutePolicy({ self, buckets: this.#buckets, nowMs, isFull });
    this.#accessLog = new AccessLog({
      path: settings.accessLog,
      node: settings.node,
      clock,
      signal,
      onTrouble: (error) => this.#trouble(`the access log: ${error.message}`),
    });
    this.#upstreams = createUpstreams({ clock });
    const balancers = (pool: string) => this.#balancers.get(pool);
    this.#sticky = createSticky(settings.keys.sticky);
    this.#forwarder = createForwarder({
      upstreams: this.#upstreams,
      balancers,
      clock,
      sticky: this.#sticky,
    });
    const front: Omit<Http1Front, 'limits'> = {
      policy: this.#policy,
      forwarder: this.#forwarder,
      journal: { ended: (entry) => this.#ended(entry) },
      bounds: this.#admission,
      clock,
      self,
      timeoutsOf: (route: Route) => this.#timeoutsOf(route),
    };
    this.#fronts = new Fronts({
      front,
      settings: () => this.#settings,
      listener: (name) => this.#listeners.get(name),
      tally: this.#tally,
      admission: this.#admission,
      store: this.#store,
      upstreams: this.#upstreams,
      balancers,
      pool: (name) => this.#pools.get(name),
      hold: (held, listener) => this.#held.set(held, listener),
      letGo: (held) => this.#held.delete(held),
      clock,
    });
    this.#listening = new Listening((name, socket) => this.#accepted(name, socket));
  }

  start(): void {
    const { clock, signal } = this.#options;
    every(clock, TICK_MS, () => this.#tick(), signal);
    every(clock, LIMITS_MS, () => this.#tellLimits(), signal);
    every(clock, STATS_MS, () => this.#tellStats(), signal);
  }

  async take(message: ToWorker): Promise<void> {
    switch (message.kind) {
      case 'settings':
        this.#settings = message.settings;
        this.#admission.limits = this.#admissionLimits(message.settings);
        break;
      case 'plan':
        await this.#takePlan(message.plan, message.closeOverMs);
        break;
      case 'pools':
        this.#takePools(message.pools);
        break;
      case 'limits':
        this.#hearLimits(message);
        break;
      case 'drain':
        this.#drain(message.overMs);
        break;
      case 'undrain':
        this.#admission.isDraining = false;
        this.#pacing.clear();
        await this.#listening.want(this.#plan.listeners);
        break;
      case 'reopen':
        this.#accessLog.reopen();
        break;
      case 'ask':
        this.#answer(message.id, message.question);
        break;
    }
  }

  /** At once: the daemon is gone. */
  close(): void {
    this.#listening.close();
    for (const held of this.#held.keys()) held.destroy('drained');
    this.#upstreams.close();
    this.#accessLog.flush();
  }

  async #takePlan(plan: WorkerPlan, closeOverMs: number): Promise<void> {
    const before = this.#plan;
    const { clock, send } = this.#options;
    this.#plan = plan;
    this.#listeners = new Map(plan.listeners.map((listener) => [listener.name, listener]));
    this.#policy.update(plan);
    this.#takePools(plan.pools, true);
    for (const { certificate, message } of this.#store.update(plan.certificates, plan.listeners)) {
      this.#trouble(`certificate ${certificate}: ${message}`);
    }
    this.#fronts.update(plan.listeners);
    const ended = endedBy(this.#held, before, plan);
    this.#pacing.end(ended, 'removed', closeOverMs, clock.monotonicMs());
    if (!this.#admission.isDraining) await this.#listening.want(plan.listeners);
    send({ kind: 'applied', version: plan.version, problems: this.#listening.problems });
  }

  /** `isAll`: pools that are not among them are gone. */
  #takePools(pools: readonly PoolState[], isAll = false): void {
    const { clock, random } = this.#options;
    const nowMs = clock.monotonicMs();
    if (isAll) {
      const names = new Set(pools.map(({ name }) => name));
      for (const name of [...this.#balancers.keys()]) {
        if (names.has(name)) continue;
        this.#balancers.delete(name);
        this.#pools.delete(name);
      }
    }
    for (const wanted of pools) {
      const pool = shareOf(wanted, this.#settings.workers);
      this.#pools.set(pool.name, pool);
      const known = this.#balancers.get(pool.name);
      if (known === undefined) {
        this.#balancers.set(
          pool.name,
          createBalancer(pool, { random, nowMs, wallMs: clock.nowMs() }),
        );
      } else known.update(pool, nowMs);
    }
    this.#upstreams.update(this.#pools);
  }

  #accepted(name: string, socket: Socket): void {
    const listener = this.#listeners.get(name);
    if (listener === undefined) socket.destroy();
    else this.#fronts.accept(listener, socket);
  }

  #ended(entry: AccessEntry): void {
    this.#tally.ended(entry);
    this.#accessLog.add(entry);
  }

  #timeoutsOf({ action, timeouts }: Route) {
    const pool = action.kind === 'pool' ? this.#pools.get(action.pool) : undefined;
    const { idleMs = 30_000, tunnelMs = 3_600_000 } = pool?.proxy.timeouts ?? {};
    return { idleMs: timeouts.idleMs ?? idleMs, tunnelMs: timeouts.tunnelMs ?? tunnelMs };
  }

  #drain(overMs: number): void {
    const { clock } = this.#options;
    this.#admission.isDraining = true;
    this.#listening.close();
    const all = [...this.#held.keys()].map((held) => ({ held, isGone: () => true, isWhole: true }));
    this.#pacing.end(all, 'drained', overMs, clock.monotonicMs());
  }

  #tick(): void {
    const { clock } = this.#options;
    const nowMs = clock.monotonicMs();
    this.#lagMs = Math.max(this.#lagMs, nowMs - this.#tickedMs - TICK_MS);
    this.#tickedMs = nowMs;
    this.#measure(nowMs);
    for (const held of this.#held.keys()) held.tick(nowMs);
    for (const balancer of this.#balancers.values()) balancer.tick(nowMs);
    this.#forwarder.tick(nowMs);
    this.#upstreams.tick(nowMs);
    this.#fronts.tick();
    this.#pacing.tick(nowMs);
  }

  #measure(nowMs: number): void {
    const { memory } = this.#options;
    this.#admission.usedBytes = memory.usedBytes();
    if (!this.#admission.isFull || nowMs - this.#collectedMs < COLLECT_MS) return;
    this.#collectedMs = nowMs;
    memory.collect();
    this.#admission.usedBytes = memory.usedBytes();
  }

  #tellLimits(): void {
    const own = this.#buckets.own.spent();
    const shared = this.#buckets.shared.spent();
    if (own.length + shared.length > 0) this.#options.send({ kind: 'limits', own, shared });
  }

  #hearLimits({ own, shared }: Extract<ToWorker, { kind: 'limits' }>): void {
    const nowMs = this.#options.clock.monotonicMs();
    for (const { key, aheadMs } of own) this.#buckets.own.hear(key, aheadMs, nowMs);
    for (const { key, aheadMs } of shared) this.#buckets.shared.hear(key, aheadMs, nowMs);
  }

  #tellStats(): void {
    const { send } = this.#options;
    send({ kind: 'stats', stats: this.#stats() });
    this.#lagMs = 0;
  }

  #stats(): WorkerStats {
    const { counts, sumSeconds } = this.#tally.latency;
    const nowMs = this.#options.clock.monotonicMs();
    const pools = [...this.#balancers.values()].map((balancer) => {
      const { name: pool, isFailOpen } = balancer;
      return { pool, isFailOpen, ...balancer.statistics(nowMs) };
    });
    return {
      listeners: [...this.#tally.listeners.values()],
      requests: this.#tally.requests(),
      targets: pools.flatMap(({ pool, targets }) => targets.map((each) => ({ pool, ...each }))),
      pools: pools.map(({ targets: _, ...pool }) => pool),
      upstream: { open: this.#upstreams.open, idle: this.#upstreams.idle },
      latency: { counts, sumSeconds },
      accessLogDropped: this.#accessLog.dropped,
      rssBytes: this.#options.rssBytes(),
      loopLagMs: this.#lagMs,
      certificates: this.#store.certificates.map(({ name, validUntilMs }) => ({
        name,
        endsAtMs: validUntilMs,
      })),
    };
  }

  #answer(id: number, question: Question): void {
    const { send } = this.#options;
    try {
      send({ kind: 'reply', id, answer: this.#answerTo(question) });
    } catch (error) {
      send({ kind: 'failed', id, error: error instanceof Error ? error.message : `${error}` });
    }
  }

  #answerTo(question: Question): unknown {
    switch (question.what) {
      case 'impact':
        return endedBy(this.#held, this.#plan, question.plan).map(({ listener, why }) => {
          return { listener, why };
        });
      case 'explain':
        return this.#explain(question.request);
    }
  }

  #explain(request: ExplainRequest): unknown {
    return explainRequest(request, {
      listeners: this.#plan.listeners,
      policy: this.#policy,
      pool: (name) => this.#pools.get(name),
      balancer: (name) => this.#balancers.get(name),
      sticky: this.#sticky,
      nowMs: this.#options.clock.monotonicMs(),
    });
  }

  #trouble(text: string): void {
    this.#options.send({ kind: 'trouble', text });
  }

  #admissionLimits({ workers, limits }: WorkerSettings) {
    const { connections, perClient, workerMemory } = limits;
    return { workers, connections, perClient, workerMemory };
  }
}

/** Bounds are the instance's: each worker keeps to its share of them. */
function shareOf(pool: PoolState, workers: number): PoolState {
  const { maxRequests, maxQueue } = pool.proxy;
  if (workers === 1 || (maxRequests === 0 && maxQueue === 0)) return pool;
  const share = (of: number) => Math.ceil(of / workers);
  const proxy = { ...pool.proxy, maxRequests: share(maxRequests), maxQueue: share(maxQueue) };
  return { ...pool, proxy };
}
