import { expect, test } from 'vitest';
import { slotOf } from '../../../../shared/store/slot.ts';

// From the specification of Redis Cluster, and asked of a server by CLUSTER KEYSLOT.
test.each([
  { key: '123456789', slot: 0x31c3 },
  { key: '{123456789}:r', slot: 0x31c3 },
  { key: 'foo{}{bar}', slot: 8363 },
  { key: '', slot: 0 },
])('the slot of $key', ({ key, slot }) => {
  expect(slotOf(key)).toBe(slot);
});
