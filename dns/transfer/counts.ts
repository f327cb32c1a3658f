// What became of transfers, NOTIFY and signatures, in both directions: names of counters. Pure.

export const TRANSFER_OUTCOMES = [
  'axfr-out',
  'ixfr-out',
  /** Asked as IXFR, sent whole. */
  'ixfr-out-whole',
  'ixfr-out-current',
  'out-refused',
  'out-failed',
  'notify-heard',
  'notify-refused',
  'update-refused',
  'signed-query',
  'tsig-refused',
  'malformed',
  'axfr-in',
  'ixfr-in',
  'in-failed',
  'notify-sent',
  'notify-acknowledged',
  'notify-failed',
] as const;

export type TransferOutcome = (typeof TRANSFER_OUTCOMES)[number];

/** One object for all who count; since the start. */
export type TransferCounts = Record<TransferOutcome, number>;

export function noTransfers(): TransferCounts {
  const rows = TRANSFER_OUTCOMES.map((each) => [each, 0]);
  return Object.fromEntries(rows) as TransferCounts; // a row each
}
