// A running dns: follows the site and the pools, builds zones and lines aside, keeps policy equal
// to health, puts each change into force as a whole, drains, and tells the others how it is.
// Everything it touches is injected.
import { type Clock, every } from '../shared/clock.ts';
import type { Health } from '../shared/health/health.ts';
import type { Log } from '../shared/log.ts';
import { type Check, Presence, type PresenceState } from '../shared/presence.ts';
import type { Random } from '../shared/random.ts';
import { zoneOf } from '../shared/site/dns-name.ts';
import { POOLS_UNIT } from '../shared/site/pools-plan.ts';
import { healthOfTarget } from '../shared/site/target-check.ts';
import { DEFAULT_ZONE_TTL_SECONDS } from '../shared/site/zone.ts';
import { SiteFollower } from '../shared/site-follower.ts';
import type { StoreEvent } from '../shared/store/events.ts';
import type { Store } from '../shared/store/types.ts';
import type { OutsideAliases, OutsideAliasesOptions } from './aliases/outside.ts';
import { outsideTargets, smartTargets } from './aliases/targets.ts';
import type { AnswerSettings } from './answer/types.ts';
import type { Canary } from './canary.ts';
import type { DnsConfig } from './config.ts';
import type { DnsEvent } from './events.ts';
import { poolsInUse, rowsOf, type TargetRow, targetsOf } from './health-of-pools.ts';
import type { ZoneImage } from './image/types.ts';
import { compileLines } from './lines/compile.ts';
import { LineBook } from './lines/line-book.ts';
import { DEFAULT_LINE, type LineTree } from './lines/types.ts';
import { SERVICE } from './name.ts';
import { type DnsPlan, dnsPlanOf } from './plan.ts';
import { type Round, SmartTable } from './policy/table.ts';
import type { SmartAnswer } from './policy/types.ts';
import { Serving } from './serving.ts';
import { saying } from './settings.ts';
import type { Transfers, TransfersOptions } from './transfers.ts';
import type { Transport } from './transports/types.ts';
import type { Builder } from './zones/builder.ts';
import type { LeaseNames, LeaseNamesOptions } from './zones/lease-names.ts';
import { problemText, ZonesPart } from './zones/part.ts';

export type DnsServiceOptions = {
  config: DnsConfig;
  version: string;
  address?: string;
  store: Store;
  health: Health;
  canary: Canary;
  /** Zones, and lists: a thread each. */
  builders: { zones: Builder; lines: Builder };
  /** The main thread's responder takes a state at once. */
  adopt: (state: Serving['state']) => void;
  transports: readonly Transport[];
  /** Reads the files of secrets; throws a ConfigError. */
  settingsOf: (config: DnsConfig) => AnswerSettings;
  /** Follows the names of leases; `zones`: those that may have some. */
  leaseNames: (options: Pick<LeaseNamesOptions, 'zones' | 'onLeases' | 'signal'>) => LeaseNames;
  /** Transfers both ways, which are told of each change. */
  transfers: (options: Pick<TransfersOptions, 'now' | 'onTransferred'>) => Transfers;
  /** Asks for the targets of ALIAS that no served zone has. */
  aliases: (options: Pick<OutsideAliasesOptions, 'onChanged' | 'signal'>) => OutsideAliases;
  snapshotPaths: { own: string; pools: string };
  clock: Clock;
  random: Random;
  log: Log<DnsEvent | StoreEvent>;
  fail: (error: unknown) => void;
};

const FILES_MS = 2000;
/** After a drain began, resolvers go on asking for a while. */
const QUIET_MS = 5000;

export class DnsService {
  readonly options: DnsServiceOptions;
  readonly presence: Presence;
  readonly follower: SiteFollower<DnsPlan>;
  readonly zones: ZonesPart;
  readonly lines: LineBook;
  readonly transfers: Transfers;
  readonly aliases: OutsideAliases;
  readonly smart = new SmartTable();
  readonly serving: Serving;
  readonly #stopping = new AbortController();
  #config: DnsConfig;
  readonly #leases: LeaseNames;
  #settings: AnswerSettings;
  #applied = { dns: 0, pools: 0 };
  /** By which the targets of ALIAS were last looked for; no answers: none had to do with it. */
  #aliasesBy: { zones: readonly ZoneImage[]; answers?: readonly SmartAnswer[] } | undefined;

