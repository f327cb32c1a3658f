// Targets that mean no good, and one that answers by another parser than ours. Both tell in
// X-Tokens whose marks they saw, so that an answer shows whom it is for.

import { once } from 'node:events';
import { createServer as createHttp, type Server as HttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Random } from '../../../shared/random.ts';
import { mutated, RESPONSES } from './hostile-corpus.ts';

export const TOKEN = /k[0-9a-f]{16}/g;
const OK = 'HTTP/1.1 200 OK\r\n';
const MEANWHILE_MS = 20;
const HUNDRED_MEGABYTES = 100_000_000;
const PIECE = Buffer.alloc(65_536, 'edge');

/** Says `piece` for as long as somebody listens, up to so many bytes. */
function flow(socket: Socket, piece: string | Buffer, mostBytes: number): void {
  let sent = 0;
  const more = () => {
    while (!socket.destroyed && sent < mostBytes) {
      sent += piece.length;
      if (!socket.write(piece)) {
        socket.once('drain', more);
        return;
      }
    }
    socket.end();
  };
  more();
}

/** By the path's first word, with the rest of it. */
const DEEDS: Readonly<Record<string, (socket: Socket, argument: string) => void>> = {
  big: (socket) => {
    socket.write(`${OK}Content-Type: text/plain\r\nContent-Length: ${HUNDRED_MEGABYTES}\r\n\r\n`);
    flow(socket, PIECE, HUNDRED_MEGABYTES);
  },
  interims: (socket) => flow(socket, 'HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n', 10_000_000),
  head: (socket) => {
    socket.write(OK);
    flow(socket, 'X-Endless: and so on\r\n', 10_000_000);
  },
  line: (socket) => {
    socket.write(`${OK}X-Endless: `);
    flow(socket, 'x'.repeat(1000), 10_000_000);
  },
  extensions: (socket) => {
    socket.write(`${OK}Transfer-Encoding: chunked\r\n\r\n`);
    flow(socket, `1;${'a=b;'.repeat(100)}c\r\nx\r\n`, 10_000_000);
  },
  trailers: (socket) => {
    socket.write(`${OK}Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n`);
    flow(socket, 'X-Endless: and so on\r\n', 10_000_000);
  },
  tiny: (socket) => {
    socket.write(`${OK}Transfer-Encoding: chunked\r\n\r\n`);
    flow(socket, '1\r\nx\r\n'.repeat(1000), 3_000_000);
  },
  silent: () => {},
  half: (socket) => socket.write(`${OK}Content-Length: 10\r\n\r\nhalf`),
  close: (socket) => socket.end(),
  closeInHead: (socket) => socket.end(`${OK}Content-Le`),
  closeInBody: (socket) => socket.end(`${OK}Content-Length: 10\r\n\r\nhalf`),
  closeInChunk: (socket) => socket.end(`${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nab`),
  reset: (socket) => socket.resetAndDestroy(),
  resetInHead: (socket) => socket.write(`${OK}Content-Le`, () => socket.resetAndDestroy()),
  resetInBody: (socket) =>
    socket.write(`${OK}Content-Length: 10\r\n\r\nhalf`, () => socket.resetAndDestroy()),
  resetBehind: (socket) =>
    socket.write(`${OK}Content-Length: 2\r\n\r\nok`, () => socket.resetAndDestroy()),
  garbage: (socket) => flow(socket, Buffer.alloc(65_536, 0xa5), 10_000_000),
  gzip: (socket) => {
    socket.write(`${OK}Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n`);
    const text = Buffer.from(Array.from({ length: 60_000 }, (_, at) => (at * at * 31) % 251));
    flow(socket, Buffer.concat([Buffer.from('ea60\r\n'), text, Buffer.from('\r\n')]), 30_000_000);
  },
  ws: (socket) => {
    const hash = 'Connection: upgrade\r\nUpgrade: foo\r\n\r\n';
    socket.write(`HTTP/1.1 101 Switching Protocols\r\n${hash}`);
  },
};

