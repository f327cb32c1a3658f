import { describe, expect, test } from 'vitest';
import { hexOf, optHex, queryHex, questionHex } from './packets.ts';
import { ask, exchangeOf, outcomes, responderOf, stateOf } from './rig.ts';

const question = questionHex('id.server', 16, 3);
const text = (value: string) => hexOf(new TextEncoder().encode(value));
const answer = (data: string) => {
  const length = (data.length / 2).toString(16).padStart(4, '0');
  return `123485000001000100000000${question}c00c0010000300000000${length}${data}`;
};

describe('H4: CH TXT', () => {
  test.each([
    ['nothing', '', '00'],
    ['letters', 'é', '02c3a9'],
    ['255 bytes', 'x'.repeat(255), `ff${text('x'.repeat(255))}`],
    ['256 bytes', 'x'.repeat(256), `ff${text('x'.repeat(255))}01${text('x')}`],
  ])('of %s', (_, value, data) => {
    const responder = responderOf(stateOf({ chaos: { 'ID.server': value } }));
    expect(ask(responder, queryHex({ question }))).toBe(answer(data));
  });

  test('of more than fits is refused', () => {
    const responder = responderOf(stateOf({ chaos: { 'id.server': 'x'.repeat(600) } }));
    expect(ask(responder, queryHex({ question }))).toBe(`123481050001000000000000${question}`);
    const whole = ask(responder, queryHex({ question }, optHex()), exchangeOf());
    expect(whole.startsWith('1234850000010001')).toBe(true);
    expect(outcomes(responder)).toEqual(['chaos', 'refused-class']);
  });

  test.each([
    ['another type', questionHex('id.server', 1, 3)],
    ['another name', questionHex('server', 16, 3)],
    ['AXFR-like ANY', questionHex('id.server', 255, 3)],
    ['class HS', questionHex('id.server', 16, 4)],
  ])('%s is refused', (_, other) => {
    expect(ask(responderOf(), queryHex({ question: other }))).toBe(
      `123481050001000000000000${other}`,
    );
  });
});

describe('a new state', () => {
  test('is answered by as a whole from then on', () => {
    const responder = responderOf();
    const query = queryHex({ question });
    expect(ask(responder, query)).toBe(answer(`06${text('node-1')}`));
    responder.adopt(stateOf({ chaos: { 'id.server': 'other' }, udpBytes: 4096 }));
    expect(ask(responder, query)).toBe(answer(`05${text('other')}`));
    const big = queryHex({ question: questionHex('big.example.com') }, optHex({ bytes: 4096 }));
    ask(responder, big);
    expect(outcomes(responder)).toEqual(['answered', 'chaos', 'chaos']);
  });

  test('that cannot be taken leaves the one before as it was', () => {
    const responder = responderOf();
    const before = ask(responder, queryHex({ question }, optHex()));
    const rateLimit = { perSecond: 1, slip: 0, exempt: ['nonsense'] };
    const chaos = { 'id.server': 'other' };
    expect(() => responder.adopt(stateOf({ rateLimit, chaos, nsid: Uint8Array.of(1) }))).toThrow(
      'no prefix',
    );
    for (let count = 0; count < 3; count++) {
      expect(ask(responder, queryHex({ question }, optHex()))).toBe(before);
    }
  });
});
