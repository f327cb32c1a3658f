// A bandwidth limit as the kernel's bucket keeps it: a byte costs time, unused time is the burst.

import type { BucketConfig } from './entries.ts';

/** The least burst that is given without being asked for: one GSO super-packet must fit. */
export const DEFAULT_BURST_BYTES = 65_536;
export const DEFAULT_BURST_MS = 100;

const NANOSECONDS = 1_000_000_000;

/** `bitsPerSecond` > 0; `burstBytes` absent: 100 ms of the rate, but at least 64 KiB. */
export function bucketConfig(
  bitsPerSecond: number,
  burstBytes: number | undefined,
  costShift: number,
): BucketConfig {
  const byRate = Math.round((bitsPerSecond / 8) * (DEFAULT_BURST_MS / 1000));
  const burst = burstBytes ?? Math.max(byRate, DEFAULT_BURST_BYTES);
  const byteNs = (8 * NANOSECONDS) / bitsPerSecond;
  const burstNs = Math.floor(burst * byteNs);
  return {
    costPerByte: Math.floor(byteNs * 2 ** costShift),
    burstNs,
    reserveNs: Math.floor(burstNs / 4),
  };
}
