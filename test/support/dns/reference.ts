// Answers once more, by nothing but the words of the RFCs on a plain list of records: the algorithm
// of RFC 1034 §4.3.2 with RFC 4592's wildcards, RFC 6672's DNAME, RFC 2308's negatives, and the
// choices of docs/answers.md. Slow, and written without a look at dns/answer. Names are texts in
// lower case with a final dot and without escapes.

export type PlainRecord = { owner: string; ttl: number; type: string; data: string };
export type PlainZone = { origin: string; records: readonly PlainRecord[] };
export type PlainAnswer = {
  rcode: string;
  aa: boolean;
  answer: PlainRecord[];
  authority: PlainRecord[];
  additional: PlainRecord[];
};

const MAX_LINKS = 16;

const labelsOf = (name: string): string[] => name.split('.').filter((label) => label !== '');
const nameFrom = (labels: readonly string[]): string => `${labels.join('.')}.`;
const isUnder = (name: string, above: string): boolean =>
  above === '.' || name === above || name.endsWith(`.${above}`);

export function referenceAnswer(
  zones: readonly PlainZone[],
  qname: string,
  qtype: string,
): PlainAnswer {
  const told: PlainAnswer = {
    rcode: 'NOERROR',
    aa: true,
    answer: [],
    authority: [],
    additional: [],
  };
  const asked: string[] = [];
  let name = qname;
  for (;;) {
    const zone = zoneFor(zones, name, qtype);
    if (zone === undefined) {
      if (asked.length === 0) return { ...told, rcode: 'REFUSED', aa: false };
      return told;
    }
    const isFirst = asked.length === 0;
    const next = oneName(zones, zone, name, qtype, told, isFirst);
    if (next === undefined) return told;
    asked.push(name);
    if (asked.includes(next) || asked.length === MAX_LINKS) return told;
    name = next;
  }
}

/** The zone with the longest origin; of a DS that of the parent, if there is one. */
function zoneFor(zones: readonly PlainZone[], name: string, qtype: string): PlainZone | undefined {
  const fitting = zones
    .filter(({ origin }) => isUnder(name, origin))
    .toSorted((one, other) => labelsOf(other.origin).length - labelsOf(one.origin).length);
  if (qtype === 'DS' && fitting[0]?.origin === name && fitting[1] !== undefined) return fitting[1];
  return fitting[0];
}

/** Adds what one name of the chain gives; the name that goes on from it. */
function oneName(
  zones: readonly PlainZone[],
  zone: PlainZone,
  name: string,
  qtype: string,
  told: PlainAnswer,
  isFirst: boolean,
): string | undefined {
  const at = (owner: string, type: string) =>
    zone.records.filter((each) => each.owner === owner && each.type === type);
  const exists = (owner: string) => zone.records.some((each) => isUnder(each.owner, owner));
  const labels = labelsOf(name);
  const depth = labelsOf(zone.origin).length;
  let encloser = zone.origin;
  // Down from the apex, label by label.
  for (let count = depth; count <= labels.length; count++) {
    const suffix = nameFrom(labels.slice(labels.length - count));
    if (!exists(suffix)) break;
    encloser = suffix;
    const isCut = count > depth && at(suffix, 'NS').length > 0;
    if (isCut && !(suffix === name && qtype === 'DS')) {
      if (isFirst) told.aa = false;
      told.authority.push(...at(suffix, 'NS'));
      told.additional.push(...addressesOf(zones, zone, at(suffix, 'NS')));
      return undefined;
    }
    const dname = at(suffix, 'DNAME')[0];
    if (dname !== undefined && suffix !== name) {
      const above = labelsOf(suffix).length;
      const target = nameFrom([...labels.slice(0, labels.length - above), ...labelsOf(dname.data)]);
      told.answer.push(dname, { owner: name, ttl: dname.ttl, type: 'CNAME', data: target });
      return qtype === 'CNAME' || qtype === 'ANY' ? undefined : target;
    }
  }
  const isThere = encloser === name;
  const source = isThere ? name : `*.${encloser === '.' ? '' : encloser}`;
  if (!isThere && !exists(source)) {
    told.rcode = 'NXDOMAIN';
    told.authority.push(negative(zone));
    return undefined;
  }
  const own = zone.records.filter((each) => each.owner === source);
  const as = (records: readonly PlainRecord[]) => records.map((each) => ({ ...each, owner: name }));
  const wanted =
    qtype === 'ANY' ? own.filter(({ type }) => type === lowest(own)) : at(source, qtype);
  if (wanted.length > 0) {
    told.answer.push(...as(wanted));
    told.additional.push(...addressesOf(zones, zone, wanted));
    return undefined;
  }
  const cname = at(source, 'CNAME')[0];
  if (cname !== undefined) {
    told.answer.push(...as([cname]));
    return cname.data;
  }
  told.authority.push(negative(zone));
  return undefined;
}

function negative(zone: PlainZone): PlainRecord {
  const soa = zone.records.find(({ type }) => type === 'SOA') as PlainRecord;
  const minimum = Number(soa.data.split(' ').at(-1));
  return { ...soa, ttl: Math.min(soa.ttl, minimum) };
}

const NUMBERS: Record<string, number> = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  DNAME: 39,
  DS: 43,
};

function lowest(records: readonly PlainRecord[]): string | undefined {
  const types = [...new Set(records.map(({ type }) => type))];
  return types.toSorted((one, other) => (NUMBERS[one] ?? 0) - (NUMBERS[other] ?? 0))[0];
}

/** Addresses beside NS, MX, SRV: of this zone what it has, glue too; of others what is theirs. */
function addressesOf(
  zones: readonly PlainZone[],
  zone: PlainZone,
  records: readonly PlainRecord[],
): PlainRecord[] {
  const targets = records
    .filter(({ type }) => ['NS', 'MX', 'SRV'].includes(type))
    .map(({ data }) => data.split(' ').at(-1) as string);
  return [...new Set(targets)].flatMap((target) => {
    const own = isUnder(target, zone.origin);
    const from = own ? zone : zoneFor(zones, target, 'A');
    if (from === undefined || (!own && isHidden(from, target))) return [];
    return from.records.filter(
      ({ owner, type }) => owner === target && (type === 'A' || type === 'AAAA'),
    );
  });
}

/** Below a cut or a DNAME of the zone, or at a cut. */
function isHidden(zone: PlainZone, name: string): boolean {
  return zone.records.some(({ owner, type }) => {
    if (!isUnder(name, owner)) return false;
    if (type === 'NS') return owner !== zone.origin;
    return type === 'DNAME' && owner !== name;
  });
}
