// One request and its response on a client's connection, from the parsed head to the journal. One
// object a connection; it begins anew with each request. Rules: docs/balancing.md, H1 to H7.
import { Body } from '../http1/body.ts';
import type { SimpleWriting } from '../http1/simple-response.ts';
import { FIELD, type Framing, type RequestHead, type ResponseHead } from '../http1/types.ts';
import { framingFor, NO_EDITS, type ResponseWriting } from '../http1/write-head.ts';
import type {
  Decision,
  ForwardFailure,
  Forwarding,
  HeadEdits,
  TerminationCause,
} from '../types.ts';
import type { ClientSocket, Incoming } from '../wiring.ts';
import { Account, NO_REQUEST } from './account.ts';
import { BodyRate } from './body-rate.ts';
import { compressedEdits } from './compressed.ts';
import { httpDate } from './date.ts';
import { GzipBody } from './gzip.ts';
import { isWebSocket, localAnswerOf, mayUpgrade } from './local.ts';
import { answerBytes, pageBytes } from './pages.ts';
import { ClientRequest } from './request.ts';
import { ResponseWriter } from './response.ts';
import type { Tunnel } from './tunnel.ts';
import type { ExchangeOwner, Http1Options } from './types.ts';

/**
 * none: no request. begun: nothing was said to the client. answering: a response's head was.
 * tunnel: behind a 101.
 */
type Stage = 'none' | 'begun' | 'answering' | 'tunnel';

const HAS_DATE = 1 << FIELD.DATE;
const LAST = { keepAlive: false, clientMinor: 1, isHead: false } as const;

export class Exchange implements Incoming {
  /** The forwarder takes no more of the body for now. */
  isBlocked = false;
  /** How long the client may take nothing. */
  idleMs: number;
  readonly #socket: ClientSocket;
  readonly #head: RequestHead;
  readonly #options: Http1Options;
  readonly #owner: ExchangeOwner;
  readonly #request: ClientRequest;
  readonly #writer: ResponseWriter;
  readonly #body = new Body();
  readonly #rate = new BodyRate();
  readonly #account: Account;
  readonly #how: ResponseWriting;
  #stage: Stage = 'none';
  #forwarding: Forwarding | undefined;
  /** forward() has not returned yet: what ends the exchange meanwhile is done after that. */
  #isStarting = false;
  #isOver = false;
  #gzip: GzipBody | undefined;
  #stays = false;
  #isTaking = false;
  #isTooLarge = false;
  #awaitsContinue = false;
  #cause: TerminationCause = 'ok';
  #detail: string | undefined;

