import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TsigSigner, TsigVerifier } from '../../../../dns/tsig/tsig.ts';
import { FLAGS, RCODES, rcodeOf, TYPES } from '../../../../shared/dns/constants.ts';
import { ednsRecord } from '../../../../shared/dns/edns.ts';
import { decodeMessage, encodeMessage } from '../../../../shared/dns/message.ts';
import { displayName, formatName } from '../../../../shared/dns/names.ts';
import { typeName, typeOf } from '../../../../shared/dns/rdata.ts';
import type { Message, MessageRecord } from '../../../../shared/dns/types.ts';
import { imageOf, nameOf } from '../../../support/dns/resolve-rig.ts';
import { policyOf, TransferRig } from '../../../support/dns/transfer-rig.ts';

const ZONE = 'example.com';
const text = (serial: number, rest = '') => `$TTL 300
@ SOA ns host ${serial} 3600 600 1209600 60
@ NS ns
ns A 192.0.2.53
${rest}`;
const key = {
  name: nameOf('one.example'),
  algorithm: 'hmac-sha256',
  secret: new Uint8Array(32).fill(7),
} as const;

type Asking = { type?: number; zone?: string; serial?: number; opcode?: number; class?: number };

function asking(asked: Asking = {}, changed: Partial<Message> = {}): Message {
  const { type = TYPES.AXFR, zone = ZONE, opcode = 0, serial = 0 } = asked;
  const name = nameOf(zone);
  const soa = typeOf(TYPES.SOA).parse(
    ['.', '.', String(serial), '0', '0', '0', '0'].map((word) => ({ text: word, quoted: false })),
    name,
  );
  const authority = { owner: name, type: TYPES.SOA, class: 1, ttlSeconds: 0, rdata: soa };
  return {
    id: 77,
    flags: opcode << 11,
    questions: [{ name, type, class: asked.class ?? 1 }],
    answers: [],
    authorities: serial === 0 ? [] : [authority],
    additionals: [],
    ...changed,
  };
}

const line = ({ owner, type, ttlSeconds, rdata }: MessageRecord): string =>
  `${displayName(owner)} ${ttlSeconds} ${typeName(type)} ${typeOf(type).format(rdata)}`;
const SOA = (serial: number) =>
  `example.com 300 SOA ns.example.com. host.example.com. ${serial} 3600 600 1209600 60`;

/** Answers of all messages, or the rcode of the only one. */
async function told(rig: TransferRig, message: Message, transport: 'tcp' | 'udp' = 'tcp') {
  const answers = await rig.ask(encodeMessage(message), { transport });
  const messages = answers.map(decodeMessage);
  expect(messages.every(({ id, flags }) => id === 77 && (flags & FLAGS.QR) !== 0)).toBe(true);
  const rcode = rcodeOf(messages[0]?.flags ?? 0);
  if (rcode !== 0) return rcode;
  expect(messages.every(({ flags }) => (flags & FLAGS.AA) !== 0)).toBe(true);
  return messages.flatMap((each) => each.answers.map(line));
}

async function rigOf(...versions: string[]): Promise<TransferRig> {
  const rig = new TransferRig();
  for (const each of versions) {
    rig.putText(ZONE, each);
    await rig.journal.settled(ZONE);
  }
  return rig;
}

