import { expect, test } from 'vitest';
import {
  expand,
  parseRange,
  parseTemplate,
  rangeSize,
} from '../../../../../shared/dns/zone/generate.ts';

/** Templates are written with # for $ here. */
function expanded(text: string, value: number): string | undefined {
  const template = parseTemplate(text.replaceAll('#', '$'));
  return template && expand(template, value);
}

test.each([
  ['0-0', { first: 0, last: 0, step: 1 }, 1],
  ['1-10', { first: 1, last: 10, step: 1 }, 10],
  ['1-10/3', { first: 1, last: 10, step: 3 }, 4],
  ['0-2147483647/2147483647', { first: 0, last: 2147483647, step: 2147483647 }, 2],
])('range %s', (text, range, size) => {
  expect(parseRange(text)).toEqual(range);
  expect(rangeSize(range)).toBe(size);
});

test.each(['', '1', '1-', '-1', '2-1', '1-2/0', '1-2/', '1-2147483648', '1-2-3', '1 -2', 'a-b'])(
  'no range: %j',
  (text) => {
    expect(parseRange(text)).toBeUndefined();
  },
);

// As named-compilezone of BIND 9.18 writes them.
test.each([
  ['h#', 7, 'h7'],
  ['#-#', 7, '7-7'],
  ['a##b', 7, 'a$b'],
  ['a\\#b\\\\#', 7, 'a\\$b\\\\7'],
  ['#{3}', 7, '10'],
  ['#{-5}', 1, '-4'],
  ['#{-5,4}', 1, '-004'],
  ['#{0,3}', 7, '007'],
  ['#{0,3,d}', 7, '007'],
  ['#{0,0,o}', 9, '11'],
  ['#{0,4,x}', 250, '00fa'],
  ['#{0,1,X}', 250, 'FA'],
  ['#{0,0,n}', 0x12, '2.1'],
  ['#{0,1,n}', 1, '1'],
  ['#{0,2,n}', 1, '1.'],
  ['#{0,3,n}', 1, '1.0'],
  ['#{0,4,n}', 0x12, '2.1.'],
  ['#{0,7,N}', 11, 'B.0.0.0'],
])('%s of %i is %s', (text, value, expected) => {
  expect(expanded(text, value)).toBe(expected);
});

test.each('#{ #{} #{0 #{x} #{0,} #{0,1,} #{0,1,q} #{0,1,d #{0,999} #{0,-1}'.split(' '))(
  'no template: %s',
  (text) => {
    expect(parseTemplate(text.replaceAll('#', '$'))).toBeUndefined();
  },
);

test.each(['#{-1,0,x}', '#{-1,0,n}', '#{-1,0,o}'])('%s of 0 is nothing', (text) => {
  expect(expanded(text, 0)).toBeUndefined();
  expect(expanded(text, 1)).toBe('0');
});

test('numbers stay within 31 bits', () => {
  expect(expanded('#{2147483647}', 0)).toBe('2147483647');
  expect(expanded('#{2147483647}', 1)).toBeUndefined();
});
