// How many writes a response is: the kernel's part of a request is most of its cost.
import { Duplex } from 'node:stream';
import { expect, it } from 'vitest';
import { ResponseWriter } from '../../../../lb/l7/front-http1/response.ts';
import { createResponseHead, parseResponseHead } from '../../../../lb/l7/http1/response-head.ts';
import type { Framing } from '../../../../lb/l7/http1/types.ts';
import { NO_EDITS } from '../../../../lb/l7/http1/write-head.ts';
import type { ClientSocket } from '../../../../lb/l7/wiring.ts';

/** Writes, each as it would come to the kernel; `isFull`: it takes none for now. */
class Sink {
  readonly writes: string[] = [];
  readonly socket: ClientSocket;
  #pending: (() => void)[] = [];

  constructor(isFull = false) {
    const take = (bytes: Buffer[], done: () => void) => {
      this.writes.push(Buffer.concat(bytes).toString('latin1'));
      if (isFull) this.#pending.push(done);
      else done();
    };
    const stream = new Duplex({
      read() {},
      write: (bytes: Buffer, _, done) => take([bytes], done),
      writev: (parts, done) =>
        take(
          parts.map(({ chunk }) => chunk as Buffer),
          done,
        ),
    });
    this.socket = stream as unknown as ClientSocket; // of which only the stream is used
  }

  drain(): void {
    for (let done = this.#pending.shift(); done !== undefined; done = this.#pending.shift()) done();
  }
}

const head = createResponseHead();

function begin(writer: ResponseWriter, framing: Framing, contentLength = -1): void {
  const bytes = Buffer.from('HTTP/1.1 200 OK\r\n\r\n');
  parseResponseHead(bytes, 0, bytes.length, head, { method: 'GET' });
  const how = { clientMinor: 1, keepAlive: true, upgrade: false, via: 'v', date: 'd' } as const;
  writer.head(head, NO_EDITS, { ...how, framing, contentLength });
}

it('head and small body are one write', () => {
  const { writes, socket } = new Sink();
  const writer = new ResponseWriter(socket);
  begin(writer, 'length', 5);
  writer.body(Buffer.from('hello'));
  writer.end(undefined);
  expect(writes).toHaveLength(1);
  expect(writes[0]).toMatch(/Content-Length: 5\r\n[\s\S]*\r\n\r\nhello$/);
  begin(writer, 'chunked');
  writer.body(Buffer.from('hello'));
  writer.end(Buffer.from('X: y\r\n'));
  expect(writes).toHaveLength(2);
  expect(writes[1]).toMatch(/\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n$/);
});

it('a large piece goes with the head, and is not copied apart', () => {
  const { writes, socket } = new Sink();
  const writer = new ResponseWriter(socket);
  begin(writer, 'chunked');
  writer.body(Buffer.alloc(50_000, 'x'));
  expect(writes).toHaveLength(1);
  expect(writes[0]).toMatch(/\r\n\r\nc350\r\nx+\r\n$/);
  writer.end(undefined);
  expect(writes[1]).toBe('0\r\n\r\n');
});

it('a head alone is written when the turn is over', async () => {
  const { writes, socket } = new Sink();
  const writer = new ResponseWriter(socket);
  begin(writer, 'length', 5);
  expect(writes).toHaveLength(0);
  await Promise.resolve();
  await Promise.resolve();
  expect(writes).toHaveLength(1);
});

it('what one connection waits with is written before another begins', () => {
  const [one, other] = [new Sink(), new Sink()];
  const writers = [new ResponseWriter(one.socket), new ResponseWriter(other.socket)] as const;
  begin(writers[0], 'length', 3);
  writers[0].body(Buffer.from('one'));
  begin(writers[1], 'length', 5);
  writers[1].body(Buffer.from('other'));
  writers[0].end(undefined);
  writers[1].end(undefined);
  expect(one.writes.join('')).toMatch(/\r\n\r\none$/);
  expect(other.writes.join('')).toMatch(/\r\n\r\nother$/);
});

it('what the kernel did not take is not overwritten', () => {
  const full = new Sink(true);
  const writer = new ResponseWriter(full.socket);
  const kept: Buffer[] = [];
  const write = full.socket.write.bind(full.socket) as (bytes: Buffer) => boolean;
  full.socket.write = ((bytes: Buffer) => {
    kept.push(bytes);
    return write(bytes);
  }) as typeof full.socket.write;
  for (const text of ['first', 'second', 'third']) {
    begin(writer, 'length', text.length);
    writer.body(Buffer.from(text));
    writer.end(undefined);
  }
  const other = new Sink();
  const otherWriter = new ResponseWriter(other.socket);
  begin(otherWriter, 'length', 9);
  otherWriter.body(Buffer.from('elsewhere'));
  otherWriter.end(undefined);
  full.drain();
  expect(kept.map((bytes) => bytes.toString('latin1').split('\r\n\r\n')[1])).toEqual([
    'first',
    'second',
    'third',
  ]);
});
