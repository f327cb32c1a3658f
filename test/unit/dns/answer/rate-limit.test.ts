import { describe, expect, test } from 'vitest';
import { FACT } from '../../../../dns/answer/counters.ts';
import { DROP, RateLimit, SEND, SLIP } from '../../../../dns/answer/rate-limit.ts';
import { seededRandom } from '../../../../shared/random.ts';
import { bytesOf, optHex, optionHex, queryHex, questionHex } from './packets.ts';
import { ask, exchangeOf, outcomes, responderOf, stateOf } from './rig.ts';

const client = Uint8Array.of(198, 51, 100, 100);

function limitOf(perSecond: number, slip = 0, exempt: string[] = []): RateLimit {
  const limit = new RateLimit(1);
  limit.configure({ perSecond, slip, exempt });
  return limit;
}

describe('R1: an account', () => {
  test.each([1, 3, 5, 1000])('of %i a second', (perSecond) => {
    const limit = limitOf(perSecond);
    const account = limit.accountOf(client, 1);
    const sent = (nowMs: number) =>
      Array.from({ length: 2 * perSecond }, () => limit.take(account, client, nowMs)).filter(
        (verdict) => verdict === SEND,
      ).length;
    expect(sent(10_000)).toBe(perSecond);
    expect(sent(10_000)).toBe(0);
    expect(sent(11_000)).toBe(perSecond);
    // What nobody used is not saved up.
    expect(sent(60_000)).toBe(perSecond);
  });

  test('gets its share under a flood, spread over the second', () => {
    const limit = limitOf(10);
    const account = limit.accountOf(client, 1);
    let sent = 0;
    for (let nowMs = 0; nowMs < 10_000; nowMs++) {
      if (limit.take(account, client, nowMs) === SEND) sent++;
    }
    expect(sent).toBe(10 * 10 + 9);
  });

  test.each([
    [0, [DROP, DROP, DROP, DROP]],
    [1, [SLIP, SLIP, SLIP, SLIP]],
    [2, [DROP, SLIP, DROP, SLIP]],
    [3, [DROP, DROP, SLIP, DROP]],
  ])('slips with %i', (slip, verdicts) => {
    const limit = limitOf(1, slip);
    const account = limit.accountOf(client, 1);
    expect(limit.take(account, client, 0)).toBe(SEND);
    expect(verdicts.map(() => limit.take(account, client, 0))).toEqual(verdicts);
  });

  test.each([
    ['198.51.100.0/24', true],
    ['198.51.100.100/32', true],
    ['198.51.100.101/32', false],
    ['198.51.96.0/19', true],
    ['198.51.64.0/19', false],
    ['0.0.0.0/0', true],
    ['2001:db8::/32', false],
  ])('of one who is exempt by %s: %s', (prefix, isExempt) => {
    const limit = limitOf(1, 0, [prefix]);
    const account = limit.accountOf(client, 1);
    limit.take(account, client, 0);
    expect(limit.take(account, client, 0)).toBe(isExempt ? SEND : DROP);
  });

  test('is of a /24 or /56, and of what is answered', () => {
    const limit = limitOf(1);
    const one = limit.accountOf(client, 1);
    expect(limit.accountOf(Uint8Array.of(198, 51, 100, 7), 1)).toBe(one);
    expect(limit.accountOf(Uint8Array.of(198, 51, 101, 100), 1)).not.toBe(one);
    expect(limit.accountOf(client, 2)).not.toBe(one);
    const six = bytesOf('20010db8000000010000000000000001');
    const same = bytesOf('20010db80000000100000000000000ff');
    const other = bytesOf('20010db8000001010000000000000001');
    expect(limit.accountOf(same, 1)).toBe(limit.accountOf(six, 1));
    expect(limit.accountOf(other, 1)).not.toBe(limit.accountOf(six, 1));
    const elsewhere = new RateLimit(2);
    expect(elsewhere.accountOf(client, 1)).not.toBe(one);
  });

  test('R2: gives way, is counted, and the table does not grow', () => {
    const limit = limitOf(1);
    const random = seededRandom(5);
    for (let count = 0; count < 200_000; count++) {
      const address = random.bytes(4);
      limit.take(limit.accountOf(address, 1), address, 0);
    }
    expect(limit.forgotten).toBeGreaterThan(100_000);
    expect(limit.forgotten).toBeLessThan(200_000 - 60_000);
  });
});

