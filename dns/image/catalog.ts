// All served zones: the one that a name lies in is that with the longest origin (A1). One look-up
// for each depth that some origin has, however many zones there are. Pure.
import { NameWalk, sameBytes } from './name-walk.ts';
import type { ZoneImage } from './types.ts';
import { ZoneView } from './view.ts';

export class Catalog {
  readonly views: readonly ZoneView[];
  /** Pairs of [hash of the origin, index + 1]. */
  readonly #table: Int32Array;
  readonly #mask: number;
  /** By depth: 1 where an origin has so many labels; and the greatest of them. */
  readonly #depths = new Uint8Array(128);
  readonly #deepest: number;

  /** Of two zones of one origin the first counts. */
  constructor(zones: readonly ZoneImage[]) {
    this.views = zones.map((image) => new ZoneView(image));
    let size = 4;
    while (size < 2 * zones.length) size *= 2;
    this.#table = new Int32Array(2 * size);
    this.#mask = size - 1;
    this.#deepest = this.views.reduce((most, { originDepth }) => Math.max(most, originDepth), 0);
    const walk = new NameWalk();
    for (const [index, { image, originDepth }] of this.views.entries()) {
      walk.take(image.origin);
      if (this.#at(image.origin, walk, originDepth) >= 0) continue;
      const hash = walk.hash[originDepth] as number;
      let slot = hash & this.#mask;
      while (this.#table[2 * slot + 1] !== 0) slot = (slot + 1) & this.#mask;
      this.#table[2 * slot] = hash;
      this.#table[2 * slot + 1] = index + 1;
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
      const index = (this.#table[2 * slot + 1] as number) - 1;
      if (index < 0) return -1;
      if (this.#table[2 * slot] === hash) {
        const { origin } = (this.views[index] as ZoneView).image;
        if (origin.length === length && sameBytes(name, at, origin, 0, length)) return index;
      }
      slot = (slot + 1) & this.#mask;
    }
    return -1;
  }
}
