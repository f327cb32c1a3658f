// What natter's /stats says of EIPs, as samples of counters. Pure.
import type { Sample } from '../series/prometheus.ts';
import { fields, name, number, rows } from './shapes.ts';

/** Rates of EIPs go the way of all counters: under this name, by address and direction. */
export const EIP_SAMPLE = 'eip';

/** Of natter's /stats. */
export function eipSamples(page: unknown): Sample[] {
  return rows(fields(page).eips).flatMap((row) => {
    const address = name(row.address);
    return (['inBytes', 'outBytes', 'inPackets', 'outPackets'] as const).map((what) => ({
      name: EIP_SAMPLE,
      labels: { address, what },
      value: number(row[what]) ?? 0,
      key: `${address} ${what}`,
    }));
  });
}
