// Frames in, and what a client must see of them: connections and streams (RFC 9113, 3 to 6).
import {
  ACK,
  block,
  END_HEADERS,
  END_STREAM,
  frame,
  GET,
  headers,
  PADDED,
  type Pair,
  POST,
  settings,
  TYPE,
  word,
} from './frames.ts';

const { DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY } = TYPE;
const { WINDOW_UPDATE, CONTINUATION } = TYPE;
const GET_1 = headers(1, GET);
const OPEN_1 = headers(1, POST, END_HEADERS);
const EIGHT = Buffer.alloc(8);
const FIVE = Buffer.from([0, 0, 0, 0, 15]);
const HUGE = Buffer.alloc(16_385);
const raw = (...bytes: number[]) => Buffer.from(bytes);
const post = (length: string, ...more: Pair[]) =>
  headers(1, [...POST, ['content-length', length], ...more], END_HEADERS);
const data = (text: string, flags = END_STREAM) => frame(DATA, flags, 1, text);

/** Section, what, frames, what is seen: see the test. */
export type Row = [section: string, what: string, frames: Buffer[], expected: string];

export const FRAME_ROWS: readonly Row[] = [
  ['3.4', 'SETTINGS of our own are acknowledged later', [], 'alive'],
  ['4.1', 'an unknown type', [frame(0x16, 0xff, 0, 'what')], 'alive'],
  ['4.1', 'an unknown type on a stream', [OPEN_1, frame(0x16, 0, 1, 'what')], 'alive'],
  ['4.1', 'unknown flags', [frame(PING, 0xfe & ~ACK, 0, EIGHT)], 'alive'],
  ['4.1', 'the reserved bit', [frame(PING, 0, 0x80000000, EIGHT)], 'alive'],
  ['4.2', 'DATA that is too long', [OPEN_1, frame(DATA, 0, 1, HUGE)], 'goaway FRAME_SIZE_ERROR'],
  ['4.2', 'HEADERS that are too long', [frame(HEADERS, 5, 1, HUGE)], 'goaway FRAME_SIZE_ERROR'],
  ['4.2', 'an unknown type that is too long', [frame(0x16, 0, 0, HUGE)], 'goaway FRAME_SIZE_ERROR'],
  [
    '4.3',
    'another frame inside of a block',
    [frame(HEADERS, 1, 1, block(GET)), frame(PING, 0, 0, EIGHT)],
    'goaway PROTOCOL_ERROR',
  ],
  [
    '4.3',
    'a block of another stream inside of it',
    [frame(HEADERS, 1, 1, block(GET)), headers(3, GET)],
    'goaway PROTOCOL_ERROR',
  ],
  ['5.1', 'DATA on an idle stream', [frame(DATA, 0, 1, 'x')], 'goaway PROTOCOL_ERROR'],
  [
    '5.1',
    'RST_STREAM on an idle stream',
    [frame(RST_STREAM, 0, 1, word(8))],
    'goaway PROTOCOL_ERROR',
  ],
  [
    '5.1',
    'WINDOW_UPDATE on an idle stream',
    [frame(WINDOW_UPDATE, 0, 1, word(1))],
    'goaway PROTOCOL_ERROR',
  ],
  [
    '5.1',
    'CONTINUATION on an idle stream',
    [frame(CONTINUATION, 4, 1, block(GET))],
    'goaway PROTOCOL_ERROR',
  ],
  ['5.1', 'PRIORITY on an idle stream', [frame(PRIORITY, 0, 3, FIVE)], 'alive'],
  ['5.1', 'DATA behind END_STREAM', [post('0'), data(''), data('x')], 'STREAM_CLOSED'],
  [
    '5.1',
    'HEADERS behind END_STREAM',
    [post('0'), data(''), headers(1, [['x', 'y']])],
    'STREAM_CLOSED',
  ],
  [
    '5.1',
    'DATA behind our RST_STREAM',
    [OPEN_1, frame(WINDOW_UPDATE, 0, 1, word(0)), data('x')],
    'PROTOCOL_ERROR',
  ],
  [
    '5.1',
    'HEADERS behind the client’s RST_STREAM',
    [OPEN_1, frame(RST_STREAM, 0, 1, word(8)), headers(1, GET)],
    'alive',
  ],
  [
    '5.1',
    'WINDOW_UPDATE behind END_STREAM',
    [post('0'), data(''), frame(WINDOW_UPDATE, 0, 1, word(1))],
    'alive',
  ],
  ['5.1.1', 'a stream of even number', [headers(2, GET)], 'goaway PROTOCOL_ERROR'],
  ['5.1.1', 'a stream below the last', [headers(5, GET), headers(3, GET)], 'alive'],
  [
    '5.3',
    'a stream that depends on itself',
    [frame(PRIORITY, 0, 1, Buffer.concat([word(1), raw(1)]))],
    'alive',
  ],
  ['6.1', 'DATA on stream 0', [frame(DATA, 0, 0, 'x')], 'goaway PROTOCOL_ERROR'],
  [
    '6.1',
    'DATA with more padding than payload',
    [OPEN_1, frame(DATA, PADDED, 1, raw(5, 1, 2))],
    'goaway PROTOCOL_ERROR',
  ],
  [
    '6.1',
    'padded DATA without a length',
    [OPEN_1, frame(DATA, PADDED, 1)],
    'goaway PROTOCOL_ERROR',
  ],
  ['6.2', 'HEADERS on stream 0', [headers(0, GET)], 'goaway PROTOCOL_ERROR'],
  [
    '6.2',
    'HEADERS with more padding than payload',
    [frame(HEADERS, 5 | PADDED, 1, raw(99, 0))],
    'goaway PROTOCOL_ERROR',
  ],
  [
    '6.2',
    'HEADERS with padding',
    [frame(HEADERS, 5 | PADDED, 1, Buffer.concat([raw(2), block(GET), raw(0, 0)]))],
    'status 200',
  ],
  [
    '6.2',
    'HEADERS with a priority',
    [frame(HEADERS, 5 | 0x20, 1, Buffer.concat([FIVE, block(GET)]))],
    'status 200',
  ],
  ['6.3', 'PRIORITY on stream 0', [frame(PRIORITY, 0, 0, FIVE)], 'alive'],
  [
    '6.3',
    'PRIORITY of a wrong length',
    [OPEN_1, frame(PRIORITY, 0, 1, word(1))],
    'FRAME_SIZE_ERROR',
  ],
  ['6.4', 'RST_STREAM on stream 0', [frame(RST_STREAM, 0, 0, word(8))], 'goaway PROTOCOL_ERROR'],
  [
    '6.4',
    'RST_STREAM of a wrong length',
    [OPEN_1, frame(RST_STREAM, 0, 1, raw(0, 0, 8))],
    'goaway FRAME_SIZE_ERROR',
  ],
  ['6.4', 'RST_STREAM of an unknown code', [OPEN_1, frame(RST_STREAM, 0, 1, word(0x99))], 'alive'],
  [
    '6.5',
    'an acknowledgment with a payload',
    [frame(SETTINGS, ACK, 0, settings([3, 1]))],
    'goaway FRAME_SIZE_ERROR',
  ],
  [
    '6.5',
    'an acknowledgment of nothing',
    [frame(SETTINGS, ACK, 0), frame(SETTINGS, ACK, 0), frame(SETTINGS, ACK, 0)],
    'goaway PROTOCOL_ERROR',
  ],
  ['6.5', 'SETTINGS on a stream', [frame(SETTINGS, 0, 1)], 'goaway PROTOCOL_ERROR'],
  [
    '6.5',
    'SETTINGS of a wrong length',
    [frame(SETTINGS, 0, 0, raw(0, 3, 0))],
    'goaway FRAME_SIZE_ERROR',
  ],
  ['6.5.2', 'ENABLE_PUSH of 2', [frame(SETTINGS, 0, 0, settings([2, 2]))], 'goaway PROTOCOL_ERROR'],
  [
    '6.5.2',
    'a window of 2^31',
    [frame(SETTINGS, 0, 0, settings([4, 0x80000000]))],
    'goaway FLOW_CONTROL_ERROR',
  ],
  [
    '6.5.2',
    'frames of at most 16383',
    [frame(SETTINGS, 0, 0, settings([5, 16_383]))],
    'goaway PROTOCOL_ERROR',
  ],
  [
    '6.5.2',
    'frames of at most 2^24',
    [frame(SETTINGS, 0, 0, settings([5, 2 ** 24]))],
    'goaway PROTOCOL_ERROR',
  ],
  ['6.5.2', 'an unknown setting', [frame(SETTINGS, 0, 0, settings([0x99, 1]))], 'alive'],
  ['6.5.2', 'a table of no size', [frame(SETTINGS, 0, 0, settings([1, 0]))], 'alive'],
  ['6.5.2', 'a setting twice', [frame(SETTINGS, 0, 0, settings([4, 1], [4, 65_535]))], 'alive'],
  ['6.5.3', 'SETTINGS are acknowledged', [frame(SETTINGS, 0, 0, settings([3, 7]))], 'alive'],
  [
    '6.6',
    'PUSH_PROMISE',
    [OPEN_1, frame(PUSH_PROMISE, 4, 1, Buffer.concat([word(2), block(GET)]))],
    'goaway PROTOCOL_ERROR',
  ],
  ['6.7', 'PING on a stream', [frame(PING, 0, 1, EIGHT)], 'goaway PROTOCOL_ERROR'],
  ['6.7', 'PING of a wrong length', [frame(PING, 0, 0, word(1))], 'goaway FRAME_SIZE_ERROR'],
  ['6.8', 'GOAWAY on a stream', [frame(GOAWAY, 0, 1, EIGHT)], 'goaway PROTOCOL_ERROR'],
  ['6.8', 'GOAWAY that is too short', [frame(GOAWAY, 0, 0, word(1))], 'goaway FRAME_SIZE_ERROR'],
  [
    '6.8',
    'GOAWAY of an unknown code',
    [OPEN_1, frame(GOAWAY, 0, 0, Buffer.concat([word(0), word(0x99)]))],
    'goaway NO_ERROR',
  ],
  ['6.9', 'WINDOW_UPDATE of 0', [frame(WINDOW_UPDATE, 0, 0, word(0))], 'goaway PROTOCOL_ERROR'],
  [
    '6.9',
    'WINDOW_UPDATE of 0 on a stream',
    [OPEN_1, frame(WINDOW_UPDATE, 0, 1, word(0))],
    'PROTOCOL_ERROR',
  ],
  [
    '6.9',
    'WINDOW_UPDATE of a wrong length',
    [frame(WINDOW_UPDATE, 0, 0, raw(0, 0, 1))],
    'goaway FRAME_SIZE_ERROR',
  ],
  [
    '6.9.1',
    'a window above 2^31 - 1',
    [frame(WINDOW_UPDATE, 0, 0, word(0x7fffffff))],
    'goaway FLOW_CONTROL_ERROR',
  ],
  [
    '6.9.1',
    'a stream’s window above 2^31 - 1',
    [OPEN_1, frame(WINDOW_UPDATE, 0, 1, word(0x7fffffff))],
    'FLOW_CONTROL_ERROR',
  ],
  [
    '6.9.2',
    'a window that SETTINGS make too large',
    [
      OPEN_1,
      frame(WINDOW_UPDATE, 0, 1, word(0x7fff0000 - 65_535)),
      frame(SETTINGS, 0, 0, settings([4, 0x7fffffff])),
    ],
    'FLOW_CONTROL_ERROR',
  ],
  [
    '6.10',
    'a head in three frames',
    [
      frame(HEADERS, 1, 1, block(GET.slice(0, 2))),
      frame(CONTINUATION, 0, 1, block(GET.slice(2, 3))),
      frame(CONTINUATION, 4, 1, block(GET.slice(3))),
    ],
    'status 200',
  ],
  [
    '6.10',
    'CONTINUATION behind END_HEADERS',
    [GET_1, frame(CONTINUATION, 4, 1, block([['a', 'b']]))],
    'goaway PROTOCOL_ERROR',
  ],
  [
    '6.10',
    'CONTINUATION of another stream',
    [frame(HEADERS, 1, 1, block(GET)), frame(CONTINUATION, 4, 3)],
    'goaway PROTOCOL_ERROR',
  ],
  [
    '6.10',
    'CONTINUATION on stream 0',
    [frame(HEADERS, 1, 1, block(GET)), frame(CONTINUATION, 4, 0)],
    'goaway PROTOCOL_ERROR',
  ],
  [
    '6.10',
    'CONTINUATION behind DATA',
    [OPEN_1, data('x', 0), frame(CONTINUATION, 4, 1)],
    'goaway PROTOCOL_ERROR',
  ],
];
