// One HTTP/2 session to a target: streams up to a bound, closed when it was idle for too long.
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type ClientSessionOptions,
  connect,
} from 'node:http2';
import type { ClientSocket } from '../wiring.ts';
import type { StreamKeeper } from './http2-connection.ts';

/** The target may allow less. */
export const MAX_STREAMS = 100;
const MAX_IDLE_MS = 30_000;
const MAX_HEAD_BYTES = 16_384;

type SessionOptions = {
  /** `address:port`, in brackets for IPv6. */
  authority: string;
  isSingle: boolean;
  time: { readonly nowMs: number };
  onClosed: () => void;
};

/** The second is not among the types of a client's options yet; it is a client's, too. */
const SESSION: ClientSessionOptions & { strictSingleValueFields: boolean } = {
  settings: { enablePush: false, maxHeaderListSize: MAX_HEAD_BYTES },
  // What came in several fields goes on in several.
  strictSingleValueFields: false,
};

export class Http2Session implements StreamKeeper {
  isReused = false;
  /** Exchanges that hold a stream, or are about to. */
  #held = 0;
  #isClosing = false;
  #idleSinceMs: number;
  readonly #session: ClientHttp2Session;
  readonly #socket: ClientSocket;
  readonly #time: { readonly nowMs: number };
  /** It serves one client's connection, and ends with it. */
  readonly #isSingle: boolean;

  constructor(socket: ClientSocket, options: SessionOptions) {
    this.#time = options.time;
    this.#isSingle = options.isSingle;
    this.#idleSinceMs = options.time.nowMs;
    const session = connect(`http://${options.authority}`, {
      ...SESSION,
      createConnection: () => socket,
    });
    this.#session = session;
    this.#socket = socket;
    // The session says nothing of a FIN on a socket that may be half open.
    socket.once('end', () => socket.destroy());
    session.on('goaway', () => this.close());
    session.on('error', () => {}); // 'close' follows
    session.on('close', () => {
      this.#isClosing = true;
      socket.destroy();
      options.onClosed();
    });
  }

  get isIdle(): boolean {
    return this.#held === 0 && !this.#isClosing;
  }

  /** One more exchange; false: it has no room. */
  hold(): boolean {
    const { closed, destroyed, remoteSettings } = this.#session;
    const most = Math.min(MAX_STREAMS, remoteSettings?.maxConcurrentStreams ?? MAX_STREAMS);
    if (this.#isClosing || closed || destroyed || this.#held >= most) return false;
    this.#held++;
    return true;
  }

  open(flat: string[], endStream: boolean): ClientHttp2Stream | 'closed' | 'refused' {
    if (this.#session.closed || this.#session.destroyed) return 'closed';
    try {
      return this.#session.request(flat, { endStream, waitForTrailers: !endStream });
    } catch {
      return 'refused'; // node:http2 throws at what it takes for no head
    }
  }

  answered(): void {
    this.isReused = true;
  }

  released(): void {
    this.#held--;
    this.#idleSinceMs = this.#time.nowMs;
    if (this.#held === 0 && (this.#isClosing || this.#isSingle)) this.close();
  }

  isOld(nowMs: number): boolean {
    return this.isIdle && nowMs - this.#idleSinceMs >= MAX_IDLE_MS;
  }

  /** What is open on it ends first. */
  close(): void {
    this.#isClosing = true;
    if (this.#held > 0) {
      this.#session.close();
      return;
    }
    // Behind the turn: Node 24 aborts when a session ends while nghttp2 reads on.
    setImmediate(() => {
      this.#session.destroy();
      this.#socket.destroy(); // a session that was closing would wait for the target's FIN
    });
  }
}
