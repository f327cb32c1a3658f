// ALIAS: which addresses the target of an alias has (A7): in a served zone, through its CNAMEs and
// smart names, or from the table of what was learnt of names elsewhere. Pure.
import { TYPES } from '../../shared/dns/constants.ts';
import { lowerName } from '../../shared/dns/names.ts';
import type { Catalog } from '../image/catalog.ts';
import { N_WILDCARD, NODE_ALIAS, R_BYTES, R_COUNT, RECORD_HEAD, SMART } from '../image/layout.ts';
import { NameWalk } from '../image/name-walk.ts';
import type { ZoneView } from '../image/view.ts';
import type { AliasTable } from './alias-table.ts';
import type { Query } from './query-types.ts';
import { SmartPick } from './smart.ts';
import type { ServingState } from './types.ts';

export type AliasOutcome = 'found' | 'none' | 'unknown';

const MAX_LINKS = 16;

/** One a resolver, filled again by each find(). */
export class AliasChase {
  ttlSeconds = 0;
  count = 0;
  addressBytes = 4;
  /** Of the target's smart answer: its scope; its line or −1. */
  scope = 0;
  line = -1;
  readonly #state: ServingState;
  readonly #catalog: Catalog;
  readonly #table: AliasTable;
  readonly #smart = new SmartPick();
  readonly #walk = new NameWalk();
  readonly #name = new Uint8Array(256);
  #length = 0;
  readonly #address = new Uint8Array(16);
  #found: readonly Uint8Array[] | undefined;
  #view: ZoneView | undefined;
  #rrset = 0;

  constructor(state: ServingState, catalog: Catalog, table: AliasTable) {
    this.#state = state;
    this.#catalog = catalog;
    this.#table = table;
  }

  /** Of the alias at `node`; after `found` the fields say what. */
  find(view: ZoneView, node: number, type: number, query: Query): AliasOutcome {
    this.scope = 0;
    this.line = -1;
    this.ttlSeconds = 0xffffffff;
    this.addressBytes = type === TYPES.A ? 4 : 16;
    let outcome = this.#next(view, node, view.rrset(node, TYPES.ALIAS), query);
    for (let links = 0; outcome === undefined && links <= MAX_LINKS; links++) {
      outcome = this.#step(type, query);
    }
    return outcome ?? 'unknown';
  }

  /** The n-th address: a view that is good until the next call. */
  address(index: number): Uint8Array {
    const known = this.#found?.[index];
    if (known !== undefined) return known;
    const view = this.#view as ZoneView;
    const stride = RECORD_HEAD + this.addressBytes;
    const at = view.recordsAt(this.#rrset) + index * stride + RECORD_HEAD;
    for (let byte = 0; byte < this.addressBytes; byte++) {
      this.#address[byte] = view.bytes[at + byte] as number;
    }
    return this.#address;
  }

  /** One name of the target's chain; undefined: on with the next. */
  #step(type: number, query: Query): AliasOutcome | undefined {
    const [name, walk] = [this.#name, this.#walk];
    walk.take(name);
    const zone = this.#catalog.find(name, walk, walk.depth);
    if (zone < 0) return this.#elsewhere(type, query);
    const view = this.#catalog.views[zone] as ZoneView;
    if (!view.isServed) return 'unknown';
    const exact = view.find(name, walk, walk.depth);
    const encloser = exact === 0 ? view.closestEncloser(name, walk) : exact;
    if (view.coverOf(exact, encloser) !== 0) return this.#elsewhere(type, query);
    const node = exact === 0 ? view.word(encloser + N_WILDCARD) : exact;
    if (node === 0) return 'unknown';
    const rrset = view.rrset(node, type);
    if (rrset !== 0) return this.#addresses(view, rrset, query);
    const cname = view.rrset(node, TYPES.CNAME);
    if (cname !== 0) return this.#next(view, node, cname, query);
    if ((view.flags(node) & NODE_ALIAS) === 0) return 'none';
    return this.#next(view, node, view.rrset(node, TYPES.ALIAS), query);
  }

  #addresses(view: ZoneView, rrset: number, query: Query): AliasOutcome {
    this.#found = undefined;
    if (view.word(rrset + R_COUNT) === SMART) {
      if (!this.#choose(view, rrset, query)) return 'unknown';
      return this.#take(this.#smart.rdatas, this.#smart.ttlSeconds);
    }
    this.#view = view;
    this.#rrset = rrset;
    this.count = view.word(rrset + R_COUNT);
    this.ttlSeconds = Math.min(this.ttlSeconds, view.ttl(rrset));
    return 'found';
  }

  /** The one name of an ALIAS or CNAME is the next to look at. */
  #next(view: ZoneView, node: number, rrset: number, query: Query): AliasOutcome | undefined {
    if (view.word(rrset + R_COUNT) !== SMART) {
      this.#target(view, node, rrset);
      return undefined;
    }
    if (!this.#choose(view, rrset, query)) return 'unknown';
    const target = this.#smart.rdatas[0];
    if (target === undefined) return 'none';
    this.ttlSeconds = Math.min(this.ttlSeconds, this.#smart.ttlSeconds);
    lowerName(target, this.#name);
    this.#length = target.length;
    return undefined;
  }

  #choose(view: ZoneView, rrset: number, query: Query): boolean {
    const { smart, lines } = this.#state;
    const pick = this.#smart;
    if (!pick.choose(smart, view.word(rrset + R_BYTES), lines, query)) return false;
    this.scope = Math.max(this.scope, pick.scope);
    this.line = pick.line;
    return true;
  }

  #elsewhere(type: number, { nowSeconds }: Query): AliasOutcome {
    const known = this.#table.find(this.#name.subarray(0, this.#length), type, nowSeconds);
    return known === undefined ? 'unknown' : this.#take(known.addresses, known.ttlSeconds);
  }

  #take(addresses: readonly Uint8Array[], ttlSeconds: number): AliasOutcome {
    this.#found = addresses;
    this.count = addresses.length;
    this.ttlSeconds = Math.min(this.ttlSeconds, ttlSeconds);
    return addresses.length === 0 ? 'none' : 'found';
  }

  #target(view: ZoneView, node: number, rrset: number): void {
    this.#length = view.expandName(node, rrset, RECORD_HEAD, this.#name);
    lowerName(this.#name, this.#name);
    this.ttlSeconds = Math.min(this.ttlSeconds, view.ttl(rrset));
  }
}
