// Rates of all members, added up by what their labels say. Pure.
import type { SiteReading } from '../collect/types.ts';

/** Sum a second over all members; null: no member that counts it was read twice yet. */
export function rateOf(
  site: SiteReading,
  metric: string,
  isMeant: (labels: Readonly<Record<string, string>>) => boolean = () => true,
): number | null {
  const sums = ratesBy(site, metric, (labels) => (isMeant(labels) ? 'all' : undefined));
  return sums.get('all') ?? (isRated(site, metric.split('_')[1] ?? '') ? 0 : null);
}

/** Whether rates of a service are known: what it has not counted yet is 0 then. */
export function isRated({ readings }: SiteReading, service: string): boolean {
  return readings.some(
    (each) =>
      each.service === service && each.rated.some(({ perSecond }) => perSecond !== undefined),
  );
}

/** By what `keyOf` makes of the labels; undefined: not counted. */
export function ratesBy(
  { readings }: Pick<SiteReading, 'readings'>,
  metric: string,
  keyOf: (labels: Readonly<Record<string, string>>) => string | undefined,
): Map<string, number> {
  return sumsBy({ readings }, metric, keyOf, ({ perSecond }) => perSecond);
}

/** The values themselves, of counters or gauges. */
export function valuesBy(
  { readings }: Pick<SiteReading, 'readings'>,
  metric: string,
  keyOf: (labels: Readonly<Record<string, string>>) => string | undefined,
): Map<string, number> {
  return sumsBy({ readings }, metric, keyOf, ({ value }) => value);
}

function sumsBy(
  { readings }: Pick<SiteReading, 'readings'>,
  metric: string,
  keyOf: (labels: Readonly<Record<string, string>>) => string | undefined,
  pick: (rated: SiteReading['readings'][number]['rated'][number]) => number | undefined,
): Map<string, number> {
  const sums = new Map<string, number>();
  for (const { rated } of readings) {
    for (const one of rated) {
      if (one.name !== metric) continue;
      const [key, value] = [keyOf(one.labels), pick(one)];
      if (key === undefined || value === undefined) continue;
      sums.set(key, (sums.get(key) ?? 0) + value);
    }
  }
  return sums;
}

/** The page of each member that has it. */
export function pagesOf(
  { readings }: Pick<SiteReading, 'readings'>,
  service: string,
  page: string,
): { node: string; page: unknown }[] {
  return readings
    .filter((each) => each.service === service && each.pages.has(page))
    .map(({ node, pages }) => ({ node, page: pages.get(page) }));
}
