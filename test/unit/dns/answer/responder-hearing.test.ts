import { describe, expect, test } from 'vitest';
import { hex16, nameHex, optHex, optionHex, queryHex, questionHex } from './packets.ts';
import { ask, exchangeOf, outcomes, responderOf, SOA, WWW } from './rig.ts';

const www = questionHex('www.example.com');
const OPT = optHex();
const crash = questionHex('crash.example.com');
const answered = (question: string, flags = '8500') =>
  `1234${flags}0001000100000000${question}${WWW}`;
const refusal = (flags: string, question = www) => `1234${flags}0001000000000000${question}`;
/** No question goes back. */
const bare = (flags: string) => `1234${flags}0000000000000000`;
const record = (owner: string, type: number, data = '') =>
  `${owner}${hex16(type)}0001000000000000`.slice(0, -4) + hex16(data.length / 2) + data;

/** C0 0C, TXT, CH, TTL 0, "node-1". */
const CHAOS = 'c00c 0010 0003 00000000 0007 066e6f64652d31';

const label63 = `3f${'61'.repeat(63)}`;
/** 255 bytes with the root's, the longest there is; and 256. */
const name255 = `${label63.repeat(3)}3d${'61'.repeat(61)}00`;
const name256 = `${label63.repeat(3)}3e${'61'.repeat(62)}00`;

