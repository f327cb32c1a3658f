// A running natter: follows the store, keeps kernel and links, tests itself, announces or
// withdraws, drains, and tells the others how it is. Everything it touches is injected.

import type { Bpf } from '../shared/bpf/types.ts';
import { type Clock, every } from '../shared/clock.ts';
import { Coalesced } from '../shared/coalesced.ts';
import { describeError, OperationalError } from '../shared/errors.ts';
import { type AnnouncePlan, Announcer } from '../shared/links/announce.ts';
import type { Host } from '../shared/links/host.ts';
import type { Log } from '../shared/log.ts';
import { jitter, type Random } from '../shared/random.ts';
import type { StoreEvent } from '../shared/store/events.ts';
import { Follower } from '../shared/store/follow.ts';
import type { Member, Store } from '../shared/store/types.ts';
import { Datapath } from './datapath.ts';
import { type DrainPlan, DrainWatch } from './drain.ts';
import type { NatterEvent } from './events.ts';
import { Keeper } from './keeper.ts';
import { type LinkPlan, Links } from './links.ts';
import { SERVICE } from './name.ts';
import { selfTest } from './selftest.ts';
import type { Capacity } from './state.ts';

/** What a reload may change. */
export type NatterPlan = { links: LinkPlan; announce: AnnouncePlan; drain: DrainPlan };

export type NatterServiceOptions = {
  node: string;
  version: string;
  address?: string;
  objectPath: string;
  pinDirectory: string;
  snapshotPath?: string;
  capacity: Capacity;
  plan: NatterPlan;
  bpf: Bpf;
  host: Host;
  store: Store;
  clock: Clock;
  random: Random;
  log: Log<NatterEvent | StoreEvent>;
  turn: () => Promise<void>;
  /** CLOCK_MONOTONIC, with which the kernel stamps what it traces. */
  monotonicMicroseconds: () => bigint;
  /** Another source of objects is told, too. */
  onConfirmed?: () => void;
};

export type NatterState = 'starting' | 'running' | 'not-ready' | 'draining' | 'drained' | 'stopped';
export type Check = { name: string; problem?: string };

const HEARTBEAT_MS = 1000;
const SELF_TEST_MS = 2000;
const LINKS_MS = 5000;
const ROUTES_MS = 10_000;
const DRAIN_SAMPLE_MS = 500;
const AUDIT_MS = 60_000;
/** An audit takes at most this share of the time. */
const AUDIT_SHARE = 0.01;

export class NatterService {
  readonly options: NatterServiceOptions;
  readonly datapath: Datapath;
  readonly links: Links;
  readonly announcer: Announcer;
  readonly keeper: Keeper;
  readonly follower: Follower;
  readonly startedAt: number;
  #plan: NatterPlan;
  #state: NatterState = 'starting';
  #selfTestProblem: string | undefined = 'has not run yet';
  #started = false;
  /** The first table was in the kernel, the programs attached, and tested. */
  #tried = false;
  #drainAsked = false; // by the control socket; lasts as long as the process
  #drainWatch: DrainWatch | undefined;
  #drained = false;
  #looking: Promise<void> | undefined;
  readonly #stopping = new AbortController();
  readonly #heartbeats = new Coalesced(() => this.#heartbeat(), this.#stopping.signal);
  readonly #announcements = new Coalesced(() => this.#announce(), this.#stopping.signal);
  readonly #audits = new Coalesced(() => this.#audit(), this.#stopping.signal);

  constructor(options: NatterServiceOptions) {
    const { bpf, pinDirectory, host, log, clock, random, store, plan, capacity } = options;
    this.options = options;
    this.#plan = plan;
    this.startedAt = clock.nowMs();
    this.datapath = new Datapath(options);
    const { datapath } = this;
    this.links = new Links({ bpf, pinDirectory, datapath, host, log, plan: plan.links });
    this.announcer = new Announcer({ host, log, plan: plan.announce });
    this.keeper = new Keeper({
      datapath: this.datapath,
      capacity,
      isLocal: (address) => this.links.localAddresses.has(address),
      log,
      turn: options.turn,
      onApplied: () => this.#applied(),
    });
    const snapshot = options.snapshotPath;
    this.follower = new Follower({
      store,
      unit: SERVICE,
      target: this.keeper,
      ...(snapshot === undefined ? {} : { snapshotPath: snapshot }),
      clock,
      random,
      log,
    });
    this.follower.on('change', () => this.heartbeatSoon());
  }

  get state(): NatterState {
    return this.#state;
  }

