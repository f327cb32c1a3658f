// A connection of a `tcp` or `tls` listener: which pool, which target, then bytes both ways. TLS is
// not ended here: its first message says where it wants to go, and goes there as it came.
import { hashText } from '../../../shared/health/fingerprint.ts';
import type { Balancer, Outcome, PickFailure, Place, PoolState } from '../../pools/types.ts';
import { MAX_HELLO_BYTES, parseClientHello } from '../client-hello/client-hello.ts';
import { createRecord } from '../forward/record.ts';
import { writeProxyHeader } from '../proxy-protocol/write.ts';
import { type ConnectFailure, causeOfPick, type TerminationCause } from '../types.ts';
import type { ClientSocket } from '../wiring.ts';
import { poolOfName } from './pool-of-name.ts';
import { Relay, reset } from './relay.ts';
import type { TcpOptions, TcpStream } from './types.ts';

const HELLO_MS = 10_000;
/** Of the client, before there is a target; then it is not read any more. */
const MAX_EARLY_BYTES = 65_536;

/** TLS alerts (RFC 8446, 6; RFC 6066, 3) of a server that could not choose: fatal. */
const ALERT = { DECODE_ERROR: 50, UNRECOGNIZED_NAME: 112 } as const;

export function serveTcp(socket: ClientSocket, options: TcpOptions): TcpStream {
  return new Stream(socket, options);
}

class Stream implements TcpStream {
  readonly isTunnel = true;
  readonly routeName = '';
  readonly #socket: ClientSocket;
  readonly #options: TcpOptions;
  readonly #listener: ReturnType<TcpOptions['listener']>;
  readonly #startedMs: number;
  #early: Buffer[] = [];
  #earlyBytes = 0;
  #isClientEnded = false;
  #isChoosing: boolean;
  #serverName: string | undefined;
  #balancer: Balancer | undefined;
  #tried: string[] = [];
  #place: Place | undefined;
  #cancel = nothing;
  #relay: Relay | undefined;
  #tunnelMs = Number.POSITIVE_INFINITY;
  #askedMs = 0;
  #heardBytes = 0;
  #heardMs = 0;
  #isOver = false;
  readonly #record = createRecord('');
  readonly #onEarly = (bytes: Buffer): void => this.#hear(bytes);
  readonly #onEarlyEnd = (): void => this.#hearEnd();
  readonly #onEarlyClose = (): void => this.#end('client-gone');

