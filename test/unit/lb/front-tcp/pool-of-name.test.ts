import { expect, test } from 'vitest';
import { poolOfName } from '../../../../lb/l7/front-tcp/pool-of-name.ts';

const names = [
  { name: '*.example.com', pool: 'wide' },
  { name: 'www.example.com', pool: 'exact' },
  { name: '*.shop.example.com', pool: 'narrow' },
];

test.each([
  ['www.example.com', 'exact'],
  ['other.example.com', 'wide'],
  ['a.shop.example.com', 'narrow'],
  ['a.b.shop.example.com', 'narrow'],
  ['shop.example.com', 'wide'],
  ['example.com', 'else'],
  ['notexample.com', 'else'],
  [undefined, 'else'],
])('%s: %s', (name, pool) => {
  expect(poolOfName({ names, pool: 'else' }, name)).toBe(pool);
});

test('without a pool of its own, unknown names lead nowhere', () => {
  expect(poolOfName({ names }, 'example.net')).toBeUndefined();
  expect(poolOfName({ names }, undefined)).toBeUndefined();
});
