// DNS over UDP: threads that answer, each with a socket of its own for every address, and what the
// main thread does for them: opens the sockets, hands on states, answers what they refer.
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { UdpRing } from '../../shared/bpf/udp-ring.ts';
import { closeFd, createWake, openShared, queueDrops, wake } from '../../shared/bpf/udp-sockets.ts';
import type { Clock } from '../../shared/clock.ts';
import { OperationalError } from '../../shared/errors.ts';
import { siblingModule } from '../../shared/module-path.ts';
import type { Endpoint } from '../../shared/net/ports.ts';
import { systemRandom } from '../../shared/random.ts';
import type { Counters } from '../answer/counters.ts';
import type { QueryNote } from '../answer/query-sample.ts';
import type { Exchange, ServingState } from '../answer/types.ts';
import type { UnknownClients } from '../answer/unknown-clients.ts';
import { addressBytes } from './addresses.ts';
import { listenFailed } from './listening.ts';
import { deltaOf } from './state-delta.ts';
import type { Referred, Transport } from './types.ts';
import {
  CONTROL,
  CONTROL_WORDS,
  type FromWorker,
  UDP_COUNTS,
  type UdpCount,
  type UdpWorkerData,
} from './udp-messages.ts';

const BUFFER_BYTES = 4 << 20;
const MAX_REFERRED = 256;
const STOP_MS = 5000;

export type UdpWorkersOptions = {
  listen: readonly Endpoint[];
  /** 0: one a core. */
  workers: number;
  /** Of each socket, both ways. */
  bufferBytes?: number;
  /** As responders take it; over UDP nobody is told. */
  keepaliveMs: number;
  referred: Referred;
  /** A thread has ended that was not told to; it is one fewer that answers. */
  onFatal: (error: OperationalError) => void;
  /** What a message should not have made happen; at most one a second and thread. */
  onException?: (text: string) => void;
  /** Of queries that were sampled; `dropped`: that a thread could not tell. */
  onQueries?: (notes: readonly QueryNote[], dropped: number) => void;
  clock: Clock;
};

export type UdpCounts = Record<UdpCount, number> & {
  /** Lost by the kernel because a socket's queue was full. */
  overflowed: number;
};

type Thread = UdpWorkerData & {
  worker: Worker;
  ended: Promise<void>;
  hasEnded: boolean;
  counters?: Counters;
  unknownClients?: UnknownClients;
};
type Waiting = { generation: number; left: number; resolve(): void; reject(error: Error): void };
type Said<Kind> = Extract<FromWorker, { kind: Kind }>;

export class UdpWorkers implements Transport {
  readonly #options: UdpWorkersOptions;
  readonly #threads: Thread[] = [];
  readonly #ring = new UdpRing(1);
  /** Sent by the main thread. */
  readonly #counts = new Float64Array(UDP_COUNTS.length);
  #state: ServingState | undefined;
  readonly #waiting = new Set<Waiting>();
  #isClosing = false;
  #closing: Promise<void> | undefined;
  #fatal: OperationalError | undefined;
  /** Of sockets that are closed. */
  #overflowedBefore = 0;

  constructor(options: UdpWorkersOptions) {
    this.#options = options;
  }

  /** Of each thread that has had a state; shared memory that goes on counting. */
  get counters(): Counters[] {
    return this.#threads.flatMap(({ counters }) => counters ?? []);
  }

  get unknownClients(): UnknownClients[] {
    return this.#threads.flatMap(({ unknownClients }) => unknownClients ?? []);
  }

