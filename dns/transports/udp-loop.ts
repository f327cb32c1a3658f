// The loop of a thread that answers over UDP: receives, answers, sends, and blocks while there is
// nothing to do. It never goes back to Node's event loop: what wakes a thread costs more than an
// answer.
//
// A thread that is woken for each query pays twice for it. So while queries come fast and batches
// are small, it sleeps for about as long as GATHER_MESSAGES take to come, but never longer than
// GATHER_MAX_US; a query that comes alone is answered at once.
import { type ReturnAddress, UdpRing } from '../../shared/bpf/udp-ring.ts';
import { sleepMicroseconds, UdpWait } from '../../shared/bpf/udp-sockets.ts';
import { type Exchange, REFERRED, type Responder } from '../answer/types.ts';
import { CONTROL, UDP_COUNTS, type UdpCount, type UdpWorkerData } from './udp-messages.ts';

const BATCH = 64;
const GATHER_MESSAGES = 16;
const GATHER_MAX_US = 200;
/** Batches that are as full as this come without it: to wait would only be waiting. */
const FULL_ENOUGH = 32;
/** With fewer to be expected, nothing is gathered. */
const GATHER_LEAST = 4;
/** Over what the rate is taken. */
const RATE_MS = 2;
/** A process that ends without saying so waits so long at most. */
const WAIT_MS = 500;

export type UdpLoopOptions = Pick<UdpWorkerData, 'fds' | 'wake' | 'control' | 'counts'> & {
  responder: Responder;
  /** Whether it can be taken; what is given is the taker's. */
  refer: (message: Uint8Array, exchange: Exchange, socket: number, to: ReturnAddress) => boolean;
  /** There are messages for the thread. */
  heed: () => void;
  /** Nothing comes: the thread is about to wait. */
  idle: () => void;
};

const slot = (name: UdpCount): number => UDP_COUNTS.indexOf(name);
const [RECEIVED, TRUNCATED, SENT, FAILED] = [
  slot('received'),
  slot('truncated'),
  slot('sent'),
  slot('sendFailed'),
];
const [REFERRED_COUNT, REFERRED_DROPPED] = [slot('referred'), slot('referredDropped')];
const BATCHES = slot('batches');

export class UdpLoop {
  readonly #options: UdpLoopOptions;
  readonly #ring = new UdpRing(BATCH);
  readonly #wait: UdpWait;
  readonly #exchange: Exchange = {
    transport: 'udp',
    client: new Uint8Array(4),
    clientPort: 0,
    nowSeconds: 0,
    nowMs: 0,
  };
  /** Messages a microsecond, and what it is taken from. */
  #rate = 0;
  #rateSinceMs = 0;
  #rateReceived = 0;

  constructor(options: UdpLoopOptions) {
    this.#options = options;
    this.#wait = new UdpWait(options.fds, options.wake);
  }

  /** Until it is told to stop. */
  run(): void {
    const { control, heed } = this.#options;
    let seen = 0;
    let isAll = true; // all sockets are looked at, not only those that are known to have something
    while (Atomics.load(control, CONTROL.stop) === 0) {
      const mail = Atomics.load(control, CONTROL.mail);
      if (mail !== seen) {
        seen = mail;
        heed();
      }
      const most = this.#round(isAll);
      isAll = most > 0;
      if (most === BATCH) continue;
      const gatherUs = most === 0 || most >= FULL_ENOUGH ? 0 : this.#gatherUs();
      if (gatherUs > 0) sleepMicroseconds(gatherUs);
      else {
        this.#options.idle();
        this.#wait.wait(WAIT_MS);
        isAll = false;
      }
    }
    this.#ring.free();
    this.#wait.free();
  }

  /** The most that came by one socket. */
  #round(isAll: boolean): number {
    const exchange = this.#exchange;
    exchange.nowSeconds = Math.floor(Date.now() / 1000);
    exchange.nowMs = performance.now();
    const { fds } = this.#options;
    let most = 0;
    for (let index = 0; index < fds.length; index++) {
      if (isAll || this.#wait.isReady(index)) most = Math.max(most, this.#serve(index));
    }
    return most;
  }

  #serve(socket: number): number {
    const { fds, counts } = this.#options;
    const fd = fds[socket] as number;
    const received = this.#ring.receive(fd);
    if (received === 0) return 0;
    add(counts, BATCHES, 1);
    add(counts, RECEIVED, received);
    this.#rateReceived += received;
    const answers = this.#answer(received, socket);
    if (answers > 0) {
      const sent = this.#ring.send(fd, answers);
      add(counts, SENT, sent);
      if (sent < answers) add(counts, FAILED, answers - sent);
    }
    return received;
  }

  /** How many of the queries have an answer. */
  #answer(received: number, socket: number): number {
    const ring = this.#ring;
    const exchange = this.#exchange;
    const { responder, counts } = this.#options;
    let answers = 0;
    for (let index = 0; index < received; index++) {
      const bytes = ring.length(index);
      if (bytes < 0) {
        add(counts, TRUNCATED, 1);
        continue;
      }
      exchange.client = ring.client(index);
      exchange.clientPort = ring.clientPort(index);
      const query = ring.query(index);
      const length = responder.respond(query, bytes, exchange, ring.answer(answers));
      if (length > 0) ring.address(answers++, index, length);
      else if (length === REFERRED) this.#refer(query.slice(0, bytes), socket, index, answers);
    }
    return answers;
  }

  #refer(message: Uint8Array, socket: number, index: number, scratch: number): void {
    const { refer, counts } = this.#options;
    const exchange = { ...this.#exchange, client: this.#exchange.client.slice() };
    const isTaken = refer(message, exchange, socket, this.#ring.returnAddress(index, scratch));
    add(counts, isTaken ? REFERRED_COUNT : REFERRED_DROPPED, 1);
  }

  /** 0: to wait for the next query alone. */
  #gatherUs(): number {
    const { nowMs } = this.#exchange;
    const overMs = nowMs - this.#rateSinceMs;
    if (overMs >= RATE_MS) {
      this.#rate = this.#rateReceived / (1000 * overMs);
      this.#rateSinceMs = nowMs;
      this.#rateReceived = 0;
    }
    if (this.#rate * GATHER_MAX_US < GATHER_LEAST) return 0;
    return Math.min(GATHER_MAX_US, Math.ceil(GATHER_MESSAGES / this.#rate));
  }
}

function add(counts: Float64Array, index: number, by: number): void {
  counts[index] = (counts[index] as number) + by;
}
