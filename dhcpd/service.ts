// A running dhcpd: follows the plan, keeps the leases, serves, tests itself by a canary, drains,
// and tells the others how it is. Everything it touches is injected.

import { type Clock, every } from '../shared/clock.ts';
import type { Log, LogFields } from '../shared/log.ts';
import { jitter, type Random } from '../shared/random.ts';
import { DhcpObjects } from '../shared/site/dhcp-objects.ts';
import { isRefusal } from '../shared/site/refusal.ts';
import type { StoreEvent } from '../shared/store/events.ts';
import { Follower } from '../shared/store/follow.ts';
import type { Member, Store } from '../shared/store/types.ts';
import { Canary, canaryMac } from './canary.ts';
import { type DhcpdConfig, serverSettingsOf } from './config.ts';
import { Counters } from './counters.ts';
import { Prepared } from './engine/prepared.ts';
import { type DhcpdEvent, dhcpdEvents } from './events.ts';
import type { Ingress } from './io/types.ts';
import { createLeaseBook, type RunningLeaseBook } from './leases/book.ts';
import { type BookDisk, defaultBookSettings } from './leases/options.ts';
import { instanceId } from './leases/record.ts';
import type { LeaseBackend, Pools } from './leases/types.ts';
import { Membership } from './members.ts';
import { SERVICE } from './name.ts';
import { countNetworks, type NetworkCounts } from './network-counts.ts';
import { longestLease } from './plan/longest-lease.ts';
import { compileObjects } from './plan/plan.ts';
import { PlanTarget } from './plan/target.ts';
import type { Plan } from './plan/types.ts';
import { DhcpServer } from './server.ts';
import type { ServerSettings } from './server-types.ts';
import { WirePath, type WirePathOptions } from './wire-path.ts';

export type DhcpdServiceOptions = Pick<
  WirePathOptions,
  'interfaces' | 'openCapture' | 'openEcho' | 'fail'
> & {
  config: DhcpdConfig;
  version: string;
  address?: string;
  store: Store;
  backend: LeaseBackend;
  snapshotPath: string;
  disk: BookDisk;
  uptime: () => { boot: string; ms: number };
  clock: Clock;
  random: Random;
  log: Log<DhcpdEvent | StoreEvent>;
};

export type DhcpdState = 'starting' | 'running' | 'not-ready' | 'draining' | 'drained' | 'stopped';
export type Check = { name: string; problem?: string };

const HEARTBEAT_MS = 1000;
const LINKS_MS = 5000;
const CANARY_AGAIN_MS = 1000;
const CANARY_FAILURES = 3;
const QUIET_NOTICES: readonly string[] = ['book-loaded', 'book-returned'];

export class DhcpdService {
  readonly options: DhcpdServiceOptions;
  readonly messages = new Counters();
  readonly target: PlanTarget;
  readonly follower: Follower;
  readonly book: RunningLeaseBook;
  readonly server: DhcpServer;
  readonly wire: WirePath;
  readonly membership: Membership;
  readonly startedAt: number;
  readonly #settings: ServerSettings;
  readonly #canary: Canary;
  readonly #nothing = emptyPlan();
  readonly #stopping = new AbortController();
  /** Later: what the book has under way is finished first. */
  readonly #bookEnds = new AbortController();
  #prepared: { plan: Plan; prepared: Prepared; pools: readonly Pools[] };
  #state: DhcpdState = 'starting';
  #started = false;
  #canaryProblem: string | undefined = 'has not run yet';
  #canaryFailures = 0;
  #drainAsked = false; // by the control socket; lasts as long as the process
  #isDraining = false;
  #beating: Promise<void> = Promise.resolve();