/** Reads heads by themselves, since what is sent to it is written anew; bodies are passed over. */
export class HostileTarget {
  readonly server: Server;
  readonly #random: Random;
  readonly #sockets = new Set<Socket>();

  private constructor(random: Random) {
    this.#random = random;
    this.server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
      this.#serve(socket),
    );
  }

  static async start(random: Random): Promise<HostileTarget> {
    const target = new HostileTarget(random);
    target.server.listen(0, '127.0.0.1');
    await once(target.server, 'listening');
    return target;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port; // of TCP
  }

  get open(): number {
    return this.#sockets.size;
  }

  stop(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.server.close();
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => {});
    socket.on('end', () => socket.end());
    let text = '';
    socket.on('data', (bytes: Buffer) => {
      text = (text + bytes.toString('latin1')).slice(-32_768);
      const [, word, argument] = /^\S+ \/(\w+)\/?(\S*) [\s\S]*?\r\n\r\n/.exec(text) ?? [];
      if (word === undefined) return;
      text = '';
      const deed = Object.hasOwn(DEEDS, word) ? DEEDS[word] : undefined;
      if (deed === undefined) this.#fuzz(socket, argument ?? '');
      else deed(socket, argument ?? '');
    });
  }

  /** In pieces now and then, and with an end of some kind now and then. */
  #fuzz(socket: Socket, argument: string): void {
    const random = this.#random;
    const token = argument.match(TOKEN)?.[0] ?? 'none';
    const bytes = Buffer.from(mutated(RESPONSES, random).replaceAll('TOKEN', token), 'latin1');
    const cut = random.integer(4) === 0 ? random.integer(bytes.length + 1) : bytes.length;
    socket.write(bytes.subarray(0, cut));
    const end = random.integer(4);
    setImmediate(() => {
      if (socket.destroyed) return;
      if (cut < bytes.length) socket.write(bytes.subarray(cut));
      if (end === 0) socket.end();
      else if (end === 1) socket.resetAndDestroy();
      // Others may have been put on it meanwhile.
      else setTimeout(() => socket.end(), MEANWHILE_MS);
    });
  }
}

const UNDECIDED = new Set(['HPE_INVALID_METHOD', 'HPE_INVALID_EOF_STATE']);

export type EchoTarget = { server: HttpServer; port: number; seen: string[]; refused: string[] };

/**
 * node:http, which is llhttp, strict. `seen`: targets of requests; `refused`: why what came was no
 * request to it, but for methods that it does not know.
 */
export async function startEcho(): Promise<EchoTarget> {
  const server = createHttp({ keepAlive: true }, (request, response) => {
    target.seen.push(request.url ?? '');
    const all: string[] = [request.url ?? '', ...request.rawHeaders];
    request.on('error', () => {});
    request.on('data', (piece: Buffer) => all.push(piece.toString('latin1')));
    request.on('end', () => {
      const tokens = [...new Set(all.join(' ').match(TOKEN) ?? [])].join(',');
      response.writeHead(200, { 'x-tokens': tokens, 'content-type': 'text/plain' });
      response.end(`${tokens}\n`.repeat(20));
    });
  });
  const target: EchoTarget = { server, port: 0, seen: [], refused: [] };
  server.on('clientError', (error: NodeJS.ErrnoException & { rawPacket?: Buffer }, socket) => {
    const { code = '', rawPacket } = error;
    if (code.startsWith('HPE_') && !UNDECIDED.has(code)) {
      target.refused.push(`${code} ${rawPacket?.toString('latin1').slice(0, 300)}`);
    }
    socket.destroy();
  });
  server.on('upgrade', (_, socket) => socket.destroy());
  server.keepAliveTimeout = 20_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  target.port = (server.address() as AddressInfo).port; // of TCP
  return target;
}
