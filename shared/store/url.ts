// Where the store is, as operators write it: one text for a server, a Sentinel group, a cluster, or
// the private server of this machine. Passwords are never part of it: a URL ends up in logs and in
// `ps`.
import { OperationalError } from '../errors.ts';
import type { Endpoint } from '../net/ports.ts';
import { isHostName, parseEndpoint } from '../net/ports.ts';
import type { Refusal } from './types.ts';

export type StoreAddress =
  | { kind: 'embedded' }
  | { kind: 'server'; at: Endpoint; tls: boolean }
  | { kind: 'socket'; path: string }
  | { kind: 'sentinel'; nodes: Endpoint[]; group: string; tls: boolean }
  | { kind: 'cluster'; nodes: Endpoint[]; tls: boolean };

const REDIS_PORT = 6379;
const SENTINEL_PORT = 26379;
const forms =
  'embedded, redis://host[:port], rediss://host[:port] (TLS), unix:/path, ' +
  'redis+sentinel://host,host/group, redis+cluster://host,host';

export function parseStoreUrl(text: string): StoreAddress | Refusal {
  if (text === 'embedded') return { kind: 'embedded' };
  const path = /^(?:redis\+)?unix:(?:\/\/)?(\/[^?#]+)$/.exec(text)?.[1];
  if (path !== undefined) return { kind: 'socket', path };
  const match = /^(rediss?)(\+sentinel|\+cluster)?:\/\/([^/?#]*)(?:\/([^?#]*))?$/.exec(text);
  if (match === null) return refuse('is not one of', forms);
  const [, scheme, mode, hosts = '', rest = ''] = match;
  if (hosts.includes('@')) {
    return refuse('has a user or password', 'set username and passwordFile beside the URL');
  }
  const nodes = parseNodes(hosts, mode === '+sentinel' ? SENTINEL_PORT : REDIS_PORT);
  const at = nodes?.[0];
  if (nodes === undefined || at === undefined) return refuse('has a bad host or port', forms);
  const tls = scheme === 'rediss';
  if (mode === '+sentinel') {
    if (!/^[\w.-]+$/.test(rest)) return refuse('names no Sentinel group', 'end it with /mymaster');
    return { kind: 'sentinel', nodes, group: rest, tls };
  }
  if (rest !== '') return refuse('has a path', 'several databases are not supported');
  if (mode === '+cluster') return { kind: 'cluster', nodes, tls };
  return nodes.length === 1 ? { kind: 'server', at, tls } : refuse('has several hosts', forms);
}

/** For whoever connects by himself. Throws EDGE_STORE_URL; a private server has to run first. */
export function reachableAddress(url: string): Exclude<StoreAddress, { kind: 'embedded' }> {
  const address = parseStoreUrl(url);
  if ('reasons' in address) {
    throw new OperationalError('EDGE_STORE_URL', address.reasons.join('; '));
  }
  if (address.kind === 'embedded') {
    throw new OperationalError('EDGE_STORE_URL', 'an embedded store has to be started first', {
      remedy: 'use the URL that startEmbedded() returns: unix:<state directory>/redis.sock',
    });
  }
  return address;
}

function parseNodes(hosts: string, defaultPort: number): Endpoint[] | undefined {
  const nodes = hosts.split(',').map((host) => {
    const bare = /^\[[^\]]*\]$/.test(host) || isHostName(host) || /^[\d.]+$/.test(host);
    return parseEndpoint(bare ? `${host}:${defaultPort}` : host);
  });
  return nodes.every((node) => node !== undefined) ? nodes : undefined;
}

function refuse(what: string, remedy: string): Refusal {
  return { reasons: [`the store's URL ${what}: ${remedy}`] };
}
