// An HTTP/1.1 front on loopback with whatever forwarder a test gives it, and clocks that the test
// moves.
import { createServer, type Server } from 'node:net';
import { createServer as createTlsServer, connect as tlsConnect } from 'node:tls';
import { until } from '../../../../lab/ready.ts';
import { serveHttp1 } from '../../../../lb/l7/front-http1/connection.ts';
import {
  DEFAULT_LIMITS,
  type Http1Connection,
  type Http1Limits,
} from '../../../../lb/l7/front-http1/types.ts';
import type { ClientInfo, Policy } from '../../../../lb/l7/types.ts';
import type { ClientSocket, Forwarder } from '../../../../lb/l7/wiring.ts';
import { ManualClock } from '../../../../shared/clock.ts';
import { DEFAULT_PROXY } from '../../../../shared/site/lb-objects.ts';
import { FakePolicy, KeptJournal, LISTENER, ScriptedForwarder } from './fakes.ts';
import { Wire } from './wire.ts';

const STEP = { everyMs: 1 };

export type FrontRigOptions = {
  policy?: Policy;
  forwarder?: Forwarder;
  limits?: Partial<Http1Limits>;
  clock?: ManualClock;
  /** PEM: then it speaks TLS. */
  tls?: { key: string | Buffer; cert: string | Buffer };
};

export class FrontRig {
  readonly clock: ManualClock;
  readonly journal = new KeptJournal();
  /** In force unless others were given. */
  readonly policy = new FakePolicy();
  readonly forwarder = new ScriptedForwarder();
  readonly bounds = { isDraining: false };
  /** In the order in which they came. */
  readonly connections: Http1Connection[] = [];
  closed = 0;
  readonly #server: Server;
  readonly #isTls: boolean;
  readonly #wires: Wire[] = [];

  private constructor(options: FrontRigOptions) {
    this.clock = options.clock ?? new ManualClock();
    const front = {
      policy: options.policy ?? this.policy,
      forwarder: options.forwarder ?? this.forwarder,
      journal: this.journal,
      bounds: this.bounds,
      clock: this.clock,
      limits: { ...DEFAULT_LIMITS, ...options.limits },
      self: 'edge-lb-1',
      timeoutsOf: () => DEFAULT_PROXY.timeouts,
    };
    this.#isTls = options.tls !== undefined;
    const serve = (socket: ClientSocket) => {
      const client: ClientInfo = {
        address: '127.0.0.1',
        port: socket.remotePort ?? 0,
        localAddress: '127.0.0.1',
        localPort: 80,
        scheme: options.tls === undefined ? 'http' : 'https',
        isTrusted: false,
      };
      const onClosed = () => {
        this.closed++;
      };
      const connection = serveHttp1(socket, {
        ...front,
        listener: () => LISTENER,
        client,
        onClosed,
      });
      this.connections.push(connection);
    };
    const sockets = { allowHalfOpen: true, noDelay: true };
    this.#server =
      options.tls === undefined
        ? createServer(sockets, serve)
        : createTlsServer({ ...sockets, ...options.tls }, serve);
  }

  static async open(options: FrontRigOptions = {}): Promise<FrontRig> {
    const rig = new FrontRig(options);
    await new Promise<void>((resolve) => rig.#server.listen(0, '127.0.0.1', resolve));
    return rig;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('does not listen');
    return address.port;
  }

  /** A client that is connected, and known to the front. */
  async client(): Promise<Wire> {
    const before = this.connections.length;
    const wire = this.#isTls ? this.#tlsWire() : await Wire.connect(this.port);
    this.#wires.push(wire);
    await until('the front has it', () => this.connections.length > before, STEP);
    return wire;
  }

  #tlsWire(): Wire {
    const socket = tlsConnect({ port: this.port, host: '127.0.0.1', rejectUnauthorized: false });
    socket.allowHalfOpen = true;
    return new Wire(socket);
  }

  /** Time passes for every connection, in steps of a quarter of a second (of long spans: more). */
  async pass(ms: number): Promise<void> {
    const stepMs = Math.max(250, ms / 200);
    for (let left = ms; left > 0; left -= stepMs) {
      await this.clock.advance(Math.min(left, stepMs));
      for (const connection of this.connections) connection.tick(this.clock.monotonicMs());
    }
  }

  async until(what: string, probe: () => boolean): Promise<void> {
    await until(what, probe, STEP);
  }

  async close(): Promise<void> {
    for (const connection of this.connections) connection.destroy('drained');
    for (const wire of this.#wires) wire.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
