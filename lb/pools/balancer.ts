// One pool in one worker: picks targets, keeps their open places and the queue, learns from how
// requests end. Time and randomness come in. Pure.

import type { Random } from '../../shared/random.ts';
import type { PoolProxy } from '../../shared/site/lb-objects.ts';
import { RetryBudget } from './budget.ts';
import type { Taken } from './ejection.ts';
import { Member } from './member.ts';
import { type Waiter, WaitQueue } from './queue.ts';
import { createSelector } from './select/create.ts';
import type { Selector } from './select/selector.ts';
import { type Serving, servingOf } from './serving.ts';
import type {
  Balancer,
  Outcome,
  PickFailure,
  PickKey,
  Place,
  PoolState,
  PoolStatistics,
  Skipped,
  TargetId,
} from './types.ts';

export type BalancerOptions = {
  random: Random;
  /** Monotonic. */
  nowMs: number;
  /** The wall clock at `nowMs`, for TargetState.upSinceMs; without it that is monotonic, too. */
  wallMs?: number;
};

export function createBalancer(state: PoolState, options: BalancerOptions): Balancer {
  return new PoolBalancer(state, options);
}

const NOBODY: Serving = { members: [], tier: [], isFailOpen: false, untilMs: 0 };

class PoolBalancer implements Balancer {
  readonly #random: Random;
  readonly #wallOffsetMs: number;
  readonly #budget: RetryBudget;
  readonly #queue = new WaitQueue();
  #state: PoolState;
  #selector: Selector;
  #all: readonly Member[] = [];
  #byId = new Map<TargetId, Member>();
  #serving = NOBODY;
  #isStale = true;
  #isPumping = false;
  /** Of the pick that is under way. */
  #tried: readonly TargetId[] = [];
  readonly #isFree = (member: Member): boolean =>
    this.#hasRoom(member) && !this.#tried.includes(member.id);
  #waited = 0;
  #retries = 0;
  #retriesRefused = 0;
  readonly #failures = { 'no-target': 0, 'queue-full': 0, 'queue-timeout': 0, cancelled: 0 };

  constructor(state: PoolState, { random, nowMs, wallMs = nowMs }: BalancerOptions) {
    this.#random = random;
    this.#wallOffsetMs = wallMs - nowMs;
    this.#budget = new RetryBudget(nowMs);
    this.#state = state;
    this.#selector = createSelector(state.proxy, random);
    this.update(state, nowMs);
  }

  get name(): string {
    return this.#state.name;
  }

  get proxy(): PoolProxy {
    return this.#state.proxy;
  }

  get queued(): number {
    return this.#queue.size;
  }

  get isFailOpen(): boolean {
    return this.#serving.isFailOpen;
  }

