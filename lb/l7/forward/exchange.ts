// One request on its way: a place at a target, a connection, what is sent and what comes back, and
// what may be tried again (docs/balancing.md, H4 to H7).
import type { PoolTimeouts } from '../../../shared/site/lb-objects.ts';
import type { Balancer, Outcome, PickKey, Place } from '../../pools/types.ts';
import type { ResponseHead } from '../http1/types.ts';
import type {
  ConnectFailure,
  ForwardFailure,
  Forwarding,
  ForwardRecord,
  Outgoing,
  TerminationCause,
  UpstreamError,
} from '../types.ts';
import type { ConnectOptions, MessageShape, TargetConnection } from '../upstream/types.ts';
import type { ClientSocket, Incoming, UpstreamEvents } from '../wiring.ts';
import * as failures from './failures.ts';
import type { OpenExchanges } from './forwarder.ts';
import { headListOf } from './head-list.ts';
import { HeldBody } from './held-body.ts';
import { pickKeyOf } from './pick-key.ts';
import { proxyHeaderOf } from './proxy-header.ts';
import { createRecord } from './record.ts';
import { Retries } from './retries.ts';
import { cookieFor } from './sticky.ts';

const NONE: readonly string[] = [];

/** It is a connection's events and its message's shape by itself: a request costs one object. */
export class Exchange implements Forwarding, UpstreamEvents, MessageShape {
  readonly record: ForwardRecord;
  readonly isHead: boolean;
  readonly hasBody: boolean;
  readonly isUpgrade: boolean;
  readonly chunked: boolean;
  /** Where the forwarder has it. */
  slot = -1;
  readonly #forwarder: OpenExchanges;
  readonly #request: Outgoing;
  readonly #incoming: Incoming;
  readonly #body: HeldBody | undefined;
  readonly #startedMs: number;
  #balancer!: Balancer;
  #key!: PickKey;
  #retries: Retries | undefined;
  #place: Place | undefined;
  #connection: TargetConnection | undefined;
  /** Of the wait for a place or a connection. */
  #cancel: (() => void) | undefined;
  #sentMs = 0;
  #latencyMs = 0;
  #hasBegun = false;
  #isOver = false;
  #isHeadTold = false;
  /** The client takes no more; the target takes no more. */
  #isPaused = false;
  #isBlocked = false;
  /** For how long nothing may happen; 0: for any time. */
  #limitMs = 0;
  #quietSinceMs = 0;
  #isActive = false;

  constructor(forwarder: OpenExchanges, request: Outgoing, incoming: Incoming) {
    const { route, view, hasBody, bodyBytes } = request;
    if (route.action.kind !== 'pool') throw new Error(`route ${route.name} has no pool`);
    this.#forwarder = forwarder;
    this.#request = request;
    this.#incoming = incoming;
    this.isHead = view.method === 'HEAD';
    this.hasBody = hasBody;
    this.isUpgrade = request.isUpgrade;
    this.chunked = hasBody && bodyBytes < 0;
    this.#body = hasBody ? new HeldBody() : undefined;
    this.#startedMs = forwarder.options.clock.monotonicMs();
    this.record = createRecord(route.action.pool);
  }

