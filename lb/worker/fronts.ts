// From an accepted connection to the front that speaks with it: who may connect, PROXY headers,
// TLS, and HTTP/1.1, HTTP/2 or a stream.
import type { Socket } from 'node:net';
import type { Clock } from '../../shared/clock.ts';
import type { Listener } from '../../shared/site/lb-objects.ts';
import { serveHttp1 } from '../l7/front-http1/connection.ts';
import { DEFAULT_LIMITS, type Http1Front } from '../l7/front-http1/types.ts';
import { serveHttp2 } from '../l7/front-http2/session.ts';
import { DEFAULT_HTTP2_LIMITS } from '../l7/front-http2/types.ts';
import { serveTcp } from '../l7/front-tcp/stream.ts';
import type { CertificateStore } from '../l7/tls/certificate-store.ts';
import { createTlsTerminator, type TlsTerminator } from '../l7/tls/terminator.ts';
import type { ClientInfo } from '../l7/types.ts';
import type { ClientSocket, Upstreams } from '../l7/wiring.ts';
import type { Balancer, PoolState } from '../pools/types.ts';
import type { WorkerSettings } from '../workers/messages.ts';
import { clientOf, Peers, peerAddress } from './accepting.ts';
import { heldHttp2, heldOf } from './adapters.ts';
import type { Admission } from './admission.ts';
import { Beginning } from './beginning.ts';
import type { Held } from './held.ts';
import type { Tally } from './tally.ts';

export type FrontsOptions = {
  front: Omit<Http1Front, 'limits'>;
  settings: () => WorkerSettings;
  /** The one in force of that name. */
  listener: (name: string) => Listener | undefined;
  tally: Tally;
  admission: Admission;
  store: CertificateStore;
  upstreams: Upstreams;
  balancers: (pool: string) => Balancer | undefined;
  pool: (name: string) => PoolState | undefined;
  hold: (held: Held, listener: string) => void;
  letGo: (held: Held) => void;
  clock: Clock;
};

/** Of a worker, in all listeners. */
const MAX_HANDSHAKES = 2000;

export class Fronts {
  readonly #options: FrontsOptions;
  readonly #peers = new Map<string, Peers>();
  readonly #terminators = new Map<string, TlsTerminator>();

  constructor(options: FrontsOptions) {
    this.#options = options;
  }

  update(listeners: readonly Listener[]): void {
    const { store, settings, clock } = this.#options;
    const names = new Set(listeners.map(({ name }) => name));
    for (const [name, terminator] of this.#terminators) {
      if (names.has(name)) continue;
      terminator.close();
      this.#terminators.delete(name);
    }
    this.#peers.clear();
    for (const listener of listeners) {
      this.#peers.set(listener.name, new Peers(listener));
      if (listener.protocol !== 'https') continue;
      const known = this.#terminators.get(listener.name);
      if (known !== undefined) {
        known.update(listener);
        continue;
      }
      const { keys, limits } = settings();
      const terminator = createTlsTerminator({
        listener,
        store,
        secret: keys.tickets,
        clock,
        handshakeMs: limits.handshake,
        maxHandshakes: MAX_HANDSHAKES,
      });
      this.#terminators.set(listener.name, terminator);
    }
  }

  tick(): void {
    for (const terminator of this.#terminators.values()) terminator.tick();
  }

  accept(listener: Listener, socket: Socket): void {
    const { admission } = this.#options;
    const peer = peerAddress(socket.remoteAddress);
    socket.on('error', () => {}); // 'close' follows
    if (!admission.enter(listener, peer)) {
      socket.resetAndDestroy();
      return;
    }
    socket.once('close', () => admission.leave(listener, peer));
    const peers = this.#peers.get(listener.name);
    const client = clientOf(socket, peers?.isTrusted(peer) ?? false);
    if (peers?.isProxy(peer) !== true) {
      this.#admit(listener, socket, client);
      return;
    }
    const beginning = this.#begin(listener, socket);
    beginning.proxyHeader((header) => {
      if (header === undefined) return;
      this.#admit(listener, socket, { ...client, ...header });
    });
  }

  #admit(listener: Listener, socket: Socket, client: ClientInfo): void {
    const { front, tally } = this.#options;
    if (!front.policy.admits(listener, client.address)) {
      tally.listener(listener.name).denied++;
      socket.destroy();
      return;
    }
    switch (listener.protocol) {
      case 'https':
        this.#secure(listener, socket, client);
        break;
      case 'http':
        if (listener.http2) this.#plain(listener, socket, client);
        else this.#http1(listener, socket, client);
        break;
      case 'tcp':
      case 'tls':
        this.#stream(listener, socket, client);
        break;
    }
  }

  #secure(listener: Listener, socket: Socket, client: ClientInfo): void {
    const terminator = this.#terminators.get(listener.name);
    if (terminator === undefined) {
      socket.destroy();
      return;
    }
    terminator.secure(socket, (result) => {
      if ('failure' in result) {
        this.#options.tally.handshakeFailed(listener.name, result.failure);
        return;
      }
      const secured = { ...client, ...result.info };
      if (result.protocol === 'h2') this.#http2(listener, result.socket, secured);
      else this.#http1(listener, result.socket, secured);
    });
  }

  /** HTTP/2 with prior knowledge begins with words of its own (RFC 9113, 3.4). */
  #plain(listener: Listener, socket: Socket, client: ClientInfo): void {
    const beginning = this.#begin(listener, socket);
    beginning.http2Preface((isHttp2) => {
      if (isHttp2) this.#http2(listener, socket, client);
      else this.#http1(listener, socket, client);
    });
  }

  #begin(listener: Listener, socket: Socket): Beginning {
    const { hold, letGo, clock, settings } = this.#options;
    const deadlineMs = clock.monotonicMs() + settings().limits.head;
    const beginning = new Beginning(socket, deadlineMs, () => letGo(beginning));
    hold(beginning, listener.name);
    return beginning;
  }

  #http1(listener: Listener, socket: ClientSocket, client: ClientInfo): void {
    const { front, hold, letGo, settings } = this.#options;
    const { limits } = settings();
    const connection = serveHttp1(socket, {
      ...front,
      limits: {
        ...DEFAULT_LIMITS,
        headMs: limits.head,
        bodyMs: limits.body,
        keepAliveMs: limits.keepAlive,
        requests: limits.requests,
      },
      listener: () => this.#now(listener),
      client,
      onClosed: () => letGo(held),
    });
    const held = heldOf(connection);
    hold(held, listener.name);
  }

  #http2(listener: Listener, socket: ClientSocket, client: ClientInfo): void {
    const { front, hold, letGo, settings } = this.#options;
    const { limits } = settings();
    const connection = serveHttp2(socket, {
      ...front,
      limits: {
        ...DEFAULT_HTTP2_LIMITS,
        headMs: limits.head,
        bodyMs: limits.body,
        keepAliveMs: limits.keepAlive,
        requests: limits.requests,
      },
      listener: () => this.#now(listener),
      client,
      onClosed: () => letGo(held),
    });
    const held = heldHttp2(connection);
    hold(held, listener.name);
  }

  #stream(listener: Listener, socket: Socket, client: ClientInfo): void {
    const { front, hold, letGo, upstreams, balancers, pool } = this.#options;
    const connection = serveTcp(socket, {
      ...front,
      listener: () => this.#now(listener),
      client,
      upstreams,
      balancers,
      pool,
      onClosed: () => letGo(held),
    });
    const held = heldOf(connection);
    hold(held, listener.name);
  }

  #now(listener: Listener): Listener {
    return this.#options.listener(listener.name) ?? listener;
  }
}
