// A range of addresses that may be handed out: `10.1.0.10-10.1.0.200`, one address, or a prefix.
import { formatIpv4, type Ipv4, parseIpv4 } from '../net/ipv4.ts';
import { firstAddress, lastAddress, parsePrefix } from '../net/prefix.ts';
import { parseHost } from './value.ts';

/** Both ends included. */
export type Pool = { first: Ipv4; last: Ipv4 };

export function parsePool(text: string): Pool | undefined {
  const prefix = parsePrefix(text);
  if (prefix?.family === 4) return { first: firstAddress(prefix), last: lastAddress(prefix) };
  const dash = text.indexOf('-');
  const first = parseIpv4(dash < 0 ? text : text.slice(0, dash));
  const last = dash < 0 ? first : parseIpv4(text.slice(dash + 1));
  if (first === undefined || last === undefined || first > last) return undefined;
  const areHosts = parseHost(formatIpv4(first)) !== undefined && parseHost(formatIpv4(last));
  return areHosts ? { first, last } : undefined;
}

/** Only the spelling that formatPool() gives. */
export function parseStoredPool(text: string): Pool | undefined {
  const pool = parsePool(text);
  return pool !== undefined && formatPool(pool) === text ? pool : undefined;
}

export function formatPool({ first, last }: Pool): string {
  return first === last ? formatIpv4(first) : `${formatIpv4(first)}-${formatIpv4(last)}`;
}

export function poolSize({ first, last }: Pool): number {
  return last - first + 1;
}
