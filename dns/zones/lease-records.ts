// Names of leases as records of zones. Pure.
import { parseIpv4 } from '../../shared/net/ipv4.ts';
import { zoneOf } from '../../shared/site/dns-name.ts';
import type { PlainRecord } from '../../shared/site/dns-objects.ts';

/** `until`: s since the epoch, 4294967295 for ever; past it the name is gone. */
export type LeaseName = { label: string; address: string; until: number };

/** At most: a lease may be another client's soon after it ends. */
const TTL_SECONDS = 60;

/** By zone, of those that are ours; PTR where a reverse zone is. */
export function leaseRecords(
  known: ReadonlyMap<string, { names: readonly LeaseName[] }>,
  zones: ReadonlySet<string>,
  nowSeconds: number,
): Map<string, PlainRecord[]> {
  const records = new Map<string, PlainRecord[]>();
  const add = (zone: string, name: string, type: string, data: string) => {
    const own = records.get(zone) ?? [];
    own.push({ name, type, ttlSeconds: TTL_SECONDS, data: [data] });
    records.set(zone, own);
  };
  const reversed = new Set<string>();
  for (const [zone, { names }] of known) {
    for (const { label, address, until } of names) {
      const reverse = reverseName(address);
      if (until < nowSeconds || reverse === undefined) continue;
      add(zone, `${label}.${zone}`, 'A', address);
      const home = zoneOf(reverse, zones);
      if (home === undefined || reversed.has(reverse)) continue;
      reversed.add(reverse);
      add(home, reverse, 'PTR', `${label}.${zone}.`);
    }
  }
  return records;
}

/** RFC 1035 §3.5. */
export function reverseName(address: string): string | undefined {
  if (parseIpv4(address) === undefined) return undefined;
  return `${address.split('.').reverse().join('.')}.in-addr.arpa`;
}
