// The DHCP server: takes messages in, decides by the engine, has the book do it, sends the reply.
// Everything it keeps is bounded, and each way out has a name (reasons.ts).
import type { Ipv4 } from '../shared/net/ipv4.ts';
import { BoundedMap } from './engine/bounded-map.ts';
import { Turns } from './engine/bucket.ts';
import { decide } from './engine/decide.ts';
import { echoOf, outgoing } from './engine/delivery.ts';
import type { Asked } from './engine/explain.ts';
import { type Explanation, explain, type LastDecision } from './engine/explain.ts';
import { Limits } from './engine/limits.ts';
import { Prepared } from './engine/prepared.ts';
import { latin, makeQuery } from './engine/query.ts';
import type { Context, Query } from './engine/types.ts';
import { WaitingQueue } from './engine/waiting-queue.ts';
import type { Ingress } from './io/types.ts';
import type { LeaseCounts } from './leases/types.ts';
import type { Network } from './plan/types.ts';
import type { Reason } from './reasons.ts';
import { CarryOut, countNetwork, type Outcome } from './server-carry-out.ts';
import type { ServerDependencies } from './server-types.ts';
import { encodeReply, maxReplyBytes } from './wire/encode.ts';
import { parseRequest } from './wire/parse.ts';
import { MESSAGE, type Request } from './wire/types.ts';

/** How many clients' last decisions explain can tell. */
const MAX_REMEMBERED = 16_384;
/** Free addresses are counted that often, for the length of leases. */
const COUNT_EVERY_MS = 1000;

export class DhcpServer {
  readonly #dependencies: ServerDependencies;
  readonly #carryOut: CarryOut;
  readonly #limits: Limits;
  readonly #turns = new Turns();
  readonly #waiting: WaitingQueue;
  readonly #underWay = new Set<string>();
  readonly #last = new BoundedMap<string, LastDecision>(MAX_REMEMBERED);
  #prepared: Prepared | undefined;
  #counts = new Map<Network, { counts: LeaseCounts; atMs: number }>();
  #state: 'serving' | 'draining' | 'stopped' = 'serving';
  #whenIdle: (() => void)[] = [];

  constructor(dependencies: ServerDependencies) {
    this.#dependencies = dependencies;
    this.#carryOut = new CarryOut(dependencies);
    this.#limits = new Limits(dependencies.settings.limits);
    this.#waiting = new WaitingQueue(dependencies.settings.maxPending);
  }

  /**
   * One message as it came; the bytes stay as they are until it is answered. Never throws: it comes
   * from outside.
   */
  receive(bytes: Uint8Array, ingress: Ingress): void {
    const { count } = this.#dependencies;
    const problem = this.#state === 'stopped' ? 'stopped' : this.#isStale(ingress) && 'stale';
    const request = problem === false ? parseRequest(bytes) : problem;
    if (typeof request === 'string') count(request);
    else if (ingress.isOld && endsLease(request)) count('stale');
    else this.#take(makeQuery(request, ingress));
  }

