// One stream of a client: a request and its response, or a tunnel, from the head to the journal
// (RFC 9113, 8). Rules: docs/balancing.md, H1 to H7.
import { constants, type ServerHttp2Stream } from 'node:http2';
import type { Route } from '../../../shared/site/lb-objects.ts';
import { Account, NO_REQUEST } from '../front-http1/account.ts';
import { compressedEdits } from '../front-http1/compressed.ts';
import { GzipBody } from '../front-http1/gzip.ts';
import { type LocalAnswer, localAnswerOf } from '../front-http1/local.ts';
import { Tunnel } from '../front-http1/tunnel.ts';
import type { ResponseHead } from '../http1/types.ts';
import { headerOf } from '../http1/view.ts';
import type { Decision, ForwardFailure, Forwarding, TerminationCause } from '../types.ts';
import type { ClientSocket, Incoming } from '../wiring.ts';
import { type Answer, decisionAnswer, pageAnswer } from './answers.ts';
import { isGrpc } from './grpc.ts';
import { RequestBody } from './request-body.ts';
import { interimFields, responseFields } from './response-fields.ts';
import { ResponseStream } from './response-stream.ts';
import { type FlatFields, readStreamHead } from './stream-head.ts';
import { StreamRequest } from './stream-request.ts';
import type { Http2Options } from './types.ts';
import { accepts, tunnelFields, websocketKey } from './websocket.ts';

const { NGHTTP2_CANCEL, NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR, NGHTTP2_PROTOCOL_ERROR } =
  constants;
/** A target that says no more than 1xx would have us keep all of them. */
const MAX_INTERIM = 16;
const NOTHING = Buffer.alloc(0);

/** begun: nothing was said to the client. answering: a head was. ended: all was. */
type Stage = 'begun' | 'answering' | 'tunnel' | 'ended';

export class Exchange implements Incoming {
  readonly #stream: ServerHttp2Stream;
  readonly #options: Http2Options;
  readonly #onOver: (exchange: Exchange, isClientsFault: boolean) => void;
  readonly #account: Account;
  readonly #response: ResponseStream;
  readonly #startedMs: number;
  #stage: Stage = 'begun';
  #request: StreamRequest | undefined;
  #isGrpc = false;
  #forwarding: Forwarding | undefined;
  #isForwardOver = false;
  /** Of the journal: the forwarding even when it is over. */
  #handed: Forwarding | undefined;
  #body: RequestBody | undefined;
  #gzip: GzipBody | undefined;
  #tunnel: Tunnel | undefined;
  /** Of an extended CONNECT. */
  #key = '';
  #interims = 0;
  /** How it ended, if that is decided before the stream is closed. */
  #cause: TerminationCause | undefined;
  #detail: string | undefined;
  #isReset = false;

