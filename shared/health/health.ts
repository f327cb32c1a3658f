// Health of targets, measured by several instances and the same in each of them (docs/health.md).
// This file puts the parts together: targets, probes, votes, and what readers see.
import { type Clock, every } from '../clock.ts';
import type { Log } from '../log.ts';
import type { Random } from '../random.ts';
import type { HealthOverride } from '../site/pool-objects.ts';
import type { VoteBoard } from './board.ts';
import { BoardLink } from './board-link.ts';
import { type Ranking, rankingOf } from './chosen.ts';
import { targetId } from './fingerprint.ts';
import { HealthCounts } from './health-counts.ts';
import type { HealthEvent } from './log-events.ts';
import { Contact, type Mode } from './mode.ts';
import { Overrides } from './overrides.ts';
import { ProbeRounds } from './probe-rounds.ts';
import { Replica } from './replica.ts';
import { SnapshotKeeper } from './snapshot-keeper.ts';
import { MEMBERS_MS, TargetState } from './target-state.ts';
import type { HealthView, Measured, ProbeResult, Prober, Target } from './types.ts';
import { LiveView } from './view.ts';
import { formatVote } from './vote.ts';

/** A prober that has not said a word of a target for so long does not know it. */
const SILENT_MS = 5000;
const TICK_MS = 500;
/** Changes that come together are told together. */
const COALESCE_MS = 100;
const MAX_WAKE_MS = 3_600_000;

export type HealthOptions = {
  /** This instance among all probers: service and node. */
  self: string;
  board: VoteBoard;
  prober: Prober;
  clock: Clock;
  random: Random;
  log: Log<HealthEvent>;
  /** Probes at a time. */
  concurrency: number;
  /** Absent: nothing is kept on disk. */
  snapshotPath?: string;
};

export class Health {
  readonly counts = new HealthCounts();
  readonly view: HealthView;
  readonly #options: HealthOptions;
  readonly #targets = new Map<string, TargetState>();
  readonly #replica = new Replica();
  readonly #contact: Contact;
  readonly #link: BoardLink;
  readonly #rounds: ProbeRounds;
  readonly #snapshot: SnapshotKeeper;
  readonly #stopping = new AbortController();
  readonly #listeners = new Set<() => void>();
  #overrides = new Overrides([]);
  #mode: Mode = 'joining';
  /** Of the probers that lived when votes decided last. */
  #ranking: Ranking;
  #membersMs = 0;
  /** When the last of those who may be silent yet are passed over; 0: nobody is. */
  #settlingMs = 0;
  /** Until when some promises are lower for others' sake; 0: none is. */
  #promisesMs = 0;
  #lastError: unknown;
  #isTelling = false;
  #cancelWake = () => {};

