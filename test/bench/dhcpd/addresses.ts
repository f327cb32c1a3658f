// The addresses of the bench: one /8, with the servers, the relays and the pools in it. Pure.
import { formatIpv4, ipv4 } from '../../../shared/net/ipv4.ts';
import type { Pool, Target } from './types.ts';

export const PREFIX = '10.0.0.0/8';
export const PREFIX_BITS = 8;
/** Longer than any load. */
export const LEASE_SECONDS = 7200;
const POOL_FIRST = 0x0a10_0000;

export const TARGETS: readonly Target[] = [
  { server: '10.0.0.1', relay: '10.0.0.101' },
  { server: '10.0.0.2', relay: '10.0.0.102' },
];
/** The standby of a pair: reached by a link of its own. */
export const STANDBY: Target = { server: '192.0.2.2', relay: '192.0.2.101' };
export const PAIR = { primary: '198.51.100.1', standby: '198.51.100.2' };

/** 10.16.0.0 to 10.254.255.255: more than any search uses. */
export const LARGE_POOL: Pool = { first: POOL_FIRST, count: 239 * 65_536 };
/** A million, of which nearly all may be taken. */
export const FILLED_POOL: Pool = { first: POOL_FIRST, count: 1 << 20 };

export const addressOf = (pool: Pool, index: number): string =>
  formatIpv4(ipv4(pool.first + index));

export const rangeOf = (pool: Pool): [first: string, last: string] => [
  addressOf(pool, 0),
  addressOf(pool, pool.count - 1),
];

/** Of each thousand addresses in a row, `perMille`, and not those that come first. */
export const isFilled = (index: number, perMille: number): boolean =>
  (index * 617) % 1000 < perMille;

/** What perfdhcp's clients never have: theirs begin with 02:10 and up to 02:8f. */
export const fillerMac = (index: number): string => `02f1${index.toString(16).padStart(8, '0')}`;
