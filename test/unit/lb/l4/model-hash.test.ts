// The hash of a flow (docs/balancing.md K2): published values of MurmurHash3, and that it spreads.
import { describe, expect, it } from 'vitest';
import {
  hashAddresses,
  hashFlow,
  hashSource,
  hashWords,
  maglevSlot,
} from '../../../../lb/l4/model/hash.ts';

describe('the hash', () => {
  it.each([
    [[], 0, 0],
    [[], 1, 0x514e28b7],
    [[], 0xffffffff, 0x81f16f39],
    [[0xffffffff], 0, 0x76293b50],
    [[0x87654321], 0, 0xf55b516b],
    [[0x87654321], 0x5082edee, 0x2362f9de],
    [[0], 0, 0x2362f9de],
  ])('of %j with seed %i is MurmurHash3', (words, seed, wanted) => {
    expect(hashWords(words, seed)).toBe(wanted);
  });

  it('is what it was: instances of any version must agree', () => {
    const key = {
      source: 0xcb007105,
      destination: 0xc6336407,
      sourcePort: 49152,
      destinationPort: 443,
      protocol: 6,
    };
    expect([
      hashFlow(key),
      hashSource(key.source),
      hashAddresses(key.source, key.destination),
    ]).toEqual([2783643804, 695690739, 4225298107]);
  });

  it('spreads flows that differ in one bit or one port over the slots', () => {
    const slots = new Set<number>();
    for (let port = 0; port < 4096; port += 1) {
      slots.add(
        maglevSlot(
          hashFlow({
            source: 0x0a000001,
            destination: 0xc6336407,
            sourcePort: port,
            destinationPort: 80,
            protocol: 6,
          }),
        ),
      );
    }
    expect(slots.size).toBeGreaterThan(3900); // 4096 balls into 65537 boxes: 3971 expected
  });
});
