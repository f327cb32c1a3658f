import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { buildImage } from '../../../../dns/image/build.ts';
import { isBelow, type Proof, parent, proofOf } from '../../../support/dns/proofs.ts';
import { drafts, nameUnder, textOf, types, zoneOf } from '../../../support/dns/random-zones.ts';
import {
  type PlainAnswer,
  type PlainRecord,
  type PlainZone,
  referenceAnswer,
} from '../../../support/dns/reference.ts';
import { ask, lineOf, nameOf, recordsOfText, resolveOf } from '../../../support/dns/resolve-rig.ts';
import { type Nsec3Options, signed } from '../../../support/dns/sign.ts';

// A11: on random signed zones an answer with DO is the reference's, with proofs from which a
// validator would conclude what the answer says.

const ORIGIN = 'example.';
const zones = drafts(ORIGIN).map((wanted) => {
  const zone = zoneOf(ORIGIN, wanted);
  const cuts = zone.records.filter(({ owner, type }) => type === 'NS' && owner !== ORIGIN);
  const isSecure = ({ data }: PlainRecord) => data.includes('a');
  const owners = new Set(cuts.filter(isSecure).map(({ owner }) => owner));
  const ds = [...owners].map((owner) => ({ owner, ttl: 62, type: 'DS', data: '1 13 9 00AA' }));
  return { origin: ORIGIN, records: [...zone.records, ...ds] };
});

type Seen = { zone: PlainZone; name: string; type: string; told: PlainAnswer; proof: Proof };

const exists = (zone: PlainZone, name: string) =>
  zone.records.some(({ owner }) => owner === name || isBelow(owner, name));

/** The last name of the chain: the one that the rcode and the authority section are about. */
function lastName({ told, name }: Seen): string {
  const links = told.answer.filter(({ type }) => type === 'CNAME');
  return links.at(-1)?.data ?? name;
}

/** The closest encloser that is proven, and the name below it on the way to `name`. */
function encloser(proof: Proof, name: string): { found: string; next: string } {
  let [found, next] = [parent(name), name];
  while (proof.typesOf(found) === undefined && found !== ORIGIN) {
    [found, next] = [parent(found), found];
  }
  return { found, next };
}

function provesNoName(seen: Seen, isNsec3: boolean): boolean {
  const { proof, zone } = seen;
  const name = lastName(seen);
  if (isNsec3) {
    const { found, next } = encloser(proof, name);
    // With opt-out an encloser may be there without an NSEC3; then the answer is insecure.
    const isInsecure = proof.isCoveredWithOptOut(next) && exists(zone, next);
    const isWild = !isInsecure && !proof.isCovered(`*.${found}`);
    return proof.typesOf(found) !== undefined && proof.isCovered(next) && !isWild;
  }
  let above = parent(name);
  while (!exists(zone, above)) above = parent(above);
  return proof.isCovered(name) && proof.isCovered(`*.${above}`);
}

function lacks(types: readonly string[] | undefined, type: string): boolean {
  return types !== undefined && !types.includes(type) && !types.includes('CNAME');
}

function provesNoData(seen: Seen, type: string, isNsec3: boolean): boolean {
  const { proof, zone } = seen;
  const name = lastName(seen);
  if (exists(zone, name)) {
    if (lacks(proof.typesOf(name), type) || proof.isEmpty(name)) return true;
    const { found, next } = encloser(proof, name);
    return proof.typesOf(found) !== undefined && proof.isCoveredWithOptOut(next);
  }
  if (isNsec3) {
    const { found, next } = encloser(proof, name);
    return proof.isCovered(next) && lacks(proof.typesOf(`*.${found}`), type);
  }
  let above = parent(name);
  while (!exists(zone, above)) above = parent(above);
  const wild = `*.${above}`;
  return proof.isCovered(name) && (proof.isEmpty(wild) || lacks(proof.typesOf(wild), type));
}

function provesNoDs({ proof, told }: Seen): boolean {
  const cut = told.authority[0]?.owner ?? '';
  if (told.authority.length === 0) return true;
  const types = proof.typesOf(cut);
  if (types !== undefined) return types.includes('NS') && !types.includes('DS');
  const { found, next } = encloser(proof, cut);
  return proof.typesOf(found) !== undefined && proof.isCoveredWithOptOut(next);
}

/** Owners of answers that no record has: each needs a proof that nothing is closer. */
function provesExpansions({ proof, told, zone }: Seen, isNsec3: boolean): boolean {
  const made = told.answer.filter((each, index) => {
    const before = told.answer[index - 1];
    const isOfDname = each.type === 'CNAME' && before?.type === 'DNAME';
    return !isOfDname && !exists(zone, each.owner);
  });
  return made.every(({ owner }) => {
    let next = owner;
    while (!exists(zone, parent(next))) next = parent(next);
    return isNsec3 ? proof.isCovered(next) : proof.isCovered(owner);
  });
}

function isProven(seen: Seen, isNsec3: boolean): boolean {
  const { told, zone } = seen;
  if (!provesExpansions(seen, isNsec3)) return false;
  if (told.rcode === 'NXDOMAIN') return provesNoName(seen, isNsec3);
  if (told.authority[0]?.type === 'SOA') return provesNoData(seen, seen.type, isNsec3);
  const cut = told.authority[0]?.owner;
  const isSecure = zone.records.some(({ owner, type }) => owner === cut && type === 'DS');
  return isSecure || provesNoDs(seen);
}

const plain = (lines: readonly string[]) =>
  lines.filter((line) => !/^\S+ \d+ (RRSIG|NSEC|NSEC3|DS) /.test(line)).toSorted();
const linesOf = (records: readonly PlainRecord[]) =>
  records.map(({ owner, ttl, type, data }) => `${owner} ${ttl} ${type} ${data}`).toSorted();

const chains: [string, Nsec3Options | undefined][] = [
  ['NSEC', undefined],
  ['NSEC3', { salt: 'ab', iterations: 1, optOut: false }],
  ['NSEC3 with opt-out', { salt: '', iterations: 0, optOut: true }],
];

describe.each(chains)('A11: %s', (_, nsec3) => {
  const question = fc.tuple(nameUnder(ORIGIN), fc.constantFrom(...types, 'DS'));

  test('an answer proves what it says', () => {
    fc.assert(
      fc.property(zones, fc.array(question, { minLength: 1, maxLength: 10 }), (zone, asked) => {
        const origin = nameOf(ORIGIN);
        const records = signed(recordsOfText(ORIGIN, textOf(zone)), origin, nsec3);
        const resolve = resolveOf([buildImage({ origin, records, smart: [] })]);
        for (const [name, type] of asked) {
          const heard = ask(resolve, name, type, { dnssecOk: true });
          const told = referenceAnswer([zone], name, type);
          const what = `${name} ${type}: ${heard.authority.join('; ')}`;
          expect(heard.rcode, what).toBe(told.rcode);
          if (type !== 'DS') expect(plain(heard.answer), what).toEqual(linesOf(told.answer));
          expect(plain(heard.authority), what).toEqual(linesOf(told.authority));
          const proof = proofOf(heard.message.authorities, ORIGIN);
          const seen = { zone, name, type, told, proof };
          expect(isProven(seen, nsec3 !== undefined), what).toBe(true);
          const proofs = heard.message.authorities.filter((each) => [47, 50].includes(each.type));
          const once = new Set(proofs.map(lineOf));
          expect(once.size, what).toBe(proofs.length);
        }
      }),
      { numRuns: 300 },
    );
  });
});