  constructor(options: DhcpdServiceOptions) {
    const { config, clock, random, log, store, snapshotPath } = options;
    this.options = options;
    this.startedAt = clock.nowMs();
    this.#settings = serverSettingsOf(config);
    this.#prepared = this.#prepare(this.#nothing);
    this.target = new PlanTarget({
      onTaken: (plan) => this.#taken(plan),
      onRefused: (reasons, version) => {
        log.error('plan-refused', `version ${version}: ${reasons[0]}`, { reasons });
      },
    });
    const { target } = this;
    this.follower = new Follower({
      store,
      unit: SERVICE,
      target,
      snapshotPath,
      clock,
      random,
      log,
    });
    this.membership = new Membership({
      store,
      node: config.node,
      self: () => this.#self(),
      lan: () => this.#lan(),
      log,
    });
    this.book = this.#makeBook();
    const receive = (bytes: Uint8Array, ingress: Ingress) => this.server.receive(bytes, ingress);
    const isKept = (bytes: Uint8Array) => this.#canary.take(bytes);
    this.wire = new WirePath({ ...options, receive, isKept });
    this.server = new DhcpServer({
      settings: this.#settings,
      plan: () => this.plan,
      book: this.book,
      transport: this.wire,
      prober: this.wire.prober,
      clock,
      members: () => this.membership.onLan,
      count: this.messages.add,
      notice: (event, message, fields) => this.#notice(event, message, fields),
    });
    this.#canary = new Canary({
      mac: canaryMac(config.node),
      send: (bytes) => this.wire.sendToSelf(bytes, canaryMac(config.node)),
      lastReason: (mac) => this.server.explain({ mac }).last?.reason,
      xid: () => random.integer(0x1_0000_0000),
      timeoutMs: config.canary.timeout,
      clock,
    });
    if (!config.canary.enabled) this.#canaryProblem = undefined;
  }

  get state(): DhcpdState {
    return this.#state;
  }

  /** Without a state of the store: one that has nothing. */
  get plan(): Plan {
    return this.target.plan ?? this.#nothing;
  }

  get canaryProblem(): string | undefined {
    return this.#canaryProblem;
  }

  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Resolves when plan and leases are there, or cannot be yet, and the ways in are open. */
  async start(signal: AbortSignal): Promise<void> {
    const ended = AbortSignal.any([signal, this.#stopping.signal]);
    await this.follower.start(ended);
    await this.#beat(); // so that the others are known before the first offer
    await this.book.start(this.#bookEnds.signal);
    signal.throwIfAborted();
    await this.wire.open();
    this.#started = true;
    const { clock, interfaces } = this.options;
    interfaces.watch((down) => void this.#look(down), this.#stopping.signal);
    every(clock, HEARTBEAT_MS, () => this.beatSoon(), this.#stopping.signal);
    every(clock, LINKS_MS, () => void this.#look(), this.#stopping.signal);
    await this.#runCanary();
    this.#evaluate();
  }

  drain(): Promise<void> {
    this.server.drain();
    return this.server.idle();
  }

  async stop(): Promise<void> {
    await this.server.stop();
    this.#stopping.abort(new Error('stopped'));
    await this.wire.close();
    await this.follower.stopped;
    if (this.#started) await this.book.stop();
    this.#bookEnds.abort(new Error('stopped'));
    await this.#beating;
    this.#state = 'stopped';
    await this.membership.leave();
    this.options.backend.close();
  }

  /** What may change without a restart is what is read anew for each packet. */
  reload(config: DhcpdConfig): void {
    const {
      strict,
      trustedLinks,
      siblingIds,
      cacheShare,
      staleAfterMs,
      declineSeconds,
      sharedLan,
    } = serverSettingsOf(config);
    const next = { strict, trustedLinks, siblingIds, cacheShare, staleAfterMs, declineSeconds };
    Object.assign(this.#settings, { ...next, sharedLan });
  }

  setDrain(asked: boolean): void {
    this.#drainAsked = asked;
    this.#evaluate();
  }

  confirm(): void {
    this.follower.confirm();
  }

  checks(): Check[] {
    const check = (name: string, problem: string | false | undefined): Check =>
      problem === false || problem === undefined ? { name } : { name, problem };
    const missing = this.wire.links.states.filter(({ problem }) => problem !== undefined);
    const names = missing.map(({ name, problem }) => `${name}: ${problem}`);
    const isStarting = this.book.condition === 'starting';
    return [
      check('plan', !this.target.plan && 'none was taken from the store or from disk yet'),
      check('leases', isStarting && 'they have not been read yet'),
      check('links', names.length > 0 && names.join('; ')),
      check('canary', this.#canaryProblem),
      check('not drained', this.#isDraining && `the node is ${this.#state}`),
    ];
  }

  pools(): readonly Pools[] {
    return this.#prepared.pools;
  }

  networkCounts(): NetworkCounts[] {
    const { plan, prepared } = this.#prepared;
    return countNetworks(plan, (subnet) => this.book.counts(prepared.pools(subnet)));
  }

  beatSoon(): void {
    this.#beating = this.#beating.then(() => this.#beat());
  }

  async #beat(): Promise<void> {
    await this.membership.beat();
    this.#evaluate();
  }

  #makeBook(): RunningLeaseBook {
    const { config, backend, clock, random, disk, uptime } = this.options;
    const { reserve, budget } = config.outage;
    const longest = () => longestLease(this.plan);
    return createLeaseBook({
      backend,
      clock,
      random,
      // Drawn anew, not the node's name: two processes of one name must share no reserve.
      instance: 1 + random.integer(0xffff_ffff),
      members: () => this.membership.present,
      pools: () => this.#prepared.pools,
      settings: {
        ...defaultBookSettings,
        offerSeconds: Math.floor(config.offer / 1000),
        affinitySeconds: Math.floor(config.affinity / 1000),
        reuseSeconds: Math.floor(config.reuse / 1000),
        get maxLeaseSeconds() {
          return longest();
        },
        ...(reserve === 0 ? {} : { outage: { reserve, budgetSeconds: Math.floor(budget / 1000) } }),
      },
      disk,
      uptime,
      notice: (event, message, fields) => this.#notice(event, message, fields),
    });
  }

  #prepare(plan: Plan) {
    // The very pools that the server asks by.
    const prepared = Prepared.of(plan, this.options.config);
    return { plan, prepared, pools: plan.subnets.map((subnet) => prepared.pools(subnet)) };
  }

  #taken(plan: Plan): void {
    const { subnets, l3nets } = plan;
    this.#prepared = this.#prepare(plan);
    const text = `${subnets.length} subnets, ${l3nets.length} nets of /30s`;
    this.options.log.info('plan-applied', text, { version: plan.version });
    if (!this.#started) return;
    if (this.#canaryProblem !== undefined) void this.#runCanary();
    this.#evaluate();
    this.beatSoon();
  }

  #notice(event: string, message: string, fields: Record<string, unknown> = {}): void {
    if (!Object.hasOwn(dhcpdEvents, event)) throw new Error(`no event: ${event}`);
    const level = QUIET_NOTICES.includes(event) ? 'info' : 'warn';
    // as: just looked up; and the fields are the server's and the book's own.
    this.options.log[level](event as DhcpdEvent, message, fields as LogFields);
  }

  async #look(wentDown?: ReadonlySet<string>): Promise<void> {
    try {
      await this.wire.links.look(wentDown);
      this.#evaluate();
    } catch (error) {
      this.options.fail(error); // without the rights there is no use in going on
    }
  }

  async #runCanary(): Promise<void> {
    const { config, clock, log, random } = this.options;
    if (!config.canary.enabled || this.#stopping.signal.aborted) return;
    // What an outage or a drain refuses to new clients is no fault of this server's.
    const mayTry = this.book.condition === 'fresh' && !this.#isDraining;
    if (mayTry && this.target.plan !== undefined) {
      const before = this.#canaryProblem;
      const now = await this.#canary.run(this.plan, config.node);
      this.#canaryFailures = now === undefined ? 0 : this.#canaryFailures + 1;
      // Under overload one may get lost as anybody's: that alone must not send clients elsewhere.
      const counts = before !== undefined || this.#canaryFailures >= CANARY_FAILURES;
      this.#canaryProblem = counts ? now : undefined;
      if (now === undefined && before !== undefined)
        log.info('canary-passed', 'an address was got');
      if (now !== undefined) log.warn('canary-failed', now, { problem: now });
      this.#evaluate();
    }
    const isWell = this.#canaryProblem === undefined && this.#canaryFailures === 0;
    const delayMs = isWell ? config.canary.every : CANARY_AGAIN_MS;
    this.#cancelCanary();
    const again = () => void this.#runCanary();
    this.#cancelCanary = clock.after(jitter(random, delayMs), again, this.#stopping.signal);
  }
  #cancelCanary: () => void = () => {};

  /** From what is known to the state, and to what follows from it. */
  #evaluate(): void {
    if (this.#stopping.signal.aborted || !this.#started) return;
    const before = this.#state;
    this.#setDraining(this.#drainAsked || this.target.isDrainWanted(this.options.config.node));
    const well = this.checks().every(({ problem, name }) => !problem || name === 'not drained');
    if (this.#isDraining) this.#state = this.#state === 'drained' ? 'drained' : 'draining';
    else if (this.target.plan === undefined) this.#state = 'starting';
    else this.#state = well ? 'running' : 'not-ready';
    if (this.#state !== before) this.beatSoon();
  }

  #setDraining(wanted: boolean): void {
    if (wanted === this.#isDraining) return;
    const { log } = this.options;
    this.#isDraining = wanted;
    if (!wanted) {
      this.server.undrain();
      log.info('drain-ended', 'new clients are served again', {});
      return;
    }
    this.server.drain();
    log.info('drain-started', 'new clients are left to the others', {});
    void this.server.idle().then(() => {
      if (!this.#isDraining || this.#stopping.signal.aborted) return;
      this.#state = 'drained';
      log.info('drained', 'nothing is under way', {});
      this.beatSoon();
    });
  }

  #self(): Omit<Member, 'service'> {
    const { config, version, address, clock } = this.options;
    const { drift } = this.follower.status();
    return {
      node: config.node,
      version,
      state: this.#state,
      applied: { [SERVICE]: this.plan.version },
      ...(drift === undefined ? {} : { drift: drift[0] ?? 'drifting' }),
      ...(address === undefined ? {} : { address }),
      startedAt: this.startedAt,
      clockMs: clock.nowMs(),
    };
  }

  /** The subnets of the links together: members that serve the same ones share their LANs. */
  #lan(): string | undefined {
    const served = this.wire.links.states.flatMap(({ link }) => {
      if (link === undefined) return [];
      const addresses = link.addresses.map(({ address }) => address);
      return this.plan.subnetOfInterface(link.name, addresses)?.network.id ?? [];
    });
    if (served.length === 0) return undefined;
    return `${SERVICE}/lan-${instanceId([...new Set(served)].sort().join(' ')).toString(16)}`;
  }
}

function emptyPlan(): Plan {
  const plan = compileObjects(DhcpObjects.of([]), 0);
  if (isRefusal(plan)) throw new Error('nothing at all was refused');
  return plan;
}
