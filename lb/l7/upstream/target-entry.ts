// What is known of one target under one identity: its idle connections, last in, first out, so that
// those which are not needed grow old.

import type { Http1Connection, Http1Owner } from './http1-connection.ts';
import { Http2Sessions } from './http2-sessions.ts';
import type { Identity } from './identity.ts';
import type { TargetConnection } from './types.ts';

const MAX_AGE_MS = 3_600_000;
const MAX_EXCHANGES = 100_000;

/** Of all entries of a worker. */
export type Shared = { nowMs: number; idle: number; isClosed: boolean };

export class TargetEntry implements Http1Owner {
  readonly identity: Identity;
  readonly address: string;
  readonly port: number;
  maxIdle = 0;
  /** No pool has it any more: nothing is kept. */
  isGone = false;
  readonly sessions: Http2Sessions;
  readonly #shared: Shared;
  readonly #idle: Http1Connection[] = [];

  constructor(identity: Identity, address: string, port: number, shared: Shared) {
    this.identity = identity;
    this.address = address;
    this.port = port;
    this.#shared = shared;
    const host = address.includes(':') ? `[${address}]` : address;
    this.sessions = new Http2Sessions(`${host}:${port}`, shared);
  }

  take(): TargetConnection | undefined {
    if (this.identity.isHttp2) return this.sessions.take();
    for (let last = this.#idle.pop(); last !== undefined; last = this.#idle.pop()) {
      this.#shared.idle--;
      if (last.idleUntilMs > this.#shared.nowMs) return last;
      last.abort();
    }
    return undefined;
  }

  park(connection: Http1Connection, idleMs: number): boolean {
    const { nowMs, isClosed } = this.#shared;
    if (idleMs === 0 || isClosed || this.isGone || this.#idle.length >= this.maxIdle) return false;
    if (connection.exchanges >= MAX_EXCHANGES) return false;
    if (nowMs - connection.bornMs >= MAX_AGE_MS) return false;
    connection.idleUntilMs = nowMs + idleMs;
    this.#idle.push(connection);
    this.#shared.idle++;
    return true;
  }

  drop(connection: Http1Connection): void {
    const index = this.#idle.lastIndexOf(connection);
    if (index < 0) return;
    this.#idle.splice(index, 1);
    this.#shared.idle--;
  }

  expire(): void {
    const { nowMs } = this.#shared;
    const old = this.#idle.filter(({ idleUntilMs }) => idleUntilMs <= nowMs);
    for (const connection of old) this.#end(connection);
    this.sessions.expire(nowMs);
  }

  clear(): void {
    for (const connection of [...this.#idle]) this.#end(connection);
    this.sessions.clear();
  }

  #end(connection: Http1Connection): void {
    this.drop(connection);
    connection.abort();
  }
}
