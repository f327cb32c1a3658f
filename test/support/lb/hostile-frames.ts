// HTTP/2 as it is misused (RFC 9113, 10.5): frames by the thousand, each of which is cheap to say.
import {
  END_HEADERS,
  END_STREAM,
  frame,
  GET,
  headers,
  type Pair,
  POST,
  settings,
  TYPE,
  word,
} from '../../unit/lb/front-http2/frames.ts';

export const many = (count: number, of: (at: number) => Buffer) =>
  Buffer.concat(Array.from({ length: count }, (_, at) => of(at)));
export const idOf = (at: number) => 2 * at + 1;
export const to = (path: string): Pair[] =>
  GET.map(([name, value]) => [name, name === ':path' ? path : value]);
const BIG = 'x'.repeat(4000);

export const FLOODS: readonly (readonly [string, () => Buffer])[] = [
  [
    'rapid reset',
    () =>
      many(20_000, (at) =>
        Buffer.concat([
          headers(idOf(at), to('/silent')),
          frame(TYPE.RST_STREAM, 0, idOf(at), word(8)),
        ]),
      ),
  ],
  ['PING', () => many(100_000, () => frame(TYPE.PING, 0, 0, Buffer.alloc(8)))],
  ['SETTINGS', () => many(100_000, () => frame(TYPE.SETTINGS, 0, 0, settings([4, 1])))],
  ['WINDOW_UPDATE', () => many(200_000, () => frame(TYPE.WINDOW_UPDATE, 0, 0, word(1)))],
  [
    'PRIORITY',
    () => many(200_000, (at) => frame(TYPE.PRIORITY, 0, idOf(at), Buffer.from([0, 0, 0, 0, 1]))),
  ],
  [
    'CONTINUATION',
    () =>
      Buffer.concat([
        headers(1, GET, END_STREAM),
        many(10_000, () => frame(TYPE.CONTINUATION, 0, 1, Buffer.from([0, 1, 97, 1, 98]))),
      ]),
  ],
  [
    'header bombs',
    () =>
      many(100, (at) =>
        headers(idOf(at), [...GET, ...Array.from({ length: 3 }, (): Pair => ['x', BIG])]),
      ),
  ],
  [
    'a table of 4 GB',
    () =>
      Buffer.concat([
        frame(TYPE.SETTINGS, 0, 0, settings([1, 0xffff_ffff], [4, 0x7fff_ffff])),
        many(100, (at) => headers(idOf(at), to('/echo'))),
      ]),
  ],
  [
    'empty DATA',
    () =>
      Buffer.concat([headers(1, POST, END_HEADERS), many(100_000, () => frame(TYPE.DATA, 0, 1))]),
  ],
];
