// Messages: there and back, compression, what is no message, OPT; dns-packet reads what is written.
import { decode as decodePacket, encode as encodePacket } from 'dns-packet';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  classCode,
  OPCODES,
  opcodeOf,
  rcodeName,
  rcodeOf,
} from '../../../../shared/dns/constants.ts';
import { ednsOf, ednsOptions, ednsRecord } from '../../../../shared/dns/edns.ts';
import {
  decodeMessage,
  encodeMessage,
  headerOf,
  MessageError,
  recordAt,
  recordSpans,
} from '../../../../shared/dns/message.ts';
import { MessageWriter } from '../../../../shared/dns/message-writer.ts';
import { parseName, ROOT } from '../../../../shared/dns/names.ts';
import { RdataError, typeCode, typeOf } from '../../../../shared/dns/rdata.ts';
import type { Message, MessageRecord } from '../../../../shared/dns/types.ts';
import { rdataCases } from './rdata-cases.ts';
import { wordsOf } from './words.ts';

const origin = parseName('example.com.') ?? ROOT;

function record(owner: string, type: string, text: string, ttlSeconds = 300): MessageRecord {
  const code = typeCode(type) ?? 0;
  const rdata = typeOf(code).parse(wordsOf(text) ?? [], origin);
  return { owner: parseName(owner, origin) ?? ROOT, type: code, class: 1, ttlSeconds, rdata };
}

const empty: Message = {
  id: 0x1234,
  flags: 0x8500,
  questions: [],
  answers: [],
  authorities: [],
  additionals: [],
};
const question = { name: origin, type: 255, class: 1 };

const full: Message = {
  ...empty,
  questions: [question],
  answers: rdataCases.map(([type, text], at) => record(`r${at}.WWW`, type, text, 0xffffffff)),
  authorities: [record('example.com.', 'SOA', 'ns host 1 2 3 4 5')],
  additionals: [record('ns', 'A', '192.0.2.1'), ednsRecord({ dnssecOk: true })],
};

