// What may stand beside what at a name (RFC 1034 §3.6.2, RFC 2181 §10.1, RFC 6672 §2.3), and what
// may be below it: cuts, DNAMEs, wildcards. Pure.
import { TYPES } from '../constants.ts';
import { formatName, isWildcard } from '../names.ts';
import { typeName } from '../rdata.ts';
import type { Checked } from './check.ts';

/** What an owner has, as bits. */
export const HAS = {
  NS: 1,
  CNAME: 2,
  DNAME: 4,
  /** A, AAAA or what stands for them. */
  ADDRESS: 8,
  ALIAS: 16,
  /** What may not stand beside a CNAME. */
  DATA: 32,
} as const;

/** Why nobody is ever answered from a name. */
export const HIDDEN = { NO: 0, BY_CUT: 1, BY_DNAME: 2 } as const;

/** By number of the owner. `cuts`, `dnames`: whether the zone has any. */
export type NameState = { has: Uint8Array; hidden: Uint8Array; wildcards: boolean };

/** RFC 2181 §10.1, RFC 4034 §3 and §4; KEY as RFC 3007 has it. */
const BESIDE_CNAME = new Set<number>([TYPES.RRSIG, TYPES.NSEC, TYPES.KEY, TYPES.SIG, 30]);
const AT_CUT = new Set<number>([TYPES.NS, TYPES.DS, TYPES.NSEC, TYPES.RRSIG, TYPES.A, TYPES.AAAA]);

export function checkNames(checked: Checked): NameState {
  const { records, names, tell } = checked;
  const has = new Uint8Array(names.count);
  let [owns, wildcards] = [0, false];
  for (let index = 0; index < records.count; index++) {
    const owner = names.ownerOf[index] ?? 0;
    const bits = bitsOf(records.type(index));
    has[owner] = (has[owner] ?? 0) | bits;
    if (records.owner(index).length !== checked.origin.length) owns |= bits;
    else owns |= bits & HAS.DNAME;
    wildcards ||= isWildcard(records.owner(index));
  }
  const hides = (owns & (HAS.NS | HAS.DNAME)) !== 0;
  const hidden = hides ? hiddenOf(checked, has) : new Uint8Array(names.count);
  for (let index = 0; index < records.count; index++) {
    const owner = names.ownerOf[index] ?? 0;
    const type = records.type(index);
    const message = problemOf(checked, index, has[owner] ?? 0);
    if (message !== undefined) tell('refusal', index, () => `${shown(checked, index)} ${message}`);
    else if (hidden[owner] !== HIDDEN.NO) checkHidden(checked, index, hidden[owner] ?? 0);
    else checkOwner(checked, index, type, has[owner] ?? 0);
  }
  return { has, hidden, wildcards };
}

function bitsOf(type: number): number {
  if (type === TYPES.CNAME) return HAS.CNAME;
  if (BESIDE_CNAME.has(type)) return 0;
  if (type === TYPES.NS) return HAS.NS | HAS.DATA;
  if (type === TYPES.DNAME) return HAS.DNAME | HAS.DATA;
  if (type === TYPES.ALIAS) return HAS.ALIAS | HAS.DATA;
  const isAddress = type === TYPES.A || type === TYPES.AAAA;
  return isAddress ? HAS.ADDRESS | HAS.DATA : HAS.DATA;
}

function shown({ records }: Checked, index: number): string {
  return `${formatName(records.owner(index))} ${typeName(records.type(index))}`;
}

/** What refuses a zone, told at the one record of two that is more often the mistake. */
function problemOf(checked: Checked, index: number, has: number): string | undefined {
  const { records, origin } = checked;
  const type = records.type(index);
  const isApex = records.owner(index).length === origin.length;
  if (type === TYPES.SOA && !isApex) return 'is not at the apex: a zone has one SOA, there';
  if (type === TYPES.CNAME && isApex) return 'is at the apex, beside SOA and NS: use ALIAS';
  if (type === TYPES.CNAME && (has & HAS.DATA) !== 0) {
    return 'stands beside other data: a name with a CNAME has nothing else';
  }
  if (type === TYPES.ALIAS && (has & HAS.ADDRESS) !== 0) {
    return 'stands beside A or AAAA: an alias is what they would be';
  }
  return undefined;
}

function checkOwner(checked: Checked, index: number, type: number, has: number): void {
  const { records, origin, tell } = checked;
  const owner = records.owner(index);
  if (type === TYPES.NS && isWildcard(owner)) {
    tell('warning', index, () => `${shown(checked, index)}: a wildcard delegates nothing`);
  }
  if (type === TYPES.DNAME && isWildcard(owner)) {
    const why = 'what a wildcard redirects depends on who asks first (RFC 4592 §4.4)';
    tell('warning', index, () => `${shown(checked, index)}: ${why}`);
  }
  const isCut = (has & HAS.NS) !== 0 && owner.length !== origin.length;
  if (isCut && !AT_CUT.has(type)) {
    tell('warning', index, () => `${shown(checked, index)} is at a delegation: never answered`);
  }
}

/** Below a cut only glue is of use; below a DNAME there is nothing (RFC 6672 §2.4). */
function checkHidden(checked: Checked, index: number, why: number): void {
  const { records, tell } = checked;
  const type = records.type(index);
  if (why === HIDDEN.BY_CUT) {
    if (type === TYPES.A || type === TYPES.AAAA) return;
    tell('warning', index, () => `${shown(checked, index)} is below a delegation: never answered`);
    return;
  }
  const covered = type === TYPES.RRSIG ? coveredBy(records.rdata(index)) : type;
  if (covered === TYPES.NSEC3) return; // its owner is a hash, below the apex whatever is there
  const remedy = 'remove one of them';
  tell('refusal', index, () => `${shown(checked, index)} is below a DNAME: ${remedy}`);
}

/** The type that a RRSIG is about. */
export function coveredBy(rrsig: Uint8Array): number {
  return (rrsig[0] ?? 0) * 256 + (rrsig[1] ?? 0);
}

/** By the cut or the DNAME nearest to the apex. */
function hiddenOf(checked: Checked, has: Uint8Array): Uint8Array {
  const { names } = checked;
  const hidden = new Uint8Array(names.count);
  for (let owner = 0; owner < names.count; owner++) {
    hidden[owner] = hiddenName(checked, has, names.name(owner));
  }
  return hidden;
}

/** For names that have no records, too. */
export function hiddenName(checked: Checked, has: Uint8Array, name: Uint8Array): number {
  const { names, origin, originLabels } = checked;
  let hidden: number = HIDDEN.NO;
  names.above(name, originLabels, (above) => {
    const bits = has[above] ?? 0;
    const isApex = names.name(above).length === origin.length;
    if ((bits & HAS.NS) !== 0 && !isApex) hidden = HIDDEN.BY_CUT;
    else if ((bits & HAS.DNAME) !== 0) hidden = HIDDEN.BY_DNAME;
    return hidden !== HIDDEN.NO;
  });
  return hidden;
}
