import { expect, test } from 'vitest';
import { HeldBody, MAX_HELD_BYTES } from '../../../../lb/l7/forward/held-body.ts';

const bytesOf = (body: HeldBody) => Buffer.concat([...body.pieces]).toString('latin1');

test('pieces of any size stay in order', () => {
  const body = new HeldBody();
  const sizes = [1, 1, 5000, 1, 1023, 1024, 1, 4000, 4096, 1, 1, 1000, 1000, 1000, 1000, 1000];
  let text = '';
  for (const [at, size] of sizes.entries()) {
    const piece = String.fromCharCode(65 + at).repeat(size);
    text += piece;
    body.hold(Buffer.from(piece));
  }
  expect(bytesOf(body)).toBe(text);
  expect(body.bytes).toBe(text.length);
});

test('what is held of single bytes is about as much as they are', () => {
  const body = new HeldBody();
  const bytes = Buffer.alloc(MAX_HELD_BYTES, 'x');
  for (let at = 0; at < bytes.length; at++) body.hold(bytes.subarray(at, at + 1));
  expect(body.pieces.length).toBeLessThanOrEqual(MAX_HELD_BYTES / 4096 + 1);
  expect(bytesOf(body)).toBe(bytes.toString('latin1'));
});

test('a piece that was looked at stays as it was', () => {
  const body = new HeldBody();
  for (const text of ['a', 'b', 'c']) body.hold(Buffer.from(text));
  const [before] = body.pieces;
  body.hold(Buffer.from('d'));
  expect(`${before}`).toBe('abc');
});
