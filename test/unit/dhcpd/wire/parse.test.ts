// The numbers are those of the conformance list: notes of the project, RFC 2131 and 2132.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseReply, parseRequest } from '../../../../dhcpd/wire/parse.ts';
import { MESSAGE, type Request } from '../../../../dhcpd/wire/types.ts';
import { formatIpv4 } from '../../../../shared/net/ipv4.ts';
import { seededRandom } from '../../../../shared/random.ts';
import { clientPackets } from '../../../support/dhcp/packets.ts';
import {
  type ClientFields,
  clientMessage,
  DEFAULT_XID,
  discover,
  option,
  text,
} from '../../../support/dhcp/request.ts';
import { concat } from '../../../support/packet.ts';

function read(bytes: Uint8Array): Request {
  const parsed = parseRequest(bytes);
  if (typeof parsed === 'string') throw new Error(`not read: ${parsed}`);
  return parsed;
}

const optionOf = (bytes: Uint8Array, code: number) => {
  const value = read(bytes).options.get(code);
  return value === undefined ? undefined : [...value];
};

/** Nothing is there but what the fields say. */
const bare = (fields: ClientFields) => clientMessage({ type: 1, padTo: 0, ...fields });
const cut = (bytes: Uint8Array, length: number) => bytes.slice(0, length);
const patched = (at: number, ...values: number[]) => {
  const bytes = discover();
  bytes.set(values, at);
  return bytes;
};

describe('refused', () => {
  test.each([
    { what: '1 nothing', bytes: new Uint8Array(0), problem: 'short' },
    {
      what: '1 one byte less than the fixed fields',
      bytes: cut(discover(), 235),
      problem: 'short',
    },
    { what: '2 no cookie at all', bytes: cut(discover(), 236), problem: 'bootp' },
    { what: '2 three bytes of a cookie', bytes: cut(discover(), 239), problem: 'bootp' },
    { what: '2 zeros for a cookie', bytes: discover({ cookie: 0 }), problem: 'bootp' },
    { what: '2 another cookie', bytes: discover({ cookie: 0x63825364 }), problem: 'bad-cookie' },
    { what: '3 op 2', bytes: patched(0, 2), problem: 'not-request' },
    { what: '3 op 0', bytes: patched(0, 0), problem: 'not-request' },
    { what: '11 hlen 17', bytes: discover({ hlen: 17 }), problem: 'bad-hlen' },
    { what: '11 hlen 255', bytes: discover({ hlen: 255 }), problem: 'bad-hlen' },
    { what: '11 hlen 0 without 61', bytes: discover({ mac: '' }), problem: 'no-identity' },
    {
      what: '11, 14 hlen 0 with 61 of one byte',
      bytes: discover({ mac: '', clientId: [7] }),
      problem: 'no-identity',
    },
    { what: '10 no 53', bytes: discover({ type: 0 }), problem: 'no-message-type' },
    {
      what: '10 an options field of END alone',
      bytes: bare({ type: 0 }),
      problem: 'no-message-type',
    },
    {
      what: '10 an empty options field',
      bytes: cut(bare({ type: 0 }), 240),
      problem: 'no-message-type',
    },
    ...[0, 2, 5, 6, 9, 10, 13, 18, 255].map((type) => ({
      what: `10 message type ${type}`,
      bytes: discover({ type: 0, options: [[53, [type]]] }),
      problem: 'bad-message-type',
    })),
    {
      what: '10 53 of no byte',
      bytes: discover({ type: 0, options: [[53, []]] }),
      problem: 'bad-message-type',
    },
    {
      what: '10 53 of two bytes',
      bytes: discover({ type: 0, options: [[53, [1, 0]]] }),
      problem: 'bad-message-type',
    },
    {
      what: '10 53 said twice, which makes two bytes (RFC 3396)',
      bytes: discover({ options: [[53, [1]]] }),
      problem: 'bad-message-type',
    },
    {
      what: '4 a length past the end before 53',
      bytes: bare({ type: 0, tail: [12, 200, 97, 53, 1, 1, 255] }),
      problem: 'no-message-type',
    },
    {
      what: '13 53 behind END',
      bytes: bare({ type: 0, tail: [255, 53, 1, 1] }),
      problem: 'no-message-type',
    },
    {
      what: '9 53 in a file that 52 does not open',
      bytes: discover({ type: 0, file: [53, 1, 1, 255] }),
      problem: 'no-message-type',
    },
  ])('$what: $problem', ({ bytes, problem }) => {
    expect(parseRequest(bytes)).toBe(problem);
  });
});

