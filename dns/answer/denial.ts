// Which NSEC or NSEC3 records an answer needs (RFC 4035 §3.1.3, RFC 5155 §7.2): gathered while the
// sections are written, put into the authority section once each. Nothing in unsigned zones. Pure.
import { TYPES } from '../../shared/dns/constants.ts';
import type { Catalog } from '../image/catalog.ts';
import * as layout from '../image/layout.ts';
import { NameWalk } from '../image/name-walk.ts';
import { nsec3Hash } from '../image/sha1.ts';
import type { ZoneView } from '../image/view.ts';
import type { Writer } from './writer.ts';

/** Four a name, 16 names of a chain and the last. */
const MAX_PROOFS = 4 * 17;
const PROOF_WORDS = 3;

export class Denial {
  readonly #catalog: Catalog;
  readonly #writer: Writer;
  /** Zone, place of the name with the record, where the zone's origin stands in the message. */
  readonly #proofs = new Int32Array(PROOF_WORDS * MAX_PROOFS);
  #count = 0;
  readonly #hash = new Int32Array(5);
  readonly #wildcard = new Uint8Array(257);
  readonly #wildcardWalk = new NameWalk();

  constructor(catalog: Catalog, writer: Writer) {
    this.#catalog = catalog;
    this.#writer = writer;
  }

  begin(): void {
    this.#count = 0;
  }

  /** The suffix of `depth` labels is there, at `node`, but not the type; or the cut has no DS. */
  noData(zone: number, depth: number, node: number): void {
    const view = this.#view(zone);
    if (view.nsec3Count > 0) {
      const found = this.#nsec3(view, depth);
      if (found > 0) this.#add(zone, found);
      else this.#provableEncloser(zone, view, depth - 1);
    } else if (view.nsecCount > 0) {
      const { name, walk } = this.#writer;
      const has = view.rrset(node, TYPES.NSEC) !== 0;
      this.#add(zone, has ? node : view.nsecAtOrBefore(name, walk, depth));
    }
  }

  /** No such name, nor a wildcard for it at the closest encloser. */
  noName(zone: number, encloserDepth: number): void {
    const view = this.#view(zone);
    if (view.nsec3Count > 0) {
      const depth = this.#provableEncloser(zone, view, encloserDepth);
      this.#add(zone, Math.abs(this.#nsec3OfWildcard(view, depth)));
    } else if (view.nsecCount > 0) {
      this.#addCover(zone, view);
      this.#addCoverOfWildcard(zone, view, encloserDepth);
    }
  }

  /** The wildcard at `wildcard`, which stands for the name, has not the type. */
  noDataOfWildcard(zone: number, encloserDepth: number, wildcard: number): void {
    const view = this.#view(zone);
    if (view.nsec3Count > 0) {
      this.#provableEncloser(zone, view, encloserDepth);
      this.#add(zone, Math.abs(this.#nsec3OfWildcard(view, encloserDepth)));
    } else if (view.nsecCount > 0) {
      this.#addCover(zone, view);
      if (view.rrset(wildcard, TYPES.NSEC) !== 0) this.#add(zone, wildcard);
      else this.#addCoverOfWildcard(zone, view, encloserDepth);
    }
  }

  /** The answer is a wildcard's: there is nothing closer. */
  expansion(zone: number, encloserDepth: number): void {
    const view = this.#view(zone);
    if (view.nsec3Count > 0) this.#add(zone, Math.abs(this.#nsec3(view, encloserDepth + 1)));
    else if (view.nsecCount > 0) this.#addCover(zone, view);
  }

  /** Into the authority section; the number of records. */
  write(): number {
    let records = 0;
    for (let index = 0; index < this.#count; index++) {
      const view = this.#view(this.#proofs[PROOF_WORDS * index] as number);
      const node = this.#proofs[PROOF_WORDS * index + 1] as number;
      const originAt = this.#proofs[PROOF_WORDS * index + 2] as number;
      const rrset = view.rrset(node, view.nsec3Count > 0 ? TYPES.NSEC3 : TYPES.NSEC);
      if (rrset !== 0) records += this.#writer.expanded(view, node, rrset, originAt, true);
    }
    return records;
  }

  #view(zone: number): ZoneView {
    return this.#catalog.views[zone] as ZoneView;
  }

  /** The NSEC that spans the writer's name. */
  #addCover(zone: number, view: ZoneView): void {
    const { name, walk } = this.#writer;
    this.#add(zone, view.nsecAtOrBefore(name, walk, walk.depth));
  }

  /** The NSEC that spans `*` at the encloser; of an empty one too. */
  #addCoverOfWildcard(zone: number, view: ZoneView, encloserDepth: number): void {
    this.#makeWildcard(encloserDepth);
    const walk = this.#wildcardWalk;
    this.#add(zone, view.nsecAtOrBefore(this.#wildcard, walk, walk.depth));
  }

  #add(zone: number, node: number): void {
    if (node === 0 || this.#count === MAX_PROOFS) return;
    const proofs = this.#proofs;
    for (let at = 0; at < PROOF_WORDS * this.#count; at += PROOF_WORDS) {
      if (proofs[at] === zone && proofs[at + 1] === node) return;
    }
    const at = PROOF_WORDS * this.#count++;
    proofs[at] = zone;
    proofs[at + 1] = node;
    proofs[at + 2] = this.#writer.labelAt[this.#view(zone).originDepth] as number;
  }

  /**
   * The closest encloser that has an NSEC3, and what covers the name below it (RFC 5155 §7.2.1);
   * with opt-out it may be shorter than the one that exists. Its depth.
   */
  #provableEncloser(zone: number, view: ZoneView, encloserDepth: number): number {
    for (let depth = encloserDepth; depth >= view.originDepth; depth--) {
      const found = this.#nsec3(view, depth);
      if (found <= 0) continue;
      this.#add(zone, found);
      this.#add(zone, Math.abs(this.#nsec3(view, depth + 1)));
      return depth;
    }
    return view.originDepth;
  }

  #nsec3(view: ZoneView, depth: number): number {
    const { name, walk } = this.#writer;
    return this.#nsec3Of(view, name, walk, depth);
  }

  #nsec3OfWildcard(view: ZoneView, encloserDepth: number): number {
    this.#makeWildcard(encloserDepth);
    return this.#nsec3Of(view, this.#wildcard, this.#wildcardWalk, encloserDepth + 1);
  }

  #nsec3Of(view: ZoneView, name: Uint8Array, walk: NameWalk, depth: number): number {
    const at = walk.at[depth] as number;
    nsec3Hash(
      name,
      at,
      (walk.at[0] as number) + 1 - at,
      view.bytes,
      4 * view.word(layout.H_NSEC3_SALT),
      view.word(layout.H_NSEC3_SALT_LENGTH),
      view.word(layout.H_NSEC3_ITERATIONS),
      this.#hash,
    );
    return view.nsec3For(this.#hash);
  }

  /** `*` and the suffix of the writer's name with so many labels. */
  #makeWildcard(encloserDepth: number): void {
    const { name, walk } = this.#writer;
    const wildcard = this.#wildcard;
    wildcard[0] = 1;
    wildcard[1] = 0x2a;
    let used = 2;
    const end = walk.at[0] as number;
    for (let at = walk.at[encloserDepth] as number; at <= end; at++) {
      wildcard[used++] = name[at] as number;
    }
    this.#wildcardWalk.take(wildcard);
  }
}
