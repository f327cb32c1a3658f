// What a command gets from outside: streams, environment, clock, the store, daemons, the host.

import type { Clock } from '../clock.ts';
import type { StoreConfig } from '../store/open.ts';
import type { Store } from '../store/types.ts';
import type { Host } from './doctor/host.ts';
import type { Output } from './output.ts';

export interface Input {
  readonly isTty: boolean;
  /** All of stdin as text. */
  readAll(): Promise<string>;
  /** Asks on stderr; true only for y or yes. */
  confirm(question: string): Promise<boolean>;
}

/** The control socket of a daemon: HTTP and JSON (docs/contracts.md). */
export interface Control {
  /** Rejects with an OperationalError, also for an answer that tells of one. */
  get(path: string): Promise<unknown>;
  post(path: string, body: unknown): Promise<unknown>;
  /** The chunks of an endless answer; aborting ends it quietly. */
  stream(path: string, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

export type Context = {
  out: Output;
  err: Output;
  input: Input;
  env: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  /** Aborted by the first Ctrl-C. */
  signal: AbortSignal;
  /** Who is named as author of a change. */
  author: string;
  /** `config`: edgectl's own; `state`: a directory a service; `run`: control sockets. */
  paths: { config: string; state: string; run: string };
  host: Host;
  openStore(config: StoreConfig): Promise<Store>;
  openControl(socketPath: string): Control;
  /** A page of the admin port at host:port, which answers with JSON; `token`: see session.ts. */
  getAdmin(address: string, path: string, token?: string): Promise<unknown>;
};
