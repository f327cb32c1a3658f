// The numbers are those of the conformance list: notes of the project, RFC 2131 and 2132.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type EncodeOptions,
  encodeReply,
  encodeRequest,
  maxReplyBytes,
  REPLY_BYTES_MIN,
} from '../../../../dhcpd/wire/encode.ts';
import { parseReply, parseRequest, type ServerMessage } from '../../../../dhcpd/wire/parse.ts';
import { MESSAGE, type Reply, type Request } from '../../../../dhcpd/wire/types.ts';
import { ipv4 } from '../../../../shared/net/ipv4.ts';
import { type ClientFields, discover, relayInfo, text } from '../../../support/dhcp/request.ts';
import { address } from '../../../support/packet.ts';

type Option = readonly [number, Uint8Array];

function requestOf(fields: ClientFields = {}): Request {
  const parsed = parseRequest(discover(fields));
  if (typeof parsed === 'string') throw new Error(parsed);
  return parsed;
}

const filled = (length: number, byte = 1) => new Uint8Array(length).fill(byte);
const base: readonly Option[] = [
  [53, Uint8Array.of(MESSAGE.ACK)],
  [54, Uint8Array.of(10, 1, 0, 1)],
  [51, Uint8Array.of(0, 0, 14, 16)],
];

function ack(options: readonly Option[], fields: Partial<Reply> = {}): Reply {
  return {
    messageType: MESSAGE.ACK,
    request: requestOf(),
    ciaddr: ipv4(0),
    yiaddr: ipv4(address('10.1.0.7')),
    siaddr: ipv4(0),
    options: [...base, ...options],
    required: base.length,
    ...fields,
  };
}

function read(bytes: Uint8Array): ServerMessage {
  const parsed = parseReply(bytes);
  if (typeof parsed === 'string') throw new Error(parsed);
  return parsed;
}

/** Codes of the options field alone, parts counted, up to END. */
function mainCodes(bytes: Uint8Array): number[] {
  const codes: number[] = [];
  for (let at = 240; bytes[at] !== 255; at += 2 + (bytes[at + 1] ?? 0)) {
    codes.push(bytes[at] ?? 0);
    if (at >= bytes.length) throw new Error('no END');
  }
  return codes;
}

function encoded(reply: Reply, options: Partial<EncodeOptions> = {}) {
  const shed: number[] = [];
  const bytes = encodeReply(reply, { maxBytes: REPLY_BYTES_MIN, shed, ...options });
  return { bytes, shed, codes: mainCodes(bytes), message: read(bytes) };
}

describe('the fixed fields (table 3)', () => {
  test('88 xid, flags, giaddr, chaddr and hardware are copied; secs and hops are zero', () => {
    const fields = { hops: 4, secs: 9, broadcast: true, giaddr: '10.7.0.1', htype: 6 };
    const request = requestOf(fields);
    const ciaddr = ipv4(address('10.1.0.9'));
    const siaddr = ipv4(address('10.1.0.2'));
    const { bytes, message } = encoded(ack([], { request, ciaddr, siaddr }));
    expect([...bytes.subarray(0, 12)]).toEqual([2, 6, 6, 0, 0x39, 0x03, 0xf3, 0x26, 0, 0, 0x80, 0]);
    const yiaddr = ipv4(address('10.1.0.7'));
    expect(message).toMatchObject({ ciaddr, yiaddr, siaddr, giaddr: request.giaddr });
    expect(message.chaddr).toEqual(request.chaddr);
    expect(bytes.length).toBe(300);
  });

  test.each([
    { what: 'fits its field', asked: [1], length: 63, name: 63, option: undefined },
    { what: 'a byte too long', asked: [1], length: 64, name: 0, option: 64 },
    { what: '32 asked for as an option', asked: [1, 66], length: 5, name: 0, option: 5 },
    { what: 'empty', asked: [66], length: 0, name: 0, option: undefined },
  ])('a server name that is: $what', ({ asked, length, name, option }) => {
    const request = requestOf({ ask: asked });
    const { message } = encoded(ack([], { request, serverName: 'n'.repeat(length) }));
    expect([message.serverName.length, message.options.get(66)?.length]).toEqual([name, option]);
  });

  test.each([
    { what: 'fits its field', asked: [1], length: 127, name: 127, option: undefined },
    { what: 'a byte too long', asked: [1], length: 128, name: 0, option: 128 },
    { what: '32 asked for as an option', asked: [67], length: 5, name: 0, option: 5 },
  ])('a boot file that is: $what', ({ asked, length, name, option }) => {
    const request = requestOf({ ask: asked });
    const { message } = encoded(ack([], { request, bootFile: 'f'.repeat(length) }));
    expect([message.bootFile.length, message.options.get(67)?.length]).toEqual([name, option]);
  });

  test('what the options say already is not said twice, which would join it', () => {
    const reply = ack([[67, text('a')]], { request: requestOf({ ask: [67] }), bootFile: 'b' });
    expect(encoded(reply).message.options.get(67)).toEqual(text('a'));
  });

  test('texts that became options come before all that may be left out', () => {
    const request = requestOf({ ask: [66, 67] });
    const reply = ack([[15, text('d')]], { request, bootFile: 'f', serverName: 's' });
    expect(encoded(reply).codes).toEqual([53, 54, 51, 66, 67, 15]);
  });
});

