// Long flows: HTTP transfers at a steady rate, one after the other on new connections, each checked
// by its SHA-256. What stood and was reset is told apart from what never came to be.
import { createHash } from 'node:crypto';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { testBytes, testSum } from '../../../lab/server.ts';
import type { Load } from '../facts.ts';
import type { Tally } from './tally.ts';

export type FlowPlan = {
  load: Load;
  host: string;
  port: number;
  direction: 'download' | 'upload';
  bytes: number;
  bytesPerSecond: number;
};

/** A flow that moves nothing for so long has ended, whatever its ends believe. */
const STALL_MS = 60_000;
const PIECE = 16 * 1024;
/** A server that is gone is not asked in a tight loop. */
const AGAIN_MS = 500;

const sums = new Map<number, string>();
function sumOf(bytes: number): string {
  const sum = sums.get(bytes) ?? testSum(bytes);
  sums.set(bytes, sum);
  return sum;
}

/** Waits for as long as `moved` bytes in `tookMs` are ahead of the rate. */
const ahead = (moved: number, startedMs: number, rate: number): number =>
  (1000 * moved) / rate - (performance.now() - startedMs);

async function* pacedBytes(plan: FlowPlan, moved: (bytes: number) => void): AsyncGenerator<Buffer> {
  const startedMs = performance.now();
  let sent = 0;
  for (const chunk of testBytes(plan.bytes)) {
    for (let at = 0; at < chunk.length; at += PIECE) {
      const piece = chunk.subarray(at, at + PIECE);
      const aheadMs = ahead(sent, startedMs, plan.bytesPerSecond);
      if (aheadMs > 0) await pause(aheadMs);
      sent += piece.length;
      moved(piece.length);
      yield piece;
    }
  }
}

const opened = (asked: ClientRequest): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    asked.once('response', resolve);
    asked.once('error', reject);
    asked.setTimeout(STALL_MS, () => asked.destroy(new Error('stalled')));
  });

async function download(plan: FlowPlan, tally: Tally): Promise<string> {
  const { host, port, bytes } = plan;
  const asked = request({ host, port, path: `/bytes/${bytes}`, agent: false });
  asked.end();
  const response = await opened(asked);
  const hash = createHash('sha256');
  const startedMs = performance.now();
  let got = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    hash.update(piece);
    got += piece.length;
    tally.bytes(plan.load, piece.length);
    const aheadMs = ahead(got, startedMs, plan.bytesPerSecond);
    if (aheadMs > 0) await pause(aheadMs);
  }
  return hash.digest('hex');
}

async function upload(plan: FlowPlan, tally: Tally): Promise<string> {
  const { host, port } = plan;
  const asked = request({ host, port, path: '/sum', method: 'PUT', agent: false });
  const response = opened(asked);
  const body = pacedBytes(plan, (bytes) => tally.bytes(plan.load, bytes));
  Readable.from(body).pipe(asked);
  let text = '';
  for await (const piece of await response) text += piece;
  return text.trim();
}

/** One transfer; what went wrong is told. */
async function transfer(plan: FlowPlan, tally: Tally): Promise<void> {
  const sinceMs = Date.now();
  const where = `${plan.direction} ${plan.host}:${plan.port}`;
  try {
    const sum = await (plan.direction === 'download' ? download : upload)(plan, tally);
    if (sum === sumOf(plan.bytes)) tally.done(plan.load, Date.now() - sinceMs);
    else tally.trouble(plan.load, 'corrupt', `${where}: bytes sum to ${sum}`, sinceMs);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const isReset = code === 'ECONNRESET' || code === 'EPIPE';
    tally.trouble(plan.load, isReset ? 'reset' : 'failed', `${where}: ${message}`, sinceMs);
    await pause(AGAIN_MS);
  }
}

/** Repeats it for as long as the process lives. */
export async function keepFlow(plan: FlowPlan, tally: Tally): Promise<never> {
  for (;;) await transfer(plan, tally);
}
