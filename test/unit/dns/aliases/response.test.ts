// What is taken from a resolver's response, and what is not.
import { describe, expect, test } from 'vitest';
import { readResponse } from '../../../../dns/aliases/response.ts';
import { CLASSES, FLAGS, TYPES } from '../../../../shared/dns/constants.ts';
import { encodeMessage } from '../../../../shared/dns/message.ts';
import type { Message } from '../../../../shared/dns/types.ts';
import { nameOf } from '../../../support/dns/resolve-rig.ts';
import { recordsOf, responseTo } from '../../../support/dns/resolver-stub.ts';

const target = nameOf('cdn.example');
const question = { id: 7, target, type: TYPES.A };
const { QR, RA, TC, AA } = FLAGS;
const asked: Message = {
  id: 7,
  flags: FLAGS.RD,
  questions: [{ name: target, type: TYPES.A, class: CLASSES.IN }],
  answers: [],
  authorities: [],
  additionals: [],
};
const read = (changed: Partial<Message>) =>
  readResponse(encodeMessage(responseTo(asked, changed)), question);
const said = (...answers: string[]) => read({ answers: recordsOf(...answers) });
const SOA = recordsOf('example 900 SOA ns.example h.example 1 2 3 4 50');

describe('addresses', () => {
  const first = Uint8Array.of(192, 0, 2, 1);
  const second = Uint8Array.of(192, 0, 2, 2);

  test.each<[string, string[], number, Uint8Array[]]>([
    ['of the name', ['cdn.example 60 A 192.0.2.1'], 60, [first]],
    ['in any case', ['CDN.Example 60 A 192.0.2.1'], 60, [first]],
    [
      'several, least TTL',
      ['cdn.example 60 A 192.0.2.1', 'cdn.example 9 A 192.0.2.2'],
      9,
      [first, second],
    ],
    [
      'by CNAMEs in any order, least TTL',
      ['b 60 A 192.0.2.1', 'a 20 CNAME b', 'cdn.example 60 CNAME a'],
      20,
      [first],
    ],
    ['nobody else’s', ['other 5 A 192.0.2.2', 'cdn.example 60 A 192.0.2.1'], 60, [first]],
    ['not of another type', ['cdn.example 5 AAAA ::1', 'cdn.example 60 A 192.0.2.1'], 60, [first]],
    ['a TTL of more than 31 bits is 0', ['cdn.example 4294967295 A 192.0.2.1'], 0, [first]],
  ])('%s', (_, answers, ttlSeconds, addresses) => {
    expect(said(...answers)).toEqual({ addresses, ttlSeconds });
  });

  test('a loop of CNAMEs is none', () => {
    expect(() => said('cdn.example 60 CNAME a', 'a 60 CNAME cdn.example')).toThrow(
      /without an end/,
    );
  });
});

describe('none', () => {
  test.each<[string, Partial<Message>, number]>([
    ['no data: the SOA’s MINIMUM', { authorities: SOA }, 50],
    ['no such name', { flags: QR | RA | 3, authorities: SOA }, 50],
    ['by a CNAME', { answers: recordsOf('cdn.example 20 CNAME a'), authorities: SOA }, 20],
    ['from who has authority', { flags: QR | AA, authorities: SOA }, 50],
    ['without an SOA', {}, 60],
  ])('%s', (_, changed, ttlSeconds) => {
    expect(read(changed)).toEqual({ addresses: [], ttlSeconds });
  });
});

describe('what is no answer', () => {
  test.each<[string, Partial<Message>]>([
    ['another id', { id: 8 }],
    ['a query', { flags: RA }],
    ['another opcode', { flags: QR | RA | (2 << 11) }],
    ['another name', { questions: [{ name: nameOf('a'), type: TYPES.A, class: CLASSES.IN }] }],
    ['another type', { questions: [{ name: target, type: TYPES.AAAA, class: CLASSES.IN }] }],
    ['another class', { questions: [{ name: target, type: TYPES.A, class: CLASSES.CH }] }],
    ['no question', { questions: [] }],
  ])('is waited past: %s', (_, changed) => {
    expect(read({ answers: recordsOf('cdn.example 60 A 192.0.2.1'), ...changed })).toBeUndefined();
  });

  test('is waited past: no message', () => {
    expect(readResponse(new Uint8Array(5), question)).toBeUndefined();
    const whole = encodeMessage(responseTo(asked, {}));
    expect(readResponse(whole.subarray(0, whole.length - 1), question)).toBeUndefined();
  });

  test.each<[string, Partial<Message>, RegExp]>([
    ['SERVFAIL', { flags: QR | RA | 2 }, /says SERVFAIL/],
    ['REFUSED', { flags: QR | 5 }, /says REFUSED/],
    ['a referral', { authorities: recordsOf('example 60 NS ns.example') }, /does not recurse/],
    ['nothing, without recursion', { flags: QR }, /does not recurse/],
  ])('is refused: %s', (_, changed, why) => {
    expect(() => read(changed)).toThrow(why);
  });

  test('TC says that it is to be asked over TCP', () => {
    expect(read({ flags: QR | RA | TC })).toBe('truncated');
  });
});