  update(state: PoolState, nowMs: number): void {
    const before = this.#state.proxy;
    const { algorithm, boundPercent, passive } = state.proxy;
    if (algorithm !== before.algorithm || boundPercent !== before.boundPercent) {
      this.#selector = createSelector(state.proxy, this.#random);
    }
    this.#state = state;
    this.#all = state.targets.map((target) => this.#memberFor(target, nowMs));
    this.#byId = new Map(this.#all.map((member) => [member.id, member]));
    if (passive.failures === 0) for (const { ejection } of this.#all) ejection.clear();
    this.#isStale = true;
    this.#refresh(nowMs);
    this.#pump(nowMs);
  }

  pick(key: PickKey, tried: readonly TargetId[], nowMs: number): Place | undefined {
    if (this.#queue.size > 0) this.#pump(nowMs);
    return this.#take(key, tried, nowMs);
  }

  acquire(
    key: PickKey,
    tried: readonly TargetId[],
    nowMs: number,
    done: (result: Place | PickFailure) => void,
  ): () => void {
    const place = this.pick(key, tried, nowMs);
    if (place !== undefined) {
      done(place);
      return () => {};
    }
    const { maxQueue, timeouts } = this.proxy;
    const refusal = this.#refusal(maxQueue, timeouts.queueMs);
    if (refusal !== undefined) {
      this.#fail(done, refusal);
      return () => {};
    }
    const waiter = { key, tried, untilMs: nowMs + timeouts.queueMs, done };
    this.#queue.add(waiter);
    this.#waited++;
    return () => this.#endWait(waiter, 'cancelled');
  }

  tick(nowMs: number): void {
    for (const waiter of this.#queue.over(nowMs)) this.#endWait(waiter, 'queue-timeout');
    this.#refresh(nowMs);
    this.#pump(nowMs);
  }

  mayRetry(nowMs: number): boolean {
    const may = this.#budget.take(this.proxy.retries.budgetPercent, nowMs);
    if (may) this.#retries++;
    else this.#retriesRefused++;
    return may;
  }

  countRequest(nowMs: number): void {
    this.#budget.countRequest(nowMs);
  }

  explain(key: PickKey, nowMs: number): ReturnType<Balancer['explain']> {
    this.#refresh(nowMs);
    const { algorithm } = this.proxy;
    const isHashed = algorithm === 'ring' || algorithm === 'maglev';
    const picked =
      this.#stickyTo(key, [], nowMs) ?? (isHashed ? this.#select(key, [], nowMs) : undefined);
    return this.#all.map((member) => {
      const skipped = this.#skippedNow(member);
      const { weight } = member;
      return {
        ...{ target: member, weight },
        ...(skipped === undefined ? {} : { skipped }),
        ...(member === picked ? { isPicked: true } : {}),
      };
    });
  }

  statistics(nowMs: number): PoolStatistics {
    this.#refresh(nowMs);
    const targets = this.#all.map((member) => {
      const { id, weight, open, latencyMs, requests, failures, cancelled, ejection } = member;
      const counts = { id, weight, open, latencyMs, requests, failures, cancelled };
      const skipped = this.#skippedNow(member);
      const ejections = ejection.total;
      return { ...counts, ejections, ...(skipped === undefined ? {} : { skipped }) };
    });
    return {
      targets,
      queued: this.queued,
      waited: this.#waited,
      failures: { ...this.#failures },
      retries: this.#retries,
      retriesRefused: this.#retriesRefused,
    };
  }

  /** A place's end, told by it once. */
  ended(place: Held, outcome: Outcome, nowMs: number): void {
    const { target: member } = place;
    member.open--;
    member.learn(outcome, nowMs);
    const { passive } = this.proxy;
    const mayEject = () => this.#mayEject();
    if (member.ejection.end(place, outcome, nowMs, passive, mayEject)) this.#isStale = true;
    this.#pump(nowMs);
  }

  #memberFor(state: PoolState['targets'][number], nowMs: number): Member {
    const known = this.#byId.get(state.id);
    const member = known ?? new Member(state);
    // Workers begin at different turns, so that they do not all send their first to the same one.
    if (known === undefined) member.credit = this.#random.next() * state.weight;
    if (state.upSinceMs === 0) {
      member.upSinceMs = Number.NEGATIVE_INFINITY;
    } else if (known === undefined || known.state.upSinceMs !== state.upSinceMs) {
      // Not later than now: the wall clock may have jumped back.
      member.upSinceMs = Math.min(nowMs, state.upSinceMs - this.#wallOffsetMs);
    }
    if (known !== undefined && known.state.health === 'down' && state.health === 'up') {
      known.ejection.clear();
    }
    member.state = state;
    return member;
  }

  #refresh(nowMs: number): void {
    if (!this.#isStale && nowMs < this.#serving.untilMs) return;
    this.#isStale = false;
    this.#serving = servingOf(this.#all, this.proxy, nowMs);
    this.#selector.update(this.#serving.members, this.#serving.tier);
  }

