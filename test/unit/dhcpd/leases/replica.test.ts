import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeRecord, packKey } from '../../../../dhcpd/leases/record.ts';
import { eachLogged, Replica } from '../../../../dhcpd/leases/replica.ts';
import { at, clientOf } from '../../../support/dhcp/book-rig.ts';

function record(client: number | undefined, version: number, state = 1): Uint8Array {
  if (client === undefined) return encodeRecord({ version });
  const packedKey = packKey(clientOf(client).key);
  return encodeRecord({ state, version, packedKey, holdUntil: 9000 });
}

describe('a replica', () => {
  test('takes what is as new or newer, and leaves what is older', () => {
    const replica = new Replica(1);
    const address = at('10.0.0.7');
    expect(replica.put(address, record(1, 5), 0)).toBe(true);
    expect(replica.put(address, record(2, 4), 0)).toBe(false);
    expect(replica.put(address, record(1, 5), 0)).toBe(false);
    expect(replica.put(address, record(2, 5), 0)).toBe(true);
    expect(replica.ofClient(clientOf(1).key)).toEqual([]);
    expect(replica.ofClient(clientOf(2).key)).toEqual([address]);
    expect(replica.put(address, record(3, 1), 0, true)).toBe(true);
    expect(replica.ofClient(clientOf(3).key)).toEqual([address]);
  });

  test('finds the addresses of each client, whatever came and went (property)', () => {
    const change = fc.record({
      octet: fc.integer({ min: 0, max: 2000 }),
      client: fc.option(fc.integer({ min: 0, max: 40 }), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 600 }), fc.integer(), (changes, seed) => {
        const replica = new Replica(seed);
        const model = new Map<number, number>();
        for (const [i, { octet, client }] of changes.entries()) {
          const address = at('10.0.0.0') + octet;
          replica.put(address, record(client, i + 1), 0);
          if (client === undefined) model.delete(address);
          else model.set(address, client);
        }
        expect(replica.records).toBe(model.size);
        for (let client = 0; client <= 40; client++) {
          const found = replica.ofClient(clientOf(client).key).sort((a, b) => a - b);
          const wanted = [...model].filter(([, each]) => each === client).map(([each]) => each);
          expect(found).toEqual(wanted.sort((a, b) => a - b));
        }
      }),
      { numRuns: 30 },
    );
  });

  test('a block that is read by force forgets what is not in it', () => {
    const replica = new Replica(1);
    const address = at('10.0.0.7');
    replica.put(address, record(1, 5), 0);
    replica.putBlock(address >>> 8, new Uint8Array(0));
    expect(replica.get(address)).toBeDefined();
    replica.putBlock(address >>> 8, new Uint8Array(0), true);
    expect(replica.get(address)).toBeUndefined();
    expect(replica.records).toBe(0);
  });

  test('reads the records of a log entry, and not a piece of one', () => {
    const bytes = Buffer.concat([
      Uint8Array.of(10, 0, 0, 7),
      record(1, 5),
      Uint8Array.of(10, 0, 0, 8),
      record(2, 6),
      Uint8Array.of(10, 0, 0),
    ]);
    const seen: number[] = [];
    eachLogged(bytes, (address) => seen.push(address));
    expect(seen).toEqual([at('10.0.0.7'), at('10.0.0.8')]);
  });

  test('takes less than 120 bytes a lease, full blocks given', () => {
    const replica = new Replica(1);
    const leases = 100_000;
    for (let i = 0; i < leases; i++) replica.put(at('10.0.0.0') + i, record(i, 1), 0);
    expect(replica.bytes / leases).toBeLessThan(120);
  });
});
