import { describe, expect, test } from 'vitest';
import { FACT_NAMES, FACTS } from '../../../../dns/answer/counters.ts';
import type { AnswerResponder } from '../../../../dns/answer/responder.ts';
import type { AnswerSettings, Exchange } from '../../../../dns/answer/types.ts';
import {
  bytesOf,
  ecsHex,
  hex16,
  type Opt,
  optHex,
  optionHex,
  queryHex,
  questionHex,
} from './packets.ts';
import { ask, exchangeOf, KEEPALIVE_MS, outcomes, responderOf, stateOf, WWW } from './rig.ts';

const www = questionHex('www.example.com');
const NSID = bytesOf('6e6f6465');
const PADDING = optionHex(12, '0000');
const KEEPALIVE = optionHex(11);
/** RFC 9018 A.1: what rig.ts's client, clock and secret make of it. */
const CLIENT_COOKIE = '2464c4abcf10c957';
const SERVER_COOKIE = '010000005cf79f111f8130c3eee29480';
const FRESH = optionHex(10, CLIENT_COOKIE + SERVER_COOKIE);

function facts({ counters }: AnswerResponder): string[] {
  return FACT_NAMES.filter((_, index) => (counters[FACTS + index] ?? 0) > 0);
}

type Case = {
  what: string;
  opt?: Opt;
  /** Behind the question, instead of `opt`. */
  records?: string[];
  counts?: string;
  question?: string;
  settings?: Partial<AnswerSettings>;
  exchange?: Partial<Exchange>;
  /** The answer's flags and counts, then what stands behind the question. */
  head: string;
  rest: string;
  outcome: string;
};

const GOOD = '8500 0001 0001 0000 0001';
const BAD = '8101 0001 0000 0000 0001';
const good = { head: GOOD, outcome: 'answered' };
const cookies = { enabled: true, secrets: [bytesOf('e5e973e5a6b2a43f48e7dc849e37bfcf')] };

