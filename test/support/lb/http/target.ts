// A target whose every byte is a test's: it listens on loopback and hands its connections to the
// script, in the order in which they come.
import { createServer, type Server } from 'node:net';
import { until } from '../../../../lab/ready.ts';
import { Wire } from './wire.ts';

export class ScriptedTarget {
  readonly connections: Wire[] = [];
  readonly #server: Server;
  #next = 0;

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket) => this.connections.push(new Wire(socket)));
  }

  static async open(): Promise<ScriptedTarget> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    const target = new ScriptedTarget(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return target;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('does not listen');
    return address.port;
  }

  /** The next connection that was not asked for yet, once it is there. */
  async next(): Promise<Wire> {
    const index = this.#next++;
    return await until('a connection at the target', () => this.connections[index], { everyMs: 1 });
  }

  close(): void {
    this.#server.close();
    for (const connection of this.connections) connection.destroy();
  }
}
