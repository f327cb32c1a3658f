// TCP and UDP ports, inclusive port ranges, and host:port endpoints. Port 0 is nobody's.
import { parseIpv4 } from './ipv4.ts';
import { parseIpv6 } from './ipv6.ts';

export type PortRange = { first: number; last: number };
export type Endpoint = { host: string; port: number };
/** What a server listens on: an address, or the absolute path of a unix socket. */
export type Listen = Endpoint | { path: string };

/** 1–65535, decimal, no sign, no leading zero. */
export function parsePort(text: string): number | undefined {
  if (!/^[1-9]\d{0,4}$/.test(text)) return undefined;
  const port = Number(text);
  return port <= 65535 ? port : undefined;
}

/** `443` or `8000-8099`, both ends included. */
export function parsePortRange(text: string): PortRange | undefined {
  const [from = '', to = from, ...more] = text.split('-');
  const first = parsePort(from);
  const last = parsePort(to);
  if (first === undefined || last === undefined || more.length > 0) return undefined;
  return first <= last ? { first, last } : undefined;
}

export function formatPortRange(range: PortRange): string {
  return range.first === range.last ? `${range.first}` : `${range.first}-${range.last}`;
}

/** `127.0.0.1:9100`, `[::1]:9100` or `redis.example.org:6379`; the host comes without brackets. */
export function parseEndpoint(text: string): Endpoint | undefined {
  const colon = text.lastIndexOf(':');
  const port = parsePort(text.slice(colon + 1));
  if (colon < 1 || port === undefined) return undefined;
  const host = text.slice(0, colon);
  if (host.startsWith('[') && host.endsWith(']')) {
    const inner = host.slice(1, -1);
    return parseIpv6(inner) === undefined ? undefined : { host: inner, port };
  }
  return parseIpv4(host) !== undefined || isHostName(host) ? { host, port } : undefined;
}

export function formatEndpoint({ host, port }: Endpoint): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** `127.0.0.1:9101` or `unix:/run/edge/natter-admin.sock`. */
export function parseListen(text: string): Listen | undefined {
  const path = /^unix:(\/[^\0]+)$/.exec(text)?.[1];
  return path === undefined ? parseEndpoint(text) : { path };
}

export function formatListen(listen: Listen): string {
  return 'path' in listen ? `unix:${listen.path}` : formatEndpoint(listen);
}

/** As other hosts reach what listens there; undefined: they do not, it is loopback or a socket. */
export function publicEndpoint(listen: Listen, hostname: string): Endpoint | undefined {
  if ('path' in listen) return undefined;
  const { host, port } = listen;
  if (host.startsWith('127.') || host === '::1' || host === 'localhost') return undefined;
  return { host: host === '0.0.0.0' || host === '::' ? hostname : host, port };
}

/** RFC 1123 §2.1; a name whose last label is all digits would read as a broken address. */
export function isHostName(text: string): boolean {
  if (text.length > 253) return false;
  const labels = text.split('.');
  const label = /^[a-zA-Z0-9_]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9])?$/;
  return labels.every((part) => label.test(part)) && !/^\d+$/.test(labels.at(-1) ?? '');
}