const cases: Case[] = [
  { what: '55 OPT', opt: {}, ...good, rest: WWW + optHex() },
  {
    what: '56 none in, none out',
    records: [],
    head: '8500 0001 0001 0000 0000',
    rest: WWW,
    outcome: 'answered',
  },
  { what: '57 DO', opt: { flags: 0x8000 }, ...good, rest: WWW + optHex({ flags: 0x8000 }) },
  ...[1, 255].map((version) => ({
    what: `58 version ${version}`,
    opt: { version, flags: 0x8000, options: 'ffff' },
    head: '8100 0001 0000 0000 0001',
    rest: optHex({ flags: 0x8000 }).replace('04d000', '04d001'),
    outcome: 'badvers',
  })),
  {
    what: '60 unknown options',
    opt: { options: optionHex(65001, '0102') },
    ...good,
    rest: WWW + optHex(),
  },
  { what: '61 Z bits', opt: { flags: 0x7fff }, ...good, rest: WWW + optHex() },
  {
    what: '63 two OPT',
    records: [optHex(), optHex()],
    head: BAD,
    rest: optHex(),
    outcome: 'formerr-opt',
  },
  {
    what: '64 OPT of another owner',
    records: [optHex().replace('00', 'c00c')],
    head: '8101 0001 0000 0000 0000',
    rest: '',
    outcome: 'formerr-opt',
  },
  ...['00', '000300', '00030001', '0003000161 00'].map((options) => ({
    what: `65 options that are cut off: ${options}`,
    opt: { options },
    head: BAD,
    rest: optHex(),
    outcome: 'formerr-opt',
  })),
  {
    what: '66 NSID',
    opt: { options: optionHex(3) },
    settings: { nsid: NSID },
    ...good,
    rest: WWW + optHex({ options: optionHex(3, '6e6f6465') }),
  },
  {
    what: '66 NSID where none is set',
    opt: { options: optionHex(3) },
    ...good,
    rest: WWW + optHex(),
  },
  {
    what: '66 NSID that nobody asks for',
    opt: {},
    settings: { nsid: NSID },
    ...good,
    rest: WWW + optHex(),
  },
  {
    what: '67 a client cookie',
    opt: { options: optionHex(10, CLIENT_COOKIE) },
    ...good,
    rest: WWW + optHex({ options: FRESH }),
  },
  {
    what: '67 a right cookie, twice: the first counts',
    opt: { options: FRESH + optionHex(10, 'ff') },
    ...good,
    rest: WWW + optHex({ options: FRESH }),
  },
  {
    what: '67 a wrong server cookie counts as none',
    opt: { options: optionHex(10, CLIENT_COOKIE + '00'.repeat(16)) },
    ...good,
    rest: WWW + optHex({ options: FRESH }),
  },
  ...[0, 7, 9, 15, 41].map((length) => ({
    what: `68 a cookie of ${length} bytes`,
    opt: { options: optionHex(10, '00'.repeat(length)) },
    head: BAD,
    rest: optHex(),
    outcome: 'formerr-cookie',
  })),
  {
    what: 'cookies that are off are not looked at',
    opt: { options: optionHex(10, '00') },
    settings: { cookies: { ...cookies, enabled: false, required: false } },
    ...good,
    rest: WWW + optHex(),
  },
  {
    what: 'no question, but a cookie',
    counts: '0000 0000 0000 0001',
    question: '',
    opt: { options: optionHex(10, CLIENT_COOKIE) },
    head: '8100 0000 0000 0000 0001',
    rest: optHex({ options: FRESH }),
    outcome: 'cookie-given',
  },
  {
    what: 'no question, a wrong cookie',
    counts: '0000 0000 0000 0001',
    question: '',
    opt: { options: optionHex(10, CLIENT_COOKIE + '00'.repeat(16)) },
    head: '8107 0000 0000 0000 0001',
    rest: optHex({ options: FRESH }).replace('04d000', '04d001'),
    outcome: 'badcookie',
  },
  {
    what: 'no question, OPT without a cookie',
    counts: '0000 0000 0000 0001',
    question: '',
    opt: {},
    head: '8101 0000 0000 0000 0001',
    rest: optHex(),
    outcome: 'formerr-questions',
  },
  {
    what: 'a cookie is required, and only a client one there',
    opt: { options: optionHex(10, CLIENT_COOKIE) },
    settings: { cookies: { ...cookies, required: true } },
    head: '8107 0001 0000 0000 0001',
    rest: optHex({ options: FRESH }).replace('04d000', '04d001'),
    outcome: 'badcookie',
  },
  {
    what: 'a cookie is required, and there',
    opt: { options: FRESH },
    settings: { cookies: { ...cookies, required: true } },
    ...good,
    rest: WWW + optHex({ options: FRESH }),
  },
  {
    what: 'a cookie is required of one who knows none: TC',
    records: [],
    settings: { cookies: { ...cookies, required: true } },
    head: '8300 0001 0000 0000 0000',
    rest: '',
    outcome: 'cookie-wanted',
  },
  {
    what: 'a cookie is not required over TCP',
    records: [],
    settings: { cookies: { ...cookies, required: true } },
    exchange: { transport: 'tcp' },
    head: '8500 0001 0001 0000 0000',
    rest: WWW,
    outcome: 'answered',
  },
  ...(['tcp', 'tls'] as const).map((transport) => ({
    what: `keepalive over ${transport}`,
    opt: { options: KEEPALIVE },
    exchange: { transport },
    ...good,
    rest: WWW + optHex({ options: optionHex(11, hex16(KEEPALIVE_MS / 100)) }),
  })),
  ...(['udp', 'https'] as const).map((transport) => ({
    what: `keepalive over ${transport}`,
    opt: { options: KEEPALIVE },
    exchange: { transport },
    ...good,
    rest: WWW + optHex(),
  })),
  ...(['udp', 'tcp'] as const).map((transport) => ({
    what: `padding over ${transport}`,
    opt: { options: PADDING },
    exchange: { transport },
    ...good,
    rest: WWW + optHex(),
  })),
  ...(['tls', 'https'] as const).map((transport) => ({
    what: `padding over ${transport}: 468 bytes`,
    opt: { options: PADDING },
    exchange: { transport },
    ...good,
    rest: WWW + optHex({ options: optionHex(12, '00'.repeat(468 - 12 - 21 - 16 - 11 - 4)) }),
  })),
  {
    what: 'everything at once',
    opt: { options: PADDING + ecsHex(1, 24, 'cb0071') + FRESH + KEEPALIVE + optionHex(3) },
    settings: { nsid: NSID },
    exchange: { transport: 'tcp' },
    ...good,
    rest:
      WWW +
      optHex({
        options: optionHex(3, '6e6f6465') + FRESH + ecsHex(1, 24, 'cb0071') + optionHex(11, '007b'),
      }),
  },
];