describe('AXFR out', () => {
  test('the SOA first and last, everything in between', async () => {
    expect(await told(await rigOf(text(7, 'a A 192.0.2.1\n')), asking())).toEqual([
      SOA(7),
      'example.com 300 NS ns.example.com.',
      'a.example.com 300 A 192.0.2.1',
      'ns.example.com 300 A 192.0.2.53',
      SOA(7),
    ]);
  });

  test('many messages: the question and OPT are in the first one', async () => {
    const rest = Array.from({ length: 3000 }, (_, index) => `host-${index} TXT "${index}"\n`);
    const rig = await rigOf(text(7, rest.join('')));
    const answers = await rig.ask(encodeMessage(asking({}, { additionals: [ednsRecord()] })));
    const messages = answers.map(decodeMessage);
    expect(messages.length).toBeGreaterThan(3);
    expect(messages.map(({ questions }) => questions.length)).toEqual(
      messages.map((_, index) => (index === 0 ? 1 : 0)),
    );
    expect(messages[0]?.additionals.map(({ type }) => type)).toEqual([TYPES.OPT]);
    expect(messages[1]?.additionals).toEqual([]);
    expect(messages.flatMap((each) => each.answers)).toHaveLength(3004);
    expect(answers.every(({ length }) => length <= 0x4000)).toBe(true);
  });

  test('all of one version, although another takes its place meanwhile', async () => {
    const rest = Array.from({ length: 3000 }, (_, index) => `host-${index} TXT "old"\n`).join('');
    const rig = await rigOf(text(7, rest));
    const serials: string[] = [];
    const stream = rig.server.referred(encodeMessage(asking()), {
      ...{ transport: 'tcp', client: Uint8Array.of(127, 0, 0, 1), clientPort: 5 },
      ...{ nowSeconds: 0, nowMs: 0 },
    });
    for await (const answer of stream) {
      for (const record of decodeMessage(answer).answers) {
        if (record.type === TYPES.SOA || record.type === TYPES.TXT) serials.push(line(record));
      }
      rig.putText(ZONE, text(8, rest.replaceAll('old', 'new')));
    }
    expect([serials[0], serials.at(-1)]).toEqual([SOA(7), SOA(7)]);
    expect(serials.filter((each) => each.endsWith('"old"'))).toHaveLength(3000);
  });

  test('ALIAS is left out, its addresses and what line default gets are sent', async () => {
    const rig = new TransferRig();
    const smart = [{ owner: nameOf('www.example.com'), type: TYPES.A, index: 0 }];
    const answers = [Uint8Array.of(192, 0, 2, 7), Uint8Array.of(192, 0, 2, 8)];
    const choice = { ttlSeconds: 30, answers: answers.map((each) => [each]), steps: [] };
    const other = { ...choice, answers: [[Uint8Array.of(192, 0, 2, 9)]] };
    const choices = [other, { ...choice, slots: new Uint8Array(256) }];
    const alias = 'x ALIAS ns\n';
    rig.put(ZONE, imageOf(ZONE, text(7, alias), smart), {
      smart: [{ choiceOfLine: Uint16Array.of(1, 0), choices }],
    });
    const lines = await told(rig, asking());
    expect(lines).toEqual([
      SOA(7),
      'example.com 300 NS ns.example.com.',
      'ns.example.com 300 A 192.0.2.53',
      'www.example.com 30 A 192.0.2.7',
      'www.example.com 30 A 192.0.2.8',
      'x.example.com 300 A 192.0.2.53',
      SOA(7),
    ]);
    expect(rig.exceptions).toEqual([]);
  });
});

describe('IXFR out', () => {
  const versions = [
    text(7, 'a A 192.0.2.1\n'),
    text(8, 'a A 192.0.2.1\nb A 192.0.2.2\n'),
    text(9, 'b 60 A 192.0.2.2\n'),
  ];
  const seven = [SOA(7), SOA(8), 'b.example.com 300 A 192.0.2.2'];
  const eight = [SOA(8), 'a.example.com 300 A 192.0.2.1', 'b.example.com 300 A 192.0.2.2'].concat([
    SOA(9),
    'b.example.com 60 A 192.0.2.2',
  ]);
  /** More than the differences. */
  const padding = Array.from({ length: 20 }, (_, index) => `p${index} A 192.0.2.9\n`).join('');

  test.each([
    [7, [SOA(9), ...seven, ...eight, SOA(9)]],
    [8, [SOA(9), ...eight, SOA(9)]],
    [9, [SOA(9)]],
    [10, [SOA(9)]],
  ])('from %i', async (serial, expected) => {
    const rig = await rigOf(...versions.map((each) => each + padding));
    expect(await told(rig, asking({ type: TYPES.IXFR, serial }))).toEqual(expected);
  });

  test('over UDP the SOA alone', async () => {
    const rig = await rigOf(...versions.map((each) => each + padding));
    expect(await told(rig, asking({ type: TYPES.IXFR, serial: 7 }), 'udp')).toEqual([SOA(9)]);
  });

  test.each([
    ['a serial that is not known', 6, padding],
    ['differences that are longer than the zone', 7, ''],
  ])('whole for %s', async (_, serial, rest) => {
    const rig = await rigOf(...versions.map((each) => each + rest));
    const lines = await told(rig, asking({ type: TYPES.IXFR, serial }));
    expect(lines).toEqual(await told(rig, asking()));
    expect(rig.counts['ixfr-out-whole']).toBe(1);
  });

  test('whole where policy makes answers', async () => {
    const rig = await rigOf(...versions.slice(0, 2).map((each) => `${each}${padding}x ALIAS ns\n`));
    const lines = await told(rig, asking({ type: TYPES.IXFR, serial: 7 }));
    expect(lines).toEqual(await told(rig, asking()));
  });
});

