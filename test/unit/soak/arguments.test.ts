import { expect, test } from 'vitest';
import { parse } from '../../soak/arguments.ts';
import { CATALOGUE } from '../../soak/catalogue.ts';

const DRAWN = 42;
const ALL = CATALOGUE.map(({ name }) => name);

test('a whole site with all faults, unless told otherwise', () => {
  expect(parse([], DRAWN)).toEqual({
    what: 'site',
    minutes: 10,
    seed: DRAWN,
    faults: ALL,
    isOverlapping: false,
    out: 'soak-42',
  });
});

test.each([
  [['--minutes', '0.5', '--seed', '7'], { minutes: 0.5, seed: 7, out: 'soak-7' }],
  [['--faults', 'none'], { faults: [] }],
  [['--faults', 'overlap'], { faults: ALL, isOverlapping: true }],
  [['--faults', 'kill,loss'], { faults: ['kill', 'loss'] }],
  [['dhcpd'], { what: 'dhcpd' }],
  [['natter', '--out', 'here'], { what: 'natter', out: 'here' }],
])('%j', (words, wanted) => {
  expect(parse(words, DRAWN)).toMatchObject(wanted);
});

test('help', () => expect(parse(['--help'], DRAWN)).toBe('help'));

test.each([
  [['--minutes', 'ten'], 'not above 0'],
  [['--minutes', '-1'], '--minutes'],
  [['--seed', '1.5'], 'not a whole number'],
  [['--faults', 'kill,meteor'], 'no fault meteor'],
  [['kitchen'], 'no soak of kitchen'],
  [['--what'], '--what'],
])('%j is refused, and why', (words, wanted) => {
  const problems = parse(words, DRAWN);
  expect(Array.isArray(problems)).toBe(true);
  expect(String(problems)).toContain(wanted);
});
