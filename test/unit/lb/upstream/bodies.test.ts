import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../../../../lab/ready.ts';
import { seededRandom } from '../../../../shared/random.ts';
import {
  type Answer,
  createRig,
  GET,
  HEAD_REQUEST,
  poolOf,
  type ScriptedTarget,
  startTarget,
  Told,
} from './rig.ts';

const BYTES = 5_000_000;
const CONTENT = Buffer.from(seededRandom(1).bytes(BYTES));
const DIGEST = digest([CONTENT]);

function digest(pieces: readonly Buffer[]): string {
  const hash = createHash('sha256');
  for (const piece of pieces) hash.update(piece);
  return hash.digest('hex');
}

function chunks(sizes: () => number): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < BYTES; ) {
    const piece = CONTENT.subarray(at, at + sizes());
    parts.push(Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n'));
    at += piece.length;
  }
  return Buffer.concat([...parts, Buffer.from('0\r\n\r\n')]);
}

let rig: ReturnType<typeof createRig>;
let target: ScriptedTarget;

beforeEach(() => {
  rig = createRig();
});
afterEach(async () => {
  await rig.close();
  await target.close();
});

async function start(answer: Answer): Promise<void> {
  target = await startTarget(answer);
}

describe('a response of 5 MB', () => {
  const random = seededRandom(2);
  const LENGTH = `HTTP/1.1 200 OK\r\nContent-Length: ${BYTES}\r\n\r\n`;
  const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
  const small = chunks(() => 1 + random.integer(100));
  const large = chunks(() => 1 + random.integer(200_000));

  test.each<[string, (socket: Socket) => void]>([
    [
      'by length',
      (socket) => {
        socket.write(LENGTH);
        socket.write(CONTENT);
      },
    ],
    [
      'until the end',
      (socket) => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        socket.end(CONTENT);
      },
    ],
    [
      'in small chunks',
      (socket) => {
        socket.write(CHUNKED);
        socket.write(small);
      },
    ],
    [
      'in large chunks',
      (socket) => {
        socket.write(CHUNKED);
        socket.write(large);
      },
    ],
  ])('%s comes in pieces that stay as they are', async (_what, answer) => {
    await start(answer);
    const pool = poolOf();
    // Two at once: what one reads must not be seen by the other.
    const all = await Promise.all(
      [0, 1].map(async () => {
        const connection = await rig.connect(pool, target.state);
        const told = new Told();
        const pieces: Buffer[] = [];
        told.onPiece = (piece) => pieces.push(piece);
        connection.send(HEAD_REQUEST, GET, told);
        await told.over;
        expect(told.lines.at(-1)).toBe('end');
        return digest(pieces);
      }),
    );
    expect(all).toEqual([DIGEST, DIGEST]);
  });

  test('is paused and goes on', async () => {
    await start((socket) => {
      socket.write(LENGTH);
      socket.write(CONTENT);
    });
    const connection = await rig.connect(poolOf(), target.state);
    const told = new Told();
    const pieces: Buffer[] = [];
    told.onPiece = (piece) => {
      pieces.push(piece);
      connection.pause();
      setImmediate(() => connection.resume());
    };
    connection.send(HEAD_REQUEST, GET, told);
    await told.over;
    expect(digest(pieces)).toBe(DIGEST);
    expect(rig.upstreams.idle).toBe(1);
  });

  test('may be paused at its last byte: the next response comes all the same', async () => {
    await start((socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx'));
    for (let i = 0; i < 3; i++) {
      const connection = await rig.connect(poolOf(), target.state);
      const told = new Told();
      told.onPiece = () => connection.pause();
      connection.send(HEAD_REQUEST, GET, told);
      await told.over;
    }
    expect(target.connections).toBe(1);
    target.sockets[0]?.write('!');
    await until('poison is seen', () => rig.upstreams.idle === 0);
  });
});

describe('a request of 5 MB', () => {
  test.each([
    ['by length', false],
    ['in chunks', true],
  ])('%s is written as fast as the target takes it', async (_what, chunked) => {
    await start(() => {});
    const connection = await rig.connect(poolOf(), target.state);
    const told = new Told();
    connection.send(HEAD_REQUEST, { ...GET, hasBody: true, chunked }, told);
    let at = 0;
    let waits = 0;
    const more = () => {
      while (at < BYTES) {
        const piece = CONTENT.subarray(at, at + 50_000);
        at += piece.length;
        if (!connection.writeBody(piece)) {
          waits++;
          return;
        }
      }
      connection.endBody(undefined);
    };
    told.onDrain = more;
    more();
    const size = chunked ? BYTES + 100 * 'c350\r\n\r\n'.length + 5 : BYTES;
    const came = () => target.received.length - HEAD_REQUEST.length;
    await until('all of it came', () => came() >= size);
    expect(came()).toBe(size);
    expect(waits).toBeGreaterThan(0);
    connection.abort();
  });

  test('stops at a refusal, and who waits is told to go on', async () => {
    await start((socket) => {
      socket.pause();
      setImmediate(() => socket.write('HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n'));
    });
    const connection = await rig.connect(poolOf(), target.state);
    const told = new Told();
    connection.send(HEAD_REQUEST, { ...GET, hasBody: true }, told);
    // More than the kernel takes.
    expect(connection.writeBody(Buffer.alloc(30_000_000))).toBe(false);
    await told.over;
    expect(told.lines).toEqual(['head 413', 'drain', 'end']);
    expect(connection.writeBody(Buffer.alloc(1_000_000))).toBe(true);
    await until('it is closed', () => rig.upstreams.open === 0);
  });
});
