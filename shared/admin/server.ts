// The admin pages of a daemon: /livez /readyz /healthz /metrics /status /status.json over plain
// HTTP, meant for loopback. Read-only: whatever changes something goes through the control socket.
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { OperationalError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import { type Endpoint, formatEndpoint } from '../net/ports.ts';
import type { AdminEvent } from './events.ts';
import { renderStatus, type StatusView } from './page.ts';

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

const maxConnections = 64;
const html = 'text/html; charset=utf-8';
const json = 'application/json; charset=utf-8';

export class AdminServer {
  readonly #listen: Endpoint;
  readonly #pages: Map<string, Render>;
  readonly #log: Log<AdminEvent>;
  readonly #server: Server;

  constructor(options: { listen: Endpoint; source: AdminSource; log: Log<AdminEvent> }) {
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
        void this.#answer(request.method ?? '', request.url ?? '', response);
      },
    );
    this.#server.maxConnections = maxConnections;
  }

  /** Resolves with the address listened on: port 0 in the settings means any free one. */
  async start(): Promise<Endpoint> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error) => reject(this.#listenError(error)));
      this.#server.listen(this.#listen.port, this.#listen.host, resolve);
    });
    const { port } = this.#server.address() as AddressInfo; // it listens on TCP
    const listening = { host: this.#listen.host, port };
    const address = formatEndpoint(listening);
    this.#log.info('admin-listening', `admin pages at http://${address}/status`, { address });
    return listening;
  }

  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #answer(method: string, target: string, response: ServerResponse): Promise<void> {
    const send = (page: Page, headers: Record<string, string> = {}) => {
      response.writeHead(page.status ?? 200, {
        'Content-Type': page.type ?? 'text/plain; charset=utf-8',
        'Content-Length': Buffer.byteLength(page.body),
        'Cache-Control': 'no-store',
        'X-Content-Type-Options': 'nosniff',
        'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'",
        ...headers,
      });
      response.end(method === 'HEAD' ? undefined : page.body);
    };
    if (method !== 'GET' && method !== 'HEAD') {
      const page = { status: 405, body: 'read-only: use the control socket\n' };
      return send(page, { Allow: 'GET, HEAD', Connection: 'close' });
    }
    const [path = '', query = ''] = target.split('?', 2);
    const render = this.#pages.get(path);
    if (render === undefined) return send({ status: 404, body: notFound(this.#pages) });
    try {
      send(await render(new URLSearchParams(query)));
    } catch (error) {
      this.#log.error('admin-request-failed', `${path} failed`, { path, error });
      send({ status: 500, body: `${path} failed: see the log\n` });
    }
  }

  #listenError(cause: NodeJS.ErrnoException): OperationalError {
    const address = formatEndpoint(this.#listen);
    return new OperationalError('EDGE_ADMIN_LISTEN', `cannot listen on ${address}`, {
      cause,
      remedy: 'choose another admin.listen',
      exitCode: cause.code === 'EACCES' ? 77 : 1,
    });
  }
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
