// Frames in, and what a client must see of them: HPACK and messages (RFC 9113, 8;
// RFC 7541; RFC 8441).

import type { Row } from './frame-rows.ts';
import {
  block,
  END_HEADERS,
  END_STREAM,
  frame,
  GET,
  headers,
  integer,
  type Pair,
  POST,
  TYPE,
} from './frames.ts';

const { DATA, HEADERS } = TYPE;
const OPEN_1 = headers(1, POST, END_HEADERS);
const raw = (...bytes: number[]) => Buffer.from(bytes);
const hpack = (...bytes: number[]) =>
  frame(HEADERS, END_STREAM | END_HEADERS, 1, Buffer.concat([block(GET), raw(...bytes)]));
const get = (...more: Pair[]) => headers(1, [...GET, ...more]);
const without = (name: string) =>
  headers(
    1,
    GET.filter(([each]) => each !== name),
  );
const instead = (name: string, value: string, of = GET) =>
  headers(
    1,
    of.map(([each, old]) => [each, each === name ? value : old]),
  );
const connectOf = (...fields: Pair[]) => headers(1, [[':method', 'CONNECT'], ...fields]);
const post = (length: string, ...more: Pair[]) =>
  headers(1, [...POST, ['content-length', length], ...more], END_HEADERS);
const data = (text: string, flags = END_STREAM) => frame(DATA, flags, 1, text);

