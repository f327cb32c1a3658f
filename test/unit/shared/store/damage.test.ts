import { expect, test } from 'vitest';
import { headOf, memberOf } from '../../../../shared/store/damage.ts';

const digest = '0123456789ab';

test('a head as apply writes it, and one that nobody wrote yet', () => {
  const head = { version: 7, digest, count: 2, tail: '12-0' };
  expect(headOf('natter', ['7', digest, '2', '12-0'])).toEqual(head);
  expect(headOf('natter', [null, null, null, null])).toMatchObject({ version: 0, tail: '0-0' });
});

test.each([
  ['abc', digest, '2', '1-0'],
  ['-5', digest, '2', '1-0'],
  ['99999999999999999999', digest, '2', '1-0'],
  ['7', 'zzz', '2', '1-0'],
  ['7', digest, '1e3', '1-0'],
  ['7', digest, '2', 'nope'],
  ['', digest, '2', '1-0'],
])('no head: %s %s %s %s', (...fields) => {
  expect(() => headOf('natter', fields)).toThrow('edge:1:{natter}:head does not hold');
});

const good = {
  service: 'natter',
  node: 'n1',
  version: '1',
  state: 'running',
  applied: { natter: 3 },
  startedAt: 5,
};

test('a member', () => {
  expect(memberOf(JSON.stringify(good), 'natter')).toEqual(good);
  const more = { ...good, drift: 'x', address: '192.0.2.1', clockMs: 9 };
  expect(memberOf(JSON.stringify(more), 'natter')).toEqual(more);
});

test.each([
  '{bad',
  'null',
  '[]',
  '5',
  '{}',
  JSON.stringify({ ...good, node: 5 }),
  JSON.stringify({ ...good, applied: null }),
  JSON.stringify({ ...good, applied: { natter: 'abc' } }),
  JSON.stringify({ ...good, startedAt: 'x' }),
  JSON.stringify({ ...good, startedAt: 1e20 }),
  JSON.stringify({ ...good, drift: {} }),
  JSON.stringify({ ...good, service: 'dhcpd' }),
  JSON.stringify({ ...good, service: '__proto__' }),
  JSON.stringify({ ...good, node: 'n'.repeat(301) }),
  JSON.stringify({ ...good, address: 'a'.repeat(2 ** 20) }),
  JSON.stringify({ ...good, drift: 'x'.repeat(2 ** 16) }),
])('no member: %.80s', (json) => {
  expect(memberOf(json, 'natter')).toBeUndefined();
});
