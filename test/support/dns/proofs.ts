// What a validator concludes from the NSEC or NSEC3 records of an answer, by the words of RFC 4035
// §5.4 and RFC 5155 §8, signatures aside: for tests of which of them an answer needs. Names are
// texts in lower case without escapes.
import { compareNames, formatName, lowerName, nameLength } from '../../../shared/dns/names.ts';
import { typeName } from '../../../shared/dns/rdata.ts';
import type { MessageRecord } from '../../../shared/dns/types.ts';
import { nameOf } from './resolve-rig.ts';
import { base32, nsec3HashOf } from './sign.ts';

type Interval = { owner: string; next: string; types: string[]; isOptOut: boolean };

/** Both kinds of proof answer the same three questions of a name. */
export interface Proof {
  /** The types that the record of exactly this name has; undefined: there is none. */
  typesOf(name: string): string[] | undefined;
  /** Proven not to be there, or (opt-out) to be nothing but an unsigned delegation. */
  isCovered(name: string): boolean;
  isCoveredWithOptOut(name: string): boolean;
  /** NSEC: proven to be there, with nothing of its own, since the next name is below it. */
  isEmpty(name: string): boolean;
}

export function proofOf(section: readonly MessageRecord[], origin: string): Proof {
  const nsec3s = section.filter(({ type }) => type === 50);
  return nsec3s.length > 0 ? nsec3Proof(nsec3s, origin) : nsecProof(section);
}

function nsecProof(section: readonly MessageRecord[]): Proof {
  const all = section
    .filter(({ type }) => type === 47)
    .map(({ owner, rdata }): Interval => {
      const length = nameLength(rdata, 0);
      const next = formatName(lowerName(rdata.subarray(0, length)));
      const types = typesIn(rdata.subarray(length));
      return { owner: formatName(lowerName(owner)), next, types, isOptOut: false };
    });
  const order = (one: string, other: string) => compareNames(nameOf(one), nameOf(other));
  const covers = ({ owner, next }: Interval, name: string) => {
    if (order(owner, name) >= 0) return false;
    return order(name, next) < 0 || order(next, owner) <= 0;
  };
  return {
    typesOf: (name) => all.find(({ owner }) => owner === name)?.types,
    isCovered: (name) => all.some((each) => covers(each, name) && !isBelow(each.next, name)),
    isCoveredWithOptOut: () => false,
    isEmpty: (name) => all.some((each) => covers(each, name) && isBelow(each.next, name)),
  };
}

function nsec3Proof(records: readonly MessageRecord[], origin: string): Proof {
  const first = records[0] as MessageRecord;
  const saltLength = first.rdata[4] ?? 0;
  const options = {
    salt: Buffer.from(first.rdata.subarray(5, 5 + saltLength)).toString('hex'),
    iterations: ((first.rdata[2] ?? 0) << 8) | (first.rdata[3] ?? 0),
    optOut: false,
  };
  const all = records.map(({ owner, rdata }): Interval => {
    const end = 6 + saltLength + 20;
    const next = base32(rdata.subarray(end - 20, end));
    const label = formatName(lowerName(owner)).replace(`.${origin}`, '');
    return { owner: label, next, types: typesIn(rdata.subarray(end)), isOptOut: rdata[1] === 1 };
  });
  const hashOf = (name: string) => base32(nsec3HashOf(nameOf(name), options));
  const covering = (name: string) => {
    const hash = hashOf(name);
    return all.find(({ owner, next }) =>
      owner < next ? owner < hash && hash < next : owner < hash || hash < next,
    );
  };
  return {
    typesOf: (name) => all.find(({ owner }) => owner === hashOf(name))?.types,
    isCovered: (name) => covering(name) !== undefined,
    isCoveredWithOptOut: (name) => covering(name)?.isOptOut === true,
    isEmpty: () => false,
  };
}

export function isBelow(name: string, above: string): boolean {
  return name.endsWith(above === '.' ? '.' : `.${above}`) && name !== above;
}

export function parent(name: string): string {
  return name.slice(name.indexOf('.') + 1);
}

/** RFC 4034 §4.1.2. */
function typesIn(bitmap: Uint8Array): string[] {
  const types: string[] = [];
  for (let at = 0; at < bitmap.length; at += 2 + (bitmap[at + 1] ?? 0)) {
    for (let bit = 0; bit < 8 * (bitmap[at + 1] ?? 0); bit++) {
      const byte = bitmap[at + 2 + (bit >> 3)] ?? 0;
      if (byte & (0x80 >> (bit & 7))) types.push(typeName(256 * (bitmap[at] ?? 0) + bit));
    }
  }
  return types;
}
