import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createSticky } from '../../../../lb/l7/forward/sticky.ts';

const KEY = Buffer.alloc(32, 1);
const COOKIE = { cookie: 'edge', ttlMs: 0, isSecure: false };

function cookieOf(line: string): string {
  return /^edge=([^;]*)/.exec(line)?.[1] ?? '';
}

describe('a sticky cookie', () => {
  test('is the same on every instance with the key', () => {
    const line = createSticky(KEY).setCookie('web', '10.0.0.1:80', COOKIE);
    expect(createSticky(Buffer.from(KEY)).setCookie('web', '10.0.0.1:80', COOKIE)).toBe(line);
    expect(createSticky(KEY).targetOf('web', cookieOf(line))).toBe('10.0.0.1:80');
  });

  test('shows no address', () => {
    const line = createSticky(KEY).setCookie('web', '10.0.0.1:80', COOKIE);
    expect(Buffer.from(cookieOf(line), 'base64url').toString('latin1')).not.toContain('10.0.0.1');
  });

  test('lives as long as the pool says, and only over TLS where the client came so', () => {
    const options = { cookie: 'edge', ttlMs: 1500, isSecure: true };
    const line = createSticky(KEY).setCookie('web', '10.0.0.1:80', options);
    expect(line).toMatch(/; Max-Age=2; Secure$/);
    expect(createSticky(KEY).setCookie('web', 'a', COOKIE)).not.toMatch(/Max-Age|Secure/);
  });

  test('of another key or pool names nobody', () => {
    const value = cookieOf(createSticky(KEY).setCookie('web', '10.0.0.1:80', COOKIE));
    expect(createSticky(Buffer.alloc(32, 2)).targetOf('web', value)).toBeUndefined();
    expect(createSticky(KEY).targetOf('api', value)).toBeUndefined();
  });

  test('with any bit changed names nobody', () => {
    const sticky = createSticky(KEY);
    const bytes = Buffer.from(
      cookieOf(sticky.setCookie('web', '10.0.0.1:80', COOKIE)),
      'base64url',
    );
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const forged = Buffer.from(bytes);
      forged[bit >> 3] = (forged[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(sticky.targetOf('web', forged.toString('base64url'))).toBeUndefined();
    }
  });

  test('that is anything else names nobody, and any target comes back', () => {
    const sticky = createSticky(KEY);
    fc.assert(fc.property(fc.string(), (text) => sticky.targetOf('web', text) === undefined));
    const target = fc.oneof(fc.ipV4(), fc.ipV6()).map((address) => `${address}:8080`);
    fc.assert(
      fc.property(target, (id) => {
        expect(sticky.targetOf('web', cookieOf(sticky.setCookie('web', id, COOKIE)))).toBe(id);
      }),
    );
  });

  test('is remembered, but not without bound', () => {
    const sticky = createSticky(KEY);
    for (let i = 0; i < 25_000; i++) sticky.targetOf('web', `x${i}`);
    const value = cookieOf(sticky.setCookie('web', 'a:1', COOKIE));
    expect(sticky.targetOf('web', value)).toBe('a:1');
    expect(sticky.targetOf('web', value)).toBe('a:1');
  });
});
