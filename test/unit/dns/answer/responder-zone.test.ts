// Shell and heart together, on a zone with lines: what goes out on the wire, decoded.
import { describe, expect, test } from 'vitest';
import { OUTCOMES } from '../../../../dns/answer/counters.ts';
import { explainAnswer } from '../../../../dns/answer/explain.ts';
import { OUTCOME } from '../../../../dns/answer/outcomes.ts';
import { AnswerResponder } from '../../../../dns/answer/responder.ts';
import { REFERRED, SILENCE } from '../../../../dns/answer/types.ts';
import type { SmartAnswer, SmartChoice } from '../../../../dns/policy/types.ts';
import { decodeMessage } from '../../../../shared/dns/message.ts';
import { pick, seededRandom } from '../../../../shared/random.ts';
import { imageOf, lineOf, linesOf, nameOf } from '../../../support/dns/resolve-rig.ts';
import { bytesOf, ecsHex, optHex, queryHex, questionHex } from './packets.ts';
import { ask, exchangeOf, outcomes, stateOf } from './rig.ts';

const choice = (...answers: string[][]): SmartChoice => ({
  ttlSeconds: 30,
  answers: answers.map((set) => set.map(bytesOf)),
  steps: [],
});
/** Slot 0 for even, 1 for odd ones. */
const weighted = {
  ...choice(['0a000001'], ['0a000002']),
  slots: Uint8Array.from({ length: 256 }, (_, slot) => slot & 1),
};
const smart: SmartAnswer[] = [
  {
    choiceOfLine: Uint16Array.of(0, 1, 2),
    choices: [choice(['0a000000']), choice(['0a000001']), choice(['0a000002'])],
  },
  { choiceOfLine: Uint16Array.of(0, 0, 1), choices: [weighted, choice([])] },
];
/** 2,412 bytes of data. */
const BIG = `"${'x'.repeat(200)}" `.repeat(12);

const zone = imageOf(
  'example.com.',
  `@ 300 SOA ns1 hostmaster 1 3600 600 86400 60
@ 300 NS ns1
ns1 300 A 192.0.2.53
www 300 A 192.0.2.1
*.wild 300 TXT "anything"
chain 300 CNAME www
big 300 TXT ${BIG}
sub 300 NS ns.sub
ns.sub 300 A 192.0.2.99
`,
  [
    { owner: nameOf('smart.example.com'), type: 1, index: 0 },
    { owner: nameOf('slots.example.com'), type: 1, index: 1 },
  ],
);
const lines = linesOf(['11.0.0.0/8'], ['11.1.2.0/24']);
const state = { ...stateOf({}, lines), zones: [zone], smart };

function responderOf(): AnswerResponder {
  return new AnswerResponder(state, { keepaliveMs: 1000, seed: 1 });
}

function told(responder: AnswerResponder, query: string, exchange = exchangeOf()) {
  const message = decodeMessage(bytesOf(ask(responder, query, exchange)));
  return {
    flags: message.flags.toString(16),
    answers: message.answers.map(lineOf),
    authorities: message.authorities.map(lineOf),
    additionals: message.additionals.filter(({ type }) => type !== 41).map(lineOf),
  };
}

const SOA = 'example.com. 60 SOA ns1.example.com. hostmaster.example.com. 1 3600 600 86400 60';

