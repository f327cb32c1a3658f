import { expect, test } from 'vitest';
import { formatVote, parseVote, type Vote } from '../../../../shared/health/vote.ts';

const down: Vote = {
  state: 'down',
  checksToFlip: 2,
  sinceMs: 1_790_000_000_000,
  held: 'up',
  reason: 'status 503',
};

test('a vote is one line, and reads back', () => {
  const text = formatVote(down);
  expect(text).toBe('down 2 1790000000000 up status 503');
  expect(parseVote(text)).toEqual(down);
});

test('what a server says does not break the line, nor fill the store', () => {
  const text = formatVote({ ...down, reason: `bad\r\nnews\t${'x'.repeat(500)}` });
  expect(text).toMatch(/^down 2 1790000000000 up bad news x+$/);
  expect(text.length).toBeLessThan(200);
});

test.each([
  ['', 'nothing'],
  ['up 1 2', 'too few words'],
  ['maybe 1 2 up ok', 'no state'],
  ['up x 2 up ok', 'no count'],
  ['up 1 2 maybe ok', 'no held state'],
  ['up 1 9999999999999999 up ok', 'no time'],
])('%j is no vote: %s', (text) => {
  expect(parseVote(text)).toBeUndefined();
});

test('a vote may always be about to turn', () => {
  expect(parseVote('up 0 2 up ok')?.checksToFlip).toBe(1);
});
