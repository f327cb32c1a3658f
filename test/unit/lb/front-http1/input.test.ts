import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Input } from '../../../../lb/l7/front-http1/input.ts';

it('gives what came, in order, whatever was used meanwhile', () => {
  const step = fc.record({ piece: fc.uint8Array({ maxLength: 3000 }), use: fc.nat(4000) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const input = new Input();
      const views: [Buffer, string][] = [];
      let expected = Buffer.alloc(0);
      for (const { piece, use } of steps) {
        input.append(Buffer.from(piece));
        expected = Buffer.concat([expected, piece]);
        expect(input.length).toBe(expected.length);
        expect(input.bytes.subarray(input.at).equals(expected)).toBe(true);
        // Heads and pieces are views: they must stay as they are.
        views.push([input.bytes, input.bytes.toString('latin1')]);
        const used = Math.min(use, expected.length);
        input.at += used;
        expected = expected.subarray(used);
      }
      for (const [view, text] of views) expect(view.toString('latin1')).toBe(text);
    }),
  );
});

it('many small pieces are copied about once each', () => {
  const input = new Input();
  for (let count = 0; count < 60_000; count++) input.append(Buffer.from('x'));
  expect(input.length).toBe(60_000);
  expect(input.bytes.buffer.byteLength).toBeLessThan(200_000);
});
