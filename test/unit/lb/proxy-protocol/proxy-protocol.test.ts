import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { crc32c } from '../../../../lb/l7/proxy-protocol/crc32c.ts';
import { readProxyHeader } from '../../../../lb/l7/proxy-protocol/read.ts';
import type { Endpoint, ProxyVerdict } from '../../../../lb/l7/proxy-protocol/types.ts';
import { writeProxyHeader } from '../../../../lb/l7/proxy-protocol/write.ts';

const SIGNATURE = '0d0a0d0a000d0a515549540a';
const FOUR = 'c0000201 c6336402 d431 01bb';
const SIX = `20010db8${'00'.repeat(11)}01 20010db8${'00'.repeat(11)}02 d431 01bb`;

const hex = (text: string) => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
const from = { address: '192.0.2.1', port: 54_321 };
const to = { address: '198.51.100.2', port: 443 };
const from6 = { address: '2001:db8::1', port: 54_321 };
const to6 = { address: '2001:db8::2', port: 443 };

function binary(command: string, family: string, ...parts: string[]): Buffer {
  const rest = hex(parts.join(''));
  const length = rest.length.toString(16).padStart(4, '0');
  return Buffer.concat([hex(SIGNATURE + command + family + length), rest]);
}

/** With the checksum's TLV behind the addresses, right or off by one. */
function checked(error: number): Buffer {
  const header = binary('21', '11', FOUR, '030004 00000000', '040000');
  const at = header.length - 7;
  header.writeUInt32BE((crc32c(header) + error) >>> 0, at);
  return header;
}

const line = (text: string) => Buffer.from(`${text}\r\n`, 'latin1');
const read = (bytes: Buffer) => readProxyHeader(bytes, 0, bytes.length);