  begin(): void {
    const { balancers, sticky } = this.#forwarder.options;
    const { view, client } = this.#request;
    const balancer = balancers(this.record.pool);
    if (balancer === undefined) {
      this.#failSoon(failures.NO_POOL);
    } else {
      this.#balancer = balancer;
      this.#key = pickKeyOf(balancer, view, client, sticky);
      balancer.countRequest(this.#startedMs);
      this.#seek(this.#startedMs, undefined);
    }
    this.#hasBegun = true;
  }

  // The front's side.

  writeBody(piece: Buffer): boolean {
    const body = this.#body;
    if (this.#isOver || body === undefined) return true;
    const connection = this.#connection;
    let isTaken: boolean;
    if (connection === undefined) {
      isTaken = body.hold(piece);
    } else {
      body.keep(piece);
      isTaken = connection.writeBody(piece);
      this.#allow(this.#isHeadTold || !isTaken ? this.#timeout('idleMs') : 0);
    }
    this.#isBlocked = !isTaken;
    return isTaken;
  }

  endBody(trailers: Buffer | undefined): void {
    const body = this.#body;
    if (this.#isOver || body === undefined) return;
    body.isEnded = true;
    body.trailers = trailers;
    if (this.#connection === undefined) return;
    this.#connection.endBody(trailers);
    if (!this.#isHeadTold) this.#allow(this.#timeout('headMs'));
  }

  abort(cause: TerminationCause): void {
    if (this.#isOver) return;
    this.#finish(cause);
    this.#cancel?.(); // a wait that is cancelled says so once more
    this.#connection?.abort();
    this.#leave(this.#isHeadTold ? this.#responseOutcome() : failures.CANCELLED);
  }

  resume(): void {
    this.#isPaused = false;
    this.#isActive = true;
    this.#connection?.resume();
  }

  tick(nowMs: number): void {
    if (this.#limitMs === 0) return;
    if (this.#isActive) {
      this.#isActive = false;
      this.#quietSinceMs = nowMs;
    } else if (nowMs - this.#quietSinceMs >= this.#limitMs) {
      const isClients = this.#isPaused;
      this.#connection?.abort();
      this.#leave(isClients ? this.#responseOutcome() : failures.FAILED);
      this.#fail(isClients ? failures.CLIENT_TIMEOUT : failures.HEAD_TIMEOUT);
    }
  }

  // A place and a connection.

  /** `earlier`: why this is not the first try. */
  #seek(nowMs: number, earlier: ForwardFailure | undefined): void {
    const balancer = this.#balancer;
    const place = balancer.queued > 0 ? undefined : balancer.pick(this.#key, this.#tried(), nowMs);
    if (place !== undefined) this.#take(place, nowMs);
    else this.#queue(nowMs, earlier);
  }

  #queue(nowMs: number, earlier: ForwardFailure | undefined): void {
    let isDone = false;
    const cancel = this.#balancer.acquire(this.#key, this.#tried(), nowMs, (result) => {
      isDone = true;
      this.#cancel = undefined;
      if (typeof result !== 'string') this.#take(result, this.#now());
      else this.#failSoon(earlier ?? failures.ofPick(result));
    });
    if (!isDone) this.#cancel = cancel;
  }

  #tried(): readonly string[] {
    return this.#retries?.tried ?? NONE;
  }

  #take(place: Place, nowMs: number): void {
    this.#place = place;
    this.record.target = place.target.id;
    this.record.queueMs = nowMs - this.#startedMs;
    this.#open(nowMs);
  }

  #open(nowMs: number): void {
    const { upstreams } = this.#forwarder.options;
    const target = (this.#place as Place).target.state; // there is one
    const isFresh = this.#retries?.isFreshWanted === true;
    const isPooled = this.#balancer.proxy.sendProxy === undefined && !isFresh;
    const idle = isPooled ? upstreams.takeIdle(this.#balancer, target) : undefined;
    this.record.tries++;
    this.#limitMs = 0;
    if (idle !== undefined) this.#send(idle, nowMs);
    else this.#connect(isFresh);
  }

  #connect(isFresh: boolean): void {
    const { upstreams } = this.#forwarder.options;
    const options: ConnectOptions = {
      fresh: isFresh,
      connectMs: this.#timeout('connectMs'),
      proxyHeader: proxyHeaderOf(this.#balancer.proxy.sendProxy, this.#request.client),
    };
    const target = (this.#place as Place).target.state; // there is one
    this.#cancel = upstreams.connect(this.#balancer, target, options, (result) => {
      this.#cancel = undefined;
      if ('kind' in result) this.#unconnected(result);
      else this.#send(result, this.#now());
    });
  }

  #unconnected(failure: ConnectFailure): void {
    const nowMs = this.#now();
    const { target, tries } = this.record;
    this.#leave(failures.CONNECT_FAILED);
    if (this.#made().afterConnect(target, tries, nowMs))
      this.#seek(nowMs, failures.ofConnect(failure));
    else this.#fail(failures.ofConnect(failure));
  }

  #send(connection: TargetConnection, nowMs: number): void {
    const request = this.#request;
    this.#connection = connection;
    this.#sentMs = nowMs;
    this.record.isReused = connection.isReused;
    this.record.connectMs = nowMs - this.#startedMs;
    if (connection.isHttp2) connection.sendList(headListOf(request), this, this);
    else connection.send(request.headBytes(request.route.rewriteHost), this, this);
    this.#limitMs = this.#timeout('headMs');
    this.#quietSinceMs = nowMs;
    if (this.#body !== undefined) this.#sendBody(connection, this.#body);
  }

  #sendBody(connection: TargetConnection, body: HeldBody): void {
    let isTaken = true;
    for (const piece of body.pieces) isTaken = connection.writeBody(piece);
    if (body.isEnded) connection.endBody(body.trailers);
    else if (body.bytes > 0 || this.#request.view.header('expect') === undefined) this.#limitMs = 0;
    if (!connection.isReused || !failures.isIdempotent(this.#request.view.method)) body.release();
    if (!isTaken) this.#allow(this.#timeout('idleMs'));
    else if (this.#isBlocked) this.onDrain();
    this.#isBlocked = !isTaken;
  }

  // The target's side.

  onInterim(head: ResponseHead): void {
    this.#body?.release();
    this.#isActive = true;
    this.#incoming.onInterim(head);
    if (head.status !== 100 || this.#isOver || this.#body?.isEnded !== false) return;
    if (!this.#isBlocked) this.#limitMs = 0;
    this.#incoming.onDrain();
  }

  onHead(head: ResponseHead): void {
    const nowMs = this.#answered(head.status);
    if (this.#isUnwanted(head.status) && this.#tryElsewhere(nowMs)) return;
    this.#body?.release();
    this.#isHeadTold = true;
    this.#allow(this.#timeout('idleMs'));
    const { sticky } = this.#forwarder.options;
    const { client } = this.#request;
    const cookie = cookieFor(sticky, this.#balancer, this.#key, this.record.target, client);
    this.#incoming.onHead(head, cookie);
  }

  #answered(status: number): number {
    const nowMs = this.#now();
    this.record.status = status;
    this.record.headMs = nowMs - this.#startedMs;
    this.#latencyMs = nowMs - this.#sentMs;
    return nowMs;
  }

  onBody(piece: Buffer): void {
    this.record.bytesIn += piece.length;
    this.#isActive = true;
    if (this.#incoming.onBody(piece) || this.#isPaused) return;
    this.#isPaused = true;
    this.#connection?.pause();
  }

  onEnd(trailers: Buffer | undefined): void {
    this.#connection = undefined;
    this.#leave(this.#responseOutcome());
    this.#finish('ok');
    this.#incoming.onEnd(trailers);
  }

  onError(error: UpstreamError): void {
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection !== undefined && this.#isRepeated(error, connection)) {
      this.#open(this.#now());
      return;
    }
    this.#leave(failures.FAILED);
    this.#fail(failures.ofError(error));
  }

  onUpgrade(head: ResponseHead, socket: ClientSocket, rest: Buffer): void {
    this.#answered(head.status);
    this.#connection = undefined;
    const place = this.#place;
    this.#place = undefined;
    // The target has a stream open for as long as that.
    const outcome = this.#responseOutcome();
    socket.once('close', () => place?.end(outcome, this.#now()));
    this.#finish('ok');
    this.#incoming.onUpgrade(head, socket, rest);
  }

  onDrain(): void {
    if (this.#isOver) return;
    this.#isBlocked = false;
    if (!this.#isHeadTold && this.#body?.isEnded === false) this.#limitMs = 0;
    this.#incoming.onDrain();
  }

  // What may be tried again.

  #isUnwanted(status: number): boolean {
    const { statuses } = this.#balancer.proxy.retries;
    if (statuses.length === 0 || !statuses.includes(status)) return false;
    if (this.hasBody || this.isUpgrade || !failures.isIdempotent(this.#request.view.method))
      return false;
    return this.#made().afterStatus(this.record.target, this.record.tries);
  }

  #isRepeated(error: UpstreamError, connection: TargetConnection): boolean {
    const isBodyWhole = this.#body === undefined || this.#body.isWhole;
    const isRepeatable = isBodyWhole && failures.isIdempotent(this.#request.view.method);
    const so = { tries: this.record.tries, isRepeatable, isBodyWhole };
    return this.#made().afterError(error, connection, so, this.#now());
  }

  #made(): Retries {
    this.#retries ??= new Retries(this.#balancer);
    return this.#retries;
  }

  /** The response is given up for another target's; false: there is none, or no budget. */
  #tryElsewhere(nowMs: number): boolean {
    const place = this.#balancer.pick(this.#key, this.#tried(), nowMs);
    if (place === undefined) return false;
    if (!this.#balancer.mayRetry(nowMs)) {
      place.end(failures.CANCELLED, nowMs);
      return false;
    }
    this.#connection?.abort();
    this.#connection = undefined;
    this.#leave(this.#responseOutcome());
    this.#take(place, nowMs);
    return true;
  }

  // Its end.

  #responseOutcome(): Outcome {
    return { kind: 'response', status: this.record.status, latencyMs: this.#latencyMs };
  }

  /** Gives the place back. */
  #leave(outcome: Outcome): void {
    const place = this.#place;
    this.#place = undefined;
    place?.end(outcome, this.#now());
  }

  /** Not from within `forward`, whose caller has nothing in hand yet. */
  #failSoon(failure: ForwardFailure): void {
    if (this.#hasBegun) this.#fail(failure);
    else queueMicrotask(() => this.#fail(failure));
  }

  #fail(failure: ForwardFailure): void {
    if (this.#isOver) return;
    this.#connection = undefined;
    this.#finish(failure.cause);
    if (this.#isHeadTold) this.#incoming.onCut(failure);
    else this.#incoming.onFail(failure);
  }

  #finish(cause: TerminationCause): void {
    this.#isOver = true;
    this.record.cause = cause;
    this.#forwarder.remove(this);
  }

  #allow(limitMs: number): void {
    this.#limitMs = limitMs;
    this.#isActive = true;
  }

  #timeout(name: keyof PoolTimeouts): number {
    return this.#request.route.timeouts[name] ?? this.#balancer.proxy.timeouts[name];
  }

  #now(): number {
    return this.#forwarder.options.clock.monotonicMs();
  }
}
