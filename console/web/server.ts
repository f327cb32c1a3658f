// The page's own port: HTTP, read-only, bounded connections and times.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TokenGuard } from '../../shared/admin/token.ts';
import { OperationalError } from '../../shared/errors.ts';
import { type Endpoint, formatEndpoint } from '../../shared/net/ports.ts';
import { verdictOn } from './door.ts';
import type { Page, Pages } from './pages.ts';

const MOST_CONNECTIONS = 256;
const HEADERS = {
  'Content-Security-Policy': [
    "default-src 'none'",
    ...['script-src', 'style-src', 'connect-src', 'img-src'].map((each) => `${each} 'self'`),
    ...['base-uri', 'form-action', 'frame-ancestors'].map((each) => `${each} 'none'`),
  ].join('; '),
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

export type WebServerOptions = {
  listen: Endpoint;
  pages: Pages;
  /** Absent: who reaches us may see all. */
  guard?: TokenGuard | undefined;
  onAnswered: (status: number) => void;
};

export class WebServer {
  readonly #options: WebServerOptions;
  readonly #server: Server;

  constructor(options: WebServerOptions) {
    this.#options = options;
    this.#server = createServer(
      {
        maxHeaderSize: 8192,
        headersTimeout: 5000,
        requestTimeout: 10_000,
        keepAliveTimeout: 30_000,
        connectionsCheckingInterval: 1000,
      },
      (request, response) => this.#answer(request, response),
    );
    this.#server.maxConnections = MOST_CONNECTIONS;
  }

  /** Resolves with the address listened on: port 0 in the settings means any free one. */
  async start(): Promise<Endpoint> {
    const { listen } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error) => reject(listenError(listen, error)));
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

  #answer(request: IncomingMessage, response: ServerResponse): void {
    request.resume(); // a body is nobody's business here
    const { status = 200, type, body, isForEver, headers } = this.#pageFor(request);
    this.#options.onAnswered(status);
    response.writeHead(status, {
      ...HEADERS,
      'Content-Type': type,
      'Content-Length': Buffer.byteLength(body),
      'Cache-Control': isForEver ? 'private, max-age=31536000, immutable' : 'no-store',
      ...headers,
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  }

  #pageFor({
    method,
    url = '',
    headers,
  }: IncomingMessage): Page & { headers?: Record<string, string> } {
    const { guard, pages } = this.#options;
    const verdict = verdictOn(headers, guard);
    if (verdict === 'no-token') {
      const asks = { 'WWW-Authenticate': 'Basic realm="Edgeplane console", charset="UTF-8"' };
      return { ...plain(401, 'bring the token, as the password'), headers: asks };
    }
    if (verdict === 'by-name') {
      return plain(421, 'without a tokenFile this page answers at addresses and at localhost only');
    }
    if (method !== 'GET' && method !== 'HEAD') {
      return { ...plain(405, 'read-only'), headers: { Allow: 'GET, HEAD', Connection: 'close' } };
    }
    const [path = '', query = ''] = url.split('?', 2);
    return pages.get(path, new URLSearchParams(query)) ?? plain(404, 'not here');
  }
}

const plain = (status: number, text: string): Page => ({
  status,
  type: 'text/plain; charset=utf-8',
  body: `${text}\n`,
});

function listenError(listen: Endpoint, cause: NodeJS.ErrnoException): OperationalError {
  return new OperationalError('EDGE_CONSOLE_LISTEN', `cannot listen on ${formatEndpoint(listen)}`, {
    cause,
    remedy: 'choose another listen',
    exitCode: cause.code === 'EACCES' ? 77 : 1,
  });
}
