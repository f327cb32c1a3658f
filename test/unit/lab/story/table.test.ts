// The story's table: 120 columns at most, whatever is said; colours only where they are wanted.
import { describe, expect, test } from 'vitest';
import { cut, row, styleOf } from '../../../../lab/story/table.ts';

const bare = styleOf(false, undefined);
const passed = (packets: number) => ({
  inbound: new Map([
    ['natter-1', packets],
    ['natter-2', 0],
  ]),
  outbound: new Map([
    ['natter-1', packets],
    ['natter-2', packets],
  ]),
});

describe.each([
  { what: 'ping', path: 'a > b', result: '5/5 back', ok: true },
  { what: 'w'.repeat(50), path: 'p'.repeat(90), result: `${'r'.repeat(200)}\nmore`, ok: false },
  { what: 'http', path: 'a > b', result: 'x', ok: true, passed: passed(7) },
  { what: 'http', path: 'a > b', result: 'r'.repeat(30), ok: true, passed: passed(123_456) },
])('$what, $result', (report) => {
  test('no line is longer than 120 columns, and what it starts with is its outcome', () => {
    const lines = row(bare, report).split('\n');
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(120);
    expect(lines[0]?.slice(0, 4)).toBe(report.ok ? 'ok  ' : 'FAIL');
  });
});

test('what was counted is beside the result, or under it, without who carried nothing', () => {
  const report = { what: 'http', path: 'a > b', result: 'seen', ok: true };
  expect(row(bare, { ...report, passed: passed(7) })).toMatch(/seen +in 1:7 {2}out 1:7 2:7$/);
  const long = row(bare, { ...report, result: 'r'.repeat(50), passed: passed(7) });
  expect(long).toMatch(/r\n +in 1:7/);
});

test.each([
  [true, undefined, true],
  [true, '', true],
  [true, '1', false],
  [false, undefined, false],
])('colours: terminal %s, NO_COLOR %s', (isTerminal, noColour, wanted) => {
  const said = row(styleOf(isTerminal, noColour), { what: 'a', path: 'b', result: 'c', ok: true });
  expect(said.includes('\x1b[')).toBe(wanted);
});

test('a text that is cut says so', () => {
  expect(cut('abcdef', 6)).toBe('abcdef');
  expect(cut('abcdefg', 6)).toBe('abcde…');
  expect(cut('ab\ncd', 6)).toBe('ab');
});
