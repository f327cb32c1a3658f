// The admin pages of a daemon: /livez /readyz /healthz /metrics /status /status.json over plain
// HTTP, meant for loopback or a unix socket; else with a token. Read-only: whatever changes
// something goes through the control socket.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { OperationalError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import { formatEndpoint, formatListen, type Listen } from '../net/ports.ts';
import type { AdminEvent } from './events.ts';
import { renderStatus, type StatusView } from './page.ts';
import { listenOnSocket } from './socket.ts';
import type { TokenGuard } from './token.ts';

/** One thing that must hold before traffic may come; `problem` says why it does not. */
export type ReadyCheck = { name: string; problem?: string };

export type AdminSource = {
  checks(): readonly ReadyCheck[];
  status(): StatusView | Promise<StatusView>;
  /** What /status.json and the control socket's GET /status return. */
  statusJson(): unknown;
  metrics: Pick<Metrics, 'text' | 'contentType'>;
  /** Pages of the service's own: they answer with JSON, and change nothing. */
  pages?: JsonPages;
};

/** By path. An OperationalError that one throws is told as 503. */
export type JsonPages = Readonly<Record<string, (query: URLSearchParams) => unknown>>;

type Page = { status?: number; type?: string; body: string };
type Render = (query: URLSearchParams) => Page | Promise<Page>;

const LISTEN_CODE = 'EDGE_ADMIN_LISTEN';
/** What a balancer or an orchestrator asks, which has no token: they say yes or why not. */
const OPEN_PAGES: ReadonlySet<string> = new Set(['/livez', '/readyz', '/healthz']);
const maxConnections = 64;
const html = 'text/html; charset=utf-8';
const json = 'application/json; charset=utf-8';

export class AdminServer {
  readonly #listen: Listen;
  readonly #pages: Map<string, Render>;
  readonly #log: Log<AdminEvent>;
  readonly #guard: () => TokenGuard | undefined;
  readonly #server: Server;

  /** Without a guard, whoever can connect may read. */
  constructor(options: {
    listen: Listen;
    guard?: () => TokenGuard | undefined;
    source: AdminSource;
    log: Log<AdminEvent>;
  }) {
    this.#guard = options.guard ?? (() => undefined);
    this.#listen = options.listen;
    this.#log = options.log;
    this.#pages = pagesOf(options.source);
    this.#server = createServer(
      {
        maxHeaderSize: 8192,
        headersTimeout: 5000,
        requestTimeout: 10_000,
        keepAliveTimeout: 5000,
        connectionsCheckingInterval: 1000, // how exactly those are kept; else every 30 s
      },
      (request, response) => {
        request.resume(); // a body is nobody's business here
        void this.#answer(request, response);
      },
    );
    this.#server.maxConnections = maxConnections;
  }

  /** Resolves with what is listened on: port 0 in the settings means any free one. */
  async start(): Promise<Listen> {
    const listening = await this.#open(this.#listen);
    const address = formatListen(listening);
    this.#log.info('admin-listening', `admin pages at ${address}, /status and others`, { address });
    return listening;
  }

  async #open(listen: Listen): Promise<Listen> {
    if ('path' in listen) {
      const names = { what: 'admin socket', setting: 'admin.listen', code: LISTEN_CODE } as const;
      await listenOnSocket(this.#server, listen.path, names);
      return listen;
    }
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error) => reject(listenError(formatEndpoint(listen), error)));
      this.#server.listen(listen.port, listen.host, resolve);
    });
    const { port } = this.#server.address() as AddressInfo; // it listens on TCP
    return { host: listen.host, port };
  }

  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url: target = '' } = request;
    const send = (page: Page, headers?: Record<string, string>) =>
      sendPage(response, page, method === 'HEAD', headers);
    if (method !== 'GET' && method !== 'HEAD') {
      const page = { status: 405, body: 'read-only: use the control socket\n' };
      return send(page, { Allow: 'GET, HEAD', Connection: 'close' });
    }
    const [path = '', query = ''] = target.split('?', 2);
    if (!this.#mayRead(path, request)) {
      return send({ status: 401, body: 'a token is needed\n' }, { 'WWW-Authenticate': 'Bearer' });
    }
    const render = this.#pages.get(path);
    if (render === undefined) return send({ status: 404, body: notFound(this.#pages) });
    try {
      send(await render(new URLSearchParams(query)));
    } catch (error) {
      this.#log.error('admin-request-failed', `${path} failed`, { path, error });
      send({ status: 500, body: `${path} failed: see the log\n` });
    }
  }

  #mayRead(path: string, request: IncomingMessage): boolean {
    const guard = this.#guard();
    const { authorization } = request.headers;
    if (guard === undefined || OPEN_PAGES.has(path) || guard.admits(authorization)) return true;
    const from = request.socket.remoteAddress ?? 'a unix socket';
    const how = authorization === undefined ? 'without a' : 'with a wrong';
    this.#log.warn('admin-refused', `${from} asked for an admin page ${how} token`, { from });
    return false;
  }
}

function sendPage(
  response: ServerResponse,
  { status = 200, type = 'text/plain; charset=utf-8', body }: Page,
  isHead: boolean,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'",
    ...headers,
  });
  response.end(isHead ? undefined : body);
}

function listenError(address: string, cause: NodeJS.ErrnoException): OperationalError {
  return new OperationalError(LISTEN_CODE, `cannot listen on ${address}`, {
    cause,
    remedy: 'choose another admin.listen',
    exitCode: cause.code === 'EACCES' ? 77 : 1,
  });
}

function pagesOf(source: AdminSource): Map<string, Render> {
  const alive: Render = () => ({ body: 'ok\n' });
  return new Map<string, Render>([
    ['/livez', alive],
    ['/healthz', alive],
    ['/readyz', (query) => readiness(source.checks(), query.has('verbose'))],
    [
      '/metrics',
      async () => ({ type: source.metrics.contentType, body: await source.metrics.text() }),
    ],
    [
      '/status',
      async (query) => ({
        type: html,
        body: renderStatus(await source.status(), refreshSeconds(query.get('refresh'))),
      }),
    ],
    [
      '/status.json',
      async () => ({ type: json, body: `${JSON.stringify(await source.statusJson())}\n` }),
    ],
    ...Object.entries(source.pages ?? {}).map(ownPage),
  ]);
}

function ownPage([path, answer]: [string, JsonPages[string]]): [string, Render] {
  const page = (value: unknown): Page => ({ type: json, body: `${JSON.stringify(value)}\n` });
  const render: Render = async (query) => {
    try {
      return page(await answer(query));
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      const { code, message, remedy } = error;
      return { ...page({ code, message, remedy }), status: 503 };
    }
  };
  return [path, render];
}

function readiness(checks: readonly ReadyCheck[], verbose: boolean): Page {
  const failing = checks.filter(({ problem }) => problem !== undefined);
  const lines = (verbose ? checks : failing).map(({ name, problem }) =>
    problem === undefined ? `[+]${name} ok` : `[-]${name}: ${problem}`,
  );
  lines.push(failing.length === 0 ? 'ok' : 'not ready');
  return { status: failing.length === 0 ? 200 : 503, body: `${lines.join('\n')}\n` };
}

function refreshSeconds(text: string | null): number | undefined {
  const seconds = Number(text);
  return Number.isInteger(seconds) && seconds >= 1 && seconds <= 3600 ? seconds : undefined;
}

function notFound(pages: Map<string, Render>): string {
  return `not here; there is:\n${[...pages.keys()].join('\n')}\n`;
}