describe('a message', () => {
  test('with every type comes back as it was', () => {
    const bytes = encodeMessage(full);
    expect(decodeMessage(bytes)).toEqual(full);
    expect(decodeMessage(Buffer.from(bytes))).toEqual(full);
  });

  test('holds no bytes of a Buffer that somebody fills again', () => {
    const bytes = Buffer.from(encodeMessage(full));
    const message = decodeMessage(bytes);
    bytes.fill(0xff);
    expect(message).toEqual(full);
  });

  test('compresses owners and the data of old types only', () => {
    const bytes = encodeMessage({
      ...empty,
      questions: [question],
      answers: [
        record('example.com.', 'MX', '10 mail'),
        record('mail', 'SRV', '1 2 3 mail'),
        record('MAIL', 'NS', 'x.mail'),
      ],
    });
    const hex = Buffer.from(bytes).toString('hex');
    const name = '076578616d706c6503636f6d00';
    expect(hex).toBe(
      [
        '12348500' + '0001' + '0003' + '0000' + '0000',
        `${name}00ff0001`,
        'c00c' + '000f00010000012c' + '0009' + '000a' + '046d61696cc00c',
        `c02b002100010000012c0018000100020003046d61696c${name}`,
        '044d41494cc00c' + '000200010000012c' + '0004' + '0178c02b',
      ].join(''),
    );
  });

  test('never points beyond what 14 bits can say', () => {
    const answers = Array.from({ length: 900 }, (_, at) => record(`name${at}`, 'NS', `ns${at}.x`));
    const message = { ...empty, answers: [...answers, ...answers] };
    const bytes = encodeMessage(message);
    expect(bytes.length).toBeGreaterThan(0x4000);
    expect(decodeMessage(bytes)).toEqual(message);
    expect(decodePacket(Buffer.from(bytes)).answers).toHaveLength(1800);
  });

  test('of any bytes, or damaged, is one or MessageError', () => {
    const bytes = encodeMessage(full);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(), fc.nat(255), (any, at, byte) => {
        const changed = bytes.slice();
        changed[at % bytes.length] = byte;
        const head = [0, 1, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1];
        const tried = [
          any,
          Uint8Array.from([...head, ...any]),
          changed,
          bytes.slice(0, at % bytes.length),
        ];
        for (const each of tried) {
          try {
            decodeMessage(each);
            recordSpans(each);
          } catch (error) {
            if (!(error instanceof MessageError)) throw error;
          }
        }
      }),
      { numRuns: 1000 },
    );
  });

  test.each<[string, number[]]>([
    ['nothing', []],
    ['half a header', [0, 0, 0, 0, 0, 0]],
    ['a question that is not there', [0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]],
    ['bytes at the end', [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]],
    ['65,535 answers of which there is none', [0, 0, 0, 0, 0, 0, 255, 255, 0, 0, 0, 0]],
  ])('%s is none', (_, bytes) => {
    expect(() => decodeMessage(Uint8Array.from(bytes))).toThrow(MessageError);
  });

  test('whose data is not of its type is none; empty data is what UPDATE has', () => {
    const head = [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0];
    const mx = (...rdata: number[]) =>
      Uint8Array.from([...head, 0, 15, 0, 1, 0, 0, 0, 0, 0, rdata.length, ...rdata]);
    expect(decodeMessage(mx(0, 1, 0)).answers).toHaveLength(1);
    expect(decodeMessage(mx()).answers).toHaveLength(1);
    expect(() => decodeMessage(mx(0, 1))).toThrow('is not of type MX');
    expect(() => decodeMessage(mx(0, 1, 0, 0))).toThrow(MessageError);
    expect(() => decodeMessage(mx(0, 1, 0xc0, 24))).toThrow(MessageError);
  });

  test('names of later types are uncompressed where others compress them (RFC 3597 §4)', () => {
    const head = [0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0];
    const srv = [0, 33, 0, 1, 0, 0, 0, 0, 0, 8, 0, 1, 0, 2, 0, 3, 0xc0, 12];
    const bytes = Uint8Array.from([...head, 1, 97, 0, 0, 33, 0, 1, 0xc0, 12, ...srv]);
    const [answer] = decodeMessage(bytes).answers;
    expect(answer?.rdata).toEqual(Uint8Array.of(0, 1, 0, 2, 0, 3, 1, 97, 0));
  });

  test('of dns-packet is read, and it reads ours', () => {
    const theirs = encodePacket({
      type: 'response',
      id: 7,
      questions: [{ type: 'A', name: 'example.com' }],
      answers: [
        { type: 'MX', name: 'example.com', ttl: 5, data: { preference: 10, exchange: 'mail.a' } },
        { type: 'TXT', name: 'example.com', ttl: 5, data: ['a', 'b'] },
      ],
    });
    expect(decodeMessage(theirs).answers).toEqual([
      record('example.com.', 'MX', '10 mail.a.', 5),
      record('example.com.', 'TXT', 'a b', 5),
    ]);
    const seen = decodePacket(
      Buffer.from(encodeMessage({ ...empty, answers: [record('@.', 'SOA', 'a b 1 2 3 4 5')] })),
    );
    expect(seen.answers).toMatchObject([
      { type: 'SOA', data: { mname: 'a.example.com', rname: 'b.example.com', minimum: 5 } },
    ]);
  });

  test('says where its records are', () => {
    const bytes = encodeMessage(full);
    const { questionsEnd, spans } = recordSpans(bytes);
    expect(questionsEnd).toBe(12 + 13 + 4);
    expect(spans).toHaveLength(full.answers.length + 3);
    expect(spans.at(-1)).toMatchObject({ section: 3, type: 41, end: bytes.length });
    expect(recordAt(bytes, spans.at(-2)?.start ?? 0)).toEqual(full.additionals[0]);
    expect(headerOf(bytes).counts).toEqual([1, full.answers.length, 1, 2]);
  });
});

