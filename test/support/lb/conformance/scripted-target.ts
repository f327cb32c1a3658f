// A target for one row: splits requests off in the simplest way and does what the row says with
// each. Requests for /again and /probe are the rig's own, to learn how connections were left.
import { createServer, type Server } from 'node:net';
import { wire } from '../../../unit/lb/http1/cases.ts';
import { Wire } from '../http/wire.ts';
import { type Message, messagesIn } from './messages.ts';
import type { Act, Answer, Row } from './row.ts';

const OK: Answer = { at: 'message', acts: ['HTTP/1.1 200 OK\nContent-Length: 2\n\nok'] };
const PROBE = /^GET \/(again|probe) HTTP/;

/** Everything that one side got, over all of its connections. */
export type Heard = { readonly text: string };

export type Acting = (acts: readonly Act[], wire: Wire) => Promise<void>;

type Connection = { wire: Wire; answered: number; isTunnel: boolean; probe: string | undefined };

export class RowTarget implements Heard {
  readonly port: number;
  readonly connections: Connection[] = [];
  text = '';
  act: Acting = async () => {};
  readonly #row: Row;
  readonly #server: Server;
  #requests = 0;

  private constructor(row: Row, server: Server, port: number) {
    this.#row = row;
    this.#server = server;
    this.port = port;
    server.on('connection', (socket) => {
      const connection: Connection = {
        wire: new Wire(socket),
        answered: 0,
        isTunnel: false,
        probe: undefined,
      };
      this.connections.push(connection);
      socket.on('data', (bytes) => {
        this.text += bytes.toString('latin1');
        this.#heard(connection);
      });
      socket.on('end', () => {
        if (!connection.isTunnel) socket.end();
      });
    });
  }

  static async open(row: Row): Promise<RowTarget> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('it does not listen');
    return new RowTarget(row, server, address.port);
  }

  /** The row's requests, by connection and then in order; the rig's own left out. */
  get requests(): Message[] {
    return this.connections.flatMap((each) => messagesOf(each).filter((one) => !isProbe(one)));
  }

  /** Of the connection on which the rig's own request came; -1: on none. */
  probedOn(probe: string): number {
    return this.connections.findIndex((each) => each.probe === probe);
  }

  isUsed(index: number): boolean {
    const connection = this.connections[index];
    return connection !== undefined && messagesOf(connection).some((one) => !isProbe(one));
  }

  close(): void {
    this.#server.close();
    for (const { wire: each } of this.connections) each.destroy();
  }

  #heard(connection: Connection): void {
    const messages = messagesOf(connection);
    for (;;) {
      const message = messages[connection.answered];
      if (message === undefined || connection.isTunnel || !message.head.endsWith('\r\n\r\n'))
        return;
      const probe = PROBE.exec(message.head)?.[1];
      if (probe !== undefined) {
        connection.probe = probe;
        connection.answered++;
        const length = `Content-Length: ${probe.length}`;
        connection.wire.send(wire(`HTTP/1.1 200 OK\n${length}\n\n${probe}`));
        continue;
      }
      const answer = this.#row.target[this.#requests] ?? OK;
      if (answer.at === 'message' && !message.isWhole) return;
      connection.answered++;
      this.#requests++;
      connection.isTunnel = answer.acts.some((act) => typeof act === 'string' && isUpgrade(act));
      void this.act(answer.acts, connection.wire);
    }
  }
}

function isUpgrade(text: string): boolean {
  return text.includes('HTTP/1.1 101 ');
}

function messagesOf({ wire: { received }, isTunnel, answered }: Connection): Message[] {
  return messagesIn(received, {
    isResponse: false,
    isBodiless: () => false,
    isTunnel: (index) => isTunnel && index === answered - 1,
    isEnded: false,
  });
}

function isProbe({ head }: Message): boolean {
  return PROBE.test(head);
}
