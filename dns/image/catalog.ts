// All served zones: the one that a name lies in is that with the longest origin (A1). One look-up
// for each depth that some origin has, however many zones there are. Pure.
import { NameWalk, sameBytes } from './name-walk.ts';
import type { ZoneImage } from './types.ts';
import { ZoneView } from './view.ts';

const SLOT_WORDS = 4;

const views = new WeakMap<ZoneImage, ZoneView>();
const catalogs = new WeakMap<readonly ZoneImage[], Catalog>();

/**
 * The catalog of a list that is not changed any more. States that differ in other things share it,
 * and lists that share zones their views: a change of health costs nothing here.
 */
export function catalogOf(zones: readonly ZoneImage[]): Catalog {
  const known = catalogs.get(zones);
  if (known !== undefined) return known;
  const made = new Catalog(zones);
  catalogs.set(zones, made);
  return made;
}

function viewOf(image: ZoneImage): ZoneView {
  const known = views.get(image);
  if (known !== undefined) return known;
  const made = new ZoneView(image);
  views.set(image, made);
  return made;
}

export class Catalog {
  readonly views: readonly ZoneView[];
  /** Four words each: hash of the origin, index + 1, where in `origins` it is, how long. */
  readonly #table: Int32Array;
  readonly #mask: number;
  /** By depth: 1 where an origin has so many labels; and the greatest of them. */
  readonly #depths = new Uint8Array(128);
  readonly #deepest: number;
  /** One behind the other, so that a look-up touches no zone but the one that it finds. */
  readonly #origins: Uint8Array;

  /** Of two zones of one origin the first counts. */
  constructor(zones: readonly ZoneImage[]) {
    this.views = zones.map(viewOf);
    let size = 4;
    while (size < 2 * zones.length) size *= 2;
    this.#table = new Int32Array(SLOT_WORDS * size);
    this.#mask = size - 1;
    this.#deepest = this.views.reduce((most, { originDepth }) => Math.max(most, originDepth), 0);
    this.#origins = new Uint8Array(zones.reduce((sum, { origin }) => sum + origin.length, 0));
    this.#fill();
  }

  #fill(): void {
    const walk = new NameWalk();
    let used = 0;
    for (const [index, { image, originDepth }] of this.views.entries()) {
      walk.take(image.origin);
      if (this.#at(image.origin, walk, originDepth) >= 0) continue;
      const hash = walk.hash[originDepth] as number;
      let slot = hash & this.#mask;
      while (this.#table[SLOT_WORDS * slot + 1] !== 0) slot = (slot + 1) & this.#mask;
      this.#table.set([hash, index + 1, used, image.origin.length], SLOT_WORDS * slot);
      this.#origins.set(image.origin, used);
      used += image.origin.length;
      this.#depths[originDepth] = 1;
    }
  }

  /** Index of the zone that `name` lies in, with an origin of at most `depth` labels; or −1. */
  find(name: Uint8Array, walk: NameWalk, depth: number): number {
    for (let each = Math.min(depth, this.#deepest); each >= 0; each--) {
      if (this.#depths[each] === 0) continue;
      const index = this.#at(name, walk, each);
      if (index >= 0) return index;
    }
    return -1;
  }

  #at(name: Uint8Array, walk: NameWalk, depth: number): number {
    const hash = walk.hash[depth] as number;
    const at = walk.at[depth] as number;
    const length = (walk.at[0] as number) + 1 - at;
    let slot = hash & this.#mask;
    for (let probes = 0; probes <= this.#mask; probes++) {
      const place = SLOT_WORDS * slot;
      const index = (this.#table[place + 1] as number) - 1;
      if (index < 0) return -1;
      if (this.#table[place] === hash && this.#table[place + 3] === length) {
        const originAt = this.#table[place + 2] as number;
        if (sameBytes(name, at, this.#origins, originAt, length)) return index;
      }
      slot = (slot + 1) & this.#mask;
    }
    return -1;
  }
}
