// The control socket: verbs over HTTP and JSON on a unix socket, guarded by its file's mode. A verb
// answers with JSON, or with a stream of bytes that ends when either side has enough.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ConfigError, describeError, OperationalError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { AdminEvent } from './events.ts';
import { listenOnSocket } from './socket.ts';

export type ControlRequest = {
  /** Parsed JSON; undefined without a body. It comes from outside: check it. */
  body: unknown;
  query: URLSearchParams;
  /** Aborts when the client goes away or the daemon stops. */
  signal: AbortSignal;
};

/** What a handler returns when the answer is not JSON. */
export class ByteStream {
  readonly contentType: string;
  readonly bytes: AsyncIterable<Uint8Array>;

  constructor(contentType: string, bytes: AsyncIterable<Uint8Array>) {
    this.contentType = contentType;
    this.bytes = bytes;
  }
}

export type ControlRoute = {
  method: 'GET' | 'POST';
  path: string;
  /** JSON or a ByteStream. An OperationalError or ConfigError it throws is told to the client. */
  handle(request: ControlRequest): unknown;
};

/** How an error travels. */
export type ControlFailure = { code: string; message: string; remedy?: string };

const maxBodyBytes = 1024 * 1024;

export class ControlServer {
  readonly #path: string;
  readonly #routes: Map<string, ControlRoute>;
  readonly #log: Log<AdminEvent>;
  readonly #server: Server;
  readonly #stopping = new AbortController();

  constructor(options: {
    socketPath: string;
    routes: readonly ControlRoute[];
    log: Log<AdminEvent>;
  }) {
    this.#path = options.socketPath;
    this.#log = options.log;
    this.#routes = new Map(options.routes.map((route) => [`${route.method} ${route.path}`, route]));
    this.#server = createServer(
      {
        maxHeaderSize: 8192,
        headersTimeout: 5000,
        requestTimeout: 10_000,
        connectionsCheckingInterval: 1000, // how exactly those are kept; else every 30 s
      },
      (request, response) => void this.#answer(request, response),
    );
    this.#server.maxConnections = 64;
  }

  async start(): Promise<void> {
    await listenOnSocket(this.#server, this.#path, {
      what: 'control socket',
      setting: 'control.socket',
      code: 'EDGE_CONTROL_SOCKET',
    });
    const path = this.#path;
    this.#log.info('control-listening', `control socket at ${path}`, { path });
  }

  /** Ends streams that run; the socket file goes with the server. */
  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    this.#stopping.abort();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    const signal = AbortSignal.any([gone.signal, this.#stopping.signal]);
    try {
      const [path = '', query = ''] = (request.url ?? '').split('?', 2);
      const route = this.#route(request.method ?? '', path);
      const body = await readBody(request);
      const answer = await route.handle({ body, query: new URLSearchParams(query), signal });
      if (answer instanceof ByteStream) await sendStream(response, answer);
      else sendJson(response, 200, answer ?? null);
    } catch (error) {
      this.#fail(request, response, error, signal);
    }
  }

  #route(method: string, path: string): ControlRoute {
    const route = this.#routes.get(`${method} ${path}`);
    if (route !== undefined) return route;
    throw new OperationalError('EDGE_CONTROL_NO_VERB', `there is no ${method} ${path} here`, {
      remedy: `there is: ${[...this.#routes.keys()].join(', ')}`,
    });
  }

  #fail(
    request: IncomingMessage,
    response: ServerResponse,
    error: unknown,
    signal: AbortSignal,
  ): void {
    if (signal.aborted) return void response.destroy(); // nobody is left to tell
    const failure = failureOf(error);
    if (failure.code === internalError) {
      const verb = `${request.method} ${request.url}`;
      this.#log.error('admin-request-failed', `${verb} failed`, { verb, error });
    }
    if (response.headersSent) response.destroy();
    else sendJson(response, statusOf(failure.code), failure);
  }
}

const internalError = 'EDGE_INTERNAL';

function failureOf(error: unknown): ControlFailure {
  if (error instanceof ConfigError) return { code: 'EDGE_CONFIG', message: error.message };
  if (!(error instanceof OperationalError)) {
    return {
      code: internalError,
      message: `failed: ${describeError(error)}`,
      remedy: 'see the log',
    };
  }
  const { code, remedy } = error;
  const cause = error.cause === undefined ? '' : `: ${describeError(error.cause)}`;
  return { code, message: error.message + cause, ...(remedy !== undefined && { remedy }) };
}

function statusOf(code: string): number {
  if (code === 'EDGE_CONTROL_NO_VERB') return 404;
  if (code === 'EDGE_CONTROL_BODY' || code === 'EDGE_CONFIG') return 400;
  return code === internalError ? 500 : 409;
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > maxBodyBytes) throw badBody(`is longer than ${maxBodyBytes} bytes`);
    chunks.push(chunk);
  }
  if (bytes === 0) return undefined;
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch (cause) {
    throw badBody('is not JSON', cause);
  }
}

function badBody(what: string, cause?: unknown): OperationalError {
  return new OperationalError('EDGE_CONTROL_BODY', `the request's body ${what}`, { cause });
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const body = `${JSON.stringify(value)}\n`;
  const close = status === 400 ? { Connection: 'close' } : {}; // its body may not have been read
  response.writeHead(status, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    ...close,
  });
  response.end(body);
}

async function sendStream(response: ServerResponse, stream: ByteStream): Promise<void> {
  response.writeHead(200, { 'Content-Type': stream.contentType });
  response.flushHeaders();
  await pipeline(Readable.from(stream.bytes, { objectMode: false }), response);
}
