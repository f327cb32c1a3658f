// Keeps the site objects of dhcpd and the plan that is made of them: takes whole states and changes
// from the store, all or nothing. What is refused leaves the plan before in force.
import { DhcpObjects } from '../../shared/site/dhcp-objects.ts';
import { isOfNewerKind, keyOf, parseObject, type SiteObject } from '../../shared/site/kinds.ts';
import { siteRecord } from '../../shared/site/place.ts';
import { isRefusal, type Refusal } from '../../shared/site/refusal.ts';
import type { Change, FollowTarget, ObjectRecord } from '../../shared/store/types.ts';
import { SERVICE } from '../name.ts';
import { compileObjects } from './plan.ts';
import type { Plan } from './types.ts';

const REASONS_TOLD = 20;

export type TargetOptions = {
  /** After each state that was taken; it is what `plan` and `isDrainWanted` say now. */
  onTaken?: (plan: Plan) => void;
  onRefused?: (reasons: readonly string[], version: number) => void;
};

/** By keyOf() of what is stored. */
type Objects = Map<string, SiteObject>;

export class PlanTarget implements FollowTarget {
  readonly #options: TargetOptions;
  #objects: Objects = new Map();
  #plan: Plan | undefined;

  constructor(options: TargetOptions = {}) {
    this.#options = options;
  }

  /** Undefined until the first state was taken. */
  get plan(): Plan | undefined {
    return this.#plan;
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
    const fresh: Objects = new Map();
    const reasons: string[] = [];
    for (const [key, record] of records) {
      const item = read(record, reasons);
      if (item !== undefined) fresh.set(key, item);
    }
    return this.#take(fresh, reasons, version);
  }

  change(changes: Change[], version: number): Refusal | undefined {
    const fresh = new Map(this.#objects);
    const reasons: string[] = [];
    for (const { kind, id, value } of changes) {
      const record = { kind, id, value: value ?? '' };
      const item = value === null ? undefined : read(record, reasons);
      if (item === undefined) fresh.delete(keyOf(record));
      else fresh.set(keyOf(record), item);
    }
    return this.#take(fresh, reasons, version);
  }

  #take(fresh: Objects, reasons: readonly string[], version: number): Refusal | undefined {
    if (reasons.length > 0) return this.#refuse(reasons, version);
    const plan = compileObjects(DhcpObjects.of(fresh.values()), version);
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
}

/** Undefined: refused, with its reasons told, or of a kind that may be ignored. */
function read(stored: ObjectRecord, reasons: string[]): SiteObject | undefined {
  if (isOfNewerKind(stored)) return undefined;
  const item = parseObject(siteRecord(SERVICE, stored));
  if (!isRefusal(item)) return item;
  reasons.push(...item.reasons);
  return undefined;
}
