// One unit of the store in memory: objects, version, digest and the change stream, as apply.lua
// keeps them.
import type { Clock } from '../clock.ts';
import { OperationalError } from '../errors.ts';
import { addDigest, formatDigest, objectDigest, subtractDigest } from './digest.ts';
import type { ApplyResult, Change, Head, ObjectRecord, StreamEntry } from './types.ts';

const MAX_ENTRIES_PER_READ = 64;
const MAX_UNDO = 1000;

type Entry = StreamEntry & { previousId: string };
type Undo = {
  version: number;
  sum: number;
  tail: string;
  objects: [string, ObjectRecord | undefined][];
};

export class MemoryUnit {
  readonly objects = new Map<string, ObjectRecord>();
  readonly #clock: Clock;
  readonly #maxEntries: number;
  #version = 0;
  #sum = 0;
  #tail = '0-0';
  #entries: Entry[] = [];
  #undo: Undo[] = [];

  constructor(clock: Clock, maxEntries: number) {
    this.#clock = clock;
    this.#maxEntries = maxEntries;
  }

  head(): Head {
    return {
      version: this.#version,
      digest: formatDigest(this.#sum),
      count: this.objects.size,
      tail: this.#tail,
    };
  }

  apply(changes: Map<string, Change>, expectedVersion: number | undefined): ApplyResult {
    if (expectedVersion !== undefined && expectedVersion !== this.#version) {
      throw conflict(expectedVersion, this.#version);
    }
    const undo = { version: this.#version, sum: this.#sum, tail: this.#tail };
    const before: Undo['objects'] = [];
    const made: Change[] = [];
    for (const [field, change] of changes) {
      const old = this.objects.get(field);
      if ((old?.value ?? null) === change.value) continue;
      before.push([field, old]);
      made.push({ ...change });
      this.#set(field, change);
    }
    if (made.length === 0) return { version: this.#version, changed: 0 };
    this.#undo.push({ ...undo, objects: before });
    if (this.#undo.length > MAX_UNDO) this.#undo.shift();
    this.#version++;
    this.#append(made, formatDigest(undo.sum));
    return { version: this.#version, changed: made.length };
  }

  raise(version: number, expectedVersion: number): number {
    if (expectedVersion !== this.#version) throw conflict(expectedVersion, this.#version);
    if (version <= this.#version) return this.#version;
    this.#undo.push({ version: this.#version, sum: this.#sum, tail: this.#tail, objects: [] });
    this.#version = version;
    this.#append([], formatDigest(this.#sum));
    return version;
  }

  after(afterId: string): StreamEntry[] | 'trimmed' {
    const found = this.#entries.findIndex((entry) => compareIds(entry.id, afterId) > 0);
    if (found < 0) return [];
    if (this.#entries[found]?.previousId !== afterId) return 'trimmed';
    return this.#entries
      .slice(found, found + MAX_ENTRIES_PER_READ)
      .map(({ previousId: _, ...entry }) => ({
        ...entry,
        changes: structuredClone(entry.changes),
      }));
  }

  trim(keep: number): void {
    this.#entries = keep === 0 ? [] : this.#entries.slice(-keep);
  }

  undo(count: number): void {
    for (let i = 0; i < count; i++) {
      const undo = this.#undo.pop();
      if (undo === undefined) return;
      for (const [field, old] of undo.objects) {
        if (old === undefined) this.objects.delete(field);
        else this.objects.set(field, old);
      }
      this.#version = undo.version;
      this.#sum = undo.sum;
      this.#tail = undo.tail;
      this.#entries = this.#entries.filter((entry) => compareIds(entry.id, undo.tail) <= 0);
    }
  }

  #set(field: string, { kind, id, value }: Change): void {
    const old = this.objects.get(field);
    if (old !== undefined) this.#sum = subtractDigest(this.#sum, objectDigest(kind, id, old.value));
    if (value === null) {
      this.objects.delete(field);
    } else {
      this.objects.set(field, { kind, id, value });
      this.#sum = addDigest(this.#sum, objectDigest(kind, id, value));
    }
  }

  #append(changes: Change[], digestBefore: string): void {
    const previousId = this.#tail;
    this.#tail = nextId(previousId, this.#clock.nowMs());
    const digest = formatDigest(this.#sum);
    const version = this.#version;
    const count = this.objects.size;
    const entry = { id: this.#tail, version, digestBefore, digest, count, changes, previousId };
    this.#entries.push(entry);
    if (this.#entries.length > this.#maxEntries) this.#entries.shift();
  }
}

/** As Redis makes them: the time, and a number that grows when the time does not. */
function nextId(previousId: string, nowMs: number): string {
  const [lastMs = 0, sequence = 0] = previousId.split('-').map(Number);
  return nowMs > lastMs ? `${nowMs}-0` : `${lastMs}-${sequence + 1}`;
}

/** Negative, zero or positive, as ids of a stream order. */
export function compareIds(a: string, b: string): number {
  const [aMs = 0, aSequence = 0] = a.split('-').map(Number);
  const [bMs = 0, bSequence = 0] = b.split('-').map(Number);
  return aMs - bMs || aSequence - bSequence;
}

export function conflict(expectedVersion: number, version: number): OperationalError {
  return new OperationalError(
    'EDGE_STORE_CONFLICT',
    `the store is at version ${version}, not at ${expectedVersion}: somebody else changed it`,
    { remedy: 'read it again and repeat' },
  );
}
