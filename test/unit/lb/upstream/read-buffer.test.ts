// Buffers of large reads come again only when nobody holds them.
import { expect, it } from 'vitest';
import { giveBack } from '../../../../lb/l7/http1/large-buffers.ts';
import { ReadBuffer } from '../../../../lb/l7/upstream/read-buffer.ts';

const LARGE = 20_000;

/** A reader with a buffer of its own. */
function reader(): { of: ReadBuffer; own: Buffer } {
  const of = new ReadBuffer();
  const first = of.next() as Buffer; // the shared one
  giveBack(of.giveAway(first, 0, LARGE) as Buffer); // large: so the next is its own
  return { of, own: of.next() as Buffer };
}

it('is not reused while its reader or a piece of it is there', () => {
  const { of, own } = reader();
  const pieces = [of.giveAway(own, 0, LARGE), of.giveAway(own, LARGE, 2 * LARGE)] as Buffer[];
  giveBack(pieces[0] as Buffer);
  const next = of.next() as Buffer;
  expect(next.buffer).not.toBe(own.buffer);
  expect(reader().own.buffer).not.toBe(own.buffer);
  giveBack(pieces[1] as Buffer);
  const later = [reader(), reader(), reader()].map((each) => each.own.buffer);
  expect(later).toContain(own.buffer);
});

it('is not reused while its reader goes on in it', () => {
  const { of, own } = reader();
  giveBack(of.giveAway(own, 0, LARGE) as Buffer);
  expect(reader().own.buffer).not.toBe(own.buffer);
});

it('gives a piece of the shared buffer as a copy', () => {
  const of = new ReadBuffer();
  const shared = of.next() as Buffer;
  shared.fill(1, 0, LARGE);
  const piece = of.giveAway(shared, 0, LARGE) as Buffer;
  shared.fill(2, 0, LARGE);
  expect(piece.equals(Buffer.alloc(LARGE, 1))).toBe(true);
  giveBack(piece);
});

it('leaves other buffers alone, and small pieces to be copied', () => {
  const of = new ReadBuffer();
  giveBack(Buffer.alloc(LARGE));
  expect(of.giveAway(of.next() as Buffer, 0, 100)).toBeUndefined();
});
