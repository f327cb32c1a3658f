import { Duplex } from 'node:stream';
import { connect } from 'node:tls';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ClientHello, parseClientHello } from '../../../../lb/l7/client-hello/client-hello.ts';

const u8 = (value: number) => Buffer.of(value);
const u16 = (value: number) => Buffer.of(value >> 8, value & 255);
const join = (...parts: (Buffer | string)[]) =>
  Buffer.concat(
    parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)),
  );
const vector8 = (...parts: (Buffer | string)[]) => join(u8(join(...parts).length), ...parts);
const vector16 = (...parts: (Buffer | string)[]) => join(u16(join(...parts).length), ...parts);
const extension = (type: number, ...data: (Buffer | string)[]) =>
  join(u16(type), vector16(...data));

const sni = (name: string) => extension(0, vector16(u8(0), vector16(name)));
const alpn = (...names: string[]) => extension(16, vector16(...names.map((name) => vector8(name))));
const grease = extension(0x0a0a);
const suites = vector16(u16(0x1301), u16(0x0a0a));
const OPENING = join(u16(0x0303), Buffer.alloc(32), vector8(), suites, vector8(u8(0)));

const message = (body: Buffer, type = 1) => join(u8(type), u8(0), vector16(body));
const hello = (...extensions: Buffer[]) => message(join(OPENING, vector16(...extensions)));
const record = (fragment: Buffer | string) => join(u8(22), u16(0x0301), vector16(fragment));

/** A message in records of so many bytes. */
function records(bytes: Buffer, size: number): Buffer {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size)
    pieces.push(record(bytes.subarray(at, at + size)));
  return Buffer.concat(pieces);
}

const parse = (bytes: Buffer) => parseClientHello(bytes, 0, bytes.length);
const asked = (serverName: string | undefined, ...protocols: string[]): ClientHello => ({
  serverName,
  protocols,
});

describe('ClientHello', () => {
  test.each<[string, Buffer, ClientHello]>([
    [
      'name and protocols',
      hello(grease, sni('a.example'), alpn('h2', 'http/1.1')),
      asked('a.example', 'h2', 'http/1.1'),
    ],
    [
      'GREASE among the protocols',
      hello(alpn('\x0a\x0a', 'h2')),
      asked(undefined, '\x0a\x0a', 'h2'),
    ],
    ['upper case and a final dot', hello(sni('A.Example.')), asked('a.example')],
    [
      'extensions, none of ours',
      hello(grease, extension(43, vector8(u16(0x0304)))),
      asked(undefined),
    ],
    ['no extensions', message(OPENING), asked(undefined)],
    ['an empty list of extensions', hello(), asked(undefined)],
    ['a padding of 500 bytes', hello(extension(21, Buffer.alloc(500)), sni('b')), asked('b')],
  ])('%s', (_, bytes, expected) => {
    expect(parse(record(bytes))).toEqual(expected);
    for (const size of [bytes.length, 300, 64, 17]) {
      const spread = records(bytes, size);
      expect(parse(spread), `records of ${size}`).toEqual(expected);
      expect(parse(join(spread, 'whatever follows'))).toEqual(expected);
      for (let end = 0; end < spread.length; end++) {
        expect(parseClientHello(spread, 0, end), `${end} of ${spread.length}`).toBe('more');
      }
    }
  });

  test.each<[string, Buffer]>([
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n')],
    ['SSL 2', Buffer.from('802e010002', 'hex')],
    ['an alert', join(u8(21), u16(0x0301), vector16('xx'))],
    ['another major version', join(u8(22), u16(0x0201))],
    ['an empty record', record('')],
    ['a record above 16 KiB', join(u8(22), u16(0x0301), u16(16_385))],
    ['a ServerHello', record(message(OPENING, 2))],
    ['a message above 16 KiB', record(Buffer.of(1, 0, 0x40, 1))],
    ['a message of many records', records(hello(extension(21, Buffer.alloc(500))), 1)],
    ['a legacy version of SSL 2', record(message(join(u16(0x0200), OPENING.subarray(2))))],
    [
      'a session of 33 bytes',
      record(
        message(join(OPENING.subarray(0, 34), vector8(Buffer.alloc(33)), suites, vector8(u8(0)))),
      ),
    ],
    ['no cipher suite', record(message(join(OPENING.subarray(0, 35), vector16(), vector8(u8(0)))))],
    [
      'half a cipher suite',
      record(message(join(OPENING.subarray(0, 35), vector16('abc'), vector8(u8(0))))),
    ],
    ['no compression', record(message(join(OPENING.subarray(0, 35), suites, vector8())))],
    ['cut off within the random', record(message(OPENING.subarray(0, 20)))],
    ['cut off within the suites', record(message(OPENING.subarray(0, 37)))],
    ['extensions cut off', record(message(join(OPENING, u16(10), 'abc')))],
    ['something behind the extensions', record(message(join(OPENING, vector16(grease), 'x')))],
    ['half an extension', record(hello(u16(0)))],
    ['the same extension twice', record(hello(sni('a'), sni('b')))],
    [
      'two names',
      record(hello(extension(0, vector16(u8(0), vector16('a'), u8(0), vector16('b'))))),
    ],
    ['a name of another type', record(hello(extension(0, vector16(u8(1), vector16('a')))))],
    ['an empty name', record(hello(sni('')))],
    ['no names', record(hello(extension(0, vector16())))],
    ['a name with NUL', record(hello(sni('a\0.example')))],
    ['a name with a blank', record(hello(sni('a b')))],
    ['a name with an empty label', record(hello(sni('a..b')))],
    ['a name that is not ASCII', record(hello(sni('caf\xe9')))],
    ['a long name', record(hello(sni('a'.repeat(255))))],
    ['an empty list of protocols', record(hello(extension(16, vector16())))],
    ['an empty protocol', record(hello(alpn('h2', '')))],
    ['a protocol cut off', record(hello(extension(16, vector16(u8(5), 'h2'))))],
  ])('bad: %s', (_, bytes) => {
    expect(parse(bytes)).toBe('bad');
  });

  test('of the real thing', async () => {
    const sent = await new Promise<Buffer>((resolve) => {
      const wire = new Duplex({ read() {}, write: (chunk: Buffer) => resolve(chunk) });
      const options = {
        socket: wire,
        servername: 'www.example.com',
        ALPNProtocols: ['h2', 'http/1.1'],
      };
      connect(options).on('error', () => {});
    });
    expect(parse(sent)).toEqual(asked('www.example.com', 'h2', 'http/1.1'));
  });

  test('damage never throws, and more bytes change no verdict', () => {
    const whole = records(hello(grease, sni('a.example'), alpn('h2')), 40);
    const edits = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 4 });
    fc.assert(
      fc.property(edits, fc.nat(whole.length), (changes, end) => {
        const bytes = Buffer.from(whole);
        for (const [at, value] of changes) bytes[at] = value;
        const early = parseClientHello(bytes, 0, end);
        if (early !== 'more') expect(parse(bytes)).toEqual(early);
      }),
      { numRuns: 1000 },
    );
  });
});
