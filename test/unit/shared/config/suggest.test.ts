import { expect, test } from 'vitest';
import { suggest } from '../../../../shared/config/suggest.ts';

const known = ['weight', 'address', 'timeout', 'in', 'out'];

test.each([
  ['wieght', 'weight'],
  ['adress', 'address'],
  ['Timeout', 'timeout'],
  ['timeouts', 'timeout'],
  ['ni', 'in'],
  ['burst', undefined],
  ['xy', undefined],
  ['', undefined],
  ['a'.repeat(10_000), undefined],
])('%s means %s', (typed, meant) => {
  expect(suggest(typed, known)).toBe(meant);
});
