// A thread that answers over UDP. Begins when it has a state; what was posted to it is looked for
// between batches, as its event loop never runs.
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { ReturnAddress } from '../../shared/bpf/udp-ring.ts';
import { UdpWait } from '../../shared/bpf/udp-sockets.ts';
import { describeError } from '../../shared/errors.ts';
import { type QueryNote, QuerySampler } from '../answer/query-sample.ts';
import { AnswerResponder } from '../answer/responder.ts';
import type { Exchange, ServingState } from '../answer/types.ts';
import { applyDelta } from './state-delta.ts';
import { UdpLoop } from './udp-loop.ts';
import { CONTROL, type FromWorker, type ToWorker, type UdpWorkerData } from './udp-messages.ts';

const EXCEPTION_EVERY_MS = 1000;
const WAIT_MS = 500;
const NOTES = 64;
const MAX_NOTED = 8;

if (parentPort === null) throw new Error('runs as a thread only');
const port = parentPort;
const own = workerData as UdpWorkerData; // as: udp-workers.ts is who starts it
let state: ServingState | undefined;
let responder: AnswerResponder | undefined;
const sampler = new QuerySampler({ batch: NOTES, take: tellQueries, seed: own.seed });
let exceptionAtMs = Number.NEGATIVE_INFINITY;

awaitState();
if (responder !== undefined) {
  new UdpLoop({ ...own, responder, refer, heed, idle: () => sampler.flush() }).run();
}
sampler.flush();
port.close();

function awaitState(): void {
  const wait = new UdpWait([], own.wake);
  while (responder === undefined && Atomics.load(own.control, CONTROL.stop) === 0) {
    heed();
    if (responder === undefined) wait.wait(WAIT_MS);
  }
  wait.free();
}

function heed(): void {
  for (;;) {
    const mail = receiveMessageOnPort(port);
    if (mail === undefined) return;
    adopt(mail.message as ToWorker); // as: nobody else has the port
  }
}

function adopt(delta: ToWorker): void {
  const { generation } = delta;
  try {
    // Also when the responder cannot take it: the next change is from this one.
    state = applyDelta(state, delta);
    if (responder === undefined) responder = begin(state);
    else responder.adopt(state);
    say({ kind: 'adopted', generation });
  } catch (error) {
    say({ kind: 'adopted', generation, problem: describeError(error) });
  }
}

function begin(first: ServingState): AnswerResponder {
  const { keepaliveMs, seed } = own;
  const made = new AnswerResponder(first, { keepaliveMs, seed, onException, sampler });
  say({ kind: 'ready', counters: made.counters, unknownClients: made.unknownClients });
  return made;
}

/** Whoever sends such messages sends many. */
function onException(error: unknown): void {
  const nowMs = performance.now();
  if (nowMs - exceptionAtMs < EXCEPTION_EVERY_MS) return;
  exceptionAtMs = nowMs;
  say({ kind: 'exception', text: error instanceof Error ? `${error.stack}` : String(error) });
}

function refer(
  message: Uint8Array,
  { client, clientPort, nowSeconds }: Exchange,
  socket: number,
  returnAddress: ReturnAddress,
): boolean {
  if (Atomics.load(own.control, CONTROL.referred) >= own.maxReferred) return false;
  Atomics.add(own.control, CONTROL.referred, 1);
  say({ kind: 'referred', message, client, clientPort, nowSeconds, socket, returnAddress });
  return true;
}

/** What the main thread has no time for is dropped, and counted. */
function tellQueries(notes: readonly QueryNote[], dropped: number): boolean {
  if (Atomics.load(own.control, CONTROL.noted) >= MAX_NOTED) return false;
  Atomics.add(own.control, CONTROL.noted, 1);
  say({ kind: 'queries', notes, dropped });
  return true;
}

function say(message: FromWorker): void {
  port.postMessage(message);
}