  /** Resolves when the table is in the kernel and the programs are attached, or cannot be yet. */
  async start(signal: AbortSignal): Promise<void> {
    const { host } = this.options;
    await this.links.look();
    await this.follower.start(AbortSignal.any([signal, this.#stopping.signal]));
    this.#attach();
    this.#evaluate();
    this.#started = true;
    host.watch(() => void this.#lookAgain(), this.#stopping.signal);
    this.#every(HEARTBEAT_MS, () => this.heartbeatSoon());
    this.#every(LINKS_MS, () => void this.#lookAgain());
    this.#every(SELF_TEST_MS, () => {
      this.#runSelfTest();
      this.#evaluate();
    });
    this.#every(ROUTES_MS, () => this.#announceSoon());
    this.#every(DRAIN_SAMPLE_MS, () => this.#sampleDrain());
    this.#scheduleAudit(AUDIT_MS);
    this.heartbeatSoon();
  }

  /** The data plane goes on: programs, maps and routes stay. */
  async stop(): Promise<void> {
    const { store, node } = this.options;
    this.#stopping.abort(new Error('stopped'));
    await this.follower.stopped;
    await this.#announcements.idle();
    await this.#looking;
    await this.#heartbeats.idle();
    await this.#audits.idle();
    this.#state = 'stopped';
    try {
      await store.leave(SERVICE, node);
    } catch (error) {
      this.#heartbeatFailed(error);
    }
    this.datapath.close();
  }

  async reload(plan: NatterPlan): Promise<void> {
    this.#plan = plan;
    this.links.setPlan(plan.links);
    this.announcer.setPlan(plan.announce);
    await this.#lookAgain();
    this.#evaluate();
    this.#announceSoon();
    await this.#announcements.idle();
  }

  setDrain(asked: boolean): void {
    this.#drainAsked = asked;
    this.#evaluate();
  }

  confirm(): void {
    this.follower.confirm();
    this.options.onConfirmed?.();
  }

  checks(): Check[] {
    const { missing, dark } = this.links;
    const check = (name: string, problem: string | false): Check =>
      problem === false ? { name } : { name, problem };
    const { complete } = this.keeper;
    return [
      check('table', !complete && 'no table has been taken from the store or from disk yet'),
      check('links', missing.length > 0 && `not attached: ${missing.join(', ')}`),
      check('carrier', dark.length > 0 && `no ${dark.join(' and no ')} link is up`),
      check('self-test', this.#selfTestProblem ?? false),
      check('not drained', this.#isDrainWanted && `the node is ${this.#state}`),
    ];
  }

  get selfTestProblem(): string | undefined {
    return this.#selfTestProblem;
  }

  /** Everything that left translated, since the maps were made. */
  get forwardedPackets(): number {
    let sum = 0;
    for (const [reason, { packets }] of this.datapath.counters()) {
      if (/^(IN|OUT|HAIRPIN)_/.test(reason)) sum += packets;
    }
    return sum;
  }

  member(): Member {
    const { node, version, address } = this.options;
    const { drift } = this.follower.status();
    return {
      service: SERVICE,
      node,
      version,
      state: this.#state,
      applied: { [SERVICE]: this.keeper.version },
      ...(drift === undefined ? {} : { drift: drift[0] ?? 'drifting' }),
      ...(address === undefined ? {} : { address }),
      startedAt: this.startedAt,
      clockMs: this.options.clock.nowMs(),
    };
  }

  heartbeatSoon(): void {
    this.#heartbeats.soon();
  }

  async #heartbeat(): Promise<void> {
    try {
      await this.options.store.heartbeat(this.member());
    } catch (error) {
      this.#heartbeatFailed(error);
    }
  }

  #heartbeatFailed(error: unknown): void {
    if (!(error instanceof OperationalError)) throw error;
    this.options.log.debug('heartbeat-failed', describeError(error), { error });
  }

  get #isDrainWanted(): boolean {
    return this.#drainAsked || this.keeper.isDrainWanted(this.options.node);
  }

  #applied(): void {
    // Before the first table is tried out there is nothing to judge by: the routes of an earlier
    // run stay, so that a restart is no flap.
    if (!this.#tried && this.#started) void this.#lookAgain();
    if (!this.#tried) return;
    this.#evaluate();
    if (this.announcer.followsAddresses) this.#announceSoon();
    this.heartbeatSoon();
  }

  /** Without a table the programs of an earlier run, if any, go on as they are. */
  #attach(): void {
    const { table } = this.keeper;
    if (table === undefined) return;
    this.datapath.attachOver(table.state, () => this.links.attach());
    if (!this.#tried) this.#runSelfTest();
    this.#tried = true;
  }

  #lookAgain(): Promise<void> {
    this.#looking ??= this.#lookOnce().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #lookOnce(): Promise<void> {
    const { log } = this.options;
    try {
      await this.links.look();
      this.#attach();
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      log.warn('link-failed', describeError(error), { error });
    }
    this.#evaluate();
  }

  #runSelfTest(): void {
    const { log, random } = this.options;
    const { table } = this.keeper;
    if (table === undefined || this.links.missing.length > 0) return;
    const { datapath } = this;
    const before = this.#selfTestProblem;
    const now = selfTest({ datapath, state: table.state, links: this.links.states, random });
    this.#selfTestProblem = now;
    if (now === before) return;
    if (now === undefined) log.info('self-test-passed', 'the live programs translate right', {});
    else log.error('self-test-failed', now, { problem: now });
    if (now !== undefined) this.#audits.soon(); // it mends what somebody else wrote
  }

