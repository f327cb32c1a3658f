// A target for followers in tests: a map that refuses a state in which a value says "bad", and
// notes what reached it.
import { fieldOf } from '../../shared/store/changes.ts';
import type { Change, FollowTarget, ObjectRecord, Refusal } from '../../shared/store/types.ts';

export class MapTarget implements FollowTarget {
  held = new Map<string, string>();
  version = 0;
  origins: ('store' | 'disk')[] = [];
  changesTaken = 0;

  async reset(
    objects: AsyncIterable<ObjectRecord[]>,
    version: number,
    origin: 'store' | 'disk',
  ): Promise<Refusal | undefined> {
    const next = new Map<string, string>();
    for await (const batch of objects) {
      for (const { kind, id, value } of batch) next.set(fieldOf(kind, id), value);
    }
    this.origins.push(origin);
    return this.#take(next, version);
  }

  change(changes: Change[], version: number): Refusal | undefined {
    const next = new Map(this.held);
    for (const { kind, id, value } of changes) {
      if (value === null) next.delete(fieldOf(kind, id));
      else next.set(fieldOf(kind, id), value);
    }
    const refusal = this.#take(next, version);
    if (refusal === undefined) this.changesTaken++;
    return refusal;
  }

  #take(next: Map<string, string>, version: number): Refusal | undefined {
    const bad = [...next].filter(([, value]) => value.includes('bad')).map(([field]) => field);
    if (bad.length > 0) return { reasons: bad.map((field) => `${field} is bad`) };
    this.held = next;
    this.version = version;
    return undefined;
  }
}