  constructor(options: DnsServiceOptions) {
    const { config, clock, builders, log, adopt, transports } = options;
    this.options = options;
    this.#config = config;
    this.#settings = options.settingsOf(config);
    this.presence = this.#presence();
    this.follower = new SiteFollower({
      ...options,
      unit: SERVICE,
      compile: dnsPlanOf,
      onPlan: (plan) => this.#wantSite(plan),
      onPools: () => this.#poolsTaken(),
      signal: this.#stopping.signal,
    });
    const { tree } = compileLines([], [], [DEFAULT_LINE]);
    this.lines = this.#makeLines(tree);
    const settings = this.#settings;
    this.serving = new Serving({
      first: { zones: [], lines: tree, smart: [], settings },
      adopt,
      transports,
    });
    this.zones = new ZonesPart({
      settings: config,
      builder: builders.zones,
      placeOf: (record) => this.smart.placeOf(record),
      nowMs: () => clock.nowMs(),
      log,
      onChanged: (changes) => {
        this.transfers.changed(changes);
        this.#publishSoon(() => this.transfers.inForce(changes));
      },
    });
    this.transfers = options.transfers({
      now: () => ({
        plan: this.plan,
        served: this.zones.served,
        smart: this.serving.state.smart,
      }),
      onTransferred: (zone, transferred) => this.zones.wantTransferred(zone, transferred),
    });
    this.aliases = options.aliases({
      onChanged: (aliases) => {
        this.serving.update({ aliases }).catch(options.fail);
      },
      signal: this.#stopping.signal,
    });
    this.#leases = options.leaseNames({
      zones: () => [...(this.plan?.zones.keys() ?? [])],
      onLeases: (leases) => this.zones.wantLeases(leases),
      signal: this.#stopping.signal,
    });
    options.health.onChange(() => this.#publishSoon());
  }

  get state(): PresenceState {
    return this.presence.state;
  }

  checks(): Check[] {
    return this.presence.checks();
  }

  setDrain(asked: boolean): void {
    this.presence.setDrain(asked);
  }

  confirm(): void {
    this.follower.confirm();
  }

  /** Of the site, as it is wanted now. */
  get plan(): DnsPlan | undefined {
    return this.follower.plan;
  }

  get config(): DnsConfig {
    return this.#config;
  }

  /** Versions that are answered by. */
  get applied(): Readonly<{ dns: number; pools: number }> {
    return this.#applied;
  }

  /** Resolves when what is known is in force and the ways in are open. */
  async start(signal: AbortSignal): Promise<void> {
    const { clock, health, transports } = this.options;
    const ended = AbortSignal.any([signal, this.#stopping.signal]);
    await this.follower.start(ended);
    this.zones.lookAtFiles(true);
    await this.#leases.start();
    await Promise.all([health.start(ended), this.lines.start(), this.zones.settled()]);
    await this.#publish();
    signal.throwIfAborted();
    for (const transport of transports) await transport.open();
    await this.serving.update({}); // those that were not open yet have the state, too
    every(clock, FILES_MS, () => this.zones.lookAtFiles(false), this.#stopping.signal);
    await this.presence.start();
  }

  /** /readyz fails, connections are closed when idle; what is asked is answered until stop(). */
  async drain(): Promise<void> {
    this.presence.setDrain(true);
    for (const transport of this.options.transports) transport.drain();
  }

  async stop(): Promise<void> {
    const { transports, health, builders } = this.options;
    this.#stopping.abort(new Error('stopped'));
    await this.transfers.stop();
    await Promise.all(transports.map((transport) => transport.close()));
    await Promise.all([this.follower.stopped, health.stop()]);
    await Promise.all([builders.zones.close(), builders.lines.close()]);
    await this.presence.stop();
  }

  async reload(config: DnsConfig): Promise<void> {
    const settings = this.options.settingsOf(config); // throws before any change
    this.transfers.reload(config); // and so does this
    this.#settings = settings;
    this.#config = config;
    this.aliases.reload(config.resolvers);
    this.zones.wantSettings(config);
    this.zones.lookAtFiles(true);
    await Promise.all([this.lines.replaceFiles(config.lines), this.zones.settled()]);
    await this.lines.look();
    await this.#publish();
  }

  /** Against what records are evaluated now. */
  round(): Round {
    const { health, clock } = this.options;
    const { tree, fallbacks } = this.lines.inForce;
    return {
      pools: this.follower.poolsPlan?.pools ?? new Map(),
      healthOf: (pool, target) => healthOfTarget(health.view, pool, target),
      lines: tree.lines,
      fallbacks,
      nowMs: clock.nowMs(),
    };
  }

  /** Of the pools that records use. */
  targetRows(): TargetRow[] {
    const { pools, healthOf } = this.round();
    return rowsOf(poolsInUse(this.plan?.smart ?? [], pools), healthOf);
  }

  targetCounts(): Record<TargetRow['state'], number> {
    const counts = { up: 0, down: 0, unknown: 0, unchecked: 0 };
    for (const { state } of this.targetRows()) counts[state]++;
    return counts;
  }

  /** Why what is served is not what is wanted. */
  get drift(): readonly string[] {
    const refused = [...this.zones.refused.values()].map(({ zone, problems }) => {
      const worst = problems.find(({ level }) => level === 'refusal') ?? problems[0];
      return `zone ${zone}: ${worst === undefined ? 'refused' : problemText(worst)}`;
    });
    return [...this.follower.drift, ...refused, ...this.lines.refused];
  }

  #makeLines(first: LineTree): LineBook {
    const { config, clock, builders, log } = this.options;
    return new LineBook({
      files: config.lines,
      clock,
      signal: this.#stopping.signal,
      load: (settings) => builders.lines.run({ kind: 'list', settings }),
      compile: (lists, settings, lines) =>
        builders.lines.run({ kind: 'lines', lists, settings, lines }),
      first,
      onInForce: ({ tree: { lines } }) => {
        log.info('lines-applied', `${lines.length} lines`, { lines: lines.length });
        this.#publishSoon();
      },
      onFileProblems: (problems) => {
        for (const { file, line, column, message } of problems) {
          log.error('line-file-bad', `${file}:${line}:${column}: ${message}`, { file });
        }
      },
      onRefused: (reasons) => log.error('lines-refused', `${reasons[0]}`, { reasons }),
    });
  }

  #wantSite(plan: DnsPlan): void {
    const text = `${plan.zones.size} zones, ${plan.smart.length + plan.plain.length} records`;
    this.options.log.info('plan-applied', text, { version: plan.version });
    this.zones.wantPlan(plan);
    this.transfers.want(plan);
    this.lines.want(plan.lines);
    this.#watchTargets();
    this.#publishSoon();
  }

  #poolsTaken(): void {
    this.#watchTargets();
    this.#publishSoon();
  }

  #watchTargets(): void {
    const { health } = this.options;
    const { pools = new Map(), overrides = [] } = this.follower.poolsPlan ?? {};
    health.setOverrides(overrides);
    health.setTargets(targetsOf(poolsInUse(this.plan?.smart ?? [], pools)));
  }

  #publishSoon(then: () => void = () => {}): void {
    if (this.#stopping.signal.aborted) return;
    this.#publishing ??= this.#publishOnce();
    this.#publishing.then(then, this.options.fail);
  }

  /** What changes in one turn is evaluated once. */
  async #publishOnce(): Promise<void> {
    await Promise.resolve();
    this.#publishing = undefined;
    await this.#publish();
  }
  #publishing: Promise<void> | undefined;

  /** What is known now goes into force together. */
  async #publish(): Promise<void> {
    const round = this.round();
    this.smart.evaluate(this.plan?.smart ?? [], round, this.zoneTtlSeconds());
    this.#wantAliases();
    const isBuilt = this.zones.book.isSettled && this.lines.isSettled;
    const dns = isBuilt && !this.zones.objectsRefused ? this.plan?.version : undefined;
    const pools = this.follower.poolsPlan?.version;
    const applied = { dns: dns ?? this.#applied.dns, pools: pools ?? this.#applied.pools };
    await this.serving.update({
      zones: this.zones.images,
      lines: this.lines.inForce.tree,
      smart: this.smart.answers,
      settings: saying(this.#settings, this.#config, applied),
    });
    if (applied.dns === this.#applied.dns && applied.pools === this.#applied.pools) return;
    this.#applied = applied;
    this.presence.beatSoon();
  }

  #wantAliases(): void {
    const { answers } = this.smart;
    const zones = this.zones.images;
    const by = this.#aliasesBy;
    if (by?.zones === zones && (by.answers === undefined || by.answers === answers)) return;
    const byLine = (this.plan?.smart ?? []).filter(({ type }) => type === 'ALIAS');
    const smart = byLine.flatMap((record) => answers[this.smart.placeOf(record)] ?? []);
    const plain = [...this.zones.served.values()].flatMap(({ aliases }) => aliases);
    const outside = outsideTargets([...plain, ...smart.flatMap(smartTargets)], zones, answers);
    this.#aliasesBy = outside.isSmart || byLine.length > 0 ? { zones, answers } : { zones };
    this.aliases.want(outside);
  }

  /** Of records that name none. */
  zoneTtlSeconds(): (record: { name: string }) => number {
    const zones = this.plan?.zones ?? new Map<string, { ttlSeconds: number }>();
    return ({ name }) =>
      zones.get(zoneOf(name, zones) ?? '')?.ttlSeconds ?? DEFAULT_ZONE_TTL_SECONDS;
  }

  #presence(): Presence {
    const { config, version, address, store, canary, clock, log } = this.options;
    return new Presence({
      service: SERVICE,
      node: config.node,
      version,
      ...(address === undefined ? {} : { address }),
      store,
      canary: () => canary.run(),
      onCanary: (problem) => {
        if (problem === undefined) log.info('canary-passed', 'it answers', {});
        else log.warn('canary-failed', problem, {});
      },
      checks: () => {
        const isEmpty = this.plan === undefined && this.zones.served.size === 0;
        const problem = 'none was taken from the store, from disk or from files yet';
        return [{ name: 'zones', ...(isEmpty ? { problem } : {}) }];
      },
      isDrainWanted: () => this.follower.isDrainWanted(config.node),
      applied: () => ({ [SERVICE]: this.#applied.dns, [POOLS_UNIT]: this.#applied.pools }),
      drift: () => this.drift,
      isQuiet: (drainingMs) => drainingMs >= QUIET_MS,
      clock,
      signal: this.#stopping.signal,
      log,
    });
  }
}
