// The additional section: addresses of the names that an RRset names (A9), and the glue of a
// referral, which has to be there (A4, RFC 9471). Smart addresses are left out: there is no client
// for whom they would be chosen. Pure.
import { TYPES } from '../../shared/dns/constants.ts';
import type { Catalog } from '../image/catalog.ts';
import * as layout from '../image/layout.ts';
import { NameWalk } from '../image/name-walk.ts';
import type { ZoneView } from '../image/view.ts';
import type { Writer } from './writer.ts';

const MAX_POINTER = 0x3fff;

export class Additional {
  readonly #catalog: Catalog;
  readonly #writer: Writer;
  readonly #walk = new NameWalk();
  readonly #name = new Uint8Array(256);
  #zone = -1;
  #rrset = 0;
  #node = 0;
  #recordsAt = 0;
  #originAt = 0;
  #isReferral = false;

  constructor(catalog: Catalog, writer: Writer) {
    this.#catalog = catalog;
    this.#writer = writer;
  }

  begin(): void {
    this.#rrset = 0;
  }

  /** The RRset, of `node`, was written at `recordsAt` under the writer's name. */
  of(zone: number, rrset: number, recordsAt: number, node: number, isReferral: boolean): void {
    const view = this.#catalog.views[zone] as ZoneView;
    this.#zone = zone;
    this.#rrset = rrset;
    this.#node = node;
    this.#recordsAt = recordsAt;
    this.#originAt = this.#writer.labelAt[view.originDepth] as number;
    this.#isReferral = isReferral;
  }

  /** The number of records. Afterwards the writer is full only if glue did not fit. */
  write(withSigs: boolean): number {
    if (this.#rrset === 0) return 0;
    const view = this.#catalog.views[this.#zone] as ZoneView;
    if (view.word(this.#rrset + layout.R_ADDITIONAL) === 0) return 0;
    let records = 0;
    if (this.#isReferral) {
      records += this.#entries(view, true, withSigs);
      if (this.#writer.isFull) return records;
    }
    records += this.#entries(view, false, withSigs);
    this.#writer.isFull = false;
    return records;
  }

  #entries(view: ZoneView, isNeeded: boolean, withSigs: boolean): number {
    const rrset = this.#rrset;
    const skip =
      view.word(rrset + layout.R_PATCH_WORDS) + view.word(rrset + layout.R_SIGS) + layout.R_PATCHES;
    let entry = rrset + skip;
    let records = 0;
    for (let left = view.word(rrset + layout.R_ADDITIONAL); left > 0; left--) {
      const how = view.word(entry + 2);
      const needed = this.#isReferral && (how & layout.ADDITIONAL_NEEDED) !== 0;
      if (needed === isNeeded) records += this.#entry(view, entry, how, withSigs);
      entry += layout.ADDITIONAL_WORDS;
    }
    return records;
  }

  #entry(view: ZoneView, entry: number, how: number, withSigs: boolean): number {
    if (how & layout.ADDITIONAL_OWNER) {
      const { ownerAt } = this.#writer;
      return this.#addresses(view, this.#node, ownerAt, 0, withSigs);
    }
    const at = this.#recordsAt + view.word(entry + 1);
    const ownerAt = how & layout.ADDITIONAL_LITERAL ? 0 : this.#placeOf(at);
    const node = view.word(entry);
    if (node !== 0) return this.#addresses(view, node, ownerAt, this.#originAt, withSigs);
    if (this.#catalog.views.length === 1) return 0;
    return this.#elsewhere(at, ownerAt, withSigs);
  }

  /** Where the first label of the name at `at` stands; 0: beyond the reach of pointers. */
  #placeOf(at: number): number {
    const { out } = this.#writer;
    const first = out[at] as number;
    const place = first >= 0xc0 ? ((first & 0x3f) << 8) | (out[at + 1] as number) : at;
    return place > MAX_POINTER ? 0 : place;
  }

  /** A target in another zone of ours. */
  #elsewhere(at: number, ownerAt: number, withSigs: boolean): number {
    if (this.#writer.readName(at, this.#name) === 0) return 0;
    this.#walk.take(this.#name);
    const zone = this.#catalog.find(this.#name, this.#walk, this.#walk.depth);
    if (zone < 0) return 0;
    const view = this.#catalog.views[zone] as ZoneView;
    if (!view.isServed) return 0;
    const node = view.find(this.#name, this.#walk, this.#walk.depth);
    if (node === 0 || view.coverOf(node, node) !== 0) return 0;
    return this.#addresses(view, node, ownerAt, 0, withSigs);
  }

  #addresses(
    view: ZoneView,
    node: number,
    ownerAt: number,
    originAt: number,
    withSigs: boolean,
  ): number {
    const a = this.#rrsetOf(view, node, TYPES.A, ownerAt, originAt, withSigs);
    return a + this.#rrsetOf(view, node, TYPES.AAAA, ownerAt, originAt, withSigs);
  }

  #rrsetOf(
    view: ZoneView,
    node: number,
    type: number,
    ownerAt: number,
    originAt: number,
    withSigs: boolean,
  ): number {
    const rrset = view.rrset(node, type);
    if (rrset === 0 || view.word(rrset + layout.R_COUNT) === layout.SMART) return 0;
    const writer = this.#writer;
    if (ownerAt === 0) return writer.expanded(view, node, rrset, originAt, withSigs);
    return writer.rrset(view, rrset, view.depth(node), ownerAt, withSigs);
  }
}