  constructor(
    stream: ServerHttp2Stream,
    options: Http2Options,
    onOver: (exchange: Exchange, isClientsFault: boolean) => void,
  ) {
    this.#stream = stream;
    this.#options = options;
    this.#onOver = onOver;
    this.#account = new Account(options.client);
    this.#startedMs = options.clock.monotonicMs();
    this.#response = new ResponseStream(stream, this.#startedMs, options.limits.keepAliveMs);
    stream.on('error', () => {}); // 'close' follows
    stream.on('close', () => this.#closed());
    // Else it would stay as long as nobody reads what came before the client's RST_STREAM.
    stream.on('aborted', () => {
      if (!this.#isReset) stream.destroy();
    });
    stream.on('drain', () => this.#drained());
  }

  get routeName(): string {
    return this.#account.route;
  }

  get isTunnel(): boolean {
    return this.#stage === 'tunnel';
  }

  /** `isWhole`: END_STREAM came with it. */
  begin(fields: FlatFields, isWhole: boolean): void {
    const options = this.#options;
    const listener = options.listener();
    this.#account.begin(listener.name, 1, this.#startedMs);
    this.#account.protocol = 'HTTP/2';
    const request = this.#read(fields, isWhole);
    if (!(request instanceof StreamRequest)) {
      const { status, cause, detail } = request;
      // Malformed, as nghttp2 would have said itself (RFC 9113, 8.1.1).
      if (status === 400) this.#reset(NGHTTP2_PROTOCOL_ERROR, cause, detail);
      else this.#page(status, cause, detail);
      return;
    }
    options.policy.decide(listener, request.view, options.client, (decision) => {
      if (this.#stage !== 'begun' || this.#stream.destroyed) return; // the client did not wait
      if (decision.kind === 'forward') this.#forward(decision, request, isWhole);
      else this.#answer(decision);
    });
  }

  tick(nowMs: number): void {
    this.#tunnel?.tick(nowMs);
    this.#gzip?.flush();
    if (this.#stage === 'begun' && this.#body?.isSlow(nowMs)) {
      this.#giveUp('client-timeout');
      this.#page(408, 'client-timeout', 'body');
    }
    if (this.#response.isStuck(nowMs)) this.abort('client-timeout');
  }

  /** Ends as it is: the client sees that it is cut. */
  abort(cause: TerminationCause): void {
    this.#giveUp(cause);
    this.#tunnel?.destroy(cause);
    this.#reset(NGHTTP2_CANCEL, cause, undefined);
  }

  // What the forwarder tells.

  onInterim(head: ResponseHead): void {
    if (this.#stage !== 'begun' || this.#response.isClosed || ++this.#interims > MAX_INTERIM)
      return;
    this.#body?.continued();
    this.#stream.additionalHeaders(interimFields(head));
  }

  onHead(head: ResponseHead, cookie: string | undefined): void {
    const request = this.#request;
    if (this.#stage !== 'begun' || request === undefined || this.#response.isClosed) return;
    if (this.#key !== '' && head.status < 300) {
      // It would be a tunnel that nobody has opened.
      this.#giveUp('bad-response');
      this.#page(502, 'bad-response', 'no-upgrade');
      return;
    }
    const { policy, client, self } = this.#options;
    const { framing } = head;
    let edits = policy.responseEdits(request.route, client);
    let { contentLength } = head;
    if (framing !== 'none' && policy.mayCompress(request.route, request.view, head)) {
      edits = compressedEdits(head, edits);
      contentLength = -1;
      this.#gzip = new GzipBody(this);
    }
    const { status } = head;
    if (status === 204 || status === 205) contentLength = -1;
    const ends = framing === 'none' || contentLength === 0 || status === 205;
    const hasTrailers = framing !== 'length' || headerOf(head, 'trailer') !== undefined;
    const mayHaveTrailers = hasTrailers && this.#gzip === undefined;
    this.#stage = 'answering';
    this.#account.status = status;
    const fields = responseFields(head, edits, { contentLength, cookie, via: self });
    this.#response.begin(fields, { ends, mayHaveTrailers });
  }

  onBody(piece: Buffer): boolean {
    return this.#gzip === undefined ? this.#response.write(piece) : this.#gzip.write(piece);
  }

  onEnd(trailers: Buffer | undefined): void {
    this.#forwardOver();
    if (this.#stage !== 'answering') return;
    this.#response.trailers = trailers;
    if (this.#gzip !== undefined) this.#gzip.end();
    else this.#endResponse();
  }

  onFail(failure: ForwardFailure): void {
    this.#forwardOver();
    if (this.#stage === 'begun') this.#page(failure.status, failure.cause, failure.detail);
  }

  onCut(failure: ForwardFailure): void {
    this.#forwardOver();
    this.#reset(NGHTTP2_INTERNAL_ERROR, failure.cause, failure.detail);
  }

  onUpgrade(head: ResponseHead, socket: ClientSocket, rest: Buffer): void {
    this.#forwardOver();
    const request = this.#request;
    if (this.#stage !== 'begun' || request === undefined || this.#response.isClosed) {
      socket.destroy();
      return;
    }
    if (this.#key === '' || !accepts(head, this.#key)) {
      socket.destroy();
      this.#page(502, 'bad-response', 'upgrade');
      return;
    }
    const { policy, client, self, clock, timeoutsOf } = this.#options;
    const stream = this.#stream;
    this.#stage = 'tunnel';
    this.#account.status = 200;
    this.#account.protocol = 'websocket';
    stream.respond(tunnelFields(head, policy.responseEdits(request.route, client), self));
    const { tunnelMs: idleMs } = timeoutsOf(request.route);
    const options = { idleMs, nowMs: clock.monotonicMs(), events: this };
    const tunnel = new Tunnel(stream, socket, options);
    this.#tunnel = tunnel;
    stream.on('data', (piece: Buffer) => tunnel.fromClient(piece));
    stream.on('end', () => tunnel.clientEnded());
    tunnel.begin(rest, NOTHING, false);
  }

  onDrain(): void {
    this.#body?.resume();
  }

  onTunnelEnd(cause: TerminationCause): void {
    if (cause === 'ok') this.#cause = cause;
    else this.#reset(NGHTTP2_CANCEL, cause, undefined);
  }

  // What the compressor tells.

  onCompressed(piece: Buffer): boolean {
    return this.#response.write(piece);
  }

  onCompressorDrain(): void {
    this.#forwarding?.resume();
  }

  onCompressedEnd(): void {
    this.#endResponse();
  }

  // What the request's body tells.

  onBadBody(status: number, cause: TerminationCause, detail: string): void {
    this.#giveUp(cause);
    if (cause === 'bad-request') this.#reset(NGHTTP2_PROTOCOL_ERROR, cause, detail);
    else if (this.#stage === 'begun') this.#page(status, cause, detail);
    else this.#reset(NGHTTP2_CANCEL, cause, detail);
  }

  /** The request, or why it goes no further. */
  #read(fields: FlatFields, isWhole: boolean): StreamRequest | LocalAnswer {
    const read = readStreamHead(fields, isWhole, () => {
      this.#key = websocketKey();
      return this.#key;
    });
    if (!('head' in read)) {
      return { status: read.status, cause: 'bad-request', detail: read.reason };
    }
    const { policy, client, self } = this.#options;
    const request = new StreamRequest(read.head, client, policy, self);
    this.#request = request;
    this.#isGrpc = isGrpc(request.view.header('content-type'));
    if (isWhole && request.hasBody) {
      return { status: 400, cause: 'bad-request', detail: 'content-length' };
    }
    return localAnswerOf(read.head, request.view) ?? request;
  }

  #forward({ route }: { route: Route }, request: StreamRequest, isWhole: boolean): void {
    const { forwarder, limits, clock, timeoutsOf } = this.#options;
    this.#account.route = route.name;
    request.route = route;
    const isTunnel = this.#key !== '';
    const isTooLarge = route.maxBodyBytes > 0 && request.bodyBytes > route.maxBodyBytes;
    if (isTunnel && !route.upgrade) this.#page(501, 'denied', 'upgrade');
    else if (isTooLarge) this.#page(413, 'too-large', 'body');
    if (this.#stage !== 'begun') return;
    request.isUpgrade = isTunnel;
    this.#response.idleMs = timeoutsOf(route).idleMs;
    const forwarding = forwarder.forward(request, this);
    this.#handed = forwarding;
    // It may have failed at once.
    if (this.#isForwardOver) return;
    this.#forwarding = forwarding;
    if (isWhole || isTunnel) return;
    const nowMs = clock.monotonicMs();
    const terms = { head: request.head, limits, nowMs, mostBytes: route.maxBodyBytes };
    this.#body = new RequestBody(this.#stream, forwarding, terms, this);
  }

  #answer(decision: Decision & { kind: 'answer' }): void {
    this.#account.route = decision.route;
    const answer = decisionAnswer(decision, this.#isGrpc);
    this.#say(decision.status, answer, decision.cause, undefined);
  }

  #page(status: number, cause: TerminationCause, detail: string | undefined): void {
    this.#say(status, pageAnswer(status, this.#isGrpc), cause, detail);
  }

  #say(status: number, answer: Answer, cause: TerminationCause, detail: string | undefined): void {
    this.#cause = cause;
    this.#detail = detail;
    this.#account.status = status;
    if (this.#response.isClosed) return;
    const { fields, body } = answer;
    const isBodiless = body.length === 0 || this.#request?.view.method === 'HEAD';
    this.#response.begin(fields, { ends: isBodiless, mayHaveTrailers: false });
    if (!isBodiless) this.#response.write(body);
    this.#endResponse();
  }

  #endResponse(): void {
    this.#stage = 'ended';
    this.#cause ??= 'ok';
    this.#body?.discard();
    this.#response.end();
  }

  #drained(): void {
    if (this.#tunnel !== undefined) this.#tunnel.clientDrained();
    else if (this.#gzip !== undefined) this.#gzip.resume();
    else this.#forwarding?.resume();
  }

  #forwardOver(): void {
    this.#isForwardOver = true;
    this.#forwarding = undefined;
  }

  #giveUp(cause: TerminationCause): void {
    this.#forwarding?.abort(cause);
    this.#forwardOver();
  }

  #reset(code: number, cause: TerminationCause, detail: string | undefined): void {
    this.#wentWrong(cause, detail);
    this.#stage = 'ended';
    this.#isReset = true;
    this.#response.reset(code);
  }

  /** What went wrong first is told, though all was said. */
  #wentWrong(cause: TerminationCause, detail: string | undefined): void {
    if (this.#cause !== undefined && this.#cause !== 'ok') return;
    this.#cause = cause;
    this.#detail = detail;
  }

  #closed(): void {
    const { rstCode } = this.#stream;
    const isWhole = this.#stage === 'ended' && rstCode === NGHTTP2_NO_ERROR;
    const isTunnelOver = this.#stage === 'tunnel' && this.#cause === 'ok';
    if (!this.#isReset && !isWhole && !isTunnelOver) {
      // nghttp2 has found a fault, or the client has gone.
      const cause = rstCode === NGHTTP2_PROTOCOL_ERROR ? 'bad-request' : 'client-gone';
      this.#wentWrong(cause, undefined);
      this.#giveUp(cause);
      this.#tunnel?.clientGone();
    }
    this.#stage = 'ended';
    this.#gzip?.destroy();
    const cause = this.#cause ?? 'ok';
    this.#tell(cause);
    this.#onOver(this, cause === 'bad-request' || cause === 'client-gone');
  }

  #tell(cause: TerminationCause): void {
    const account = this.#account;
    account.bytesIn = this.#tunnel?.bytesIn ?? this.#body?.bytes ?? 0;
    account.bytesOut = this.#tunnel?.bytesOut ?? this.#response.bytes;
    const view = this.#request?.view ?? NO_REQUEST;
    const { clock, journal } = this.#options;
    journal.ended(account.entry(view, clock.monotonicMs(), cause, this.#detail, this.#handed));
  }
}
