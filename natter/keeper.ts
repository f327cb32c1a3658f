// Holds the table and keeps the kernel equal to it: takes whole states and changes from the store,
// all or nothing, and audits what the kernel really has.

import { describeError, OperationalError } from '../shared/errors.ts';
import type { Log } from '../shared/log.ts';
import { isRefusal } from '../shared/site/refusal.ts';
import type { Change, FollowTarget, ObjectRecord, Refusal } from '../shared/store/types.ts';
import type { Datapath } from './datapath.ts';
import type { NatterEvent } from './events.ts';
import { type Intent, readChange } from './objects.ts';
import type { Repairs } from './reconcile.ts';
import type { Capacity } from './state.ts';
import { type ObjectChange, Table, tooMany } from './table.ts';

export type KeeperOptions = {
  datapath: Datapath;
  capacity: Capacity;
  isLocal: (address: number) => boolean;
  log: Log<NatterEvent>;
  /** Lets the event loop turn between two slices of work. */
  turn: () => Promise<void>;
  /** After each state that was taken. */
  onApplied: () => void;
};

export type AuditTotals = Repairs & { runs: number };

export class Keeper implements FollowTarget {
  readonly #options: KeeperOptions;
  #table: Table | undefined;
  #version = 0;
  #intents = new Map<string, boolean>();
  #loading = false;
  /** A failed write left the kernel between two tables. */
  #dirty = false;
  readonly audits: AuditTotals = { runs: 0, added: 0, changed: 0, removed: 0 };

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  /** Undefined until the first state was taken. */
  get table(): Table | undefined {
    return this.#table;
  }

  get version(): number {
    return this.#version;
  }

  /** The kernel holds the table whole. */
  get complete(): boolean {
    return this.#table !== undefined && !this.#dirty;
  }

  isDrainWanted(node: string): boolean {
    return this.#intents.get(node) === true;
  }

  async reset(
    objects: AsyncIterable<ObjectRecord[]>,
    version: number,
  ): Promise<Refusal | undefined> {
    const { capacity, isLocal, datapath, log } = this.#options;
    const recovered = this.#table?.state.numbers() ?? datapath.recover();
    const fresh = new Table({ capacity, isLocal, recovered });
    const intents = new Map<string, boolean>();
    const reasons = await load(fresh, intents, objects);
    for (const reason of fresh.check()) reasons.push(reason); // may be more than a call takes
    if (reasons.length > 0) return this.#refuse(reasons, version);
    this.#loading = true;
    try {
      const repairs = await this.#reconcile(fresh);
      log.info('table-applied', `${fresh.state.eipCount} eips at version ${version}`, {
        version,
        eips: fresh.state.eipCount,
        forwards: fresh.state.forwardCount,
        ...repairs,
      });
    } catch (error) {
      return await this.#fallBack(error, version);
    } finally {
      this.#loading = false;
    }
    this.#table = fresh;
    this.#intents = intents;
    this.#taken(version);
    return undefined;
  }

  change(changes: Change[], version: number): Refusal | undefined {
    const table = this.#table;
    if (table === undefined || this.#loading) return { reasons: ['the table is being loaded'] };
    const { objects, intents, reasons } = readChanges(changes);
    const planned = table.change(objects);
    if ('reasons' in planned) return this.#refuse([...reasons, ...planned.reasons], version);
    if (reasons.length > 0) {
      planned.undo();
      return this.#refuse(reasons, version);
    }
    try {
      this.#options.datapath.apply(planned.operations);
    } catch (error) {
      planned.undo();
      const refusal = this.#kernelRefused(error, version);
      this.#putBack(table);
      return refusal;
    }
    planned.commit();
    for (const { node, drain } of intents) this.#intents.set(node, drain);
    this.#taken(version);
    return undefined;
  }

  /** Compares the kernel with the table and puts it right. Rejects with what the kernel refuses. */
  async audit(): Promise<void> {
    const table = this.#table;
    if (table === undefined || this.#loading) return;
    const repairs = await this.#reconcile(table, () => this.#loading || this.#table !== table);
    if (repairs === undefined) return; // a new table came between: the next audit is its
    this.#dirty = false;
    const { added, changed, removed } = repairs;
    this.audits.runs += 1;
    this.audits.added += added;
    this.audits.changed += changed;
    this.audits.removed += removed;
    if (added + changed + removed === 0) return;
    this.#options.log.warn('audit-repaired', 'the kernel was not what the table says', repairs);
  }

  async #reconcile(
    table: Table,
    isOver: () => boolean = () => false,
  ): Promise<Repairs | undefined> {
    const steps = this.#options.datapath.reconcile(table.state);
    for (let step = steps.next(); ; step = steps.next()) {
      if (step.done === true) return step.value;
      await this.#options.turn();
      if (isOver()) return undefined;
    }
  }

  /** At once, and in one go: meanwhile the kernel stands between two tables. */
  #putBack(table: Table): void {
    this.#dirty = true;
    try {
      const steps = this.#options.datapath.reconcile(table.state);
      while (steps.next().done !== true);
      this.#dirty = false;
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      this.#options.log.error('audit-failed', describeError(error), { error }); // the audit goes on
    }
  }

  async #fallBack(error: unknown, version: number): Promise<Refusal> {
    this.#dirty = true;
    const refusal = this.#kernelRefused(error, version);
    if (this.#table === undefined) return refusal;
    await this.#reconcile(this.#table);
    this.#dirty = false;
    return refusal;
  }

  #taken(version: number): void {
    this.#version = version;
    this.#options.onApplied();
  }

  #refuse(reasons: string[], version: number): Refusal {
    const shown = tooMany(reasons);
    this.#options.log.error('table-refused', shown[0] ?? 'refused', { version, reasons: shown });
    return { reasons: shown };
  }

  #kernelRefused(error: unknown, version: number): Refusal {
    if (!(error instanceof OperationalError)) throw error;
    this.#options.log.error('kernel-refused', describeError(error), { version, error });
    return { reasons: [describeError(error)] };
  }
}

async function load(
  table: Table,
  intents: Map<string, boolean>,
  objects: AsyncIterable<ObjectRecord[]>,
): Promise<string[]> {
  const reasons: string[] = [];
  for await (const batch of objects) {
    for (const record of batch) {
      const read = readChange(record);
      if (read === 'ignored') continue;
      if (isRefusal(read)) reasons.push(...read.reasons);
      else if ('intent' in read) intents.set(read.intent.node, read.intent.drain);
      else if ('object' in read.change) {
        const problem = table.load(read.change.object);
        if (problem !== undefined) reasons.push(problem);
      }
    }
  }
  return reasons;
}

function readChanges(changes: readonly Change[]) {
  const objects: ObjectChange[] = [];
  const intents: Intent[] = [];
  const reasons: string[] = [];
  for (const change of changes) {
    const read = readChange(change);
    if (read === 'ignored') continue;
    if (isRefusal(read)) reasons.push(...read.reasons);
    else if ('intent' in read) intents.push(read.intent);
    else objects.push(read.change);
  }
  return { objects, intents, reasons };
}