describe('what is refused', () => {
  const cases: [string, Message, 'tcp' | 'udp', number][] = [
    ['AXFR over UDP', asking(), 'udp', RCODES.NOTIMP],
    ['an unknown zone', asking({ zone: 'example.net' }), 'tcp', RCODES.NOTAUTH],
    ['a name inside of a zone', asking({ zone: 'a.example.com' }), 'tcp', RCODES.NOTAUTH],
    ['another class', asking({ class: 3 }), 'tcp', RCODES.REFUSED],
    ['IXFR without a serial', asking({ type: TYPES.IXFR }), 'tcp', RCODES.FORMERR],
    [
      'two questions',
      asking({}, { questions: [...asking().questions, ...asking().questions] }),
      'tcp',
      RCODES.FORMERR,
    ],
    ['UPDATE', asking({ opcode: 5, type: TYPES.SOA }), 'tcp', RCODES.NOTIMP],
    ['NOTIFY for no secondary', asking({ opcode: 4, type: TYPES.SOA }), 'udp', RCODES.REFUSED],
    [
      'NOTIFY for no zone',
      asking({ opcode: 4, type: TYPES.SOA, zone: 'x' }),
      'udp',
      RCODES.NOTAUTH,
    ],
  ];
  test.each(cases)('%s', async (_, message, transport, rcode) => {
    const rig = await rigOf(text(7));
    expect(await told(rig, message, transport)).toBe(rcode);
    expect(rig.exceptions).toEqual([]);
  });

  test('who is not in the policy', async () => {
    const rig = new TransferRig();
    rig.putText(ZONE, text(7), { policy: policyOf(['192.0.2.0/24']) });
    expect(await told(rig, asking())).toBe(RCODES.REFUSED);
    expect(await told(rig, asking({ type: TYPES.IXFR, serial: 1 }), 'udp')).toBe(RCODES.REFUSED);
    expect(rig.counts['out-refused']).toBe(2);
  });

  test('a zone that has expired: SERVFAIL', async () => {
    const rig = new TransferRig();
    rig.put(ZONE, undefined);
    expect(await told(rig, asking())).toBe(RCODES.SERVFAIL);
  });

  test.each([
    ['cut off', encodeMessage(asking()).slice(0, -3)],
    ['with bytes behind it', Buffer.concat([encodeMessage(asking()), Buffer.alloc(3)])],
  ])('a message that is %s: FORMERR, the header alone', async (_, bytes) => {
    const answers = await (await rigOf(text(7))).ask(bytes);
    expect(answers.map((each) => decodeMessage(each))).toMatchObject([
      { id: 77, flags: FLAGS.QR | RCODES.FORMERR, questions: [], answers: [] },
    ]);
  });

  test('of less than a header there is no answer', async () => {
    expect(await (await rigOf(text(7))).ask(new Uint8Array(5))).toEqual([]);
  });
});

describe('signed requests', () => {
  const now = () => Math.floor(Date.now() / 1000);
  const signedRig = (rest = '') => {
    const rig = new TransferRig();
    rig.keys.set('one.example', key);
    rig.putText(ZONE, text(7, rest), { policy: policyOf([], ['one.example']) });
    return rig;
  };

  test('a whole transfer, each message verified', async () => {
    const rest = Array.from({ length: 3000 }, (_, index) => `host-${index} TXT "${index}"\n`);
    const signer = new TsigSigner(key);
    const answers = await signedRig(rest.join('')).ask(signer.sign(encodeMessage(asking()), now()));
    const verifier = new TsigVerifier(key, signer.mac);
    const checks = answers.map((each) => verifier.verify(each, now()));
    expect(checks.every(({ isGood }) => isGood)).toBe(true);
    expect(verifier.isComplete).toBe(true);
    expect(answers.length).toBeGreaterThan(3);
    expect(answers.every(({ length }) => length <= 0x4000)).toBe(true);
  });

  test.each([
    ['no signature', (bytes: Uint8Array) => bytes, RCODES.REFUSED],
    [
      'another secret',
      (bytes: Uint8Array) =>
        new TsigSigner({ ...key, secret: new Uint8Array(32) }).sign(bytes, now()),
      RCODES.NOTAUTH,
    ],
    [
      'an unknown key',
      (bytes: Uint8Array) => new TsigSigner({ ...key, name: nameOf('x') }).sign(bytes, now()),
      RCODES.NOTAUTH,
    ],
    [
      'a time of an hour ago',
      (bytes: Uint8Array) => new TsigSigner(key).sign(bytes, now() - 3600),
      RCODES.NOTAUTH,
    ],
  ])('%s is refused', async (_, sign, rcode) => {
    const [answer, ...more] = await signedRig().ask(sign(encodeMessage(asking())));
    expect(more).toEqual([]);
    expect(rcodeOf(decodeMessage(answer ?? new Uint8Array(0)).flags)).toBe(rcode);
  });

  test('an ordinary query is answered, and the answer signed', async () => {
    const signer = new TsigSigner(key);
    const query = encodeMessage(asking({ type: TYPES.A, zone: 'ns.example.com' }));
    const [answer = new Uint8Array(0)] = await signedRig().ask(signer.sign(query, now()));
    const check = new TsigVerifier(key, signer.mac).verify(answer, now());
    expect(check.isGood && decodeMessage(check.message).answers.map(line)).toEqual([
      'ns.example.com 300 A 192.0.2.53',
    ]);
  });

  test('over UDP a signature that does not fit any more makes TC', async () => {
    const rig = signedRig(
      Array.from({ length: 27 }, (_, index) => `a A 192.0.2.${index}\n`).join(''),
    );
    const signer = new TsigSigner(key);
    const query = encodeMessage(asking({ type: TYPES.A, zone: 'a.example.com' }));
    const [answer = new Uint8Array(0)] = await rig.ask(signer.sign(query, now()), {
      transport: 'udp',
    });
    expect(answer.length).toBeLessThanOrEqual(512);
    const check = new TsigVerifier(key, signer.mac).verify(answer, now());
    expect(check.isGood && decodeMessage(check.message)).toMatchObject({
      flags: FLAGS.QR | FLAGS.AA | FLAGS.TC,
      answers: [],
    });
  });
});