  #take(key: PickKey, tried: readonly TargetId[], nowMs: number): Place | undefined {
    this.#refresh(nowMs);
    const member = this.#stickyTo(key, tried, nowMs) ?? this.#select(key, tried, nowMs);
    if (member === undefined) return undefined;
    const place = new Held(this, member, nowMs);
    member.open++;
    member.requests++;
    if (member.ejection.take(place, nowMs)) this.#isStale = true;
    return place;
  }

  /** A client's own target serves it while it drains, too, and whatever its tier and weight. */
  #stickyTo(key: PickKey, tried: readonly TargetId[], nowMs: number): Member | undefined {
    if (key.sticky === undefined || tried.includes(key.sticky)) return undefined;
    const member = this.#byId.get(key.sticky);
    if (member === undefined || !this.#hasRoom(member)) return undefined;
    const isWell = member.state.health !== 'down' && member.ejection.mayServe(nowMs);
    return isWell || member.isServing ? member : undefined;
  }

  #select(key: PickKey, tried: readonly TargetId[], nowMs: number): Member | undefined {
    this.#tried = tried;
    const untried = this.#selector.select(key.hash, this.#isFree, nowMs);
    this.#tried = [];
    if (untried !== undefined || tried.length === 0) return untried;
    return this.#selector.select(key.hash, this.#isFree, nowMs);
  }

  #hasRoom(member: Member): boolean {
    const limit = member.state.maxRequests ?? this.proxy.maxRequests;
    return limit === 0 || member.open < limit;
  }

  #skippedNow(member: Member): Skipped | undefined {
    if (member.skipped !== undefined) return member.skipped;
    if (!this.#hasRoom(member)) return 'full';
    return this.#selector.isOverBound?.(member) ? 'bound' : undefined;
  }

  /** Never the only target, never more than the pool's share. */
  #mayEject(): boolean {
    const count = this.#all.length;
    const ejected = this.#all.filter(({ ejection }) => ejection.isEjected).length;
    return count > 1 && 100 * (ejected + 1) <= this.proxy.passive.maxPercent * count;
  }

  #refusal(maxQueue: number, queueMs: number): PickFailure | undefined {
    if (this.#serving.members.length === 0) return 'no-target';
    if (this.#queue.size >= maxQueue) return 'queue-full';
    return queueMs <= 0 ? 'queue-timeout' : undefined;
  }

  #endWait(waiter: Waiter, failure: PickFailure): void {
    if (this.#queue.remove(waiter)) this.#fail(waiter.done, failure);
  }

  #fail(done: (result: PickFailure) => void, failure: PickFailure): void {
    this.#failures[failure]++;
    done(failure);
  }

  /**
   * Gives free places to those that wait. What `done` calls may come back here; the first call goes
   * on then.
   */
  #pump(nowMs: number): void {
    if (this.#queue.size === 0 || this.#isPumping) return;
    this.#isPumping = true;
    for (let waiter = this.#queue.first; waiter !== undefined; waiter = this.#queue.first) {
      if (!this.#serve(waiter, nowMs)) break;
    }
    for (const member of this.#all) this.#serveSticky(member, nowMs);
    this.#isPumping = false;
    if (this.#queue.size === 0 || this.#serving.members.length > 0) return;
    for (const waiter of this.#queue.all()) this.#endWait(waiter, 'no-target');
  }

  /** Only those that stick to a draining target can use it: they need not be the first. */
  #serveSticky(member: Member, nowMs: number): void {
    if (member.isServing || member.state.health === 'down') return;
    while (this.#hasRoom(member)) {
      const own = this.#queue.firstStickyTo(member.id);
      if (own === undefined || !this.#serve(own, nowMs)) return;
    }
  }

  #serve(waiter: Waiter, nowMs: number): boolean {
    const place = this.#take(waiter.key, waiter.tried, nowMs);
    if (place === undefined) return false;
    this.#queue.remove(waiter);
    waiter.done(place);
    return true;
  }
}

class Held implements Place, Taken {
  readonly target: Member;
  readonly takenMs: number;
  #balancer: PoolBalancer | undefined;

  constructor(balancer: PoolBalancer, target: Member, nowMs: number) {
    this.#balancer = balancer;
    this.target = target;
    this.takenMs = nowMs;
  }

  end(outcome: Outcome, nowMs: number): void {
    const balancer = this.#balancer;
    if (balancer === undefined) throw new Error(`a place at ${this.target.id} was ended twice`);
    this.#balancer = undefined;
    balancer.ended(this, outcome, nowMs);
  }
}