describe('a zone over the wire', () => {
  test.each([
    {
      name: 'WWW.example.com',
      type: 1,
      flags: '8500',
      answers: ['www.example.com. 300 A 192.0.2.1'],
    },
    {
      name: 'chain.example.com',
      type: 1,
      flags: '8500',
      answers: [
        'chain.example.com. 300 CNAME www.example.com.',
        'www.example.com. 300 A 192.0.2.1',
      ],
    },
    {
      name: 'a.b.wild.example.com',
      type: 16,
      flags: '8500',
      answers: ['a.b.wild.example.com. 300 TXT "anything"'],
    },
    { name: 'www.example.com', type: 28, flags: '8500', authorities: [SOA] },
    { name: 'no.example.com', type: 1, flags: '8503', authorities: [SOA] },
    { name: 'no.example.com', type: 255, flags: '8503', authorities: [SOA] },
    {
      name: 'x.sub.example.com',
      type: 1,
      flags: '8100',
      authorities: ['sub.example.com. 300 NS ns.sub.example.com.'],
      additionals: ['ns.sub.example.com. 300 A 192.0.2.99'],
    },
    { name: 'example.org', type: 1, flags: '8105' },
    { name: '.', type: 2, flags: '8105' },
  ])('$name $type', ({ name, type, flags, answers = [], authorities = [], additionals = [] }) => {
    const query = queryHex({ question: questionHex(name, type) }, optHex());
    expect(told(responderOf(), query)).toEqual({ flags, answers, authorities, additionals });
  });

  test('85 to 87: what does not fit is TC, and whole over TCP', () => {
    const query = queryHex({ question: questionHex('big.example.com', 16) }, optHex());
    const responder = responderOf();
    expect(told(responder, query)).toMatchObject({ flags: '8700', answers: [] });
    expect(told(responder, query, exchangeOf({ transport: 'tcp' })).answers.length).toBe(1);
    expect(outcomes(responder)).toEqual(['answered', 'truncated']);
  });

  test.each([
    { address: '0b0103', answer: '10.0.0.1', scope: 24 },
    { address: '0b0102', answer: '10.0.0.2', scope: 24 },
    { address: '0b8000', answer: '10.0.0.1', scope: 9 },
    { address: '2c0000', answer: '10.0.0.0', scope: 3 },
  ])('79 $address', ({ address, answer, scope }) => {
    const question = questionHex('smart.example.com');
    const query = queryHex({ question }, optHex({ options: ecsHex(1, 24, address) }));
    const responder = responderOf();
    expect(told(responder, query).answers).toEqual([`smart.example.com. 30 A ${answer}`]);
    const hex = ask(responder, query);
    expect(hex.endsWith(ecsHex(1, 24, address, scope))).toBe(true);
  });

  test.each([
    { what: 'L4 with slots', address: '2c0000', scope: 24 },
    { what: 'L3 no data by line', address: '0b0102', scope: 24 },
  ])('$what: its scope', ({ address, scope }) => {
    const question = questionHex('slots.example.com');
    const query = queryHex({ question }, optHex({ options: ecsHex(1, 24, address) }));
    expect(ask(responderOf(), query).endsWith(ecsHex(1, 24, address, scope))).toBe(true);
  });

  test('explain asks the same heart', () => {
    const client = Uint8Array.of(11, 1, 2, 1);
    const name = nameOf('smart.example.com');
    const said = explainAnswer(state, { name, type: 1, client });
    expect(said).toMatchObject({ outcome: 'answered', decidedBy: 'client' });
    expect(said.result).toMatchObject({ line: 2, zone: 0, scope: 24 });
    expect(decodeMessage(said.message).answers.map(lineOf)).toEqual([
      'smart.example.com. 30 A 10.0.0.2',
    ]);
  });

  test('96: mutated questions are answered by messages that decode', () => {
    const random = seededRandom(8);
    const responder = responderOf();
    const names = ['www', 'smart', 'slots', 'chain', 'a.wild', 'big', 'x.sub', 'no'];
    const seeds = names.flatMap((label) =>
      [1, 16, 255].flatMap((type) => {
        const question = questionHex(`${label}.example.com`, type);
        const options = ecsHex(1, 24, '0b0102');
        return [queryHex({ question }), queryHex({ question }, optHex({ options }))].map(bytesOf);
      }),
    );
    const [query, out] = [new Uint8Array(600), new Uint8Array(65_535)];
    for (let count = 0; count < 60_000; count++) {
      const seed = pick(random, seeds);
      query.set(seed);
      for (let change = random.integer(3); change >= 0; change--) {
        query[random.integer(seed.length)] = random.integer(3) === 0 ? random.integer(256) : 1;
      }
      const transport = pick(random, ['udp', 'tcp'] as const);
      const length = responder.respond(query, seed.length, exchangeOf({ transport }), out);
      if (length === SILENCE || length === REFERRED) continue;
      if (count % 4 === 0) decodeMessage(out.slice(0, length));
      expect(length).toBeLessThanOrEqual(transport === 'udp' ? 1232 : 65_535);
    }
    expect(responder.counters[OUTCOMES + OUTCOME['servfail-exception']]).toBe(0);
  });
});
