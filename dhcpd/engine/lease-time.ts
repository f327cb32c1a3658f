// How long a lease is: what the client asks for within what the plan allows (RFC 2131 §4.3.1), less
// as the pools run out, and when to renew (§4.4.5). Pure.
import type { LeaseCounts } from '../leases/types.ts';
import type { LeaseTimes, Settings } from '../plan/types.ts';
import { INFINITE_SECONDS, type Request } from '../wire/types.ts';
import { OPTION } from './query.ts';

/** Below this share of free addresses leases get shorter. */
const SCARCE_SHARE = 0.1;
/** What the plan alone may promise: soon after the store is back there is a record. */
const MAX_PLAN_SECONDS = 3600;

export function leaseTimes(levels: readonly Settings[], fallback: LeaseTimes): LeaseTimes {
  return levels.find(({ lease }) => lease !== undefined)?.lease ?? fallback;
}

/** `counts` of the pools that the address is from; absent: it is not from any. */
export function leaseSeconds(times: LeaseTimes, request: Request, counts?: LeaseCounts): number {
  const asked = askedSeconds(request) ?? times.default;
  const allowed = Math.min(Math.max(asked, times.min), times.max);
  return counts === undefined ? allowed : scarce(allowed, times.min, counts);
}

/** From `seconds` at a tenth of the addresses free down to `least` at none. */
export function scarce(seconds: number, least: number, counts: LeaseCounts): number {
  if (counts.total === 0 || seconds <= least) return seconds;
  const share = counts.free / counts.total;
  if (share >= SCARCE_SHARE) return seconds;
  return Math.floor(least + (seconds - least) * (Math.max(0, share) / SCARCE_SHARE));
}

export function planSeconds(times: LeaseTimes): number {
  return Math.min(times.min, MAX_PLAN_SECONDS);
}

/** T1 and T2; undefined when there is no end, or no room for them. */
export function renewalTimes(seconds: number): { t1: number; t2: number } | undefined {
  if (seconds === INFINITE_SECONDS) return undefined;
  const t1 = Math.floor(seconds * 0.5);
  const t2 = Math.floor(seconds * 0.875);
  return t1 > 0 && t1 < t2 && t2 < seconds ? { t1, t2 } : undefined;
}

function askedSeconds({ options }: Request): number | undefined {
  const bytes = options.get(OPTION.leaseTime);
  if (bytes?.length !== 4) return undefined;
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
}