  constructor(socket: ClientSocket, options: TcpOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#listener = options.listener();
    this.#startedMs = options.clock.monotonicMs();
    this.#isChoosing = this.#listener.protocol === 'tls';
    socket.allowHalfOpen = true;
    socket.setNoDelay(true);
    socket.on('error', () => {}); // 'close' follows
    socket.on('data', this.#onEarly);
    socket.resume(); // who read a PROXY header has paused it
    socket.on('end', this.#onEarlyEnd);
    socket.on('close', this.#onEarlyClose);
    // Whoever made it knows it by then.
    if (!this.#isChoosing) queueMicrotask(() => this.#toPool(this.#listener.pool));
  }

  get isIdle(): boolean {
    return this.#isChoosing && this.#earlyBytes === 0;
  }

  get target(): { pool: string; id: string } | undefined {
    const { pool } = this.#record;
    return this.#place && { pool, id: this.#place.target.id };
  }

  tick(nowMs: number): void {
    if (this.#relay !== undefined) {
      this.#tickRelay(this.#relay, nowMs);
      return;
    }
    const helloMs = this.#options.helloMs ?? HELLO_MS;
    if (this.#isChoosing && nowMs - this.#startedMs > helloMs) {
      this.#end('client-timeout', 'client-hello');
    }
  }

  closeWhenIdle(): void {
    if (this.isIdle) this.#end('drained');
  }

  destroy(cause: TerminationCause): void {
    if (this.#relay === undefined) this.#end(cause);
    else this.#relay.destroy(cause);
  }

  #tickRelay({ bytesIn, bytesOut }: Relay, nowMs: number): void {
    if (bytesIn + bytesOut !== this.#heardBytes) {
      this.#heardBytes = bytesIn + bytesOut;
      this.#heardMs = nowMs;
    } else if (nowMs - this.#heardMs > this.#tunnelMs) this.destroy('idle');
  }

  #hear(bytes: Buffer): void {
    this.#early.push(bytes);
    this.#earlyBytes += bytes.length;
    if (this.#isChoosing) this.#choose();
    if (this.#earlyBytes >= MAX_EARLY_BYTES) this.#socket.pause();
  }

  #hearEnd(): void {
    this.#isClientEnded = true;
    // A hello that is cut leads nowhere; whoever only closed is no news.
    if (this.#isChoosing) this.#end('client-gone');
  }

  #choose(): void {
    const bytes = this.#early.length === 1 ? this.#early[0] : Buffer.concat(this.#early);
    if (bytes === undefined) return;
    this.#early = [bytes];
    const hello = parseClientHello(bytes, 0, bytes.length);
    if (hello === 'more' && bytes.length < 2 * MAX_HELLO_BYTES) return;
    this.#isChoosing = false;
    if (typeof hello === 'string') {
      this.#refuse(ALERT.DECODE_ERROR, 'bad-request', 'client-hello');
      return;
    }
    this.#serverName = hello.serverName;
    const pool = poolOfName(this.#listener, hello.serverName);
    if (pool === undefined) this.#refuse(ALERT.UNRECOGNIZED_NAME, 'no-route', 'server-name');
    else this.#toPool(pool);
  }

  #toPool(name: string | undefined): void {
    if (this.#isOver) return;
    const balancer = name === undefined ? undefined : this.#options.balancers(name);
    if (name === undefined || balancer === undefined) {
      this.#end('no-target', 'no-pool');
      return;
    }
    this.#record.pool = name;
    this.#balancer = balancer;
    balancer.countRequest(this.#now());
    this.#pick(balancer);
  }

  #pick(balancer: Balancer): void {
    this.#askedMs = this.#now();
    const key = { hash: hashText(this.#options.client.address) };
    this.#waitFor<Place | PickFailure>(
      (done) => balancer.acquire(key, this.#tried, this.#askedMs, done),
      (result) => this.#picked(result),
    );
  }

  /** What is under way can be cancelled until it is done, which it may be at once. */
  #waitFor<Result>(
    begin: (done: (result: Result) => void) => () => void,
    then: (result: Result) => void,
  ): void {
    let isDone = false;
    const cancel = begin((result) => {
      isDone = true;
      this.#cancel = nothing;
      then(result);
    });
    if (!isDone) this.#cancel = cancel;
  }

  #picked(result: Place | PickFailure): void {
    const waitedMs = this.#now() - this.#askedMs;
    this.#record.queueMs = Math.max(0, this.#record.queueMs) + waitedMs;
    if (typeof result === 'string') {
      this.#end(causeOfPick(result));
      return;
    }
    const pool = this.#options.pool(this.#record.pool);
    this.#place = result;
    this.#record.target = result.target.id;
    this.#record.tries++;
    if (pool === undefined) this.#end('removed');
    else this.#connect(pool, result);
  }

  #connect(pool: PoolState, { target: { state } }: Place): void {
    const { client, upstreams } = this.#options;
    const { sendProxy, timeouts } = pool.proxy;
    const source = { address: client.address, port: client.port };
    const destination = { address: client.localAddress, port: client.localPort };
    const proxyHeader = sendProxy && writeProxyHeader(sendProxy, source, destination);
    const target = state.port === 0 ? { ...state, port: client.localPort } : state;
    this.#tunnelMs = timeouts.tunnelMs;
    this.#askedMs = this.#now();
    const settings = { connectMs: timeouts.connectMs, ...(proxyHeader && { proxyHeader }) };
    this.#waitFor<ClientSocket | ConnectFailure>(
      (done) => upstreams.stream(pool, target, settings, done),
      (result) => {
        if ('kind' in result) this.#failed(pool, result);
        else this.#connected(result);
      },
    );
  }

  /** Nothing was sent: the next target may be asked, the first time whatever the budget is. */
  #failed(pool: PoolState, failure: ConnectFailure): void {
    const { target } = this.#place ?? {};
    this.#endPlace({ kind: 'connect-failed' });
    const { tries } = this.#record;
    const balancer = this.#balancer;
    const mayTry = tries <= pool.proxy.retries.count && target !== undefined;
    if (balancer !== undefined && mayTry && (tries === 1 || balancer.mayRetry(this.#now()))) {
      this.#tried = [...this.#tried, target.id];
      this.#pick(balancer);
      return;
    }
    const cause = failure.kind === 'timeout' ? 'connect-timeout' : 'connect-failed';
    this.#end(cause, failure.detail);
  }

  #connected(upstream: ClientSocket): void {
    const nowMs = this.#now();
    this.#record.connectMs = nowMs - this.#askedMs;
    this.#heardMs = nowMs;
    const socket = this.#socket;
    socket.off('data', this.#onEarly);
    socket.off('end', this.#onEarlyEnd);
    socket.off('close', this.#onEarlyClose);
    const relay = new Relay(socket, upstream, {
      onRelayEnd: (cause, detail) => this.#end(cause, detail),
    });
    this.#relay = relay;
    relay.begin(this.#early, this.#isClientEnded);
    this.#early = [];
  }

  /** A client that speaks TLS understands an alert better than a reset. */
  #refuse(alert: number, cause: TerminationCause, detail: string): void {
    this.#socket.off('close', this.#onEarlyClose);
    this.#socket.end(Buffer.from([21, 3, 1, 0, 2, 2, alert]));
    this.#socket.destroySoon();
    this.#end(cause, detail);
  }

  #endPlace(outcome: Outcome): void {
    const place = this.#place;
    this.#place = undefined;
    place?.end(outcome, this.#now());
  }

  /** Whatever ends it comes here, and counts once. */
  #end(cause: TerminationCause, detail?: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancel();
    this.#early = [];
    if (this.#relay === undefined && !this.#socket.writableEnded) reset(this.#socket);
    this.#endPlace(outcomeOf(cause, this.#record.connectMs));
    this.#tell(cause, detail);
    this.#options.onClosed?.();
  }

  #tell(cause: TerminationCause, detail: string | undefined): void {
    const { client, journal } = this.#options;
    const { bytesIn = this.#earlyBytes, bytesOut = 0 } = this.#relay ?? {};
    const serverName = this.#serverName;
    journal.ended({
      listener: this.#listener.name,
      route: '',
      client: serverName === undefined ? client : { ...client, serverName },
      protocol: 'tcp',
      method: '',
      host: serverName ?? '',
      target: '',
      status: 0,
      bytesIn,
      bytesOut,
      startedMs: this.#startedMs,
      endedMs: this.#now(),
      cause,
      ...(detail === undefined ? {} : { detail }),
      ...(this.#record.pool === ''
        ? {}
        : { forward: { ...this.#record, bytesIn: bytesOut, cause } }),
    });
  }

  #now(): number {
    return this.#options.clock.monotonicMs();
  }
}

function nothing(): void {}

/** What the target is judged by: that it took the connection, and did not cut it. */
function outcomeOf(cause: TerminationCause, connectMs: number): Outcome {
  if (cause === 'upstream-reset') return { kind: 'failed' };
  if (connectMs < 0) return { kind: 'cancelled' };
  return { kind: 'response', status: 200, latencyMs: connectMs };
}