describe('read', () => {
  test('each of the fixed fields', () => {
    const bytes = clientMessage({
      type: 7,
      htype: 6,
      hops: 3,
      xid: 0xfedcba98,
      secs: 0x0102,
      broadcast: true,
      ciaddr: '10.0.0.5',
      giaddr: '192.168.255.254',
      mac: '02:00:00:00:00:09',
    });
    const { options, chaddr, ciaddr, giaddr, ...rest } = read(bytes);
    expect(rest).toEqual({
      messageType: MESSAGE.RELEASE,
      htype: 6,
      hlen: 6,
      hops: 3,
      xid: 0xfedcba98,
      secs: 0x0102,
      flags: 0x8000,
      byteLength: 300,
    });
    expect([formatIpv4(ciaddr), formatIpv4(giaddr)]).toEqual(['10.0.0.5', '192.168.255.254']);
    expect([...chaddr]).toEqual([2, 0, 0, 0, 0, 9]);
    expect([...options.keys()]).toEqual([53]);
  });

  test.each([
    { what: '1 a message of less than 300 bytes', bytes: bare({}), code: 53, value: [1] },
    { what: '1 one of 244 bytes, END included', bytes: bare({}), code: 12, value: undefined },
    { what: '5 END missing', bytes: bare({ tail: [] }), code: 53, value: [1] },
    {
      what: '6 PAD in front',
      bytes: bare({ type: 0, tail: [0, 0, 53, 1, 8] }),
      code: 53,
      value: [8],
    },
    {
      what: '6 PAD between and behind',
      bytes: bare({ tail: [0, 12, 1, 97, 0, 0, 0, 60, 1, 98, 0, 255] }),
      code: 60,
      value: [98],
    },
    { what: '4 a length past the end', bytes: bare({ tail: [12, 4, 97, 98, 99] }), code: 12 },
    {
      what: '4 what came before it',
      bytes: bare({ tail: [12, 1, 97, 60, 9, 98] }),
      code: 12,
      value: [97],
    },
    { what: '4 a code without a length', bytes: bare({ tail: [12] }), code: 12 },
    {
      what: '4 a length that just fits',
      bytes: bare({ tail: [12, 2, 97, 98] }),
      code: 12,
      value: [97, 98],
    },
    { what: '13 an option behind END', bytes: bare({ tail: [255, 12, 1, 97] }), code: 12 },
    { what: 'an option of no bytes', bytes: discover({ rapidCommit: true }), code: 80, value: [] },
    { what: '14 61 of one byte', bytes: discover({ clientId: [1] }), code: 61 },
    {
      what: '61 of more than 255 bytes, which cost each map that has it',
      bytes: discover({ clientId: new Uint8Array(256).fill(7) }),
      code: 61,
    },
    { what: '14 61 of no byte', bytes: discover({ clientId: [] }), code: 61 },
    { what: '14 61 of two bytes', bytes: discover({ clientId: [0, 1] }), code: 61, value: [0, 1] },
    {
      what: 'RFC 3396: parts far from each other',
      bytes: discover({
        options: [
          [43, [1]],
          [12, [97]],
          [43, [2, 3]],
          [43, []],
          [43, [4]],
        ],
      }),
      code: 43,
      value: [1, 2, 3, 4],
    },
    {
      what: '14 61 in two parts of one byte',
      bytes: discover({
        options: [
          [61, [1]],
          [61, [2]],
        ],
      }),
      code: 61,
      value: [1, 2],
    },
  ] as { what: string; bytes: Uint8Array; code: number; value?: number[] }[])(
    '$what',
    ({ bytes, code, value }) => expect(optionOf(bytes, code)).toEqual(value),
  );

  test('RFC 3396: 1000 bytes in four parts', () => {
    const long = Uint8Array.from({ length: 1000 }, (_, at) => at & 255);
    expect(optionOf(discover({ options: [[43, long]] }), 43)).toEqual([...long]);
  });

  test('11 hlen 0 with 61 (IP over InfiniBand, RFC 4390), and hlen 16', () => {
    const infiniband = read(discover({ htype: 32, mac: '', clientId: [255, 1, 2, 3] }));
    expect([infiniband.hlen, infiniband.chaddr.length]).toEqual([0, 0]);
    const widest = '01:02:03:04:05:06:07:08:09:0a:0b:0c:0d:0e:0f:10';
    expect(read(discover({ mac: widest })).chaddr).toEqual(
      Uint8Array.from({ length: 16 }, (_, i) => i + 1),
    );
  });

  test('from the middle of a buffer, with nothing of what lies around', () => {
    const bytes = bare({ tail: [12, 2, 97] });
    const around = concat([53, 1, 8], bytes, [98, 255, 60, 1, 99]);
    const parsed = read(around.subarray(3, 3 + bytes.length));
    expect([parsed.messageType, parsed.options.size]).toEqual([1, 1]);
  });
});