/** Numbers as in the notes' list of conformance cases. */
const cases: { what: string; query: string; answer: string; outcome: string }[] = [
  {
    what: '1 a plain one',
    query: queryHex({}),
    answer: answered(www),
    outcome: 'answered',
  },
  {
    what: '2 0x20: the question goes back byte for byte',
    query: queryHex({ question: questionHex('wWw.ExAmPlE.cOm') }),
    answer: answered(questionHex('wWw.ExAmPlE.cOm')),
    outcome: 'answered',
  },
  {
    what: '25 another zone',
    query: queryHex({ question: questionHex('www.example.org') }),
    answer: refusal('8105', questionHex('www.example.org')),
    outcome: 'refused-zone',
  },
  {
    what: '29 AXFR',
    query: queryHex({ question: questionHex('example.com', 252) }),
    answer: 'referred',
    outcome: 'referred-transfer',
  },
  {
    what: '30 IXFR with its SOA in authority',
    query: queryHex(
      { question: questionHex('example.com', 251), counts: '0001 0000 0001 0000' },
      record('c00c', 6),
    ),
    answer: 'referred',
    outcome: 'referred-transfer',
  },
  {
    what: '31 type 65535',
    query: queryHex({ question: questionHex('www.example.com', 65535) }),
    answer: `1234850000010000 00010000${questionHex('www.example.com', 65535)}${SOA}`,
    outcome: 'no-data',
  },
  ...[0, 41, 250].map((type) => ({
    what: `32 type ${type}`,
    query: queryHex({ question: questionHex('www.example.com', type) }),
    answer: refusal('8101', questionHex('www.example.com', type)),
    outcome: 'formerr-type',
  })),
  ...[249, 253, 254].map((type) => ({
    what: `32 type ${type}`,
    query: queryHex({ question: questionHex('www.example.com', type) }),
    answer: refusal('8104', questionHex('www.example.com', type)),
    outcome: 'notimp-type',
  })),
  {
    what: '34 class ANY: as IN, without AA',
    query: queryHex({ question: questionHex('www.example.com', 1, 255) }),
    answer: answered(questionHex('www.example.com', 1, 255), '8100'),
    outcome: 'answered',
  },
  {
    what: '34 class ANY without data is no referral',
    query: queryHex({ question: questionHex('www.example.com', 16, 255) }),
    answer: `1234810000010000 00010000${questionHex('www.example.com', 16, 255)}${SOA}`,
    outcome: 'no-data',
  },
  ...[3, 4, 254, 0, 77].map((qclass) => ({
    what: `33, 35 class ${qclass}`,
    query: queryHex({ question: questionHex('www.example.com', 1, qclass) }),
    answer: refusal('8105', questionHex('www.example.com', 1, qclass)),
    outcome: 'refused-class',
  })),
  {
    what: '36 CH TXT id.server',
    query: queryHex({ question: questionHex('ID.Server', 16, 3) }),
    answer: `1234850000010001 00000000${questionHex('ID.Server', 16, 3)}${CHAOS}`,
    outcome: 'chaos',
  },
  {
    what: '36 CH TXT version.bind, which no setting names',
    query: queryHex({ question: questionHex('version.bind', 16, 3) }),
    answer: refusal('8105', questionHex('version.bind', 16, 3)),
    outcome: 'refused-class',
  },
  {
    what: '37 no question',
    query: queryHex({ counts: '0000 0000 0000 0000', question: '' }),
    answer: bare('8101'),
    outcome: 'formerr-questions',
  },
  {
    what: '38 two questions',
    query: queryHex({ counts: '0002 0000 0000 0000', question: www + www }),
    answer: bare('8101'),
    outcome: 'formerr-questions',
  },
  {
    what: '40 a question without its bytes',
    query: queryHex({ question: '' }),
    answer: bare('8101'),
    outcome: 'formerr-qname',
  },
  {
    what: '40 a question that is cut off in its class',
    query: queryHex({}).slice(0, -2),
    answer: bare('8101'),
    outcome: 'formerr-qname',
  },
  ...['0001 0001 0000 0000', '0001 0000 0001 0000'].map((counts) => ({
    what: `41 counts ${counts}`,
    query: queryHex({ counts }, record('c00c', 1, '01020304')),
    answer: refusal('8101'),
    outcome: 'formerr-sections',
  })),
  {
    what: '42 bytes after the last record',
    query: `${queryHex({})}00`,
    answer: refusal('8101'),
    outcome: 'formerr-trailing',
  },
  {
    what: '42 bytes after OPT: it goes back',
    query: `${queryHex({}, OPT)}00`,
    answer: `12348101000100000000 0001${www}${optHex()}`,
    outcome: 'formerr-trailing',
  },
  {
    what: 'a record that is counted and not there',
    query: queryHex({ counts: '0001 0000 0000 0001' }),
    answer: refusal('8101'),
    outcome: 'formerr-record',
  },
  {
    what: 'a record whose data is cut off',
    query: queryHex({}, record('c00c', 1, '01020304').slice(0, -2)),
    answer: refusal('8101'),
    outcome: 'formerr-record',
  },
  {
    what: 'a record that nobody knows, beside OPT',
    query: queryHex({}, record('c00c', 99, '01'), OPT),
    answer: `1234850000010001 00000001${www}${WWW}${OPT}`,
    outcome: 'answered',
  },
  ...['40', '80', 'c00c'].map((kind) => ({
    what: `43, 44 a label of kind ${kind} in QNAME`,
    query: queryHex({ question: `${kind}${'61'.repeat(80)}00 0001 0001` }),
    answer: bare('8101'),
    outcome: 'formerr-qname',
  })),
  {
    what: '44 a label of kind 40 in a record',
    query: queryHex({}, record('4000', 1)),
    answer: refusal('8101'),
    outcome: 'formerr-record',
  },
  {
    what: '45 a name of 256 bytes',
    query: queryHex({ question: `${name256}00010001` }),
    answer: bare('8101'),
    outcome: 'formerr-qname',
  },
  {
    what: '46 a name of 255 bytes',
    query: queryHex({ question: `${name255}00010001` }),
    answer: refusal('8105', `${name255}00010001`),
    outcome: 'refused-zone',
  },
  { what: '47 nothing', query: '', answer: '', outcome: 'dropped-short' },
  {
    what: '47 eleven bytes',
    query: queryHex({}).replaceAll(' ', '').slice(0, 22),
    answer: '',
    outcome: 'dropped-short',
  },
  {
    what: '48 QR',
    query: queryHex({ flags: 0x8100 }),
    answer: '',
    outcome: 'dropped-response',
  },
  ...[1, 2, 3, 6, 15].map((opcode) => ({
    what: `49 opcode ${opcode}: no question goes back`,
    query: queryHex({ flags: (opcode << 11) | 0x0100 }),
    answer: bare(hex16(0x8104 | (opcode << 11))),
    outcome: 'notimp-opcode',
  })),
  ...[4, 5].map((opcode) => ({
    what: `50, 51 opcode ${opcode}`,
    query: queryHex({ flags: opcode << 11, counts: '0001 0002 0003 0004' }),
    answer: 'referred',
    outcome: 'referred-opcode',
  })),
  {
    what: '52 TSIG behind OPT',
    query: queryHex({}, OPT, record(nameHex('key'), 250, '0102')),
    answer: 'referred',
    outcome: 'referred-tsig',
  },
  {
    what: '53 AA TC RD RA Z AD CD and an rcode: RD and CD go back',
    query: queryHex({ flags: 0x07ff }),
    answer: answered(www, '8510'),
    outcome: 'answered',
  },
  {
    what: '54 no RD',
    query: queryHex({ flags: 0 }),
    answer: answered(www, '8400'),
    outcome: 'answered',
  },
  {
    what: '20 a referral',
    query: queryHex({ question: questionHex('cut.example.com') }),
    answer: `1234810000010000 00010000${questionHex('cut.example.com')}c00c000200010000003c000100`,
    outcome: 'delegated',
  },
  {
    what: '4 a name that is not there',
    query: queryHex({ question: questionHex('no.example.com') }),
    answer: `1234850300010000 00010000${questionHex('no.example.com')}${SOA}`,
    outcome: 'nxdomain',
  },
  {
    what: 'what makes the heart throw',
    query: queryHex({ question: crash }, optHex({ flags: 0x8000 })),
    answer: `12348102 00010000 00000001${crash}${optHex({ flags: 0x8000 })}`,
    outcome: 'servfail-exception',
  },
];

describe('H1 to H6', () => {
  test.each(cases)('$what', ({ query, answer, outcome }) => {
    const responder = responderOf();
    expect(ask(responder, query)).toBe(answer.replaceAll(' ', ''));
    expect(outcomes(responder)).toEqual([outcome]);
  });

  test('91 from port 0: silence', () => {
    const responder = responderOf();
    expect(ask(responder, queryHex({}), exchangeOf({ clientPort: 0 }))).toBe('');
    expect(outcomes(responder)).toEqual(['dropped-port-zero']);
  });

  test('nothing is left of the message before', () => {
    const options = optionHex(10, '2464c4abcf10c957') + optionHex(3);
    const responder = responderOf();
    for (const { query } of cases) {
      ask(responder, queryHex({}, optHex({ flags: 0x8000, options })));
      const fresh = ask(responderOf(), query);
      expect(ask(responder, query)).toBe(fresh);
    }
  });
});
