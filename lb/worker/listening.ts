// The listening sockets of a worker: each worker has its own for every address (SO_REUSEPORT), and
// the kernel spreads connections over them. What stays the same in a new plan is not touched.
import { createServer, type Server, type Socket } from 'node:net';
import { parseEndpoint } from '../../shared/net/ports.ts';
import type { Listener } from '../../shared/site/lb-objects.ts';
import type { Problem } from '../workers/messages.ts';

const BACKLOG = 4096;
const TCP_KEEP_ALIVE_MS = 60_000;

type Open = { server: Server; listener: string };

export class Listening {
  readonly #onSocket: (listener: string, socket: Socket) => void;
  readonly #open = new Map<string, Open>();
  readonly #problems = new Map<string, Problem>();

  constructor(onSocket: (listener: string, socket: Socket) => void) {
    this.#onSocket = onSocket;
  }

  get problems(): Problem[] {
    return [...this.#problems.values()];
  }

  /** Resolves when each address listens or has failed; those that failed before are tried again. */
  async want(listeners: readonly Listener[]): Promise<void> {
    const wanted = new Map(listeners.flatMap(({ name, at }) => at.map((each) => [each, name])));
    for (const [at, { server }] of this.#open) {
      if (wanted.has(at)) continue;
      this.#open.delete(at);
      server.close();
    }
    this.#problems.clear();
    await Promise.all([...wanted].map(([at, name]) => this.#want(at, name)));
  }

  /** No more is accepted; what is open stays. */
  close(): void {
    for (const { server } of this.#open.values()) server.close();
    this.#open.clear();
  }

  async #want(at: string, listener: string): Promise<void> {
    const known = this.#open.get(at);
    if (known !== undefined) {
      known.listener = listener;
      return;
    }
    const endpoint = parseEndpoint(at);
    if (endpoint === undefined) throw new Error(`${at} was checked to be host:port`);
    const server = createServer({
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
    });
    const open = { server, listener };
    server.on('connection', (socket) => this.#onSocket(open.listener, socket));
    await new Promise<void>((resolve) => {
      server.once('error', (error) => {
        this.#problems.set(at, { listener, text: `${at}: ${error.message}` });
        resolve();
      });
      const { host, port } = endpoint;
      const ipv6Only = host.includes(':');
      server.listen({ host, port, backlog: BACKLOG, reusePort: true, ipv6Only }, () => {
        server.removeAllListeners('error');
        server.on('error', () => {}); // of one accept(2); others go on
        this.#open.set(at, open);
        resolve();
      });
    });
  }
}