describe('9 overload', () => {
  const file = concat(option(67, text('boot')), option(12, text('b')), [255]);
  const sname = concat(option(66, text('tftp')), option(12, text('c')), [255]);
  const withOverload = (values: readonly number[][], fields: ClientFields = {}) =>
    discover({
      file,
      sname,
      options: [[12, text('a')], ...values.map((each) => [52, each] as const)],
      ...fields,
    });

  test.each([
    { what: '1: file', values: [[1]], joined: 'ab', codes: [67] },
    { what: '2: sname', values: [[2]], joined: 'ac', codes: [66] },
    { what: '3: file, then sname', values: [[3]], joined: 'abc', codes: [66, 67] },
    { what: '0', values: [[0]], joined: 'a', codes: [] },
    { what: '4', values: [[4]], joined: 'a', codes: [] },
    { what: '255', values: [[255]], joined: 'a', codes: [] },
    { what: 'of two bytes', values: [[3, 3]], joined: 'a', codes: [] },
    { what: 'of no byte', values: [[]], joined: 'a', codes: [] },
    { what: 'said twice', values: [[1], [2]], joined: 'a', codes: [] },
    { what: 'absent', values: [], joined: 'a', codes: [] },
  ])('$what', ({ values, joined, codes }) => {
    const { options } = read(withOverload(values));
    expect(String.fromCharCode(...(options.get(12) ?? []))).toBe(joined);
    expect([66, 67].filter((code) => options.has(code))).toEqual(codes);
  });

  test('nested in a field it is nobody', () => {
    const nested = concat(option(52, [2]), file);
    const { options } = read(withOverload([[1]], { file: nested }));
    expect([...(options.get(52) ?? [])]).toEqual([1]);
    expect([options.has(67), options.has(66)]).toEqual([true, false]);
  });

  test('a field that is full needs no END, and what runs past it is not read', () => {
    const full = concat(option(67, new Uint8Array(120).fill(97)), option(12, [98, 98, 98, 98]));
    expect(full.length).toBe(128);
    expect(optionOf(withOverload([[1]], { file: full }), 12)).toEqual([97, 98, 98, 98, 98]);
    const over = concat(option(67, new Uint8Array(120).fill(97)), [12, 5, 98, 98, 98, 98]);
    expect(optionOf(withOverload([[1]], { file: over }), 12)).toEqual([97]);
  });

  test('the message type may lie in a field', () => {
    const bytes = discover({ type: 0, file: [53, 1, 1, 255], options: [[52, [1]]] });
    expect(read(bytes).messageType).toBe(MESSAGE.DISCOVER);
  });
});

