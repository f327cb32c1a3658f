import { describe, expect, test } from 'vitest';
import { cookieValue, hashText, pickKeyOf } from '../../../../lb/l7/forward/pick-key.ts';
import { DEFAULT_PROXY, type PoolProxy } from '../../../../shared/site/lb-objects.ts';
import { CLIENT, requestOf } from './rig.ts';

const STICKY = {
  targetOf: (_pool: string, value: string) => (value === 'good' ? 't1' : undefined),
};

function keyOf(proxy: Partial<PoolProxy>, headers: Record<string, string> = {}) {
  const { view } = requestOf({ target: '/a/b?c=d', headers });
  const pool = { name: 'web', proxy: { ...DEFAULT_PROXY, ...proxy } };
  return pickKeyOf(pool, view, CLIENT, STICKY);
}

describe('the hash of a request', () => {
  const headers = { 'x-user': 'eve', cookie: 'a=1; user=bob; user=eve' };

  test.each<[PoolProxy['hash'], string]>([
    [{ on: 'source' }, CLIENT.address],
    [{ on: 'uri' }, '/a/b?c=d'],
    [{ on: 'path' }, '/a/b'],
    [{ on: 'header', name: 'X-User' }, 'eve'],
    [{ on: 'cookie', name: 'user' }, 'bob'],
    [{ on: 'header', name: 'x-none' }, CLIENT.address],
    [{ on: 'cookie', name: 'none' }, CLIENT.address],
  ])('%o', (hash, text) => {
    for (const algorithm of ['ring', 'maglev'] as const) {
      expect(keyOf({ algorithm, hash }, headers)).toEqual({ hash: hashText(text) });
    }
  });

  test('is not made where nobody asks for it', () => {
    expect(keyOf({ algorithm: 'round-robin' }, headers)).toBe(keyOf({ algorithm: 'random' }));
  });

  test('is the same for ever: instances of two versions must agree', () => {
    expect(hashText('')).toBe(0xab3e7c0b);
    expect(hashText('203.0.113.5')).toBe(0x2c7a6884);
  });

  test('spreads what lies close', () => {
    const buckets = new Uint32Array(64);
    for (let i = 0; i < 6400; i++) {
      const bucket = hashText(`10.0.${i >> 8}.${i & 255}`) >>> 26;
      buckets[bucket] = (buckets[bucket] as number) + 1;
    }
    expect(Math.min(...buckets)).toBeGreaterThan(50);
    expect(Math.max(...buckets)).toBeLessThan(160);
  });
});

describe('the sticky cookie of a request', () => {
  const sticky = { cookie: 'edge', ttlMs: 0 };

  test.each([
    ['edge=good', 't1'],
    ['a=b; edge=good; c=d', 't1'],
    ['edge=bad', undefined],
    ['Edge=good', undefined],
    ['xedge=good', undefined],
    ['edge', undefined],
  ])('%s', (cookie, target) => {
    expect(keyOf({ sticky }, { cookie }).sticky).toBe(target);
  });

  test('values may have an equals sign', () => {
    expect(cookieValue('a=b=c', 'a')).toBe('b=c');
  });
});
