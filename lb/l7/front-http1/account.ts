// What the journal is told of a request, gathered while it lasts.
import type {
  AccessEntry,
  ClientInfo,
  Forwarding,
  RequestView,
  TerminationCause,
} from '../types.ts';

/** Of a head that could not be read. */
export const NO_REQUEST = { method: '', host: '', target: '' };

/** One object a connection, set anew for each request. */
export class Account {
  listener = '';
  route = '';
  status = 0;
  startedMs = 0;
  bytesIn = 0;
  bytesOut = 0;
  protocol: AccessEntry['protocol'] = 'HTTP/1.1';
  readonly #client: ClientInfo;

  constructor(client: ClientInfo) {
    this.#client = client;
  }

  begin(listener: string, minor: 0 | 1, startedMs: number): void {
    this.listener = listener;
    this.route = '';
    this.status = 0;
    this.startedMs = startedMs;
    this.bytesIn = 0;
    this.bytesOut = 0;
    this.protocol = minor === 1 ? 'HTTP/1.1' : 'HTTP/1.0';
  }

  entry(
    { method, host, target }: Pick<RequestView, 'method' | 'host' | 'target'>,
    endedMs: number,
    cause: TerminationCause,
    detail: string | undefined,
    forwarding: Forwarding | undefined,
  ): AccessEntry {
    const entry: AccessEntry = {
      listener: this.listener,
      route: this.route,
      client: this.#client,
      protocol: this.protocol,
      method,
      host,
      target,
      status: this.status,
      bytesIn: this.bytesIn,
      bytesOut: this.bytesOut,
      startedMs: this.startedMs,
      endedMs,
      cause,
    };
    if (detail !== undefined) entry.detail = detail;
    if (forwarding !== undefined) entry.forward = forwarding.record;
    return entry;
  }
}
