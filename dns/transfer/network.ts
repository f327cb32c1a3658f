// Questions to other name servers: over UDP with resends, over TCP as a stream of messages (RFC
// 1035 §4.2). Whoever calls says what an answer is.
import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { connect } from 'node:net';
import type { Clock } from '../../shared/clock.ts';
import { type Endpoint, formatEndpoint } from '../../shared/net/ports.ts';

const LENGTH_BYTES = 2;

export type UdpQuestion<Answer> = {
  to: Endpoint;
  message: Uint8Array;
  /** Sent once for each, and waited for so long. */
  waitsMs: readonly number[];
  /** Undefined: it is none, go on waiting. What it throws ends the question. */
  accept: (bytes: Uint8Array) => Answer | undefined;
  clock: Clock;
  signal: AbortSignal;
};

/** Rejects when nothing answers, or when the network says that nobody will. */
export async function askUdp<Answer>(question: UdpQuestion<Answer>): Promise<Answer> {
  const { to, message, waitsMs, accept, clock, signal } = question;
  const { address, family } = await lookup(to.host);
  signal.throwIfAborted();
  const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const stopped = () => reject(signal.reason);
  signal.addEventListener('abort', stopped, { once: true });
  let cancel = () => {};
  let sent = 0;
  const send = (): void => {
    const waitMs = waitsMs[sent++];
    if (waitMs === undefined) {
      reject(new Error(`${formatEndpoint(to)} does not answer over UDP`));
      return;
    }
    socket.send(message);
    cancel = clock.after(waitMs, send);
  };
  socket.on('error', reject);
  socket.on('message', (bytes) => {
    try {
      const answer = accept(bytes);
      if (answer !== undefined) resolve(answer);
    } catch (error) {
      reject(error);
    }
  });
  // From others than whom it was sent to nothing is heard.
  socket.connect(to.port, address, send);
  try {
    return await promise;
  } finally {
    cancel();
    signal.removeEventListener('abort', stopped);
    socket.close();
  }
}

export type TcpBounds = {
  connectMs: number;
  /** Without a byte. */
  idleMs: number;
  totalMs: number;
  /** Of all messages. */
  maxBytes: number;
};

export type TcpQuestion = {
  to: Endpoint;
  message: Uint8Array;
  /** Each message in turn, its own memory; true: it was the last. What it throws ends all. */
  take: (bytes: Uint8Array) => boolean;
  bounds: TcpBounds;
  clock: Clock;
  signal: AbortSignal;
};

/** Resolves after the last message; rejects when the stream ends before, or is beyond a bound. */
export async function askTcp(question: TcpQuestion): Promise<void> {
  const { to, message, take, bounds, clock, signal } = question;
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const fail = (why: string) => reject(new Error(`${formatEndpoint(to)} ${why}`));
  const socket = connect({ host: to.host, port: to.port, noDelay: true });
  const framing = new Framing(take);
  const stopped = () => reject(signal.reason);
  signal.addEventListener('abort', stopped, { once: true });
  const cancelTotal = clock.after(bounds.totalMs, () => fail('takes too long'));
  let cancelIdle = clock.after(bounds.connectMs, () => fail('does not answer over TCP'));
  socket.on('connect', () => {
    const head = Uint8Array.of(message.length >>> 8, message.length & 255);
    socket.write(Buffer.concat([head, message]));
  });
  socket.on('data', (chunk) => {
    cancelIdle();
    cancelIdle = clock.after(bounds.idleMs, () => fail('has stopped in the middle'));
    try {
      if (framing.take(chunk)) resolve();
      else if (socket.bytesRead > bounds.maxBytes) fail(`sends more than ${bounds.maxBytes} bytes`);
    } catch (error) {
      socket.pause();
      reject(error);
    }
  });
  socket.on('error', reject);
  socket.on('close', () => fail('has closed the connection before the end'));
  try {
    await promise;
  } finally {
    cancelTotal();
    cancelIdle();
    signal.removeEventListener('abort', stopped);
    socket.destroy();
  }
}

/** Messages with two bytes of length before them, in whatever pieces they come. */
class Framing {
  readonly #take: (bytes: Uint8Array) => boolean;
  #pieces: Buffer[] = [];
  #length = 0;

  constructor(take: (bytes: Uint8Array) => boolean) {
    this.#take = take;
  }

  take(chunk: Buffer): boolean {
    this.#pieces.push(chunk);
    this.#length += chunk.length;
    if (this.#length < LENGTH_BYTES) return false;
    if (this.#pieces.length > 1 && this.#length < this.#wanted()) return false;
    const all = Buffer.concat(this.#pieces);
    let at = 0;
    while (all.length >= at + LENGTH_BYTES) {
      const end = at + LENGTH_BYTES + all.readUInt16BE(at);
      if (all.length < end) break;
      if (this.#take(new Uint8Array(all.subarray(at + LENGTH_BYTES, end)))) return true;
      at = end;
    }
    this.#pieces = at === all.length ? [] : [all.subarray(at)];
    this.#length = all.length - at;
    return false;
  }

  /** Bytes of the message that has begun; it may be that its length is in two pieces. */
  #wanted(): number {
    const head = Buffer.concat(this.#pieces.slice(0, 2));
    return LENGTH_BYTES + (head.length < LENGTH_BYTES ? 0 : head.readUInt16BE(0));
  }
}