describe('what clients send', () => {
  test.each(clientPackets)('$what', ({ bytes, messageType, codes }) => {
    const parsed = read(bytes);
    expect(parsed.messageType).toBe(messageType);
    expect([...parsed.options.keys()]).toEqual(codes);
    expect([...parsed.chaddr]).toEqual([0x52, 0x54, 0, 0x12, 0x34, 0x56]);
    expect(parsed.byteLength).toBe(bytes.length);
  });

  test.each(clientPackets)(
    '$what, cut at every byte: no more options than the whole',
    ({ bytes }) => {
      const whole = read(bytes).options;
      for (let length = 0; length < bytes.length; length++) {
        const parsed = parseRequest(cut(bytes, length));
        if (typeof parsed === 'string') continue;
        expect(parsed.xid).toBe(DEFAULT_XID);
        for (const [code, value] of parsed.options) {
          expect(whole.get(code)?.subarray(0, value.length), `option ${code} of ${length}`).toEqual(
            value,
          );
        }
      }
    },
  );
});

describe('16 noise', () => {
  test('any bytes', () => {
    const bytes = fc.uint8Array({ maxLength: 700 });
    fc.assert(fc.property(bytes, (noise) => void expect(parseRequest(noise)).toBeDefined()));
    const options = fc.property(bytes, (noise) => {
      const parsed = parseRequest(bare({ tail: noise }));
      if (typeof parsed === 'string') return;
      let sum = 0;
      for (const [, value] of parsed.options) sum += value.length;
      expect(sum).toBeLessThanOrEqual(noise.length + 1 + 192);
    });
    fc.assert(options);
  });

  test('200,000 packets with bytes changed, dropped and doubled', () => {
    const random = seededRandom(20261121);
    let read = 0;
    for (let round = 0; round < 200_000; round++) {
      const { bytes } = clientPackets[round % clientPackets.length] ?? { bytes: discover() };
      const parsed = parseRequest(mutated(bytes, random.integer));
      if (typeof parsed !== 'string') {
        read++;
        if (parsed.options.size > 300 || parsed.chaddr.length !== parsed.hlen)
          throw new Error('grown');
      }
    }
    expect(read).toBeGreaterThan(20_000);
    expect(read).toBeLessThan(190_000);
  });

  test('64 KB of parts of one code costs no more than its length', () => {
    const tail = Uint8Array.from({ length: 65_000 }, (_, at) => [43, 1, 7][at % 3] ?? 0);
    expect(optionOf(bare({ tail }), 43)?.length).toBe(21_666);
  });
});

/** Mostly where a reader has to decide: in the header, in the first 80 bytes of options. */
function mutated(bytes: Uint8Array, draw: (below: number) => number): Uint8Array {
  const copy = bytes.slice(0, draw(3) === 0 ? draw(bytes.length + 1) : bytes.length);
  if (copy.length === 0) return copy;
  for (let changes = 1 + draw(4); changes > 0; changes--) {
    const at = draw(4) === 0 ? draw(copy.length) : Math.min(copy.length - 1, 240 + draw(80));
    copy[at] = [0, 255, 52, 53, 1, 61, draw(256)][draw(7)] ?? 0;
  }
  if (draw(8) === 0) copy.copyWithin(draw(copy.length), draw(copy.length));
  return copy;
}

describe('a reply', () => {
  const reply = (fields: ClientFields = {}) => clientMessage({ op: 2, type: 2, ...fields });

  test('is read with the texts of its fields', () => {
    const parsed = parseReply(reply({ sname: text('boot-1'), file: text('pxe.0') }));
    expect(parsed).toMatchObject({ messageType: 2, serverName: 'boot-1', bootFile: 'pxe.0' });
  });

  test.each([
    { what: 'a request', bytes: discover(), problem: 'not-reply' },
    { what: 'a type that no server sends', bytes: reply({ type: 3 }), problem: 'bad-message-type' },
    { what: 'nothing', bytes: new Uint8Array(3), problem: 'short' },
    { what: 'of BOOTP', bytes: reply({ cookie: 0 }), problem: 'bootp' },
  ])('$what is not: $problem', ({ bytes, problem }) => expect(parseReply(bytes)).toBe(problem));

  test('fields that hold options are no texts', () => {
    const parsed = parseReply(reply({ file: option(12, text('a')), options: [[52, [1]]] }));
    expect(parsed).toMatchObject({ bootFile: '', serverName: '' });
  });
});
