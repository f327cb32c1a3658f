import { afterEach, describe, expect, test } from 'vitest';
import { FLAGS, RCODES, TYPES } from '../../../../shared/dns/constants.ts';
import { decodeMessage, encodeMessage } from '../../../../shared/dns/message.ts';
import { parseName } from '../../../../shared/dns/names.ts';
import type { Message, MessageRecord } from '../../../../shared/dns/types.ts';
import { freePorts } from '../../../support/redis.ts';
import { dnsServer, endTargets, type Reply, SHORT_MS, verdict } from './probe-rig.ts';

afterEach(endTargets);

const name = 'a.example';

function nameOf(text: string): Uint8Array {
  const parsed = parseName(text);
  if (parsed === undefined) throw new RangeError(text);
  return parsed;
}

function addressOf(owner: Uint8Array): MessageRecord {
  return { owner, type: TYPES.A, class: 1, ttlSeconds: 1, rdata: Uint8Array.of(192, 0, 2, 1) };
}

/** A good answer, but for what the case changes in it. */
function answering(...changes: ((message: Message) => Partial<Message> | Uint8Array)[]): Reply {
  return (bytes) => {
    const asked = decodeMessage(bytes);
    const answers = asked.questions.map((question) => addressOf(question.name));
    const message = { ...asked, flags: asked.flags | FLAGS.QR, answers };
    return changes.map((change) => {
      const changed = change(message);
      const isBytes = changed instanceof Uint8Array;
      return Buffer.from(isBytes ? changed : encodeMessage({ ...message, ...changed }));
    });
  };
}

const asGood = answering(() => ({}));
const cutOff = answering(({ flags }) => ({ flags: flags | FLAGS.TC, answers: [] }));

async function probed(port: number, timeoutMs?: number, address = '127.0.0.1'): Promise<string> {
  return verdict(address, { type: 'dns', port, name, recordType: TYPES.A }, timeoutMs);
}

test.each(['127.0.0.1', '::1'])('%s: NOERROR with an answer is good', async (address) => {
  const port = await dnsServer(asGood, undefined, address);
  expect(await probed(port, undefined, address)).toBe('good: NOERROR');
});

test('each question has an id and a port of its own', async () => {
  const asked: { id: number; port: number; type: number | undefined }[] = [];
  const port = await dnsServer((bytes, source) => {
    const { id, questions } = decodeMessage(bytes);
    asked.push({ id, port: source.port, type: questions[0]?.type });
    return asGood(bytes, source);
  });
  for (let count = 0; count < 8; count++) await probed(port);
  expect(new Set(asked.map(({ id }) => id)).size).toBeGreaterThan(6);
  expect(new Set(asked.map(({ port }) => port)).size).toBeGreaterThan(6);
  expect(new Set(asked.map(({ type }) => type))).toEqual(new Set([TYPES.A]));
});

test('the case of the answered name does not matter', async () => {
  const loud = answering(({ questions }) => ({
    questions: questions.map((each) => ({ ...each, name: nameOf('A.Example') })),
  }));
  expect(await probed(await dnsServer(loud))).toBe('good: NOERROR');
});

test('nobody listens', async () => {
  const [port = 0] = await freePorts(1);
  expect(await probed(port)).toBe('bad: refused');
});

test('where there is no way to, nothing is probed', async () => {
  expect(await probed(53, undefined, '255.255.255.255')).toBe('not-probed: EACCES');
});

const rcode = (code: number) => (message: Message) => ({
  flags: message.flags | code,
  answers: [],
});

test.each<[string, Reply, string]>([
  ['SERVFAIL', answering(rcode(RCODES.SERVFAIL)), 'bad: SERVFAIL'],
  ['REFUSED', answering(rcode(RCODES.REFUSED)), 'bad: REFUSED'],
  ['NXDOMAIN', answering(rcode(RCODES.NXDOMAIN)), 'bad: NXDOMAIN'],
  [
    'a refusal without the question',
    answering((message) => ({ ...rcode(RCODES.FORMERR)(message), questions: [] })),
    'bad: FORMERR',
  ],
  ['no answer', answering(() => ({ answers: [] })), 'bad: NOERROR without an answer'],
  [
    'no DNS behind the header',
    answering((message) => encodeMessage(message).subarray(0, 20)),
    'bad: answers no DNS message',
  ],
])('%s', async (_, reply, expected) => {
  expect(await probed(await dnsServer(reply))).toBe(expected);
});

describe('what is no answer to this question is passed over', () => {
  const strange = [
    ['another id', ({ id }: Message) => ({ ...rcode(RCODES.SERVFAIL), id: id ^ 1 })],
    [
      'another name',
      () => ({ questions: [{ name: nameOf('b.example'), type: TYPES.A, class: 1 }] }),
    ],
    ['another type', () => ({ questions: [{ name: nameOf(name), type: TYPES.NS, class: 1 }] })],
    ['no question', () => ({ questions: [] })],
    ['a question', ({ flags }: Message) => ({ flags: flags & ~FLAGS.QR })],
    ['few bytes', () => Uint8Array.of(1, 2, 3)],
  ] as const;

  test.each(strange)('%s: nothing else comes', async (_, change) => {
    const port = await dnsServer(answering(change));
    expect(await probed(port, SHORT_MS)).toBe('bad: timeout');
  });

  test.each(strange)('%s: the answer comes after it', async (_, change) => {
    const port = await dnsServer(answering(change, () => ({})));
    expect(await probed(port)).toBe('good: NOERROR');
  });
});

test.each<[string, Reply, string]>([
  ['the answer', asGood, 'good: NOERROR'],
  ['SERVFAIL', answering(rcode(RCODES.SERVFAIL)), 'bad: SERVFAIL'],
  ['cut off again', cutOff, 'bad: cut off over TCP'],
  ['another id', answering(({ id }) => ({ id: id ^ 1 })), 'bad: answers another question over TCP'],
  ['nothing', answering(), 'bad: timeout'],
])('cut off over UDP, over TCP %s', async (_, overTcp, expected) => {
  const port = await dnsServer(cutOff, overTcp);
  const timeoutMs = expected === 'bad: timeout' ? SHORT_MS : undefined;
  expect(await probed(port, timeoutMs)).toBe(expected);
});

test('cut off over UDP, and nobody listens on TCP', async () => {
  expect(await probed(await dnsServer(cutOff))).toBe('bad: refused');
});