describe('a writer', () => {
  test('takes what fits, and is unchanged by what does not', () => {
    const writer = new MessageWriter({ id: 1, flags: 0 }, 60);
    expect(writer.question(question)).toBe(true);
    const before = writer.bytes();
    expect(writer.record('answers', record('long', 'TXT', 'x'.repeat(40)))).toBe(false);
    expect(writer.bytes()).toEqual(before);
    // The name of the record that did not fit is not pointed to.
    expect(writer.record('answers', record('long', 'A', '192.0.2.1'))).toBe(true);
    expect(decodeMessage(writer.bytes()).answers).toEqual([record('long', 'A', '192.0.2.1')]);
    expect(writer.length).toBe(29 + 7 + 10 + 4);
  });

  test('holds the order of the sections', () => {
    const writer = new MessageWriter({ id: 1, flags: 0 });
    writer.record('authorities', record('a', 'A', '192.0.2.1'));
    expect(() => writer.record('answers', record('a', 'A', '192.0.2.1'))).toThrow(RangeError);
    expect(() => writer.question(question)).toThrow(RangeError);
  });

  test('refuses what no message can hold, and data that is none', () => {
    const big = record('a', 'TYPE65280', `\\# 40000 ${'00'.repeat(40000)}`);
    expect(() => encodeMessage({ ...empty, answers: [big, big] })).toThrow(RangeError);
    const bad = { ...record('a', 'A', '192.0.2.1'), type: 15 };
    const writer = new MessageWriter({ id: 1, flags: 0 });
    const before = writer.bytes();
    expect(() => writer.record('answers', bad)).toThrow(RdataError);
    expect(writer.bytes()).toEqual(before);
  });
});

describe('OPT', () => {
  const options = [
    { code: 3, data: new Uint8Array(0) },
    { code: 10, data: Uint8Array.of(1, 2, 3) },
    { code: 15, data: Uint8Array.of(0, 18, 0x6e, 0x6f) },
  ];

  test('comes back', () => {
    const edns = { udpBytes: 4096, extendedRcode: 1, version: 2, dnssecOk: true, options };
    const message = decodeMessage(encodeMessage({ ...empty, additionals: [ednsRecord(edns)] }));
    expect(ednsOf(message)).toEqual(edns);
    expect(ednsOf(empty)).toBeUndefined();
  });

  test('is there once, at the root, and whole', () => {
    const opt = ednsRecord();
    expect(ednsOf({ ...empty, additionals: [opt] })?.udpBytes).toBe(1232);
    expect(() => ednsOf({ ...empty, additionals: [opt, opt] })).toThrow(MessageError);
    expect(() => ednsOf({ ...empty, additionals: [{ ...opt, owner: origin }] })).toThrow(
      MessageError,
    );
    for (const rdata of [[0], [0, 3, 0], [0, 3, 0, 1], [0, 3, 0, 2, 1]]) {
      expect(() => ednsOptions(Uint8Array.from(rdata))).toThrow(MessageError);
    }
  });
});

test('numbers have names, and names numbers', () => {
  expect([0, 3, 16, 23, 3841].map(rcodeName)).toEqual([
    'NOERROR',
    'NXDOMAIN',
    'BADVERS',
    'BADCOOKIE',
    'RCODE3841',
  ]);
  expect(['in', 'CLASS1', 'class65535'].map(classCode)).toEqual([1, 1, 65535]);
  for (const wrong of ['CLASS65536', 'TYPE1', '', 'toString']) {
    expect(classCode(wrong), wrong).toBeUndefined();
  }
  expect(opcodeOf(0xa803)).toBe(OPCODES.UPDATE);
  expect(rcodeOf(0xa803)).toBe(3);
});
