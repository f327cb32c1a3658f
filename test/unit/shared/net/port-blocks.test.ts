import fc from 'fast-check';
import { expect, test } from 'vitest';
import { portBlocks } from '../../../../shared/net/port-blocks.ts';

test.each([
  [443, 443, [{ port: 443, bits: 16 }]],
  [0, 65535, [{ port: 0, bits: 0 }]],
  [8000, 8003, [{ port: 8000, bits: 14 }]],
  [
    1,
    4,
    [
      { port: 1, bits: 16 },
      { port: 2, bits: 15 },
      { port: 4, bits: 16 },
    ],
  ],
  [65535, 65535, [{ port: 65535, bits: 16 }]],
])('%i to %i', (first, last, blocks) => {
  expect(portBlocks(first, last)).toEqual(blocks);
});

test('blocks cover the range, once each port, and are as few as can be', () => {
  const port = fc.integer({ min: 0, max: 65535 });
  fc.assert(
    fc.property(port, port, (a, b) => {
      const [first, last] = [Math.min(a, b), Math.max(a, b)];
      const blocks = portBlocks(first, last);
      let next = first;
      let previous: { port: number; bits: number } | undefined;
      for (const block of blocks) {
        const size = 2 ** (16 - block.bits);
        expect(block.port).toBe(next);
        expect(block.port % size).toBe(0);
        // Two neighbours that together were one aligned block would have been one.
        const mergeable = previous?.bits === block.bits && previous.port % (2 * size) === 0;
        expect(mergeable).toBe(false);
        next += size;
        previous = block;
      }
      expect(next).toBe(last + 1);
      expect(blocks.length).toBeLessThanOrEqual(30);
    }),
  );
});

test('no range', () => {
  expect(() => portBlocks(5, 4)).toThrow('no port range');
});
