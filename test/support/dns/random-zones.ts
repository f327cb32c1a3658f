// Random small zones, nested and neighbours, with wildcards, empty non-terminals, cuts, CNAMEs and
// DNAMEs, some of them below others; and names near those that they have.
import fc from 'fast-check';
import type { PlainRecord, PlainZone } from './reference.ts';

const labels = fc.constantFrom('a', 'b', 'c', '*');
const ORIGINS = ['example.', 'b.example.', 'other.'] as const;
const labelsBelow = (origin: string, most: number) =>
  fc.array(labels, { maxLength: most }).map((parts) => [...parts, origin].join('.'));
export const nameUnder = (origin: string) => labelsBelow(origin, 3);
export const anyName = fc.constantFrom(...ORIGINS).chain(nameUnder);
const target = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...ORIGINS).chain((origin) => labelsBelow(origin, 1)) },
  { weight: 1, arbitrary: fc.constant('ns.elsewhere.') },
);
export const types = ['A', 'AAAA', 'TXT', 'MX', 'NS', 'CNAME', 'DNAME', 'SRV'] as const;

const dataOf = (type: (typeof types)[number], target: string, number: number): string => {
  if (type === 'A') return `192.0.2.${number}`;
  if (type === 'AAAA') return `2001:db8::${number.toString(16)}`;
  if (type === 'TXT') return `"t${number}"`;
  if (type === 'MX') return `${number} ${target}`;
  if (type === 'SRV') return `${number} 0 80 ${target}`;
  return target;
};

export const drafts = (origin: string) =>
  fc.array(
    fc.record({
      owner: nameUnder(origin),
      type: fc.oneof(fc.constantFrom(...types), fc.constantFrom(...(['A', 'NS', 'MX'] as const))),
      target,
      number: fc.integer({ min: 1, max: 9 }),
    }),
    { minLength: 6, maxLength: 20 },
  );

/** What check.ts would let through: CNAME alone, one CNAME and DNAME, no cut at a wildcard. */
export function zoneOf(
  origin: string,
  wanted: readonly {
    owner: string;
    type: (typeof types)[number];
    target: string;
    number: number;
  }[],
): PlainZone {
  const soa = `ns.${origin} host.${origin} 1 2 3 4 300`;
  const records: PlainRecord[] = [
    { owner: origin, ttl: 900, type: 'SOA', data: soa },
    { owner: origin, ttl: 62, type: 'NS', data: `ns.${origin}` },
  ];
  for (const { owner, type, target, number } of wanted) {
    const mates = records.filter((each) => each.owner === owner);
    const data = dataOf(type, target, number);
    const isStrange = owner.includes('*') && (type === 'NS' || type === 'DNAME');
    const isSecond =
      (type === 'CNAME' && mates.length > 0) || mates.some((each) => each.type === 'CNAME');
    const isTwice = mates.some(
      (each) => each.type === type && (type === 'DNAME' || each.data === data),
    );
    const isCutAndDname = mates.some(
      (each) =>
        (each.type === 'NS' && type === 'DNAME') || (each.type === 'DNAME' && type === 'NS'),
    );
    if (isStrange || isSecond || isTwice || isCutAndDname) continue;
    records.push({ owner, ttl: 60 + type.length, type, data });
  }
  return { origin, records };
}

export const siteOf = fc
  .tuple(...ORIGINS.map(drafts), fc.subarray([...ORIGINS], { minLength: 2 }))
  .map((parts) => {
    const served = parts.at(-1) as string[];
    return ORIGINS.flatMap((origin, index) =>
      served.includes(origin) ? [zoneOf(origin, parts[index] as Parameters<typeof zoneOf>[1])] : [],
    );
  });

export const textOf = ({ records }: PlainZone): string =>
  records.map(({ owner, ttl, type, data }) => `${owner} ${ttl} ${type} ${data}`).join('\n');
