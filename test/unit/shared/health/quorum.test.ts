import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decide, TELLING_MS, toFlipMs, type Voice } from '../../../../shared/health/quorum.ts';
import type { Measured } from '../../../../shared/health/types.ts';

const LETTERS = { u: 'up', d: 'down', p: 'pending' } as const;
const HELD = { '+': 'up', '-': 'down', '?': 'unknown' } as const;

/** `u+3`: votes up, goes by up, three checks to flip. */
function voices(text: string): Voice[] {
  return text.split(' ').flatMap((word) => {
    const [letter, held, ...checks] = word;
    if (letter === undefined) return [];
    const state = LETTERS[letter as keyof typeof LETTERS];
    const holds = HELD[(held ?? '?') as keyof typeof HELD];
    return [{ state, held: holds, checksToFlip: Number(checks.join('') || 1) }];
  });
}

describe('the state', () => {
  test.each<[string, string, Measured, Measured]>([
    ['of nobody is as it was', '', 'up', 'up'],
    ['of nobody is as it was', '', 'unknown', 'unknown'],
    ['is what the only one says', 'd-', 'up', 'down'],
    ['is what two of three say', 'd+ u+ d+', 'up', 'down'],
    ['is what two of three say', 'd- u- u-', 'down', 'up'],
    ['is not turned by one of three', 'd+ p+ p+', 'up', 'up'],
    ['is not turned by one of two', 'd+ u+', 'up', 'up'],
    ['is kept in a tie', 'u- d-', 'down', 'down'],
    ['in a tie is what the first in rank goes by, not the own', 'u- d+', 'up', 'down'],
    ['in a tie is what the first who knows goes by', 'p? d- u+', 'up', 'down'],
    ['is the own where nobody knows', 'u? d?', 'down', 'down'],
    ['from unknown is by the votes there are', 'd? p? p?', 'unknown', 'down'],
    ['from unknown is up in a tie', 'd? u?', 'unknown', 'up'],
    ['is unknown while all are at work', 'p? p? p?', 'unknown', 'unknown'],
  ])('%s: %s, before %s', (_, text, before, state) => {
    expect(decide(voices(text), before)).toBe(state);
  });

  const someVoice = fc.record({
    state: fc.constantFrom<Voice['state']>('up', 'down', 'pending'),
    held: fc.constantFrom<Measured>('up', 'down', 'unknown'),
    checksToFlip: fc.integer({ min: 1, max: 9 }),
  });
  const someVoices = fc.array(someVoice, { maxLength: 3 });
  const someState = fc.constantFrom<Measured>('up', 'down', 'unknown');

  test('is the same for all once somebody knows it, whatever each had', () => {
    const property = fc.property(someVoices, someState, someState, (all, one, other) => {
      fc.pre(all.some(({ held }) => held !== 'unknown'));
      expect(decide(all, one)).toBe(decide(all, other));
    });
    fc.assert(property);
  });

  test('cannot turn before as many have turned as toFlipMs waits for', () => {
    const check = { intervalMs: 1_000_000, timeoutMs: 0 };
    const property = fc.property(someVoices, (all) => {
      const state = decide(all, 'unknown');
      fc.pre(state !== 'unknown');
      const shown = toFlipMs(all, state, check);
      const checks = Math.ceil((shown + TELLING_MS) / check.intervalMs);
      // All whose next checks may turn them sooner have turned, and it stays.
      const other = state === 'up' ? 'down' : 'up';
      const turned = all.map((voice) =>
        voice.checksToFlip <= checks
          ? { ...voice, state: other, held: state }
          : { ...voice, held: state },
      ) as Voice[];
      if (shown > 0) expect(decide(turned, state)).toBe(state);
    });
    fc.assert(property);
  });
});

describe('toFlipMs', () => {
  const check = { intervalMs: 5000, timeoutMs: 2000 };
  const least = (checks: number) => Math.max(0, (checks - 1) * 5000 - 2000 - TELLING_MS);

  test.each<[string, string, Measured, number]>([
    ['of what is unknown is 0', 'p?3', 'unknown', 0],
    ['of nobody is 0', '', 'up', 0],
    ['of one is its own', 'u+3', 'up', least(3)],
    ['of three is the second’s', 'u+2 u+9 u+5', 'up', least(5)],
    ['with one that has turned is the next one’s', 'd+9 u+9 u+5', 'up', least(5)],
    ['of two is the later one’s', 'u+2 u+4', 'up', least(4)],
    ['who is at work may turn, too', 'p+4 u+9 u+5', 'up', least(5)],
    ['what has turned already may show at any time', 'd+3 d+3 u+3', 'up', 0],
    ['is never negative', 'u+1', 'up', 0],
    ['of down is by those who say down', 'd-3 d-4 u-9', 'down', least(3)],
  ])('%s: %s, %s', (_, text, state, ms) => {
    expect(toFlipMs(voices(text), state, check)).toBe(ms);
  });
});
