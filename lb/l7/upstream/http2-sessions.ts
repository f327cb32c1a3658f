// The HTTP/2 sessions of one target: a request takes a stream of one that has room, waits for the
// one that is being opened, or opens one more.
import type { ConnectFailure } from '../types.ts';
import type { ClientSocket } from '../wiring.ts';
import { Http2Connection } from './http2-connection.ts';
import { Http2Session, MAX_STREAMS } from './http2-session.ts';
import type { TargetConnection } from './types.ts';

export type SessionDone = (result: TargetConnection | ConnectFailure) => void;
/** Opens a socket; the result cancels. */
export type OpenSocket = (done: (result: ClientSocket | ConnectFailure) => void) => () => void;

type Pending = { waiters: Set<SessionDone>; cancel: () => void };

export class Http2Sessions {
  readonly #authority: string;
  readonly #time: { readonly nowMs: number };
  readonly #sessions = new Set<Http2Session>();
  #pending: Pending | undefined;

  constructor(authority: string, time: { readonly nowMs: number }) {
    this.#authority = authority;
    this.#time = time;
  }

  get idle(): number {
    return [...this.#sessions].filter(({ isIdle }) => isIdle).length;
  }

  take(): TargetConnection | undefined {
    for (const session of this.#sessions) {
      if (session.hold()) return new Http2Connection(session);
    }
    return undefined;
  }

  /** `mayShare`: the session is for others, too, and one that is being opened will do. */
  connect(open: OpenSocket, mayShare: boolean, done: SessionDone): () => void {
    let pending = mayShare ? this.#pending : undefined;
    if (pending === undefined || pending.waiters.size >= MAX_STREAMS) {
      pending = this.#open(open, !mayShare);
      if (mayShare) this.#pending = pending;
    }
    const { waiters, cancel } = pending;
    waiters.add(done);
    return () => {
      if (!waiters.delete(done) || waiters.size > 0) return;
      if (this.#pending?.waiters === waiters) this.#pending = undefined;
      cancel();
    };
  }

  expire(nowMs: number): void {
    for (const session of this.#sessions) if (session.isOld(nowMs)) session.close();
  }

  clear(): void {
    for (const session of this.#sessions) session.close();
  }

  #open(open: OpenSocket, isSingle: boolean): Pending {
    const waiters = new Set<SessionDone>();
    const cancel = open((result) => {
      if (this.#pending?.waiters === waiters) this.#pending = undefined;
      const session = 'kind' in result ? undefined : this.#add(result, isSingle);
      for (const done of waiters) {
        if (session === undefined)
          done(result as ConnectFailure); // there is no session
        else if (session.hold()) done(new Http2Connection(session));
        else done({ kind: 'refused', detail: 'no-room' });
      }
    });
    return { waiters, cancel };
  }

  #add(socket: ClientSocket, isSingle: boolean): Http2Session {
    const session = new Http2Session(socket, {
      authority: this.#authority,
      isSingle,
      time: this.#time,
      onClosed: () => this.#sessions.delete(session),
    });
    if (!isSingle) this.#sessions.add(session);
    return session;
  }
}
