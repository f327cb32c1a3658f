// Where names in data lead within the zone: name servers, mail exchanges and services without an
// address (RFC 2181 §10.3), aliases in circles or without end (RFC 1034 §3.6.2). Pure.
import { TYPES } from '../constants.ts';
import { formatName, isSubdomain, nameLength } from '../names.ts';
import { typeName } from '../rdata.ts';
import type { Name } from '../types.ts';
import type { Checked } from './check.ts';
import { HAS, HIDDEN, hiddenName, type NameState } from './check-names.ts';
import { ExistingNames } from './name-table.ts';

/** As the answer follows (docs/answers.md, A5). */
const MAX_LINKS = 16;

const OFFSETS = new Map<number, number>([
  [TYPES.NS, 0],
  [TYPES.MX, 2],
  [TYPES.SRV, 6],
]);

export function checkTargets(checked: Checked, state: NameState): void {
  const finder = new Finder(checked, state);
  const { records, own, names } = checked;
  for (let index = 0; index < own; index++) {
    const offset = OFFSETS.get(records.type(index));
    if (offset === undefined) continue;
    if (state.hidden[names.ownerOf[index] ?? 0] !== HIDDEN.NO) continue;
    checkTarget(checked, finder, index, records.rdata(index).subarray(offset));
  }
  checkChains(checked, state, finder);
}

type Found = { id: number } | 'nothing' | 'delegated' | 'dname' | 'elsewhere';

/** Names as a resolver would find them in this zone. */
class Finder {
  readonly #checked: Checked;
  readonly #state: NameState;
  /** Only of a zone with wildcards. */
  readonly #existing: ExistingNames | undefined;

  constructor(checked: Checked, state: NameState) {
    this.#checked = checked;
    this.#state = state;
    const { names, originLabels } = checked;
    this.#existing = state.wildcards ? new ExistingNames(names, originLabels) : undefined;
  }

  find(name: Name): Found {
    const { names, origin } = this.#checked;
    if (nameLength(name, 0) !== name.length || !isSubdomain(name, origin)) return 'elsewhere';
    const exact = names.find(name);
    const hidden =
      exact >= 0
        ? (this.#state.hidden[exact] ?? 0)
        : hiddenName(this.#checked, this.#state.has, name);
    if (hidden === HIDDEN.BY_DNAME) return 'dname';
    if (exact >= 0) return { id: exact };
    return hidden === HIDDEN.BY_CUT ? 'delegated' : this.#byWildcard(name);
  }

  has(id: number): number {
    return this.#state.has[id] ?? 0;
  }

  /** Of a cut or below one. */
  isDelegated(id: number): boolean {
    const { names, origin } = this.#checked;
    if (this.#state.hidden[id] === HIDDEN.BY_CUT) return true;
    return (this.has(id) & HAS.NS) !== 0 && names.name(id).length !== origin.length;
  }

  /** By the closest encloser's (RFC 4592 §3.3.1). */
  #byWildcard(name: Name): Found {
    const at = this.#existing?.closestEncloser(name) ?? 0;
    if (at === 0) return 'nothing';
    const wildcard = new Uint8Array(2 + name.length - at);
    wildcard.set([1, 0x2a]);
    wildcard.set(name.subarray(at), 2);
    const id = this.#checked.names.find(wildcard);
    return id >= 0 ? { id } : 'nothing';
  }
}

/**
 * As named-checkzone: of the apex' name servers a missing address is a refusal, as nobody would
 * find the zone; all else is a warning, glue of delegations too.
 */
function checkTarget(checked: Checked, finder: Finder, index: number, target: Name): void {
  const what = targetProblem(finder, finder.find(target), checked.records.type(index));
  if (what === undefined) return;
  const { records, origin, tell } = checked;
  const isApexNs =
    records.type(index) === TYPES.NS && records.owner(index).length === origin.length;
  const isRefused = isApexNs && what !== NO_GLUE;
  tell(isRefused ? 'refusal' : 'warning', index, () => {
    const type = typeName(records.type(index));
    return `${formatName(records.owner(index))} ${type}: ${formatName(target)} ${what}`;
  });
}

const NO_GLUE = 'is delegated, and has no address here as glue';
const NO_ADDRESS = 'has no address (A or AAAA) in this zone: add one, or name another';

function targetProblem(finder: Finder, found: Found, type: number): string | undefined {
  if (found === 'elsewhere') return undefined;
  if (found === 'nothing') return NO_ADDRESS;
  if (found === 'dname') return 'is below a DNAME: name what it stands for';
  const glue = type === TYPES.NS ? NO_GLUE : undefined;
  if (found === 'delegated') return glue;
  const has = finder.has(found.id);
  if ((has & HAS.CNAME) !== 0) return 'is a CNAME: name what it stands for (RFC 2181 §10.3)';
  if ((has & (HAS.ADDRESS | HAS.ALIAS)) !== 0) return undefined;
  return finder.isDelegated(found.id) ? glue : NO_ADDRESS;
}

const [IN_CHAIN, IN_CIRCLE] = [-1, -2];

function checkChains(checked: Checked, state: NameState, finder: Finder): void {
  const { names, records, own } = checked;
  /** By number of the owner: the CNAME's record, −1 without; how many links follow, 0 unknown. */
  const aliasOf = new Int32Array(names.count).fill(-1);
  const links = new Int32Array(names.count);
  for (let index = 0; index < own; index++) {
    const owner = names.ownerOf[index] ?? 0;
    const isAlias = records.type(index) === TYPES.CNAME && state.hidden[owner] === HIDDEN.NO;
    if (isAlias) aliasOf[owner] = index;
  }
  for (let owner = 0; owner < names.count; owner++) {
    if ((aliasOf[owner] ?? -1) >= 0 && links[owner] === 0) {
      follow(checked, finder, owner, aliasOf, links);
    }
  }
}

/** All names of the chain from one get their number of links. */
function follow(
  { records, tell }: Checked,
  finder: Finder,
  start: number,
  aliasOf: Int32Array,
  links: Int32Array,
): void {
  const chain: number[] = [];
  let at = start;
  while (at >= 0 && (aliasOf[at] ?? -1) >= 0 && links[at] === 0) {
    links[at] = IN_CHAIN;
    chain.push(at);
    const found = finder.find(records.rdata(aliasOf[at] ?? 0));
    at = typeof found === 'object' ? found.id : -1;
  }
  let after = at >= 0 ? (links[at] ?? 0) : 0;
  if (after === IN_CHAIN) {
    const index = aliasOf[at] ?? 0;
    tell('refusal', index, () => `${formatName(records.owner(index))} CNAME leads back to itself`);
    after = IN_CIRCLE;
  }
  for (const owner of chain.reverse()) {
    after = after === IN_CIRCLE ? IN_CIRCLE : after + 1;
    links[owner] = after;
    // Once a chain: longer ones go through this name.
    if (after !== MAX_LINKS + 1) continue;
    const index = aliasOf[owner] ?? 0;
    const name = formatName(records.owner(index));
    tell('refusal', index, () => `${name} CNAME leads over more than ${MAX_LINKS} others`);
  }
}
