// Which names outside of the served zones the ALIAS records of these zones come to in the end:
// through ALIAS and CNAME of served zones, and by every answer of those by line. Pure.
import { TYPES } from '../../shared/dns/constants.ts';
import { displayName, lowerName } from '../../shared/dns/names.ts';
import type { Name } from '../../shared/dns/types.ts';
import type { RecordList } from '../../shared/dns/zone/record-list.ts';
import { type Catalog, catalogOf } from '../image/catalog.ts';
import { N_WILDCARD, R_BYTES, R_COUNT, RECORD_HEAD, SMART } from '../image/layout.ts';
import { NameWalk } from '../image/name-walk.ts';
import type { ZoneImage } from '../image/types.ts';
import type { ZoneView } from '../image/view.ts';
import type { SmartAnswer } from '../policy/types.ts';

/** That are asked for. */
export const MAX_TARGETS = 10_000;

/** By name as it is shown. */
export type Targets = ReadonlyMap<string, Name>;

/** What ALIAS records of a zone point to, each once, in lower case; at most MAX_TARGETS. */
export function aliasTargets(records: RecordList): Name[] {
  const found = new Map<string, Name>();
  for (let index = 0; index < records.count && found.size < MAX_TARGETS; index++) {
    if (records.type(index) !== TYPES.ALIAS) continue;
    const target = lowerName(records.rdata(index));
    found.set(displayName(target), target);
  }
  return [...found.values()];
}

/** What answers by line of an ALIAS or a CNAME point to. */
export function smartTargets({ choices }: SmartAnswer): Name[] {
  return choices.flatMap(({ answers }) => answers.flat()).map((name) => lowerName(name));
}

export type Outside = {
  targets: Targets;
  /** There are more, which are not asked for. */
  isCut: boolean;
  /** An answer by line was on the way: what is outside may change with it. */
  isSmart: boolean;
};

/** `first`: where the ways begin, in lower case. */
export function outsideTargets(
  first: Iterable<Name>,
  zones: readonly ZoneImage[],
  smart: readonly SmartAnswer[],
): Outside {
  const walk = new Walk(catalogOf(zones), smart);
  for (const name of first) walk.from(name);
  return walk;
}

/** Each name is looked at once, so that loops end. */
class Walk implements Outside {
  readonly targets = new Map<string, Name>();
  isCut = false;
  isSmart = false;
  readonly #catalog: Catalog;
  readonly #smart: readonly SmartAnswer[];
  readonly #seen = new Set<string>();
  readonly #walk = new NameWalk();

  constructor(catalog: Catalog, smart: readonly SmartAnswer[]) {
    this.#catalog = catalog;
    this.#smart = smart;
  }

  from(first: Name): void {
    const names = [first];
    for (let name = names.pop(); name !== undefined; name = names.pop()) {
      const text = displayName(name);
      if (this.#seen.has(text)) continue;
      this.#seen.add(text);
      const next = this.#next(name);
      if (next !== undefined) names.push(...next);
      else if (this.targets.size < MAX_TARGETS) this.targets.set(text, name);
      else this.isCut = true;
    }
  }

  /** Undefined: it is outside. */
  #next(name: Name): Name[] | undefined {
    const walk = this.#walk;
    walk.take(name);
    const view = this.#catalog.views[this.#catalog.find(name, walk, walk.depth)];
    if (view === undefined) return undefined;
    if (!view.isServed) return [];
    const exact = view.find(name, walk, walk.depth);
    const encloser = exact === 0 ? view.closestEncloser(name, walk) : exact;
    if (view.coverOf(exact, encloser) !== 0) return undefined;
    const node = exact === 0 ? view.word(encloser + N_WILDCARD) : exact;
    if (node === 0) return [];
    return [TYPES.CNAME, TYPES.ALIAS].flatMap((type) => this.#namesOf(view, node, type));
  }

  #namesOf(view: ZoneView, node: number, type: number): Name[] {
    const rrset = view.rrset(node, type);
    if (rrset === 0) return [];
    if (view.word(rrset + R_COUNT) === SMART) {
      this.isSmart = true;
      const answer = this.#smart[view.word(rrset + R_BYTES)];
      return answer === undefined ? [] : smartTargets(answer);
    }
    const name = new Uint8Array(256);
    const length = view.expandName(node, rrset, RECORD_HEAD, name);
    return [lowerName(name.subarray(0, length))];
  }
}
