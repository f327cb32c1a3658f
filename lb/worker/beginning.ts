// The first bytes of a connection, looked at before it is known what is spoken: a PROXY header, or
// the preface of HTTP/2. What is not used is put back.
import type { Socket } from 'node:net';
import { isHttp2Preface } from '../l7/front-http2/preface.ts';
import { readProxyHeader } from '../l7/proxy-protocol/read.ts';
import type { ProxyHeader } from '../l7/proxy-protocol/types.ts';
import type { ClientInfo } from '../l7/types.ts';
import type { Held } from './held.ts';

export type Addresses = Partial<
  Pick<ClientInfo, 'address' | 'port' | 'localAddress' | 'localPort'>
>;

export class Beginning implements Held {
  readonly isIdle = true;
  readonly tunnelRoutes = [];
  readonly #socket: Socket;
  readonly #deadlineMs: number;
  readonly #onEnded: () => void;
  #read: Buffer = Buffer.alloc(0);
  #onData: ((bytes: Buffer) => void) | undefined;

  /** `deadlineMs`: monotonic; until then all of it is there, or the connection is closed. */
  constructor(socket: Socket, deadlineMs: number, onEnded: () => void) {
    this.#socket = socket;
    this.#deadlineMs = deadlineMs;
    this.#onEnded = onEnded;
    socket.once('close', this.#closed);
  }

  /** `done` with undefined: there was none, or a bad one, and the connection is closed. */
  proxyHeader(done: (addresses: Addresses | undefined) => void): void {
    this.#readUntil((bytes) => {
      const read = readProxyHeader(bytes, 0, bytes.length);
      if (read === 'more') return;
      if ('refused' in read) {
        this.#end(bytes.subarray(0, 0));
        this.#socket.destroy();
        done(undefined);
        return;
      }
      this.#end(bytes.subarray(read.bytes));
      done(addressesOf(read));
    });
  }

  http2Preface(done: (isHttp2: boolean) => void): void {
    this.#readUntil((bytes) => {
      const verdict = isHttp2Preface(bytes);
      if (verdict === 'more') return;
      this.#end(bytes);
      done(verdict);
    });
  }

  tick(nowMs: number): void {
    if (nowMs > this.#deadlineMs) this.#socket.destroy();
  }

  closeWhenIdle(): void {
    this.#socket.destroy();
  }

  endTunnels(): void {}

  destroy(): void {
    this.#socket.destroy();
  }

  #readUntil(take: (bytes: Buffer) => void): void {
    this.#onData = (bytes) => {
      this.#read = this.#read.length === 0 ? bytes : Buffer.concat([this.#read, bytes]);
      take(this.#read);
    };
    this.#socket.on('data', this.#onData);
    this.#socket.once('end', this.#ended);
    this.#socket.resume(); // who read before has paused it
  }

  /** Nobody reads until the next one does; `rest` comes first then. */
  #end(rest: Buffer): void {
    const socket = this.#socket;
    if (this.#onData !== undefined) socket.off('data', this.#onData);
    socket.off('end', this.#ended);
    socket.off('close', this.#closed);
    socket.pause();
    if (rest.length > 0) socket.unshift(rest);
    this.#onEnded();
  }

  /** Half a beginning is none. */
  readonly #ended = () => this.#socket.destroy();
  readonly #closed = () => this.#onEnded();
}

/** Without them the connection speaks for itself (LOCAL). */
function addressesOf({ source, destination }: ProxyHeader): Addresses {
  if (source === undefined || destination === undefined) return {};
  return { ...source, localAddress: destination.address, localPort: destination.port };
}
