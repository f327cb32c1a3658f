// Maglev hashing for L7: the same table as the kernel's (lb/l4/maglev.ts), so that targets have
// their exact shares, and a walk for those that do not serve now. Pure.
import { mix } from '../../../shared/health/fingerprint.ts';
import { MAGLEV_SLOTS, maglevTable } from '../../l4/maglev.ts';
import type { Member } from '../member.ts';
import type { OwnerTable } from './table-walk.ts';

const STEP_SEED = 0x3c6ef372;

export function maglevOf(tier: readonly Member[]): OwnerTable {
  const owners = Uint16Array.from(maglevTable(tier));
  return {
    owners,
    startOf: (hash) => mix(hash) % MAGLEV_SLOTS,
    // Slots that lie side by side are not alike: owners come in steps of their own.
    stepOf: (hash) => 1 + (mix(hash ^ STEP_SEED) % (MAGLEV_SLOTS - 1)),
  };
}
