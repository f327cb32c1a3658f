// The digest of a unit: the sum modulo 2^48, over its objects, of the first 48 bits of
// sha1(kind NUL id NUL value), written as 12 hex digits. A sum can be kept up to date by adding and
// subtracting single objects, in any order. It finds what was lost, not what was forged.
import { hash } from 'node:crypto';

const MODULUS = 2 ** 48;

/** The share of one object, 0 .. 2^48 - 1. */
export function objectDigest(kind: string, id: string, value: string): number {
  return Number.parseInt(hash('sha1', `${kind}\0${id}\0${value}`).slice(0, 12), 16);
}

export function addDigest(sum: number, share: number): number {
  return (sum + share) % MODULUS;
}

export function subtractDigest(sum: number, share: number): number {
  return (sum - share + MODULUS) % MODULUS;
}

export function formatDigest(sum: number): string {
  return sum.toString(16).padStart(12, '0');
}

/** The digest of nothing. */
export const EMPTY_DIGEST = formatDigest(0);
