// Keeps the site objects of one unit, and what a service makes of them, equal to the store: takes
// whole states and changes, all or nothing. What is refused leaves the plan before in force. Pure.
import type { Change, FollowTarget, ObjectRecord } from '../store/types.ts';
import { isOfNewerKind, keyOf, parseObject, type SiteObject } from './kinds.ts';
import { siteRecord, type Unit } from './place.ts';
import { isRefusal, type Refusal } from './refusal.ts';

const REASONS_TOLD = 20;

/** By keyOf() of what is stored. */
export type Objects = ReadonlyMap<string, SiteObject>;

export type ObjectsTargetOptions<Plan extends object> = {
  unit: Unit;
  /** `changed`: the keys that are not as in the plan before; undefined: anything may be. */
  compile: (
    objects: Objects,
    version: number,
    changed: ReadonlySet<string> | undefined,
  ) => Plan | Refusal;
  /** After each state that was taken. */
  onTaken?: (plan: Plan) => void;
  onRefused?: (reasons: readonly string[], version: number) => void;
};

export class ObjectsTarget<Plan extends object> implements FollowTarget {
  readonly #options: ObjectsTargetOptions<Plan>;
  #objects: Objects = new Map();
  #plan: Plan | undefined;

  constructor(options: ObjectsTargetOptions<Plan>) {
    this.#options = options;
  }

  /** Undefined until the first state was taken. */
  get plan(): Plan | undefined {
    return this.#plan;
  }

  get objects(): Objects {
    return this.#objects;
  }

  isDrainWanted(node: string): boolean {
    const found = this.#objects.get(keyOf({ kind: 'node', id: node, value: '' }));
    return found?.kind === 'node' && found.object.drain;
  }

  async reset(
    objects: AsyncIterable<ObjectRecord[]>,
    version: number,
  ): Promise<Refusal | undefined> {
    const records = new Map<string, ObjectRecord>(); // of one that comes twice the later counts
    for await (const batch of objects) {
      for (const record of batch) records.set(keyOf(record), record);
    }
    const fresh = new Map<string, SiteObject>();
    const reasons: string[] = [];
    for (const [key, record] of records) {
      const item = this.#read(record, reasons);
      if (item !== undefined) fresh.set(key, item);
    }
    return this.#take(fresh, reasons, version, undefined);
  }

  change(changes: Change[], version: number): Refusal | undefined {
    const fresh = new Map(this.#objects);
    const reasons: string[] = [];
    const changed = new Set<string>();
    for (const { kind, id, value } of changes) {
      const record = { kind, id, value: value ?? '' };
      const item = value === null ? undefined : this.#read(record, reasons);
      changed.add(keyOf(record));
      if (item === undefined) fresh.delete(keyOf(record));
      else fresh.set(keyOf(record), item);
    }
    return this.#take(fresh, reasons, version, changed);
  }

  #take(
    fresh: Objects,
    reasons: readonly string[],
    version: number,
    changed: ReadonlySet<string> | undefined,
  ): Refusal | undefined {
    if (reasons.length > 0) return this.#refuse(reasons, version);
    const plan = this.#options.compile(fresh, version, changed);
    if (isRefusal(plan)) return this.#refuse(plan.reasons, version);
    this.#objects = fresh;
    this.#plan = plan;
    this.#options.onTaken?.(plan);
    return undefined;
  }

  #refuse(reasons: readonly string[], version: number): Refusal {
    const told = reasons.slice(0, REASONS_TOLD);
    if (reasons.length > told.length) told.push(`and ${reasons.length - told.length} more`);
    this.#options.onRefused?.(told, version);
    return { reasons: told };
  }

  /** Undefined: refused, with its reasons told, or of a kind that may be ignored. */
  #read(stored: ObjectRecord, reasons: string[]): SiteObject | undefined {
    if (isOfNewerKind(stored)) return undefined;
    const item = parseObject(siteRecord(this.#options.unit, stored));
    if (!isRefusal(item)) return item;
    reasons.push(...item.reasons);
    return undefined;
  }
}