  /** New clients are left to the other members; who holds an address is answered until stop(). */
  drain(): void {
    if (this.#state === 'serving') this.#state = 'draining';
  }

  undrain(): void {
    if (this.#state === 'draining') this.#state = 'serving';
  }

  /** Takes nothing in any more; resolves when what was under way has ended. */
  async stop(): Promise<void> {
    this.#state = 'stopped';
    for (let query = this.#waiting.take(); query !== undefined; query = this.#waiting.take()) {
      this.#end(query, 'stopped');
    }
    await this.idle();
  }

  /** Resolves as soon as no message is under way. */
  idle(): Promise<void> {
    if (this.#underWay.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  get pending(): { underWay: number; waiting: number } {
    return { underWay: this.#underWay.size, waiting: this.#waiting.size };
  }

  /** What a client would be answered now, and was answered last; nothing is changed. */
  explain(asked: Asked): Explanation {
    const last = this.#last.get(latin(asked.mac));
    return explain((query) => this.#context(query), asked, last);
  }

  #take(query: Query): void {
    const refused = this.#refusal(query);
    if (refused !== undefined) {
      this.#end(query, refused);
    } else if (this.#underWay.size < this.#dependencies.settings.maxPending) {
      this.#start(query);
    } else {
      const dropped = this.#waiting.add(query);
      if (dropped !== undefined) this.#end(dropped, dropped === query ? 'queue-full' : 'displaced');
    }
  }

  #refusal(query: Query): Reason | undefined {
    const { settings, members, clock } = this.#dependencies;
    if (this.#underWay.has(query.identity)) return 'duplicate';
    const limit = this.#limits.exceeded(query, clock.monotonicMs());
    if (limit !== undefined) return limit;
    return this.#turns.isOurs(query, settings, members()) ? undefined : 'bucket';
  }

  /** What needs no waiting is answered before this returns; all else is under way then. */
  #start(query: Query): void {
    let outcome: Outcome | Promise<Outcome>;
    try {
      const context = this.#context(query);
      outcome = this.#carryOut.run(context, decide(context));
    } catch (error) {
      this.#failed(query, error);
      return;
    }
    if (outcome instanceof Promise) this.#await(query, outcome);
    else this.#finish(query, outcome);
  }

  #await(query: Query, outcome: Promise<Outcome>): void {
    const { identity } = query;
    this.#underWay.add(identity);
    const left = (): void => {
      this.#underWay.delete(identity);
      this.#startNext();
    };
    outcome.then(
      (each) => {
        this.#finish(query, each);
        left();
      },
      (error: unknown) => {
        this.#failed(query, error);
        left();
      },
    );
  }

  #startNext(): void {
    const { maxPending } = this.#dependencies.settings;
    while (this.#waiting.size > 0 && this.#underWay.size < maxPending) {
      const query = this.#waiting.take();
      if (query === undefined) break;
      if (this.#isStale(query.ingress)) this.#end(query, 'stale');
      else if (this.#underWay.has(query.identity)) this.#end(query, 'duplicate');
      else this.#start(query);
    }
    if (this.#underWay.size > 0) return;
    const waiting = this.#whenIdle;
    this.#whenIdle = [];
    for (const resolve of waiting) resolve();
  }

  #finish(query: Query, outcome: Outcome): void {
    try {
      this.#end(query, this.#send(query, outcome), outcome.address);
    } catch (error) {
      this.#failed(query, error);
    }
  }

  /** One message's error must not end the service; it is seen in the log and the counter. */
  #failed(query: Query, error: unknown): void {
    this.#dependencies.notice('request-failed', 'a message could not be handled', { error });
    this.#end(query, 'failed');
  }

  #send(query: Query, { reason, reply, way, replyByMs }: Outcome): Reason {
    if (reply === undefined || way === undefined) return reason;
    const bytes = encodeReply(reply, {
      maxBytes: maxReplyBytes(query.request),
      ...echoOf(query, reply),
    });
    const packet = outgoing(query, reply, way, bytes);
    // R5, and what waited: right before it leaves.
    const nowMs = this.#dependencies.clock.monotonicMs();
    if (this.#isStale(query.ingress) || nowMs > (replyByMs ?? nowMs)) return 'late';
    this.#dependencies.transport.send(packet);
    return reason;
  }

  #isStale({ receivedMs }: Ingress): boolean {
    const { clock, settings } = this.#dependencies;
    return clock.monotonicMs() - receivedMs > settings.staleAfterMs;
  }

  #context(query: Query): Context {
    const { plan, book, settings } = this.#dependencies;
    const current = plan();
    if (this.#prepared?.plan !== current) {
      this.#prepared = Prepared.of(current, settings);
      this.#counts = new Map();
    }
    const prepared = this.#prepared;
    return {
      plan: current,
      prepared,
      leases: book,
      settings,
      query,
      isDraining: this.#state !== 'serving',
      counts: (network, asOfNow) => this.#countsOf(prepared, network, asOfNow),
    };
  }

  #countsOf(prepared: Prepared, network: Network, asOfNow = false): LeaseCounts {
    const nowMs = this.#dependencies.clock.monotonicMs();
    const known = this.#counts.get(network);
    // Near the end every address counts.
    const isRecent = !asOfNow && known !== undefined && nowMs - known.atMs < COUNT_EVERY_MS;
    if (isRecent && known.counts.free > 0) return known.counts;
    const counts = countNetwork(this.#dependencies.book, prepared, network);
    this.#counts.set(network, { counts, atMs: nowMs });
    return counts;
  }

  #end({ request, name }: Query, reason: Reason, address?: Ipv4): void {
    const { clock, count } = this.#dependencies;
    count(reason);
    const { messageType } = request;
    const entry = { atMs: clock.nowMs(), messageType, reason };
    this.#last.set(name, address === undefined ? entry : { ...entry, address });
  }
}

/** What is named is the address alone: an old one would end a lease that began since (R6). */
function endsLease({ messageType }: Request): boolean {
  return messageType === MESSAGE.RELEASE || messageType === MESSAGE.DECLINE;
}
