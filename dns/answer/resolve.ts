// The heart of an answer (RFC 1034 §4.3.2, rules A1 to A12 of docs/answers.md): which zone, which
// name, which RRsets, in which sections. Bound to one ServingState. Pure.
import { RCODES, TYPES } from '../../shared/dns/constants.ts';
import { type Catalog, catalogOf } from '../image/catalog.ts';
import {
  N_COVERED,
  N_WILDCARD,
  NODE_ALIAS,
  NODE_CUT,
  R_ADDITIONAL,
  R_BYTES,
  R_COUNT,
  R_NEXT,
  R_SIGS,
  R_TYPE,
  RECORD_HEAD,
  SMART,
} from '../image/layout.ts';
import type { ZoneView } from '../image/view.ts';
import { AliasChase } from './alias.ts';
import { type AliasTable, outsideTable } from './alias-table.ts';
import { Denial } from './denial.ts';
import type { Query, Resolve, Result } from './query-types.ts';
import { Additional } from './resolve-additional.ts';
import { begin, noQuery } from './resolve-begin.ts';
import { Dname } from './resolve-dname.ts';
import { SmartPick } from './smart.ts';
import type { ServingState } from './types.ts';
import { Writer } from './writer.ts';

/** CNAMEs of one answer (A5). */
const MAX_LINKS = 16;

/**
 * `aliases`: what is known of targets that no served zone has (A7); it may change while it is used.
 */
export function createResolve(
  state: ServingState,
  aliases: AliasTable = outsideTable(state.aliases),
): Resolve {
  const resolver = new Resolver(state, aliases);
  return (query, out, from, limit, result) => resolver.resolve(query, out, from, limit, result);
}

class Resolver {
  readonly #state: ServingState;
  readonly #catalog: Catalog;
  readonly #writer = new Writer();
  readonly #denial: Denial;
  readonly #additional: Additional;
  readonly #alias: AliasChase;
  readonly #dname: Dname;
  readonly #smart = new SmartPick();
  /** The message that is being answered. */
  #query: Query = noQuery;
  #result: Result = noResult();
  #zone = -1;
  #links = 0;
  /** Hash and depth of each name of the chain, by which a loop is seen. */
  readonly #seen = new Int32Array(2 * (MAX_LINKS + 1));

  constructor(state: ServingState, aliases: AliasTable) {
    this.#state = state;
    this.#catalog = catalogOf(state.zones);
    this.#denial = new Denial(this.#catalog, this.#writer);
    this.#additional = new Additional(this.#catalog, this.#writer);
    this.#alias = new AliasChase(state, this.#catalog, aliases);
    this.#dname = new Dname(this.#writer);
  }

  resolve(query: Query, out: Uint8Array, from: number, limit: number, result: Result): void {
    const writer = this.#writer;
    writer.begin(query, out, from, limit);
    begin(result, query, from);
    const zone = this.#zoneOf(query.type);
    result.zone = zone;
    if (zone < 0) {
      result.rcode = RCODES.REFUSED;
      return;
    }
    const view = this.#catalog.views[zone] as ZoneView;
    result.isAuthoritative = view.isServed && !query.isAnyClass;
    if (view.isServed && this.#answerAtOnce(view, query, result)) return;
    this.#query = query;
    this.#result = result;
    this.#zone = zone;
    this.#links = 0;
    this.#denial.begin();
    this.#additional.begin();
    writer.fillLabels();
    result.likeAt = query.nameLength - view.originLength;
    this.#chain();
    this.#finish(from);
  }

  /** Most queries: the name is there, and has the type, and nothing goes with it. */
  #answerAtOnce(view: ZoneView, query: Query, result: Result): boolean {
    const writer = this.#writer;
    const node = view.find(writer.name, writer.walk, writer.walk.depth);
    if (node === 0 || view.word(node + N_COVERED) !== 0) return false;
    const rrset = view.rrset(node, query.type);
    if (rrset === 0 || query.type === TYPES.ALIAS) return false;
    const count = view.word(rrset + R_COUNT);
    if (count === SMART || view.word(rrset + R_ADDITIONAL) !== 0) return false;
    if (query.dnssecOk && view.word(rrset + R_SIGS) !== 0) return false;
    result.likeAt = 0;
    if (writer.copy(view.bytes, view.recordsAt(rrset), view.word(rrset + R_BYTES))) {
      result.answers = count;
      result.end = writer.at;
    } else {
      result.isTruncated = true;
    }
    return true;
  }

