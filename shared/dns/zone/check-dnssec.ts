// Of zones signed elsewhere (RFC 4034, RFC 5155): whether validators can believe what we answer.
// Each kind of mistake is told once, with its number, as signers make it everywhere. Pure.
import { TYPES } from '../constants.ts';
import { formatName, isWildcard, labelCount, nameLength, sameName } from '../names.ts';
import { typeName } from '../rdata.ts';
import type { Checked } from './check.ts';
import { coveredBy, HAS, HIDDEN, type NameState } from './check-names.ts';
import { SIGNATURE_OF, setType } from './rrset-table.ts';

/** Type, algorithm, labels, TTL, expiration, inception, key tag; then the signer's name. */
const SIGNER_AT = 18;
const NSEC3_LABEL_BYTES = 32;

export function checkSignatures(checked: Checked, state: NameState): void {
  const { records, names, sets, own, tell } = checked;
  const apex = names.find(checked.origin);
  const at = (type: number) => (apex < 0 ? -1 : sets.find(apex, type));
  const isSecure = at(TYPES.DNSKEY) >= 0;
  const findings = new Findings(checked);
  const seen = { rrsig: -1, nsec: -1, nsec3: -1 };
  for (let index = 0; index < own; index++) {
    const type = records.type(index);
    if (type === TYPES.RRSIG) {
      seen.rrsig = index;
      checkRrsig(checked, index, findings);
    } else if (type === TYPES.NSEC) seen.nsec = index;
    else if (type === TYPES.NSEC3) {
      seen.nsec3 = index;
      if (!isHashOwner(checked, index))
        findings.add('NSEC3 that are no hash below the apex', index);
    }
  }
  if (seen.rrsig >= 0 && !isSecure) {
    findings.add('signatures, but no DNSKEY at the apex: answered as unsigned', seen.rrsig);
  }
  if (isSecure) {
    const key = sets.first[at(TYPES.DNSKEY)] ?? 0;
    if (seen.nsec < 0 && seen.nsec3 < 0) findings.add('keys, but neither NSEC nor NSEC3', key);
    findUnsigned(checked, state, findings);
    refusePolicy(checked);
  }
  if (seen.nsec3 >= 0 && at(TYPES.NSEC3PARAM) < 0) {
    findings.add('NSEC3, but no NSEC3PARAM at the apex', seen.nsec3);
  }
  if (seen.nsec3 < 0 && at(TYPES.NSEC3PARAM) >= 0) {
    findings.add('NSEC3PARAM, but no NSEC3', sets.first[at(TYPES.NSEC3PARAM)] ?? 0);
  }
  findings.tell(tell);
}

/** Kinds of mistakes: how often, and where first. */
class Findings {
  readonly #checked: Checked;
  readonly #kinds = new Map<string, { count: number; index: number }>();

  constructor(checked: Checked) {
    this.#checked = checked;
  }

  add(what: string, index: number): void {
    const kind = this.#kinds.get(what);
    if (kind === undefined) this.#kinds.set(what, { count: 1, index });
    else kind.count++;
  }

  tell(tell: Checked['tell']): void {
    const { records } = this.#checked;
    for (const [what, { count, index }] of this.#kinds) {
      const more = count > 1 ? `, and ${count - 1} more` : '';
      const where = `${formatName(records.owner(index))} ${typeName(records.type(index))}${more}`;
      tell('warning', index, () => `the zone has ${what} (${where}): sign it anew`);
    }
  }
}

function checkRrsig(checked: Checked, index: number, findings: Findings): void {
  const { records, names, sets, origin, nowSeconds } = checked;
  const [owner, rdata] = [records.owner(index), records.rdata(index)];
  const signer = rdata.subarray(SIGNER_AT);
  const signerBytes = nameLength(signer, 0);
  if (signerBytes < 0) {
    findings.add('signatures that are cut off', index);
    return;
  }
  const view = new DataView(rdata.buffer, rdata.byteOffset, rdata.byteLength);
  // Numbers of 32 bits that wrap round (RFC 4034 §3.1.5): less than half of the circle apart.
  if ((view.getUint32(8) - nowSeconds) << 0 < 0)
    findings.add('signatures that have expired', index);
  if ((nowSeconds - view.getUint32(12)) << 0 < 0) {
    findings.add('signatures that are not yet valid', index);
  }
  if (!sameName(signer.subarray(0, signerBytes), origin)) {
    findings.add('signatures by another name than the zone', index);
  }
  const labels = labelCount(owner) - (isWildcard(owner) ? 1 : 0);
  if (view.getUint8(3) > labels) findings.add('signatures for more labels than there are', index);
  if (sets.find(names.ownerOf[index] ?? 0, coveredBy(rdata)) < 0) {
    findings.add('signatures of what is not there', index);
  }
}

/** A label of base32hex, right below the apex (RFC 5155 §3). */
function isHashOwner({ records, origin }: Checked, index: number): boolean {
  const owner = records.owner(index);
  if (owner.length !== origin.length + 1 + NSEC3_LABEL_BYTES) return false;
  if (owner[0] !== NSEC3_LABEL_BYTES) return false;
  return /^[0-9A-V]+$/i.test(String.fromCharCode(...owner.subarray(1, 1 + NSEC3_LABEL_BYTES)));
}

/** What is authoritative and has no signature. */
function findUnsigned(checked: Checked, state: NameState, findings: Findings): void {
  const { records, names, sets, origin } = checked;
  for (let set = 0; set < sets.count; set++) {
    const index = sets.first[set] ?? 0;
    const owner = names.ownerOf[index] ?? 0;
    const type = setType(records, index);
    if (type >= SIGNATURE_OF || state.hidden[owner] === HIDDEN.BY_CUT) continue;
    const isApex = names.name(owner).length === origin.length;
    const isCut = !isApex && ((state.has[owner] ?? 0) & HAS.NS) !== 0;
    if (isCut && type !== TYPES.DS && type !== TYPES.NSEC) continue;
    if (sets.find(owner, SIGNATURE_OF + type) < 0) findings.add('data without signature', index);
  }
}

/** What is answered by policy, or looked up when asked, cannot be signed elsewhere before. */
function refusePolicy({ records, own, tell }: Checked): void {
  for (let index = 0; index < records.count; index++) {
    if (index < own && records.type(index) !== TYPES.ALIAS) continue;
    tell('refusal', index, () => {
      const name = `${formatName(records.owner(index))} ${typeName(records.type(index))}`;
      return `${name}: the zone is signed elsewhere, and this would have no signature`;
    });
  }
}