describe('room', () => {
  test('57 counts the headers of IP and UDP; 576 whatever it says, the link at most', () => {
    const room = (maxBytes?: number, mtuBytes?: number) =>
      maxReplyBytes(requestOf(maxBytes === undefined ? {} : { maxBytes }), mtuBytes);
    expect([room(), room(0), room(575), room(576), room(577), room(1000)]).toEqual([
      548, 548, 548, 548, 549, 972,
    ]);
    expect([room(1500), room(65535), room(9000, 9000), room(1500, 1400)]).toEqual([
      1472, 1472, 8972, 1372,
    ]);
    expect(maxReplyBytes(requestOf({ options: [[57, [9]]] }))).toBe(548);
  });

  test('28 the order given is the order sent', () => {
    const reply = ack([
      [121, filled(9)],
      [3, filled(4)],
      [80, filled(0)],
      [6, filled(8)],
    ]);
    expect(encoded(reply).codes).toEqual([53, 54, 51, 121, 3, 80, 6]);
  });

  test('as much as 548 holds needs no overload; a byte more does', () => {
    const rest = REPLY_BYTES_MIN - 240 - 1 - 3 - 6 - 6;
    const exact = encoded(
      ack([
        [43, filled(rest - 4 - 100)],
        [15, filled(100)],
      ]),
    );
    expect([exact.bytes.length, exact.message.options.has(52)]).toEqual([548, false]);
    const over = encoded(
      ack([
        [43, filled(rest - 4 - 100)],
        [15, filled(101)],
      ]),
    );
    expect(over.bytes.length).toBeLessThanOrEqual(548);
    expect(over.codes).toEqual([53, 54, 51, 43, 52]);
    expect([...(over.message.options.get(52) ?? [])]).toEqual([1]);
    expect(over.message.options.get(15)).toEqual(filled(101));
    expect(over.shed).toEqual([]);
  });

  test.each([
    { what: 'file alone', lengths: [250, 100], overload: 1 },
    { what: 'both', lengths: [250, 120, 50], overload: 3 },
    { what: 'sname alone, as file holds its text', lengths: [250, 50], overload: 2, bootFile: 'f' },
    { what: 'file alone, as sname holds its', lengths: [250, 50], overload: 1, serverName: 's' },
  ])('overload of $what', ({ lengths, overload, what: _, ...texts }) => {
    const options = lengths.map((length, at): Option => [200 + at, filled(length, at + 1)]);
    const { message, shed, bytes } = encoded(ack(options, texts));
    expect([shed, [...(message.options.get(52) ?? [])]]).toEqual([[], [overload]]);
    for (const [code, value] of options) expect(message.options.get(code)).toEqual(value);
    expect([message.bootFile, message.serverName]).toEqual([
      texts.bootFile ?? '',
      texts.serverName ?? '',
    ]);
    expect(bytes.length).toBeLessThanOrEqual(548);
  });

  test('what fits nowhere is left out whole, and smaller ones behind it are not', () => {
    const { message, shed } = encoded(
      ack([
        [43, filled(600)],
        [15, filled(9)],
      ]),
    );
    expect([shed, message.options.has(43), message.options.get(15)?.length]).toEqual([
      [43],
      false,
      9,
    ]);
  });

  test('RFC 3396: more than 255 bytes go as parts, next to each other', () => {
    const long = Uint8Array.from({ length: 600 }, (_, at) => at & 255);
    const { codes, message } = encoded(
      ack([
        [121, long],
        [3, filled(4)],
      ]),
      { maxBytes: 1472 },
    );
    expect(codes).toEqual([53, 54, 51, 121, 121, 121, 3]);
    expect(message.options.get(121)).toEqual(long);
  });

  test.each([255, 510])('RFC 3396: %i bytes need no empty part behind them', (length) => {
    const { codes } = encoded(ack([[43, filled(length)]]), { maxBytes: 1472 });
    expect(codes.filter((code) => code === 43)).toHaveLength(length / 255);
  });
});