describe('E1 to E4', () => {
  test.each(cases)('$what', (each) => {
    const { opt, records = [optHex(opt)], head, rest, outcome, question = www } = each;
    const responder = responderOf(stateOf(each.settings));
    const asked = each.counts === undefined ? { question } : { question, counts: each.counts };
    const answer = ask(responder, queryHex(asked, ...records), exchangeOf(each.exchange));
    expect(answer).toBe(`1234${head}${question}${rest}`.replaceAll(' ', ''));
    expect(outcomes(responder)).toEqual([outcome]);
  });

  test('facts are counted beside', () => {
    const responder = responderOf();
    const ecs = ecsHex(1, 24, '0a0000');
    ask(responder, queryHex({}, optHex({ flags: 0x8000, options: FRESH + ecs })));
    expect(facts(responder)).toEqual([
      'edns',
      'dnssec-ok',
      'ecs',
      'ecs-not-believed',
      'cookie-right',
    ]);
    ask(responder, queryHex({}, optHex({ options: FRESH.replace('1f81', '1f82') })));
    expect(facts(responder)).toContain('cookie-wrong');
  });
});

describe('E2', () => {
  const big = questionHex('big.example.com');
  // 33 bytes of header and question, four records of 412 bytes, 11 of OPT.
  const whole = 33 + 4 * 412;

  test.each([
    { what: '85 without OPT', records: [], length: 33, isTruncated: true },
    { what: '86 with 1232', records: [optHex()], length: 33 + 11, isTruncated: true },
    { what: '62 with 0', records: [optHex({ bytes: 0 })], length: 33 + 11, isTruncated: true },
    { what: '87 TCP', records: [], tcp: true, length: whole, isTruncated: false },
    { what: '87 TCP, OPT', records: [optHex()], tcp: true, length: whole + 11, isTruncated: false },
    {
      what: 'OPT has its room kept free',
      records: [optHex({ bytes: whole + 10 })],
      udpBytes: 4096,
      length: 33 + 11,
      isTruncated: true,
    },
    {
      what: 'to the last byte',
      records: [optHex({ bytes: whole + 11 })],
      udpBytes: 4096,
      length: whole + 11,
      isTruncated: false,
    },
  ])('$what', ({ records, tcp = false, udpBytes = 1232, length, isTruncated }) => {
    const responder = responderOf(stateOf({ udpBytes }));
    const exchange = exchangeOf({ transport: tcp ? 'tcp' : 'udp' });
    const answer = bytesOf(ask(responder, queryHex({ question: big }, ...records), exchange));
    expect(answer.length).toBe(length);
    expect((answer[2] ?? 0) & 2).toBe(isTruncated ? 2 : 0);
    expect([...answer.subarray(6, 10)]).toEqual(isTruncated ? [0, 0, 0, 0] : [0, 4, 0, 0]);
    expect(outcomes(responder)).toEqual([isTruncated ? 'truncated' : 'answered']);
  });
});