describe('R1: answers', () => {
  const state = stateOf({ rateLimit: { perSecond: 2, slip: 2, exempt: ['203.0.113.0/24'] } });
  const www = queryHex({});
  const no = (label: string) => queryHex({ question: questionHex(`${label}.example.com`) });

  test('beyond the limit: silence, then TC with the question alone', () => {
    const responder = responderOf(state);
    const query = queryHex({}, optHex());
    const lengths = Array.from({ length: 6 }, () => ask(responder, query).length / 2);
    const slipped = 12 + 21 + 11;
    expect(lengths).toEqual([slipped + 16, slipped + 16, 0, slipped, 0, slipped]);
    expect(ask(responder, query)).toBe('');
    expect(ask(responder, query)).toBe(
      `123483000001000000000001${questionHex('www.example.com')}${optHex()}`,
    );
    const limited = ['rate-limited', 'rate-limited', 'rate-limited'];
    expect(outcomes(responder)).toEqual([
      'answered',
      'answered',
      ...limited.map(() => 'slipped'),
      ...limited,
    ]);
  });

  test('errors count by zone and rcode, whatever the name', () => {
    const responder = responderOf(state);
    const answers = ['a', 'b', 'c'].map((label) => ask(responder, no(label)));
    expect(answers.map((answer) => answer !== '')).toEqual([true, true, false]);
    expect(ask(responder, www)).not.toBe('');
    const other = (label: string) => queryHex({ question: questionHex(`${label}.org`) });
    expect(['a', 'b', 'c'].map((label) => ask(responder, other(label)) !== '')).toEqual([
      true,
      true,
      false,
    ]);
  });

  test('data count by name and type, whatever the case', () => {
    const responder = responderOf(state);
    const shouting = queryHex({ question: questionHex('WWW.example.com') });
    const any = queryHex({ question: questionHex('www.example.com', 255) });
    expect([www, shouting, www, any].map((query) => ask(responder, query) !== '')).toEqual([
      true,
      true,
      false,
      true,
    ]);
  });

  test('what is malformed is limited too', () => {
    const responder = responderOf(state);
    expect(['00', '0000', '000000'].map((junk) => ask(responder, www + junk) !== '')).toEqual([
      true,
      true,
      false,
    ]);
  });

  test.each([
    { what: 'TCP', exchange: exchangeOf({ transport: 'tcp' }), query: www },
    {
      what: 'one who is exempt',
      exchange: exchangeOf({ client: Uint8Array.of(203, 0, 113, 9) }),
      query: www,
    },
    {
      what: 'a right cookie',
      exchange: exchangeOf(),
      query: queryHex(
        {},
        optHex({ options: optionHex(10, '2464c4abcf10c957010000005cf79f111f8130c3eee29480') }),
      ),
    },
  ])('does not limit $what', ({ exchange, query }) => {
    const responder = responderOf(state);
    const answers = Array.from({ length: 9 }, () => ask(responder, query, exchange));
    expect(new Set(answers).size).toBe(1);
    expect(outcomes(responder)).toEqual(answers.map(() => 'answered'));
  });

  test('a wrong cookie is limited', () => {
    const responder = responderOf(state);
    const options = optionHex(10, `2464c4abcf10c957${'00'.repeat(16)}`);
    const query = queryHex({}, optHex({ options }));
    expect(Array.from({ length: 3 }, () => ask(responder, query) !== '')).toEqual([
      true,
      true,
      false,
    ]);
  });

  test('accounts that are forgotten are counted', () => {
    const responder = responderOf(state);
    const random = seededRandom(3);
    for (let count = 0; count < 120_000; count++) {
      ask(responder, www, exchangeOf({ client: random.bytes(4) }));
    }
    expect(responder.counters[FACT.RATE_LIMIT_FORGOTTEN]).toBeGreaterThan(10_000);
  });
});