describe('37 option 82', () => {
  const echo82 = relayInfo({ circuitId: 'eth1/7', remoteId: 'leaf-2', sub: [[152, []]] });

  test('comes last, as it came', () => {
    const { codes, message } = encoded(ack([[3, filled(4)]]), { echo82 });
    expect(codes).toEqual([53, 54, 51, 3, 82]);
    expect(message.options.get(82)).toEqual(echo82);
  });

  test('stays whole and in the options field when others have to go', () => {
    const big = filled(200, 9);
    const options: Option[] = [
      [15, filled(100)],
      [43, filled(120)],
      [17, filled(100)],
      [12, filled(62)],
    ];
    const { codes, message, shed } = encoded(ack(options), { echo82: big });
    expect(codes.slice(-2)).toEqual([52, 82]);
    expect(message.options.get(82)).toEqual(big);
    expect(shed).toEqual([43, 17]);
  });

  test('of more than 255 bytes is split like any other', () => {
    const { codes, message } = encoded(ack([]), { echo82: filled(300), maxBytes: 1472 });
    expect(codes).toEqual([53, 54, 51, 82, 82]);
    expect(message.options.get(82)).toEqual(filled(300));
  });

  test('goes missing whole when there is no room beside what is required (RFC 3046 §2.2)', () => {
    const { codes, shed } = encoded(ack([[3, filled(4)]]), { echo82: filled(400) });
    expect([codes, shed]).toEqual([[53, 54, 51, 3], [82]]);
  });
});

describe('70 a NAK', () => {
  const nak = (request: Request): Reply => ({
    ...ack(
      [
        [3, filled(4)],
        [56, text('no')],
        [61, filled(7)],
        [60, text('v')],
      ],
      { request },
    ),
    messageType: MESSAGE.NAK,
    ciaddr: ipv4(1),
    siaddr: ipv4(1),
    serverName: 's',
    bootFile: 'f',
  });

  test('has no addresses, no lease, no texts, only what table 3 allows', () => {
    const reply = nak(requestOf());
    const options = reply.options.map(
      (each): Option => (each[0] === 53 ? [53, filled(1, 6)] : each),
    );
    const { codes, message } = encoded({ ...reply, options }, { echo82: filled(5) });
    expect(codes).toEqual([53, 54, 56, 61, 60, 82]);
    expect(message).toMatchObject({
      ciaddr: 0,
      yiaddr: 0,
      siaddr: 0,
      serverName: '',
      bootFile: '',
    });
  });

  test('does not overload', () => {
    const options: Option[] = [
      [53, filled(1, 6)],
      [54, filled(4)],
      [56, filled(400)],
      [61, filled(7)],
    ];
    const { codes, shed } = encoded({ ...nak(requestOf()), options, required: 2 });
    expect([codes, shed]).toEqual([[53, 54, 61], [56]]);
  });

  test('behind a relay has the broadcast flag (RFC 2131 §4.3.2)', () => {
    const flags = (request: Request) => encoded(nak(request)).message.flags;
    expect(flags(requestOf({ giaddr: '10.7.0.1' }))).toBe(0x8000);
    expect([flags(requestOf()), flags(requestOf({ broadcast: true }))]).toEqual([0, 0x8000]);
  });
});

test('any options come back, but those named as left out, in no more than the room', () => {
  const option = fc.tuple(fc.integer({ min: 100, max: 220 }), fc.uint8Array({ maxLength: 400 }));
  const cases = fc.record({
    options: fc.uniqueArray(option, { maxLength: 12, selector: ([code]) => code }),
    maxBytes: fc.integer({ min: 0, max: 1472 }),
    echo82: fc.uint8Array({ minLength: 1, maxLength: 300 }),
    bootFile: fc.string({ maxLength: 140 }),
  });
  const property = fc.property(cases, ({ options, maxBytes, echo82, bootFile }) => {
    const reply = ack(options, { bootFile });
    const { bytes, shed, message, codes } = encoded(reply, { maxBytes, echo82 });
    expect(bytes.length).toBeLessThanOrEqual(Math.max(548, maxBytes));
    expect(codes[0]).toBe(53);
    for (const [code] of base) expect(shed).not.toContain(code);
    const kept = [...reply.options, [82, echo82] as const].filter(([code]) => !shed.includes(code));
    for (const [code, value] of kept) expect(message.options.get(code)).toEqual(value);
    for (const code of shed) expect(message.options.has(code)).toBe(false);
    if (!shed.includes(82)) expect(codes.at(-1)).toBe(82);
  });
  fc.assert(property);
});

test('a request for the canary is read as it was meant', () => {
  const chaddr = Uint8Array.of(2, 0, 0, 0, 0, 9);
  const options: Option[] = [
    [61, filled(7)],
    [55, Uint8Array.of(1, 3)],
    [43, filled(300)],
  ];
  const fields = { messageType: 3, xid: 7, chaddr, ciaddr: ipv4(8), flags: 0x8000, options };
  const parsed = parseRequest(encodeRequest(fields));
  expect(parsed).toMatchObject({
    messageType: 3,
    xid: 7,
    chaddr,
    ciaddr: 8,
    flags: 0x8000,
    hlen: 6,
  });
  const { options: read } = parsed as Request; // the line above failed if it is a problem
  expect([...read]).toEqual([[53, filled(1, 3)], ...options]);
});