export const MESSAGE_ROWS: readonly Row[] = [
  ['7541 2.3.3', 'index 0', [hpack(0x80)], 'goaway COMPRESSION_ERROR'],
  ['7541 2.3.3', 'an index beyond the tables', [hpack(0xff, 0x00)], 'goaway COMPRESSION_ERROR'],
  [
    '7541 2.3.3',
    'a name by an index beyond',
    [hpack(0x0f, 0x60, 0x00)],
    'goaway COMPRESSION_ERROR',
  ],
  ['7541 4.2', 'a table size behind a field', [hpack(0x20)], 'goaway COMPRESSION_ERROR'],
  [
    '7541 5.1',
    'an integer without end',
    [hpack(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f)],
    'goaway COMPRESSION_ERROR',
  ],
  [
    '7541 5.2',
    'Huffman padding of zeros',
    [hpack(0x00, 0x01, 0x78, 0x81, 0x18)],
    'goaway COMPRESSION_ERROR',
  ],
  [
    '7541 5.2',
    'Huffman padding of more than 7 bits',
    [hpack(0x00, 0x01, 0x78, 0x82, 0x1f, 0xff)],
    'goaway COMPRESSION_ERROR',
  ],
  [
    '7541 5.2',
    'the end-of-string symbol',
    [hpack(0x00, 0x01, 0x78, 0x84, 0xff, 0xff, 0xff, 0xff)],
    'goaway COMPRESSION_ERROR',
  ],
  [
    '7541 6.2',
    'a block that ends inside of a field',
    [hpack(0x00, 0x05, 0x61)],
    'goaway COMPRESSION_ERROR',
  ],
  [
    '7541 6.3',
    'a table that is larger than allowed',
    [
      frame(
        HEADERS,
        5,
        1,
        Buffer.concat([raw(0x20 | 31), integer(60_000, 5).subarray(1), block(GET)]),
      ),
    ],
    'goaway COMPRESSION_ERROR',
  ],
  [
    '8.1',
    'trailers without END_STREAM',
    [OPEN_1, headers(1, [['x', 'y']], END_HEADERS)],
    'rst PROTOCOL_ERROR',
  ],
  [
    '8.1',
    'a pseudo field in trailers',
    [OPEN_1, headers(1, [[':path', '/']])],
    'rst PROTOCOL_ERROR',
  ],
  ['8.1', 'DATA behind trailers', [OPEN_1, headers(1, [['x', 'y']]), data('x')], 'STREAM_CLOSED'],
  ['8.1.1', 'less DATA than content-length', [post('5'), data('1234')], 'rst PROTOCOL_ERROR'],
  ['8.1.1', 'more DATA than content-length', [post('5'), data('123456', 0)], 'PROTOCOL_ERROR'],
  ['8.1.1', 'more DATA in two frames', [post('5'), data('123', 0), data('456')], 'PROTOCOL_ERROR'],
  ['8.1.1', 'content-length and no DATA', [get(['content-length', '5'])], 'rst PROTOCOL_ERROR'],
  [
    '8.1.1',
    'trailers before content-length is there',
    [post('5'), data('123', 0), headers(1, [['x', 'y']])],
    'rst PROTOCOL_ERROR',
  ],
  ['8.1.1', 'content-length twice', [post('5', ['content-length', '5'])], 'rst PROTOCOL_ERROR'],
  ['8.1.1', 'content-length of no number', [post('5x')], 'rst PROTOCOL_ERROR'],
  ['8.1.1', 'content-length below zero', [post('-1')], 'rst PROTOCOL_ERROR'],
  ['8.1.1', 'content-length with a plus', [post('+1')], 'rst PROTOCOL_ERROR'],
  ['8.1.1', 'an empty content-length', [post('')], 'rst PROTOCOL_ERROR'],
  ['8.1.1', 'content-length beyond 2^53', [post('9007199254740993')], 'rst PROTOCOL_ERROR'],
  ['8.1.1', 'content-length beyond 2^63', [post('9223372036854775808')], 'rst PROTOCOL_ERROR'],
  ['8.2.1', 'an upper-case name', [get(['X-Up', 'y'])], 'rst PROTOCOL_ERROR'],
  ['8.2.1', 'a colon in a name', [get(['x:y', 'z'])], 'dropped'],
  ['8.2.1', 'a space in a name', [get(['x y', 'z'])], 'dropped'],
  ['8.2.1', 'a name beyond ASCII', [get(['x\u00e9', 'z'])], 'dropped'],
  ['8.2.1', 'an empty name', [get(['', 'z'])], 'dropped'],
  ['8.2.1', 'LF in a name', [get(['x\ny', 'z'])], 'dropped'],
  ['8.2.1', 'CR in a value', [get(['x', 'a\rb'])], 'dropped'],
  ['8.2.1', 'LF in a value', [get(['x', 'a\nb'])], 'dropped'],
  ['8.2.1', 'CRLF and a field in a value', [get(['x', 'a\r\nhost: b'])], 'dropped'],
  ['8.2.1', 'NUL in a value', [get(['x', 'a\0b'])], 'dropped'],
  ['8.2.1', 'a value that begins with a space', [get(['x', ' a'])], 'rst PROTOCOL_ERROR'],
  ['8.2.1', 'a value that ends with a tab', [get(['x', 'a\t'])], 'rst PROTOCOL_ERROR'],
  ['8.2.1', 'DEL in a value', [get(['x', 'a\x7fb'])], 'dropped'],
  ['8.2.1', 'CRLF in :path', [instead(':path', '/ HTTP/1.1\r\nx: y')], 'rst PROTOCOL_ERROR'],
  ['8.2.1', 'CRLF in :authority', [instead(':authority', 'a\r\nx: y')], 'rst PROTOCOL_ERROR'],
  [
    '8.2.1',
    'CRLF in :method',
    [instead(':method', 'GET / HTTP/1.1\r\nx: y')],
    'rst PROTOCOL_ERROR',
  ],
  ['8.2.1', 'a space in :method', [instead(':method', 'GET /x')], 'rst PROTOCOL_ERROR'],
  ['8.2.1', 'a space in :path', [instead(':path', '/a b')], 'rst PROTOCOL_ERROR'],
  ['8.2.2', 'connection', [get(['connection', 'close'])], 'rst PROTOCOL_ERROR'],
  ['8.2.2', 'keep-alive', [get(['keep-alive', 'timeout=5'])], 'rst PROTOCOL_ERROR'],
  ['8.2.2', 'proxy-connection', [get(['proxy-connection', 'close'])], 'rst PROTOCOL_ERROR'],
  ['8.2.2', 'transfer-encoding', [get(['transfer-encoding', 'chunked'])], 'rst PROTOCOL_ERROR'],
  ['8.2.2', 'upgrade', [get(['upgrade', 'h2c'])], 'rst PROTOCOL_ERROR'],
  ['8.2.2', 'te of more than trailers', [get(['te', 'trailers, gzip'])], 'rst PROTOCOL_ERROR'],
  ['8.2.2', 'te: trailers', [get(['te', 'trailers'])], 'status 200'],
  ['8.3', 'an unknown pseudo field', [headers(1, [...GET, [':x', 'y']])], 'rst PROTOCOL_ERROR'],
  [
    '8.3',
    'a pseudo field of responses',
    [headers(1, [...GET, [':status', '200']])],
    'rst PROTOCOL_ERROR',
  ],
  [
    '8.3',
    'a pseudo field behind others',
    [headers(1, [...GET.slice(0, 3), ['x', 'y'], [':path', '/']])],
    'rst PROTOCOL_ERROR',
  ],
  ['8.3.1', ':method twice', [headers(1, [...GET, [':method', 'GET']])], 'rst PROTOCOL_ERROR'],
  ['8.3.1', ':path twice', [headers(1, [...GET, [':path', '/x']])], 'rst PROTOCOL_ERROR'],
  ['8.3.1', ':scheme twice', [headers(1, [...GET, [':scheme', 'http']])], 'rst PROTOCOL_ERROR'],
  ['8.3.1', ':authority twice', [headers(1, [...GET, [':authority', 'b']])], 'rst PROTOCOL_ERROR'],
  ['8.3.1', 'no :method', [without(':method')], 'rst PROTOCOL_ERROR'],
  ['8.3.1', 'no :scheme', [without(':scheme')], 'rst PROTOCOL_ERROR'],
  ['8.3.1', 'no :path', [without(':path')], 'rst PROTOCOL_ERROR'],
  ['8.3.1', 'neither :authority nor host', [without(':authority')], 'rst PROTOCOL_ERROR'],
  ['8.3.1', 'an empty :path', [instead(':path', '')], 'rst PROTOCOL_ERROR'],
  ['8.3.1', 'a :path without a slash', [instead(':path', 'x')], 'rst PROTOCOL_ERROR'],
  [
    '8.3.1',
    'a :path of absolute form',
    [instead(':path', 'http://b.example/')],
    'rst PROTOCOL_ERROR',
  ],
  ['8.3.1', '* of another method than OPTIONS', [instead(':path', '*')], 'rst PROTOCOL_ERROR'],
  ['8.3.1', 'an empty :method', [instead(':method', '')], 'rst PROTOCOL_ERROR'],
  [
    '8.3.1',
    'user information in :authority',
    [instead(':authority', 'me@a.example')],
    'rst PROTOCOL_ERROR',
  ],
  ['8.3.1', 'an empty :authority', [instead(':authority', '')], 'rst PROTOCOL_ERROR'],
  ['8.3.1', 'a host that differs', [get(['host', 'b.example'])], 'rst PROTOCOL_ERROR'],
  [
    '8.3.1',
    'two hosts',
    [headers(1, [...GET.filter(([name]) => name !== ':authority'), ['host', 'a'], ['host', 'a']])],
    'rst PROTOCOL_ERROR',
  ],
  ['8.3.1', 'an unknown scheme', [instead(':scheme', 'ftp')], 'rst PROTOCOL_ERROR'],
  ['8.5', 'CONNECT', [connectOf([':authority', 'a.example:80'])], 'status other'],
  [
    '8.5',
    'CONNECT with a path',
    [connectOf([':authority', 'a'], [':scheme', 'http'], [':path', '/'])],
    'rst PROTOCOL_ERROR',
  ],
  [
    '8441 4',
    ':protocol without CONNECT',
    [headers(1, [...GET, [':protocol', 'websocket']])],
    'rst PROTOCOL_ERROR',
  ],
  [
    '8441 4',
    'CONNECT of a protocol without a path',
    [connectOf([':authority', 'a'], [':protocol', 'websocket'])],
    'rst PROTOCOL_ERROR',
  ],
  [
    '8441 4',
    'CONNECT of an unknown protocol',
    [headers(1, [[':method', 'CONNECT'], ...GET.slice(1), [':protocol', 'x']])],
    'status other',
  ],
];