  constructor(options: HealthOptions) {
    const { self, clock, prober, concurrency } = options;
    this.#options = options;
    this.#ranking = rankingOf([self]);
    this.#contact = new Contact(clock.monotonicMs());
    this.#snapshot = new SnapshotKeeper(options, () => this.#targets.values());
    const onResult = (id: string, result: ProbeResult) => this.#probed(id, result);
    this.#rounds = new ProbeRounds({ self, prober, clock, concurrency, onResult });
    this.#link = new BoardLink({
      ...options,
      replica: this.#replica,
      contact: this.#contact,
      onJoined: () => this.#joined(),
      onAway: () => this.#wasAway(),
      onHeard: (ids, others) => this.#heard(ids, others),
      onFailed: (error) => this.#failed(error),
    });
    this.view = new LiveView({
      self,
      clock,
      replica: this.#replica,
      target: (id) => this.#targets.get(id),
      overrides: () => this.#overrides,
      mode: () => this.#mode,
      boardMs: () => this.#link.nowMs,
    });
  }

  /** Resolves when what is known is known: the snapshot is read, the board was tried. */
  async start(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    signal.addEventListener('abort', () => void this.stop(), { once: true });
    await this.#snapshot.load();
    if (this.#stopping.signal.aborted) return;
    for (const state of this.#targets.values()) this.#recall(state);
    await this.#link.start();
    if (this.#stopping.signal.aborted) return;
    every(clock, TICK_MS, () => this.#tick(), this.#stopping.signal);
    this.#tick();
  }

  /** The lease is left to run out: who comes back within it goes on with its votes. */
  async stop(): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    this.#stopping.abort(new Error('stopped'));
    this.#cancelWake();
    this.#rounds.stop();
    this.#options.prober.close();
    await this.#link.stop();
    await this.#snapshot.close();
  }

  /** All targets; one that comes twice is one. */
  setTargets(targets: readonly Target[]): void {
    const wanted = new Map(targets.map((target) => [targetId(target), target]));
    const gone = [...this.#targets.keys()].filter((id) => !wanted.has(id));
    const added = [...wanted].filter(([id]) => !this.#targets.has(id));
    this.#link.mayTell = true;
    // Who is told of a change may set the same targets again.
    if (gone.length === 0 && added.length === 0) return;
    for (const id of gone) this.#forget(id);
    for (const [id, target] of added) this.#add(id, target);
    this.#evaluateAll();
    this.#changed();
  }

  setOverrides(overrides: readonly HealthOverride[]): void {
    this.#overrides = new Overrides(overrides);
    this.#wakeForOverrides();
    this.#changed();
  }

  /** Calls back soon after anything that a view shows may have changed; the returned ends it. */
  onChange(callback: () => void): () => void {
    this.#listeners.add(callback);
    return () => this.#listeners.delete(callback);
  }

  /** For admin pages; the targets are in `view`. */
  status() {
    const { clock } = this.#options;
    const states: Record<Measured, number> = { up: 0, down: 0, unknown: 0 };
    for (const { measured } of this.#targets.values()) states[measured]++;
    return {
      mode: this.#mode,
      probers: this.#replica.live,
      boardSilentMs: Math.round(clock.monotonicMs() - this.#contact.lastMs),
      targets: states,
      probing: this.#rounds.size,
      overrides: this.#overrides.count(clock.nowMs()),
    };
  }

  /** For metrics. */
  get load(): { running: number; waiting: number; delayed: number; writes: number } {
    const { running, waiting, delayed } = this.#rounds;
    return { running, waiting, delayed, writes: this.#link.teller.writes };
  }

  #add(id: string, target: Target): void {
    const known = { measured: 'unknown', sinceMs: 0 } as const;
    const state = new TargetState(id, target, this.#options.clock.monotonicMs(), known);
    this.#targets.set(id, state);
    this.#recall(state);
  }

  /** V6: as the votes have it, else the disk. */
  #recall(state: TargetState): void {
    const saved = this.#snapshot.of(state.id);
    if (state.measured === 'unknown' && saved !== undefined) {
      state.measured = saved.measured;
      state.sinceMs = saved.sinceMs;
    }
    const held = this.#replica.heldOf(state.id, this.#options.self);
    if (held === 'unknown' || held === state.measured) return;
    if (state.measured === 'unknown') state.measured = held;
    else this.#flip(state, held);
  }

  #forget(id: string): void {
    this.#targets.delete(id);
    this.#rounds.remove(id);
    this.#link.tell(id, undefined);
  }

  #joined(): void {
    for (const state of this.#targets.values()) this.#recall(state);
    this.#tick();
    this.#membersChanged();
  }

  /** What it voted before is of the past, unless it has gone on deciding for itself. */
  #wasAway(): void {
    if (this.#mode === 'alone') return;
    for (const state of this.#targets.values()) {
      this.#recall(state);
      state.loseVote();
      if (state.own !== undefined) this.#tell(state);
    }
  }

  #heard(ids: ReadonlySet<string>, others: boolean): void {
    this.#tick();
    if (this.#mode !== 'shared') return;
    if (others) this.#membersChanged();
    for (const id of others ? [] : ids) {
      const state = this.#targets.get(id);
      if (state !== undefined) this.#evaluate(state);
    }
  }

  #failed(error: unknown): void {
    this.counts.boardFailures++;
    this.#lastError = error;
    this.#tick();
  }

  #membersChanged(): void {
    if (this.#mode !== 'shared') return;
    const { self, clock } = this.#options;
    this.#ranking = rankingOf(new Set([...this.#replica.live, self]));
    this.#membersMs = clock.monotonicMs();
    this.#evaluateAll();
  }

  #tick(): void {
    if (this.#stopping.signal.aborted) return;
    const nowMs = this.#options.clock.monotonicMs();
    const mode = this.#contact.mode(nowMs);
    if (mode !== this.#mode) this.#enter(mode);
    this.#evaluateSettled(nowMs);
  }

  #enter(mode: Mode): void {
    const before = this.#mode;
    this.#mode = mode;
    this.#logMode(before, mode);
    if (mode === 'alone') this.#goAlone();
    if (mode === 'shared') this.#membersChanged();
    this.#changed();
  }

  #logMode(before: Mode, mode: Mode): void {
    const { log } = this.#options;
    const error = this.#lastError;
    if (mode === 'frozen') log.warn('health-store-lost', 'health stays as it is', { error });
    if (mode === 'alone') {
      log.warn('health-alone', `deciding alone over ${this.#targets.size} targets`, { error });
    }
    const isBack = before === 'frozen' || before === 'alone';
    if (isBack && (mode === 'settling' || mode === 'shared')) {
      log.info('health-store-back', 'the store answers again', {});
    }
  }

  /** V5: what is known goes on until own probes have shown otherwise. */
  #goAlone(): void {
    for (const state of this.#targets.values()) {
      state.restart();
      this.#rounds.add(state.id, state.target, state.measured !== 'unknown');
      this.#tell(state);
      this.#evaluate(state);
    }
  }

  #evaluateAll(): void {
    for (const state of this.#targets.values()) this.#evaluate(state);
  }

  /** Who has been silent for long enough is passed over from now on. */
  #evaluateSettled(nowMs: number): void {
    if (this.#promisesMs !== 0 && nowMs >= this.#promisesMs) {
      this.#promisesMs = 0;
      this.#changed();
    }
    if (this.#mode !== 'shared' || this.#settlingMs === 0 || nowMs < this.#settlingMs) return;
    this.#settlingMs = 0;
    this.#evaluateAll();
  }

  #evaluate(state: TargetState): void {
    if (this.#mode === 'joining' || this.#mode === 'frozen') return;
    const nowMs = this.#options.clock.monotonicMs();
    const before = state.toFlipMs(nowMs);
    if (this.#mode === 'alone') {
      this.#beginProbing(state);
      this.#flip(state, state.decideAlone());
    } else {
      this.#choose(state, nowMs);
    }
    if (this.#mode === 'shared')
      this.#flip(state, state.decideBy(this.#replica, this.#options.self));
    if (state.toFlipMs(nowMs) !== before) this.#changed();
  }

  #choose(state: TargetState, nowMs: number): void {
    const { self } = this.#options;
    const settledMs = Math.max(state.addedMs, this.#membersMs) + SILENT_MS;
    const isSilent = nowMs >= settledMs;
    if (!isSilent) this.#settlingMs = Math.max(this.#settlingMs, settledMs);
    if (state.chooseProbers(this.#ranking, this.#replica, self, isSilent)) {
      state.keepPromises(nowMs);
      this.#promisesMs = nowMs + MEMBERS_MS;
    }
    if (state.probing.includes(self)) {
      this.#beginProbing(state);
      this.#tell(state);
    } else if (this.#mode === 'shared') {
      this.#stopProbing(state);
    }
  }

  #beginProbing(state: TargetState): void {
    if (state.own !== undefined) return;
    state.begin(this.#replica.vote(this.#options.self, state.id));
    this.#rounds.add(state.id, state.target, state.measured !== 'unknown');
  }

  #stopProbing(state: TargetState): void {
    state.own = undefined;
    this.#rounds.remove(state.id);
    this.#link.tell(state.id, undefined);
  }

  #tell(state: TargetState): void {
    if (!state.probing.includes(this.#options.self)) return;
    this.#link.tell(state.id, formatVote(state.voteAt(this.#link.nowMs)));
  }

  #probed(id: string, result: ProbeResult): void {
    const state = this.#targets.get(id);
    if (state === undefined) return;
    this.counts.probe(state.target.check.type, result);
    if (result.verdict === 'not-probed') this.#logNotProbed(state, result);
    if (!state.take(result)) return;
    this.#tell(state);
    if (this.#mode === 'alone') this.#evaluate(state);
  }

  #logNotProbed({ target }: TargetState, { reason }: ProbeResult): void {
    const { address, check } = target;
    const text = `${address} was not probed: ${reason}`;
    this.#options.log.warn('health-not-probed', text, { address, type: check.type, reason });
  }

  #flip(state: TargetState, measured: Measured): void {
    const before = state.measured;
    if (measured === before) return;
    state.flip(measured, this.#options.clock.nowMs());
    if (before !== 'unknown' || measured === 'down') {
      this.#logFlip(state);
      this.counts.flips[measured === 'down' ? 'down' : 'up']++;
    }
    if (state.own !== undefined) this.#tell(state);
    this.#snapshot.changed();
    this.#changed();
  }

  #logFlip({ id, target, measured }: TargetState): void {
    const { log } = this.#options;
    const { votes } = this.view.of(id);
    const words = votes.map(({ node, state, reason }) => `${node} ${state}: ${reason}`);
    const text = `${target.address} is ${measured} (${words.join(', ') || 'decided alone'})`;
    const fields = { address: target.address, type: target.check.type };
    if (measured === 'down') log.warn('health-down', text, fields);
    else log.info('health-up', text, fields);
  }

  #wakeForOverrides(): void {
    const { clock } = this.#options;
    this.#cancelWake();
    const endMs = this.#overrides.nextEndMs(clock.nowMs());
    if (endMs === Number.POSITIVE_INFINITY || this.#stopping.signal.aborted) return;
    const delayMs = Math.min(MAX_WAKE_MS, endMs - clock.nowMs());
    this.#cancelWake = clock.after(delayMs, () => {
      this.#wakeForOverrides();
      this.#changed();
    });
  }

  #changed(): void {
    if (this.#isTelling || this.#stopping.signal.aborted) return;
    this.#isTelling = true;
    const tell = () => {
      this.#isTelling = false;
      for (const callback of this.#listeners) callback();
    };
    this.#options.clock.after(COALESCE_MS, tell, this.#stopping.signal);
  }
}
