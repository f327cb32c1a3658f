// What the tests of upstream connections stand on: targets that say what a script says, and what
// the events of an exchange told.
import { createServer, type Server, type Socket } from 'node:net';
import { until } from '../../../../lab/ready.ts';
import type { ResponseHead } from '../../../../lb/l7/http1/types.ts';
import type { ConnectFailure, UpstreamError } from '../../../../lb/l7/types.ts';
import type { MessageShape, TargetConnection } from '../../../../lb/l7/upstream/types.ts';
import { createUpstreams } from '../../../../lb/l7/upstream/upstreams.ts';
import type { ClientSocket, UpstreamEvents } from '../../../../lb/l7/wiring.ts';
import type { TargetState } from '../../../../lb/pools/types.ts';
import { ManualClock } from '../../../../shared/clock.ts';
import { DEFAULT_PROXY, type PoolProxy } from '../../../../shared/site/lb-objects.ts';

export const GET: MessageShape = {
  isHead: false,
  hasBody: false,
  isUpgrade: false,
  chunked: false,
};
export const HEAD_REQUEST = Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n');

const MAX_HEAD_CHARACTERS = 1000;

export type Answer = (socket: Socket, request: string, index: number) => void;

/** A target: `answer` is called for each request's head; `received` is all that came. */
export type ScriptedTarget = {
  state: TargetState;
  server: Server;
  sockets: Socket[];
  connections: number;
  received: string;
  close(): Promise<void>;
};

export async function startTarget(answer: Answer): Promise<ScriptedTarget> {
  const server = createServer({ allowHalfOpen: true });
  const target: ScriptedTarget = {
    state: targetAt(0),
    server,
    sockets: [],
    connections: 0,
    received: '',
    close: () => {
      for (const socket of target.sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  let requests = 0;
  server.on('connection', (socket) => {
    target.connections++;
    target.sockets.push(socket);
    let pending = '';
    socket.on('error', () => {});
    socket.on('end', () => socket.end());
    socket.on('data', (piece) => {
      target.received += piece.toString('latin1');
      pending = pending.slice(-MAX_HEAD_CHARACTERS) + piece.toString('latin1');
      for (let at = endOfHead(pending); at > 0; at = endOfHead(pending)) {
        const head = pending.slice(0, at);
        pending = pending.slice(at);
        answer(socket, head, requests++);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  target.state = targetAt((server.address() as { port: number }).port);
  return target;
}

/** Bodies in these tests have no line that begins as a request does. */
function endOfHead(text: string): number {
  const begin = /^[A-Z]+ \S+ HTTP\/1\.1\r\n/m.exec(text)?.index ?? -1;
  const end = begin < 0 ? -1 : text.indexOf('\r\n\r\n', begin);
  return end < 0 ? -1 : end + 4;
}

export function targetAt(port: number, address = '127.0.0.1'): TargetState {
  const id = `${address}:${port}`;
  return { id, address, port, weight: 1, tier: 0, health: 'up', upSinceMs: 0 };
}

export function poolOf(proxy: Partial<PoolProxy> = {}, name = 'web') {
  return { name, proxy: { ...DEFAULT_PROXY, ...proxy } };
}

/** Upstreams, and the promise that nothing of them is open at the end. */
export function createRig() {
  const clock = new ManualClock();
  const upstreams = createUpstreams({ clock });
  return {
    clock,
    upstreams,
    connect: (
      pool: ReturnType<typeof poolOf>,
      target: TargetState,
      options: { fresh?: boolean; proxyHeader?: Buffer; connectMs?: number } = {},
    ) =>
      new Promise<TargetConnection>((resolve, reject) => {
        const all = { fresh: false, connectMs: 3000, ...options };
        upstreams.connect(pool, target, all, (result) => {
          if ('kind' in result) reject(new ConnectError(result));
          else resolve(result);
        });
      }),
    async close(): Promise<void> {
      upstreams.close();
      await until('no connection is open', () => upstreams.open === 0 && upstreams.idle === 0);
    },
  };
}

export class ConnectError extends Error {
  readonly failure: ConnectFailure;

  constructor(failure: ConnectFailure) {
    super(`${failure.kind}: ${failure.detail}`);
    this.failure = failure;
  }
}

/** What an exchange's events told, as lines: `head 200`, `body hello`, `end`, `reset received`. */
export class Told implements UpstreamEvents {
  readonly lines: string[] = [];
  bytes = 0;
  upgraded: { socket: ClientSocket; rest: Buffer } | undefined;
  readonly over: Promise<void>;
  onPiece: (piece: Buffer) => void = () => {};
  onAnyHead: (head: ResponseHead) => void = () => {};
  #resolve: () => void = () => {};
  #body = '';

  constructor() {
    this.over = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  onInterim(head: ResponseHead): void {
    this.lines.push(`interim ${head.status}`);
  }

  onHead(head: ResponseHead): void {
    this.lines.push(`head ${head.status}`);
    this.onAnyHead(head);
  }

  onBody(piece: Buffer): void {
    this.bytes += piece.length;
    if (this.#body.length < 1000) this.#body += piece.toString('latin1');
    this.onPiece(piece);
  }

  onEnd(trailers: Buffer | undefined): void {
    this.#flush();
    const lines = trailers?.toString('latin1').trim();
    this.#end(lines ? `end ${lines}` : 'end');
  }

  onError(error: UpstreamError): void {
    this.#flush();
    if (error.kind === 'bad') this.#end(`bad ${error.bad.reason}`);
    else this.#end(error.received ? `${error.kind} received` : error.kind);
  }

  onUpgrade(head: ResponseHead, socket: ClientSocket, rest: Buffer): void {
    this.upgraded = { socket, rest };
    this.#end(`upgrade ${head.status} ${rest.toString('latin1')}`.trim());
  }

  onDrain(): void {
    this.lines.push('drain');
  }

  #flush(): void {
    if (this.#body !== '') this.lines.push(`body ${this.#body}`);
    this.#body = '';
  }

  #end(line: string): void {
    this.lines.push(line);
    this.#resolve();
  }
}