  /** From what is known to the state, and to what follows from it. */
  #evaluate(): void {
    if (this.#stopping.signal.aborted) return;
    const before = this.#state;
    if (this.#isDrainWanted) this.#beginDrain();
    else this.#endDrain();
    const well = this.checks().every(({ problem, name }) => !problem || name === 'not drained');
    if (this.#drainWatch !== undefined) this.#state = this.#drained ? 'drained' : 'draining';
    else if (this.keeper.table === undefined) this.#state = 'starting';
    else this.#state = well ? 'running' : 'not-ready';
    if (this.#state === before) return;
    this.#announceSoon();
    this.heartbeatSoon();
  }

  #beginDrain(): void {
    if (this.#drainWatch !== undefined) return;
    const { clock, log } = this.options;
    const nowMs = clock.monotonicMs();
    this.#drainWatch = new DrainWatch(this.#plan.drain, nowMs, this.forwardedPackets);
    this.#drained = false;
    log.info('drain-started', 'withdrawing, then waiting until traffic has gone', {});
  }

  #endDrain(): void {
    if (this.#drainWatch === undefined) return;
    this.#drainWatch = undefined;
    this.#drained = false;
    this.options.log.info('drain-ended', 'carrying traffic again', {});
  }

  #sampleDrain(): void {
    if (this.#drainWatch === undefined || this.#drained) return;
    if (this.announcer.state === 'announced') return; // the withdrawal has not been made yet
    const { clock, log } = this.options;
    const progress = this.#drainWatch.sample(clock.monotonicMs(), this.forwardedPackets);
    if (progress === 'waiting') return;
    this.#drained = true;
    log.info('drained', progress === 'quiet' ? 'traffic has gone' : 'time is over', { progress });
    this.#evaluate();
  }

  #announceSoon(): void {
    // Before the first table nothing is known: the routes of an earlier run stay.
    if (this.keeper.table !== undefined) this.#announcements.soon();
  }

  async #announce(): Promise<void> {
    try {
      await this.#announceOnce();
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      this.options.log.error('announce-failed', describeError(error), { error });
    }
  }

  #announceOnce(): Promise<void> {
    const uplinks = this.links.states.flatMap(({ role, link }) => {
      return link === undefined || role === 'inside' ? [] : [link];
    });
    if (this.#state === 'running') {
      return this.announcer.announce(() => this.#eips(), uplinks);
    }
    return this.announcer.withdraw(this.#whyNot(), uplinks);
  }

  #whyNot(): string {
    const wrong = this.checks().filter(({ problem }) => problem !== undefined);
    return wrong.map(({ name, problem }) => `${name}: ${problem}`).join('; ');
  }

  *#eips(): Generator<number> {
    for (const [eip] of this.keeper.table?.state.slotOfEip.entries() ?? []) yield eip;
  }

  #scheduleAudit(delayMs: number): void {
    const { clock, random } = this.options;
    const run = async (): Promise<void> => {
      const startedMs = clock.monotonicMs();
      this.#audits.soon();
      await this.#audits.idle();
      const tookMs = clock.monotonicMs() - startedMs;
      this.#scheduleAudit(Math.max(AUDIT_MS, tookMs / AUDIT_SHARE));
    };
    clock.after(jitter(random, delayMs), () => void run(), this.#stopping.signal);
  }

  async #audit(): Promise<void> {
    try {
      await this.keeper.audit();
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      this.options.log.error('audit-failed', describeError(error), { error });
    }
  }

  #every(intervalMs: number, work: () => void): void {
    every(this.options.clock, intervalMs, work, this.#stopping.signal);
  }
}