  constructor(
    socket: ClientSocket,
    head: RequestHead,
    options: Http1Options,
    owner: ExchangeOwner,
  ) {
    this.#socket = socket;
    this.#head = head;
    this.#options = options;
    this.#owner = owner;
    this.idleMs = options.limits.keepAliveMs;
    this.#request = new ClientRequest(head, options.client, options.policy, options.self);
    this.#writer = new ResponseWriter(socket);
    this.#account = new Account(options.client);
    this.#how = {
      clientMinor: 1,
      keepAlive: true,
      framing: 'none',
      contentLength: -1,
      upgrade: false,
      via: options.self,
      date: '',
      cookie: undefined,
    };
  }

  get routeName(): string {
    return this.#account.route;
  }

  /** Without the rest of the request there is no response; one that refuses it needs no more. */
  get needsBody(): boolean {
    if (this.#stage === 'none' || this.#body.done) return false;
    return this.#stage === 'begun' || this.#account.status < 400;
  }

  /** It may be given to `takeBody`. */
  get takesBody(): boolean {
    return this.#forwarding !== undefined && !this.#body.done && !this.#isOver && !this.isBlocked;
  }

  /** The head was parsed; `startedMs`: its first byte came. */
  begin(startedMs: number): void {
    const options = this.#options;
    const head = this.#head;
    const listener = options.listener();
    this.#account.begin(listener.name, head.minor, startedMs);
    this.#reset();
    this.#stage = 'begun';
    this.#body.reset(head);
    this.#request.begin();
    const { view } = this.#request;
    const local = localAnswerOf(head, view);
    if (local !== undefined) {
      this.#page(local.status, local.cause, local.detail);
      return;
    }
    options.policy.decide(listener, view, options.client, this.#decided);
  }

  /** Of `bytes` from `at` on, so many belong to the request. */
  takeBody(bytes: Buffer, at: number): number {
    const body = this.#body;
    this.#isTaking = true;
    const used = body.takeJoined(bytes, at);
    if (body.content !== undefined) this.#takeContent(body.content);
    this.#isTaking = false;
    const forwarding = this.#forwarding;
    if (forwarding === undefined || this.#isOver) return used;
    if (this.#isTooLarge) this.#refuse(413, 'too-large', 'body');
    else if (body.bad !== undefined) this.#refuse(body.bad.status, 'bad-request', body.bad.reason);
    else if (body.done) forwarding.endBody(body.trailers);
    return used;
  }

  /** The connection is gone, or taken away: nothing more can be said. */
  abort(cause: TerminationCause): void {
    if (this.#stage === 'none') return;
    this.#forwarding?.abort(cause);
    this.#end(cause, undefined, false);
  }

  /** A head that is none, or not whole; status 0: nothing is said. */
  refused(startedMs: number, status: number, cause: TerminationCause, detail?: string): void {
    const { clock, listener, journal } = this.#options;
    const account = this.#account;
    account.begin(listener().name, 1, startedMs);
    account.status = status;
    if (status !== 0) this.#socket.write(pageBytes(status, clock.nowMs(), LAST));
    journal.ended(account.entry(NO_REQUEST, clock.monotonicMs(), cause, detail, undefined));
  }

  clientDrained(): void {
    if (this.#gzip !== undefined) this.#gzip.resume();
    else this.#forwarding?.resume();
  }

  tick(nowMs: number): void {
    this.#writer.flush();
    this.#gzip?.flush();
    if (this.#stage !== 'begun' || this.#forwarding === undefined || this.#body.done) return;
    const { bytesIn } = this.#account;
    const { limits } = this.#options;
    if (!this.#rate.isTooSlow(nowMs, bytesIn, this.isBlocked, limits)) return;
    if (this.#awaitsContinue && bytesIn === 0) this.#refuse(504, 'upstream-timeout', 'continue');
    else this.#refuse(408, 'client-timeout', 'body');
  }

  tunnelOver(tunnel: Tunnel, cause: TerminationCause): void {
    const account = this.#account;
    account.bytesIn = tunnel.bytesIn;
    account.bytesOut = tunnel.bytesOut;
    if (isWebSocket(this.#request.view)) account.protocol = 'websocket';
    this.#end(cause, undefined, false);
  }

  // What the forwarder tells.

  onInterim(head: ResponseHead): void {
    if (head.status === 100) this.#awaitsContinue = false;
    if (this.#head.minor === 0 || this.#stage !== 'begun') return;
    this.#say(head, NO_EDITS, 'none', undefined);
    this.#writer.flush();
  }

  onHead(head: ResponseHead, cookie: string | undefined): void {
    if (this.#stage !== 'begun') return;
    const { policy, client } = this.#options;
    const { route, view } = this.#request;
    let edits = policy.responseEdits(route, client);
    let { framing } = head;
    if (framing !== 'none' && policy.mayCompress(route, view, head)) {
      edits = compressedEdits(head, edits);
      framing = 'close';
      this.#gzip = new GzipBody(this);
    }
    this.#stage = 'answering';
    this.#account.status = head.status;
    this.#say(head, edits, framingFor(framing, this.#head.minor), cookie);
  }

  onBody(piece: Buffer): boolean {
    return this.#gzip === undefined ? this.#writer.body(piece) : this.#gzip.write(piece);
  }

  onEnd(trailers: Buffer | undefined): void {
    if (this.#stage !== 'answering') return;
    if (this.#gzip !== undefined) {
      this.#gzip.end();
      return;
    }
    this.#writer.end(trailers);
    this.#over('ok', undefined);
  }

  onFail(failure: ForwardFailure): void {
    if (this.#stage === 'begun') this.#page(failure.status, failure.cause, failure.detail);
  }

  onCut(failure: ForwardFailure): void {
    if (this.#stage === 'answering') this.#cut(failure.cause, failure.detail);
  }

  onUpgrade(head: ResponseHead, socket: ClientSocket, rest: Buffer): void {
    if (this.#stage !== 'begun') {
      socket.destroy();
      return;
    }
    this.#stage = 'tunnel';
    this.#account.status = head.status;
    const { policy, client, clock } = this.#options;
    const { route } = this.#request;
    this.#how.upgrade = true;
    this.#say(head, policy.responseEdits(route, client), 'none', undefined);
    this.#how.upgrade = false;
    this.#writer.flush();
    const { tunnelMs } = this.#options.timeoutsOf(route);
    this.#owner.onTunnel(socket, rest, tunnelMs, clock.monotonicMs());
  }

  onDrain(): void {
    this.isBlocked = false;
    this.#owner.onBodyWanted();
  }

  // What the compressor tells.

  onCompressed(piece: Buffer): boolean {
    return this.#writer.body(piece);
  }

  onCompressorDrain(): void {
    this.#forwarding?.resume();
  }

  onCompressedEnd(): void {
    this.#writer.end(undefined);
    this.#over('ok', undefined);
  }

  #reset(): void {
    this.isBlocked = false;
    this.idleMs = this.#options.limits.keepAliveMs;
    this.#isOver = false;
    this.#stays = false;
    this.#isTooLarge = false;
    this.#awaitsContinue = this.#head.expectContinue;
  }

  readonly #decided = (decision: Decision): void => {
    if (this.#stage !== 'begun') return; // the client did not wait
    if (decision.kind === 'answer') {
      this.#account.route = decision.route;
      this.#answer(decision);
      return;
    }
    this.#forward(decision);
  };

  #forward({ route }: Decision & { kind: 'forward' }): void {
    const request = this.#request;
    request.route = route;
    this.#account.route = route.name;
    if (route.maxBodyBytes > 0 && request.bodyBytes > route.maxBodyBytes) {
      this.#page(413, 'too-large', 'body');
      return;
    }
    request.isUpgrade = route.upgrade && mayUpgrade(this.#head, request.view);
    this.idleMs = this.#options.timeoutsOf(route).idleMs;
    this.#isStarting = true;
    this.#forwarding = this.#options.forwarder.forward(request, this);
    this.#isStarting = false;
    if (this.#isOver) this.#finish();
    else if (!this.#body.done) {
      this.#rate.begin(this.#options.clock.monotonicMs());
      this.#owner.onBodyWanted();
    }
  }

  #takeContent(piece: Buffer): void {
    this.#account.bytesIn += piece.length;
    const { maxBodyBytes } = this.#request.route;
    if (maxBodyBytes > 0 && this.#account.bytesIn > maxBodyBytes) this.#isTooLarge = true;
    else if (this.#forwarding?.writeBody(piece) === false) this.isBlocked = true;
  }

  /** Writes a response's head, changed for this client. */
  #say(head: ResponseHead, edits: HeadEdits, framing: Framing, cookie: string | undefined): void {
    const how = this.#how;
    how.clientMinor = this.#head.minor;
    how.framing = framing;
    how.contentLength = head.contentLength;
    if ((head.present & HAS_DATE) === 0) how.date = httpDate(this.#options.clock.nowMs());
    how.cookie = cookie;
    if (this.#stage === 'answering') this.#stays = this.#mayStay() && framing !== 'close';
    how.keepAlive = this.#stays;
    this.#writer.head(head, edits, how);
  }

  #mayStay(): boolean {
    return this.#head.keepAlive && this.#body.done && this.#owner.mayStay;
  }

  #answer({ status, headers, body, cause }: Decision & { kind: 'answer' }): void {
    this.#account.status = status;
    const how = this.#simply(true);
    const bytes = answerBytes(status, headers, body, this.#options.clock.nowMs(), how);
    this.#socket.write(bytes);
    if (this.#head.method !== 'HEAD') this.#account.bytesOut = body.length;
    this.#over(cause, undefined);
  }

  /** A page of our own. */
  #page(status: number, cause: TerminationCause, detail: string | undefined): void {
    this.#account.status = status;
    const how = this.#simply(cause !== 'bad-request');
    this.#socket.write(pageBytes(status, this.#options.clock.nowMs(), how));
    this.#over(cause, detail);
  }

  #simply(mayStay: boolean): SimpleWriting {
    const { minor, method } = this.#head;
    if (mayStay && !this.#isTaking && !this.#body.done) this.#owner.discard(this.#body);
    this.#stays = mayStay && this.#mayStay();
    return { keepAlive: this.#stays, clientMinor: minor, isHead: method === 'HEAD' };
  }

  /** The request went wrong while it was sent on. */
  #refuse(status: number, cause: TerminationCause, detail: string): void {
    this.#forwarding?.abort(cause);
    if (this.#stage === 'begun') this.#page(status, cause, detail);
    else this.#cut(cause, detail);
  }

  #cut(cause: TerminationCause, detail: string | undefined): void {
    this.#writer.flush();
    // Who did not read is not waited for again.
    const isHidden = this.#how.framing === 'close' || cause === 'client-timeout';
    const nowMs = this.#end(cause, detail, true);
    this.#owner.onCut(isHidden, nowMs);
  }

  /** Answered. */
  #over(cause: TerminationCause, detail: string | undefined): void {
    this.#cause = cause;
    this.#detail = detail;
    this.#isOver = true;
    if (!this.#isStarting) this.#finish();
  }

  #finish(): void {
    const nowMs = this.#end(this.#cause, this.#detail, true);
    this.#owner.onAnswered(this.#stays, nowMs);
  }

  /** The journal is told; the time. */
  #end(cause: TerminationCause, detail: string | undefined, isSaid: boolean): number {
    if (!isSaid) this.#writer.drop();
    this.#gzip?.destroy();
    this.#gzip = undefined;
    const { clock, journal } = this.#options;
    const account = this.#account;
    if (this.#stage === 'answering') account.bytesOut = this.#writer.bodyBytes;
    const endedMs = clock.monotonicMs();
    const { view } = this.#request;
    journal.ended(account.entry(view, endedMs, cause, detail, this.#forwarding));
    this.#forwarding = undefined;
    this.isBlocked = false;
    this.#stage = 'none';
    return endedMs;
  }
}
