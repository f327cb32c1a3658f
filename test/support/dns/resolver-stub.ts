// A recursive resolver of a test on loopback, over UDP and TCP: what it answers is the test's.
import { createSocket } from 'node:dgram';
import { createServer, type Socket } from 'node:net';
import { CLASSES, FLAGS } from '../../../shared/dns/constants.ts';
import { decodeMessage, encodeMessage } from '../../../shared/dns/message.ts';
import type { Message, MessageRecord } from '../../../shared/dns/types.ts';
import { recordsOfText } from './resolve-rig.ts';

/** What is changed of an answer without records that has RA; undefined: silence. */
export type Stubbed = Partial<Message> | undefined;
export type Transport = 'udp' | 'tcp';

export class ResolverStub {
  readonly port: number;
  /** Messages that came, in their order. */
  readonly asked: { transport: Transport; message: Message; port: number }[] = [];
  readonly #close: () => Promise<void>;

  private constructor(port: number, close: () => Promise<void>) {
    this.port = port;
    this.#close = close;
  }

  static async open(
    answer: (message: Message, transport: Transport) => Stubbed,
  ): Promise<ResolverStub> {
    const sockets = new Set<Socket>();
    const udp = createSocket('udp4');
    const tcp = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('data', (chunk) => {
        const reply = stub.#reply(chunk.subarray(2), 'tcp', socket.remotePort ?? 0, answer);
        if (reply === undefined) return;
        socket.write(Uint8Array.of(reply.length >>> 8, reply.length & 255));
        socket.write(reply);
      });
    });
    await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve));
    const bound = tcp.address();
    if (bound === null || typeof bound === 'string') throw new Error('it has no port');
    await new Promise<void>((resolve) => udp.bind(bound.port, '127.0.0.1', resolve));
    const stub = new ResolverStub(bound.port, async () => {
      for (const socket of sockets) socket.destroy();
      await Promise.all([
        new Promise<void>((resolve) => udp.close(() => resolve())),
        new Promise((resolve) => tcp.close(resolve)),
      ]);
    });
    udp.on('message', (bytes, { port }) => {
      const reply = stub.#reply(bytes, 'udp', port, answer);
      if (reply !== undefined) udp.send(reply, port, '127.0.0.1');
    });
    return stub;
  }

  close(): Promise<void> {
    return this.#close();
  }

  #reply(
    bytes: Uint8Array,
    transport: Transport,
    port: number,
    answer: (message: Message, transport: Transport) => Stubbed,
  ): Uint8Array | undefined {
    const message = decodeMessage(bytes);
    this.asked.push({ transport, message, port });
    const changed = answer(message, transport);
    if (changed === undefined) return undefined;
    return encodeMessage(responseTo(message, changed));
  }
}

export function responseTo(message: Message, changed: Partial<Message>): Message {
  const flags = FLAGS.QR | FLAGS.RD | FLAGS.RA;
  return { ...message, flags, answers: [], authorities: [], additionals: [], ...changed };
}

/** Lines of a zone file, names absolute without the final dot. */
export function recordsOf(...lines: readonly string[]): MessageRecord[] {
  const list = recordsOfText('.', lines.map((line) => `${line}\n`).join(''));
  return Array.from({ length: list.count }, (_, index) => ({
    owner: list.owner(index),
    type: list.type(index),
    class: CLASSES.IN,
    ttlSeconds: list.ttlSeconds(index),
    rdata: list.rdata(index),
  }));
}
