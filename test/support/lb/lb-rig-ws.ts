// The `ws` package, which brings no types: what the tests use of it.

import type { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createRequire } from 'node:module';
import type { Duplex } from 'node:stream';

export type SendOptions = { binary?: boolean; fin?: boolean; compress?: boolean };

/** Events: open, message(data: Buffer, isBinary), ping(data), pong(data), close(code, reason). */
export interface WebSocket extends EventEmitter {
  readonly readyState: number;
  readonly protocol: string;
  send(data: string | Buffer, options?: SendOptions): void;
  ping(data?: string | Buffer): void;
  close(code?: number, reason?: string): void;
  terminate(): void;
  setSocket(socket: Duplex, head: Buffer, options: Record<string, unknown>): void;
  _isServer: boolean;
}

interface WebSocketServer extends EventEmitter {
  handleUpgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    done: (ws: WebSocket) => void,
  ): void;
}

type Package = {
  WebSocket: new (
    url: string | null,
    protocols?: readonly string[],
    options?: Record<string, unknown>,
  ) => WebSocket;
  WebSocketServer: new (options: Record<string, unknown>) => WebSocketServer;
};

export const ws = createRequire(import.meta.url)('ws') as Package;

/** A client's end over any stream, as over one of HTTP/2 (RFC 8441). */
export function webSocketOver(stream: Duplex): WebSocket {
  const socket = new ws.WebSocket(null, undefined, { closeTimeout: 30_000 });
  socket._isServer = false; // it masks what it sends
  const options = { allowSynchronousEvents: true, maxPayload: 2 ** 26, skipUTF8Validation: false };
  socket.setSocket(stream, Buffer.alloc(0), options);
  return socket;
}