describe('what is read', () => {
  test.each<[string, Buffer, Endpoint | undefined, Endpoint | undefined]>([
    ['v1 TCP4', line('PROXY TCP4 192.0.2.1 198.51.100.2 54321 443'), from, to],
    ['v1 TCP6', line('PROXY TCP6 2001:DB8:0::1 2001:db8::2 54321 443'), from6, to6],
    ['v1 UNKNOWN', line('PROXY UNKNOWN'), undefined, undefined],
    ['v1 UNKNOWN with more', line('PROXY UNKNOWN ffff:: ffff:: 65535 65535'), undefined, undefined],
    ['v1 at its longest', line(`PROXY UNKNOWN ${'x'.repeat(91)}`), undefined, undefined],
    ['v2 TCP4', binary('21', '11', FOUR), from, to],
    ['v2 TCP6', binary('21', '21', SIX), from6, to6],
    ['v2 LOCAL', binary('20', '00'), undefined, undefined],
    ['v2 LOCAL with addresses', binary('20', '11', FOUR), undefined, undefined],
    ['v2 LOCAL with anything', binary('20', '99', 'ffffff'), undefined, undefined],
    ['v2 UNSPEC', binary('21', '00', 'abcdef'), undefined, undefined],
    ['v2 with TLVs', binary('21', '11', FOUR, '010002 6832', '020003 612e62'), from, to],
    ['v2 with a checksum', checked(0), from, to],
  ])('%s', (_, bytes, source, destination) => {
    const expected = { bytes: bytes.length, ...(source ? { source, destination } : {}) };
    expect(read(bytes)).toEqual(expected);
    const shifted = Buffer.concat([Buffer.from('xx'), bytes, Buffer.from('GET /\r\n')]);
    expect(readProxyHeader(shifted, 2, shifted.length)).toEqual(expected);
  });

  test.each<[string, Buffer, string]>([
    ['no header', Buffer.from('GET / HTTP/1.1\r\n'), 'no-header'],
    ['a TLS hello', hex('160301'), 'no-header'],
    ['lower case', line('proxy TCP4 192.0.2.1 198.51.100.2 54321 443'), 'no-header'],
    ['a wrong signature', hex('0d0a0d0a00ff'), 'no-header'],
    ['a line of 108 bytes', line(`PROXY UNKNOWN ${'x'.repeat(92)}`), 'line-too-long'],
    ['a line without end', Buffer.from(`PROXY ${'x'.repeat(101)}`), 'line-too-long'],
    ['a bare LF', Buffer.from('PROXY UNKNOWN\n'), 'line-end'],
    ['too few words', line('PROXY TCP4 192.0.2.1 198.51.100.2 54321'), 'line'],
    ['too many words', line('PROXY TCP4 192.0.2.1 198.51.100.2 54321 443 1'), 'line'],
    ['two blanks', line('PROXY TCP4  192.0.2.1 198.51.100.2 54321 443'), 'line'],
    ['UDP4', line('PROXY UDP4 192.0.2.1 198.51.100.2 54321 443'), 'line'],
    ['nothing', line('PROXY '), 'line'],
    ['an address of the other family', line('PROXY TCP4 ::1 198.51.100.2 54321 443'), 'address'],
    ['an address with zeros', line('PROXY TCP4 192.0.02.1 198.51.100.2 54321 443'), 'address'],
    ['a port above 65535', line('PROXY TCP4 192.0.2.1 198.51.100.2 65536 443'), 'address'],
    ['a port with zeros', line('PROXY TCP4 192.0.2.1 198.51.100.2 0543 443'), 'address'],
    ['a port with a sign', line('PROXY TCP4 192.0.2.1 198.51.100.2 +1 443'), 'address'],
    ['v2 of another version', binary('31', '11', FOUR), 'command'],
    ['v2 of another command', binary('22', '11', FOUR), 'command'],
    ['v2 UDP4', binary('21', '12', FOUR), 'family'],
    ['v2 of a unix socket', binary('21', '31', '00'.repeat(216)), 'family'],
    ['v2 too short for its family', binary('21', '21', FOUR), 'too-short'],
    ['v2 of 5 kB', binary('21', '11', '00'.repeat(5000)), 'header-too-long'],
    ['a TLV cut off', binary('21', '11', FOUR, '0100'), 'tlv'],
    ['a TLV that is longer than the header', binary('21', '11', FOUR, '010009 00'), 'tlv'],
    ['a wrong checksum', checked(1), 'checksum'],
    ['a checksum of three bytes', binary('21', '11', FOUR, '030003 000000'), 'checksum'],
  ])('refused: %s', (_, bytes, refused) => {
    expect(read(bytes)).toEqual({ refused });
  });

  test('cut anywhere, it waits for more or says the same', () => {
    const all = [line('PROXY TCP4 192.0.2.1 198.51.100.2 54321 443'), checked(0), checked(1)];
    for (const bytes of all) {
      const whole = read(bytes);
      for (let end = 0; end < bytes.length; end++) {
        expect(readProxyHeader(bytes, 0, end)).toBe('more');
      }
      expect(whole).not.toBe('more');
    }
  });

  test('random bytes never throw, and more of them change no verdict', () => {
    const opening = fc.constantFrom('', 'PROXY ', 'PROXY TCP4 ', `${SIGNATURE}2111`, SIGNATURE);
    const bytes = fc.tuple(opening, fc.uint8Array({ maxLength: 200 })).map(([text, tail]) => {
      const head = text.startsWith('P') ? Buffer.from(text) : hex(text);
      return Buffer.concat([head, tail]);
    });
    fc.assert(
      fc.property(bytes, fc.nat(), (all, at) => {
        const early = readProxyHeader(all, 0, at % (all.length + 1));
        if (early !== 'more') expect(read(all)).toEqual(early);
      }),
    );
  });
});

describe('what is written', () => {
  test('bytes', () => {
    expect(String(writeProxyHeader(1, from, to))).toBe(
      'PROXY TCP4 192.0.2.1 198.51.100.2 54321 443\r\n',
    );
    expect(writeProxyHeader(2, from, to)).toEqual(binary('21', '11', FOUR));
    expect(writeProxyHeader(2, from6, to6)).toEqual(binary('21', '21', SIX));
  });

  test('is read as the same', () => {
    for (const version of [1, 2] as const) {
      for (const [source, destination] of [
        [from, to],
        [from6, to6],
      ] as const) {
        const verdict: ProxyVerdict = read(writeProxyHeader(version, source, destination));
        expect(verdict).toMatchObject({ source, destination });
      }
    }
  });

  test('of two families: IPv4 goes as mapped', () => {
    for (const version of [1, 2] as const) {
      const mapped = { ...from, address: '::ffff:192.0.2.1' };
      expect(read(writeProxyHeader(version, from, to6))).toMatchObject({
        source: mapped,
        destination: to6,
      });
    }
  });

  test('no address throws', () => {
    for (const version of [1, 2] as const) {
      expect(() => writeProxyHeader(version, { address: 'x', port: 1 }, to)).toThrow(
        'x is no address',
      );
    }
  });
});

test('CRC-32C of RFC 3720, B.4', () => {
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
});