  /** Of all threads together. */
  get counts(): UdpCounts {
    const sum = (index: number): number =>
      this.#threads.reduce((total, { counts }) => total + (counts[index] ?? 0), 0);
    const entries = UDP_COUNTS.map((name, at) => [name, sum(at) + (this.#counts[at] ?? 0)]);
    const overflowed = this.#threads.reduce(
      (total, each) => total + (each.hasEnded ? 0 : dropsOf(each)),
      this.#overflowedBefore,
    );
    return { ...Object.fromEntries(entries), overflowed };
  }

  /** What each thread has received: whether the kernel spreads the askers. */
  get receivedByThread(): number[] {
    return this.#threads.map(({ counts }) => counts[UDP_COUNTS.indexOf('received')] ?? 0);
  }

  /** Threads answer from the first state on; what comes before waits in the sockets. */
  async open(): Promise<void> {
    const { listen, workers, bufferBytes = BUFFER_BYTES } = this.#options;
    const count = workers === 0 ? availableParallelism() : workers;
    const opened: number[][] = [];
    for (const endpoint of listen) {
      try {
        opened.push(openAll(endpoint, count, bufferBytes));
      } catch (error) {
        for (const fd of opened.flat()) closeFd(fd);
        throw error;
      }
    }
    for (let index = 0; index < count; index++) {
      const fds = opened.map((shared) => shared[index] as number);
      this.#threads.push(this.#start(fds, index, Math.ceil(MAX_REFERRED / count)));
    }
    if (this.#state !== undefined) await this.#post(undefined, this.#state);
  }

  adopt(state: ServingState): Promise<void> {
    const before = this.#state;
    this.#state = state;
    return this.#post(before, state);
  }

  /** Nothing is open that could be drained. */
  drain(): void {}

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#isClosing = true;
    for (const { control, wake: fd } of this.#threads) {
      Atomics.store(control, CONTROL.stop, 1);
      wake(fd);
    }
    const late = new AbortController();
    this.#options.clock.after(STOP_MS, () => this.#terminate(), late.signal);
    await Promise.all(this.#threads.map(({ ended }) => ended));
    late.abort();
    this.#ring.free();
  }

  #terminate(): void {
    for (const { worker } of this.#threads) void worker.terminate();
  }

  #start(fds: readonly number[], index: number, maxReferred: number): Thread {
    const data: UdpWorkerData = {
      fds,
      wake: createWake(),
      control: new Int32Array(new SharedArrayBuffer(4 * CONTROL_WORDS)),
      counts: new Float64Array(new SharedArrayBuffer(8 * UDP_COUNTS.length)),
      keepaliveMs: this.#options.keepaliveMs,
      seed: systemRandom.integer(2 ** 32),
      maxReferred,
    };
    const options = { workerData: data, name: `udp-${index}` };
    const worker = new Worker(siblingModule('./udp-worker', import.meta.url), options);
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    const thread: Thread = { ...data, worker, ended, hasEnded: false };
    let cause: unknown;
    worker.on('message', (message: FromWorker) => this.#hear(thread, message));
    worker.on('error', (error) => {
      cause = error;
    });
    worker.on('exit', (code) => {
      this.#ended(thread, cause ?? new Error(`it ended with ${code}`));
      resolve();
    });
    return thread;
  }

  /** Its sockets go: what they would get, others get. */
  #ended(thread: Thread, cause: unknown): void {
    this.#overflowedBefore += dropsOf(thread);
    thread.hasEnded = true;
    for (const fd of [...thread.fds, thread.wake]) closeFd(fd);
    for (const each of this.#isClosing ? this.#waiting : []) each.resolve();
    if (this.#isClosing) return;
    const remedy = 'report it with what is logged; the daemon ends and is started again';
    const error = new OperationalError('EDGE_DNS_WORKER', 'a thread that answers over UDP ended', {
      cause,
      remedy,
    });
    this.#fatal = error;
    for (const each of this.#waiting) each.reject(error);
    this.#waiting.clear();
    this.#options.onFatal(error);
  }

  #post(before: ServingState | undefined, state: ServingState): Promise<void> {
    if (this.#fatal !== undefined) return Promise.reject(this.#fatal);
    const threads = this.#threads.filter(({ hasEnded }) => !hasEnded);
    if (threads.length === 0) return Promise.resolve();
    const delta = deltaOf(before, state);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.add({ generation: state.generation, left: threads.length, resolve, reject });
    for (const { worker, control, wake: fd } of threads) {
      worker.postMessage(delta);
      Atomics.add(control, CONTROL.mail, 1);
      wake(fd);
    }
    return promise;
  }

  #hear(thread: Thread, said: FromWorker): void {
    if (said.kind === 'ready') {
      thread.counters = said.counters;
      thread.unknownClients = said.unknownClients;
    } else if (said.kind === 'adopted') this.#adopted(said);
    else if (said.kind === 'queries') {
      Atomics.sub(thread.control, CONTROL.noted, 1);
      this.#options.onQueries?.(said.notes, said.dropped);
    } else if (said.kind === 'exception') this.#options.onException?.(said.text);
    else void this.#refer(thread, said);
  }

  #adopted({ generation, problem }: Said<'adopted'>): void {
    for (const each of this.#waiting) {
      if (each.generation !== generation) continue;
      if (problem !== undefined) {
        each.reject(new Error(`a thread cannot take state ${generation}: ${problem}`));
      } else if (--each.left > 0) return;
      else each.resolve();
      this.#waiting.delete(each);
      return;
    }
  }

  /** The first answer is all there is over UDP. */
  async #refer(thread: Thread, said: Said<'referred'>): Promise<void> {
    const { clock, referred } = this.#options;
    const { message, client, clientPort, nowSeconds, socket, returnAddress } = said;
    const nowMs = clock.monotonicMs();
    const exchange: Exchange = { transport: 'udp', client, clientPort, nowSeconds, nowMs };
    try {
      for await (const answer of referred(message, exchange)) {
        const fd = thread.fds[socket];
        if (fd === undefined || thread.hasEnded || this.#isClosing) return;
        const hasLeft = this.#ring.reply(fd, returnAddress, answer);
        const at = UDP_COUNTS.indexOf(hasLeft ? 'sent' : 'sendFailed');
        this.#counts[at] = (this.#counts[at] ?? 0) + 1;
        return;
      }
    } finally {
      Atomics.sub(thread.control, CONTROL.referred, 1);
    }
  }
}

function openAll(endpoint: Endpoint, count: number, bufferBytes: number): number[] {
  const { host, port } = endpoint;
  try {
    return openShared({ address: addressBytes(host), port }, count, bufferBytes);
  } catch (cause) {
    throw listenFailed('udp', endpoint, cause);
  }
}

function dropsOf({ fds }: Thread): number {
  return fds.reduce((total, fd) => total + queueDrops(fd), 0);
}