  /** A DS is its parent's, if that is served (RFC 4035 §3.1.4.1). */
  #zoneOf(type: number): number {
    const { name, walk } = this.#writer;
    const zone = this.#catalog.find(name, walk, walk.depth);
    if (type !== TYPES.DS || zone < 0 || walk.depth === 0) return zone;
    if ((this.#catalog.views[zone] as ZoneView).originDepth !== walk.depth) return zone;
    const parent = this.#catalog.find(name, walk, walk.depth - 1);
    return parent < 0 ? zone : parent;
  }

  /** Name by name, until one of them is not a CNAME, or not ours. */
  #chain(): void {
    while (this.#answerName()) {
      if (this.#links === MAX_LINKS || this.#isLoop()) return;
      this.#zone = this.#zoneOf(this.#query.type);
      if (this.#zone < 0) return;
    }
  }

  #isLoop(): boolean {
    const { walk } = this.#writer;
    const hash = walk.hash[walk.depth] as number;
    for (let index = 0; index < this.#links; index++) {
      if (this.#seen[2 * index] === hash && this.#seen[2 * index + 1] === walk.depth) return true;
    }
    return false;
  }

  /** Answers the writer's name; true: it was a CNAME, and the writer has the next name. */
  #answerName(): boolean {
    const { name, walk } = this.#writer;
    const view = this.#catalog.views[this.#zone] as ZoneView;
    if (!view.isServed) return this.#fail();
    const exact = view.find(name, walk, walk.depth);
    const encloser = exact === 0 ? view.closestEncloser(name, walk) : exact;
    const covered = view.coverOf(exact, encloser);
    if (covered !== 0) {
      if ((view.flags(covered) & NODE_CUT) === 0) return this.#redirect(view, covered);
      // The DS of a cut is on our side of it.
      if (covered !== exact || this.#query.type !== TYPES.DS) return this.#refer(view, covered);
    }
    if (exact !== 0) {
      this.#like(0);
      return this.#atName(view, exact, 0);
    }
    const wildcard = view.word(encloser + N_WILDCARD);
    if (wildcard === 0) return this.#noSuchName(view, encloser);
    this.#like(walk.at[view.depth(encloser)] as number);
    return this.#atName(view, wildcard, encloser);
  }

  /** `encloser`: not 0 when `node` is a wildcard that stands for the name. */
  #atName(view: ZoneView, node: number, encloser: number): boolean {
    const { type } = this.#query;
    if (type === TYPES.ANY) return this.#anyOf(view, node, encloser);
    if (type === TYPES.RRSIG && this.#allSignatures(view, node, encloser)) return false;
    const rrset = type === TYPES.ALIAS ? 0 : view.rrset(node, type);
    if (rrset !== 0) {
      this.#answer(view, node, encloser, rrset);
      return false;
    }
    const cname = view.rrset(node, TYPES.CNAME);
    if (cname !== 0) return this.#chase(view, node, encloser, cname);
    if (type === TYPES.A || type === TYPES.AAAA) {
      if ((view.flags(node) & NODE_ALIAS) !== 0) return this.#aliased(view, node, encloser, type);
    }
    return this.#noData(view, node, encloser);
  }

  /** True: it is in the answer section, and was not empty. */
  #answer(view: ZoneView, node: number, encloser: number, rrset: number): boolean {
    const writer = this.#writer;
    if (view.word(rrset + R_COUNT) === SMART) return this.#answerSmart(view, node, encloser, rrset);
    const at = writer.at;
    const withSigs = this.#query.dnssecOk;
    const depth = view.depth(node);
    this.#result.answers += writer.rrset(view, rrset, depth, writer.ownerAt, withSigs);
    this.#additional.of(this.#zone, rrset, at, node, false);
    if (encloser !== 0) this.#proveExpansion(view, encloser);
    return true;
  }

  #answerSmart(view: ZoneView, node: number, encloser: number, rrset: number): boolean {
    const [writer, smart, result] = [this.#writer, this.#smart, this.#result];
    const { lines, smart: answers } = this.#state;
    if (!smart.choose(answers, view.word(rrset + R_BYTES), lines, this.#query)) return this.#fail();
    result.line = smart.line;
    result.scope = Math.max(result.scope, smart.scope);
    if (smart.rdatas.length === 0) return this.#noData(view, node, encloser);
    const type = view.word(rrset + R_TYPE);
    for (const data of smart.rdatas) {
      if (writer.record(type, smart.ttlSeconds, data, data.length) !== 0) result.answers++;
    }
    return true;
  }

  #chase(view: ZoneView, node: number, encloser: number, cname: number): boolean {
    const writer = this.#writer;
    this.#remember();
    const at = writer.at;
    if (!this.#answer(view, node, encloser, cname) || writer.isFull) return false;
    // Tailored to the client's network: what follows would be cached with this scope (RFC 7871).
    if (view.word(cname + R_COUNT) === SMART && this.#query.hasEcs) return false;
    return writer.follow(at + RECORD_HEAD);
  }

  #remember(): void {
    const { walk } = this.#writer;
    this.#seen[2 * this.#links] = walk.hash[walk.depth] as number;
    this.#seen[2 * this.#links + 1] = walk.depth;
    this.#links++;
  }

  /** Below a DNAME (A6). */
  #redirect(view: ZoneView, node: number): boolean {
    const { dnssecOk, type } = this.#query;
    const result = this.#result;
    this.#like(this.#writer.walk.at[view.depth(node)] as number);
    this.#remember();
    const count = this.#dname.write(view, node, dnssecOk);
    result.answers += Math.abs(count);
    if (count <= 0) {
      if (!this.#writer.isFull) result.rcode = RCODES.YXDOMAIN;
      return false;
    }
    if (type === TYPES.CNAME || type === TYPES.ANY) return false;
    return this.#writer.follow(this.#dname.targetAt);
  }

  /** At or below a cut (A4). */
  #refer(view: ZoneView, cut: number): boolean {
    const [writer, result] = [this.#writer, this.#result];
    const depth = view.depth(cut);
    const ownerAt = writer.labelAt[depth] as number;
    this.#like(writer.walk.at[depth] as number);
    if (this.#links === 0) result.isAuthoritative = false;
    const ns = view.rrset(cut, TYPES.NS);
    const at = writer.at;
    result.authorities += writer.rrset(view, ns, depth, ownerAt, false);
    this.#additional.of(this.#zone, ns, at, cut, true);
    if (!this.#query.dnssecOk || !view.isSigned) return false;
    const ds = view.rrset(cut, TYPES.DS);
    if (ds !== 0) result.authorities += writer.rrset(view, ds, depth, ownerAt, true);
    else this.#denial.noData(this.#zone, depth, cut);
    return false;
  }

  #noSuchName(view: ZoneView, encloser: number): boolean {
    this.#like(this.#writer.walk.at[view.originDepth] as number);
    this.#result.rcode = RCODES.NXDOMAIN;
    this.#soa(view);
    if (this.#query.dnssecOk) this.#denial.noName(this.#zone, view.depth(encloser));
    return false;
  }

  #noData(view: ZoneView, node: number, encloser: number): boolean {
    this.#soa(view);
    if (!this.#query.dnssecOk) return false;
    if (encloser === 0) this.#denial.noData(this.#zone, this.#writer.walk.depth, node);
    else this.#denial.noDataOfWildcard(this.#zone, view.depth(encloser), node);
    return false;
  }

  #soa(view: ZoneView): void {
    const writer = this.#writer;
    const depth = view.originDepth;
    const ownerAt = writer.labelAt[depth] as number;
    const { dnssecOk } = this.#query;
    this.#result.authorities += writer.rrset(view, view.negativeSoa, depth, ownerAt, dnssecOk);
  }

  #proveExpansion(view: ZoneView, encloser: number): void {
    if (this.#query.dnssecOk) this.#denial.expansion(this.#zone, view.depth(encloser));
  }

  /** One RRset of the name (A8). */
  #anyOf(view: ZoneView, node: number, encloser: number): boolean {
    for (let each = view.firstRrset(node); each !== 0; each = view.word(each + R_NEXT)) {
      if (view.word(each + R_COUNT) === 0 || view.word(each + R_TYPE) === TYPES.ALIAS) continue;
      this.#answer(view, node, encloser, each);
      return false;
    }
    if ((view.flags(node) & NODE_ALIAS) === 0) return this.#noData(view, node, encloser);
    return this.#aliased(view, node, encloser, TYPES.A);
  }

  #allSignatures(view: ZoneView, node: number, encloser: number): boolean {
    const writer = this.#writer;
    let count = 0;
    for (let each = view.firstRrset(node); each !== 0; each = view.word(each + R_NEXT)) {
      if (view.word(each + R_COUNT) === SMART) continue;
      count += writer.signatures(view, each, writer.ownerAt);
    }
    this.#result.answers += count;
    if (count > 0 && encloser !== 0) this.#proveExpansion(view, encloser);
    return count > 0 || writer.isFull;
  }

  /** Addresses of another name under this one (A7). */
  #aliased(view: ZoneView, node: number, encloser: number, type: number): boolean {
    const [alias, result, writer] = [this.#alias, this.#result, this.#writer];
    const outcome = alias.find(view, node, type, this.#query);
    if (outcome === 'unknown') return this.#fail();
    if (alias.line >= 0) result.line = alias.line;
    result.scope = Math.max(result.scope, alias.scope);
    if (outcome === 'none') return this.#noData(view, node, encloser);
    for (let index = 0; index < alias.count; index++) {
      const at = writer.record(type, alias.ttlSeconds, alias.address(index), alias.addressBytes);
      if (at !== 0) result.answers++;
    }
    return false;
  }

  /** SERVFAIL, whatever the chain had so far. */
  #fail(): boolean {
    const result = this.#result;
    result.rcode = RCODES.SERVFAIL;
    result.isAuthoritative = false;
    return false;
  }

  /** Only the QNAME's own name says what this answer is like (R1). */
  #like(at: number): void {
    if (this.#links === 0) this.#result.likeAt = at;
  }

  #finish(from: number): void {
    const [writer, result] = [this.#writer, this.#result];
    if (result.rcode === RCODES.SERVFAIL) {
      writer.at = from;
      result.answers = 0;
      result.authorities = 0;
      result.scope = 0;
    } else {
      result.authorities += this.#denial.write();
      if (!writer.isFull) result.additionals += this.#additional.write(this.#query.dnssecOk);
      if (result.rcode !== RCODES.NOERROR) result.scope = 0;
    }
    result.end = writer.at;
    if (!writer.isFull) return;
    result.isTruncated = true;
    result.end = from;
    result.answers = 0;
    result.authorities = 0;
    result.additionals = 0;
  }
}

/** As a responder makes one, once. */
export function noResult(): Result {
  return {
    rcode: 0,
    isAuthoritative: false,
    answers: 0,
    authorities: 0,
    additionals: 0,
    end: 0,
    isTruncated: false,
    scope: 0,
    line: -1,
    zone: -1,
    likeAt: 0,
  };
}
