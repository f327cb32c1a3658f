// Routes, listeners, views and clients for tests.

import type { ClientInfo, RequestView } from '../../../lb/l7/types.ts';
import type { Listener, Route } from '../../../shared/site/lb-objects.ts';

const NO_EDITS = { set: [], add: [], remove: [] } as const;

export function route(name: string, part: Partial<Route> = {}): Route {
  return {
    name,
    listeners: [],
    hosts: [],
    paths: [],
    methods: [],
    headers: [],
    action: { kind: 'pool', pool: 'www' },
    request: NO_EDITS,
    response: NO_EDITS,
    allow: [],
    deny: [],
    compress: false,
    upgrade: true,
    maxBodyBytes: 0,
    timeouts: {},
    ...part,
  };
}

export function listener(part: Partial<Listener> = {}): Listener {
  return {
    name: 'web',
    at: ['127.0.0.1:80'],
    protocol: 'http',
    certificates: [],
    http2: true,
    clientCertificate: 'none',
    minTls: '1.2',
    proxyFrom: [],
    trusted: [],
    names: [],
    allow: [],
    deny: [],
    maxConnections: 0,
    ...part,
  };
}

export function view(
  method: string,
  url: string,
  headers: Readonly<Record<string, string>> = {},
): RequestView {
  const [, host = '', target = '/'] = /^http:\/\/([^/]*)(.*)$/.exec(url) ?? ['', '', url];
  const all = { host, ...headers };
  return {
    method,
    host: host.replace(/:\d+$/, ''),
    target: target === '' ? '/' : target,
    header: (name) => new Map(Object.entries(all)).get(name),
  };
}

export function client(part: Partial<ClientInfo> = {}): ClientInfo {
  return {
    address: '203.0.113.9',
    port: 40_000,
    localAddress: '198.51.100.10',
    localPort: 80,
    scheme: 'http',
    isTrusted: false,
    ...part,
  };
}
