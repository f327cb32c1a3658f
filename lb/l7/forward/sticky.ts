// The sticky cookie: which target a client goes to, sealed so that it shows no address and nobody
// else can make one. Deterministic: tag = HMAC-SHA256(key, pool and target), text = target XOR
// HMAC-SHA256(key, tag) (a synthetic IV, as in RFC 5297).
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { PoolProxy } from '../../../shared/site/lb-objects.ts';
import type { PickKey, TargetId } from '../../pools/types.ts';
import type { ClientInfo } from '../types.ts';

const TAG_BYTES = 16;
/** `address:port` of IPv6 in its longest form fits. */
const MAX_TARGET_BYTES = 64;
/** Cookies that were checked; a client sends the same one again and again. */
const MAX_REMEMBERED = 10_000;

export type Sticky = {
  /** The value of a Set-Cookie line. `ttlMs` 0: until the browser ends. */
  setCookie(pool: string, target: TargetId, options: CookieOptions): string;
  /** The target that a cookie's value names; undefined: it is not ours, or another pool's. */
  targetOf(pool: string, value: string): TargetId | undefined;
};

export type CookieOptions = { cookie: string; ttlMs: number; isSecure: boolean };

/** The key: 32 bytes that all instances share. */
export function createSticky(key: Uint8Array): Sticky {
  const remembered = new Map<string, TargetId | undefined>();
  return {
    setCookie(pool, target, { cookie, ttlMs, isSecure }) {
      const age = ttlMs === 0 ? '' : `; Max-Age=${Math.ceil(ttlMs / 1000)}`;
      const value = seal(key, pool, target);
      const secure = isSecure ? '; Secure' : '';
      return `${cookie}=${value}; Path=/; HttpOnly; SameSite=Lax${age}${secure}`;
    },
    targetOf(pool, value) {
      const known = `${pool} ${value}`;
      if (remembered.has(known)) return remembered.get(known);
      const target = unseal(key, pool, value);
      if (remembered.size >= MAX_REMEMBERED) remembered.clear();
      remembered.set(known, target);
      return target;
    },
  };
}

/** What the response's client is to be told; undefined: it knows, or the pool has no cookie. */
export function cookieFor(
  sticky: Sticky,
  { name, proxy }: { name: string; proxy: PoolProxy },
  key: PickKey,
  target: TargetId,
  client: ClientInfo,
): string | undefined {
  if (proxy.sticky === undefined || key.sticky === target) return undefined;
  return sticky.setCookie(name, target, { ...proxy.sticky, isSecure: client.scheme === 'https' });
}

function seal(key: Uint8Array, pool: string, target: TargetId): string {
  const tag = tagOf(key, pool, target);
  const text = mask(key, tag, Buffer.from(target, 'latin1'));
  return Buffer.concat([tag, text]).toString('base64url');
}

function unseal(key: Uint8Array, pool: string, value: string): TargetId | undefined {
  if (value.length > 2 * (TAG_BYTES + MAX_TARGET_BYTES)) return undefined;
  const bytes = Buffer.from(value, 'base64url');
  if (bytes.length <= TAG_BYTES || bytes.length > TAG_BYTES + MAX_TARGET_BYTES) return undefined;
  const tag = bytes.subarray(0, TAG_BYTES);
  const target = mask(key, tag, bytes.subarray(TAG_BYTES)).toString('latin1');
  return timingSafeEqual(tagOf(key, pool, target), tag) ? target : undefined;
}

function tagOf(key: Uint8Array, pool: string, target: TargetId): Buffer {
  const hmac = createHmac('sha256', key).update(`tag\0${pool}\0${target}`, 'latin1');
  return hmac.digest().subarray(0, TAG_BYTES);
}

function mask(key: Uint8Array, tag: Buffer, text: Buffer): Buffer {
  const pad = (part: number) =>
    createHmac('sha256', key).update(`pad${part}\0`).update(tag).digest();
  const stream = Buffer.concat([pad(0), pad(1)]);
  return Buffer.from(text.map((byte, index) => byte ^ (stream[index] as number)));
}