describe('NOTIFY in', () => {
  test('is acknowledged when it is from a primary', async () => {
    const rig = new TransferRig();
    const primary = { from: '127.0.0.1:53' };
    rig.putText(ZONE, text(7), { primaries: [primary] });
    const message = asking({ opcode: 4, type: TYPES.SOA, zone: 'EXAMPLE.com', serial: 9 });
    message.answers = message.authorities.splice(0);
    const [answer = new Uint8Array(0)] = await rig.ask(encodeMessage(message), {
      transport: 'udp',
    });
    const { flags, questions } = decodeMessage(answer);
    expect([flags, formatName(questions[0]?.name ?? new Uint8Array(1))]).toEqual([
      FLAGS.QR | FLAGS.AA | (4 << 11),
      'EXAMPLE.com.',
    ]);
    expect(rig.heard).toEqual([{ zone: ZONE, primary, serial: 9 }]);
    const from = { transport: 'udp', client: Uint8Array.of(127, 0, 0, 2) } as const;
    const [refused = new Uint8Array(0)] = await rig.ask(encodeMessage(message), from);
    expect(rcodeOf(decodeMessage(refused).flags)).toBe(RCODES.REFUSED);
    expect(rig.heard).toHaveLength(1);
  });
});

describe('bytes that nobody should send', () => {
  const zone = text(7, 'a A 192.0.2.1\n');
  const kinds = [
    asking(),
    asking({ type: TYPES.IXFR, serial: 3 }),
    asking({ opcode: 4, type: TYPES.SOA, serial: 9 }),
    asking({ opcode: 5, type: TYPES.SOA }),
    asking({ type: TYPES.A }, { additionals: [ednsRecord()] }),
  ].map((each) => encodeMessage(each));
  const signed = kinds.map((each) => new TsigSigner(key).sign(each, Math.floor(Date.now() / 1000)));
  const spoilt = fc
    .tuple(
      fc.constantFrom(...kinds, ...signed),
      fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 4 }),
      fc.nat(200),
    )
    .map(([bytes, changes, length]) => {
      const copy = bytes.slice(0, length < 20 ? bytes.length - length : bytes.length);
      for (const [at, value] of changes) if (at < copy.length) copy[at] = value;
      return copy;
    });

  test('are answered with a message of their ID, or not, and never crash', async () => {
    const rig = await rigOf(zone);
    rig.keys.set('one.example', key);
    await fc.assert(
      fc.asyncProperty(fc.oneof(spoilt, fc.uint8Array({ maxLength: 60 })), async (bytes) => {
        for (const transport of ['udp', 'tcp', 'tls', 'https'] as const) {
          for (const answer of await rig.ask(bytes, { transport })) {
            expect([...answer.subarray(0, 2)]).toEqual([...bytes.subarray(0, 2)]);
            expect(decodeMessage(answer).flags & FLAGS.QR).toBe(FLAGS.QR);
          }
        }
      }),
      { numRuns: 400 },
    );
    expect(rig.exceptions).toEqual([]);
  });
});
