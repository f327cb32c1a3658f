// The last good state on disk, for a start without the store. One file of lines, each JSON: a
// header, the objects as [kind, id, value], a trailer with what they must add up to, and then one
// line for each change taken since. A new file is written aside and renamed; what was cut off at
// the end by a crash is a change less, and anything else that does not add up refuses the file.
import { mkdirSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import { addDigest, formatDigest, objectDigest } from './digest.ts';
import type { StoreEvent } from './events.ts';
import type { Change, Head, ObjectRecord } from './types.ts';

export const SNAPSHOT_FORMAT = 1;

/** Where a state stands: `tail` is the id of the stream entry that made it. */
export type Position = Head;

export type SnapshotHeader = { edgeSnapshot: number; unit: string };
export type SnapshotTrailer = Position & { lines: number; sum: string };
export type SnapshotChanges = Position & {
  changes: [string, string, string | null][];
  sum: string;
};

/** Rewriting pays off once as many changes as this, and as objects, follow the trailer. */
const LEAST_CHANGES_TO_REWRITE = 10_000;
const SYNC_DELAY_MS = 1000;

export type SnapshotOptions = { path: string; unit: string; clock: Clock; log: Log<StoreEvent> };

/**
 * The file as a follower keeps it. A disk that fails never stops the follower: it is logged, and
 * the file is left as it was until the next whole state.
 */
export class LastGood {
  readonly #options: SnapshotOptions;
  #current: SnapshotFile | undefined;
  #next: SnapshotFile | undefined;
  /** Writes happen one after the other. */
  #queue: Promise<void> = Promise.resolve();
  #cancelSync: (() => void) | undefined;
  /** Where the state stands. */
  #version = 0;

  constructor(options: SnapshotOptions) {
    this.#options = options;
  }

  /** Begins a new file with the state at `position`; what was begun before is dropped. */
  begin(position: Position): SnapshotDraft {
    this.#drop(this.#next);
    const file = new SnapshotFile(`${this.#options.path}.new`, this.#options.unit, position);
    this.#next = file;
    this.#version = position.version;
    return {
      add: (objects) => this.#enqueue(file, () => file.writeObjects(objects)),
      finish: (settledBy) => {
        file.settledBy = settledBy;
        const written = this.#enqueue(file, () => file.writeTrailer());
        this.#settle();
        return written;
      },
      discard: () => this.#drop(file),
    };
  }

  /** The whole state was replaced: what is on disk is no longer continued. */
  detach(): void {
    const file = this.#current;
    this.#current = undefined;
    if (file !== undefined) void this.#enqueue(file, () => file.close());
  }

  /** A change was taken; `position` is where the state stands after it. */
  record(changes: readonly Change[], position: Position): void {
    for (const file of [this.#current, this.#next]) {
      if (file !== undefined) void this.#enqueue(file, () => file.writeChanges(changes, position));
    }
    this.#version = position.version;
    this.#settle();
    this.#cancelSync ??= this.#options.clock.after(SYNC_DELAY_MS, () => {
      this.#cancelSync = undefined;
      const file = this.#current;
      if (file !== undefined) void this.#enqueue(file, () => file.sync());
    });
  }

  /** True when the changes in the file outweigh its objects. */
  get outgrown(): boolean {
    const { changed = 0, count = 0 } = this.#current ?? {};
    return changed > LEAST_CHANGES_TO_REWRITE && changed > count;
  }

  /** Whether a file continues the state, so that a change recorded is a change kept. */
  get attached(): boolean {
    return this.#current !== undefined || this.#next !== undefined;
  }

  /** Writes what is still to be written. */
  async close(): Promise<void> {
    this.#cancelSync?.();
    this.#drop(this.#next);
    this.detach();
    await this.#queue;
  }

  /** A draft read while the state changed is whole once the changes made meanwhile are in it. */
  #settle(): void {
    const file = this.#next;
    if (file?.settledBy === undefined || this.#version < file.settledBy) return;
    const old = this.#current;
    this.#next = undefined;
    this.#current = file;
    void this.#enqueue(file, async () => {
      await file.publish(this.#options.path);
      await old?.close();
    });
  }

  #drop(file: SnapshotFile | undefined): void {
    if (file === undefined || file !== this.#next) return;
    this.#next = undefined;
    void this.#enqueue(file, () => file.remove());
  }

  #enqueue(file: SnapshotFile, write: () => Promise<void>): Promise<void> {
    this.#queue = this.#queue.then(async () => {
      if (file.ended) return;
      try {
        await write();
      } catch (error) {
        file.ended = true;
        if (this.#current === file) this.#current = undefined;
        if (this.#next === file) this.#next = undefined;
        const message = 'cannot write the last good snapshot';
        this.#options.log.error('snapshot-unwritten', message, { path: file.path, error });
        await file.close();
      }
    });
    return this.#queue;
  }
}

/** A new file being written. `finish` names the version by which the state read is a whole one. */
export type SnapshotDraft = {
  add(objects: readonly ObjectRecord[]): Promise<void>;
  finish(settledBy: number): Promise<void>;
  discard(): void;
};

class SnapshotFile {
  readonly path: string;
  /** Failed or dropped: nothing more is written. */
  ended = false;
  settledBy: number | undefined;
  count = 0;
  changed = 0;
  readonly #unit: string;
  readonly #position: Position;
  #sum = 0;
  #handle: FileHandle | undefined;
  /** Changes taken before the trailer could be written; then undefined. */
  #early: string[] | undefined = [];

  constructor(path: string, unit: string, position: Position) {
    this.path = path;
    this.#unit = unit;
    this.#position = position;
  }

  async writeObjects(objects: readonly ObjectRecord[]): Promise<void> {
    const lines: string[] = [];
    for (const { kind, id, value } of objects) {
      this.#sum = addDigest(this.#sum, objectDigest(kind, id, value));
      lines.push(JSON.stringify([kind, id, value]));
    }
    this.count += objects.length;
    await this.#write(lines);
  }

  async writeTrailer(): Promise<void> {
    const position = this.#position;
    const trailer = { ...position, lines: this.count, sum: trailerSum(this.#sum, position) };
    const early = this.#early ?? [];
    this.#early = undefined;
    await this.#write([JSON.stringify(trailer satisfies SnapshotTrailer), ...early]);
  }

  async writeChanges(changes: readonly Change[], position: Position): Promise<void> {
    this.changed += changes.length;
    const line = changesLine(changes, position);
    if (this.#early === undefined) await this.#write([line]);
    else this.#early.push(line);
  }

  async publish(path: string): Promise<void> {
    await this.sync();
    await rename(this.path, path);
    const directory = await open(dirname(path), 'r');
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  }

  async sync(): Promise<void> {
    await this.#handle?.datasync();
  }

  async close(): Promise<void> {
    await this.#handle?.close();
    this.#handle = undefined;
  }

  async remove(): Promise<void> {
    this.ended = true;
    await this.close();
    await rm(this.path, { force: true });
  }

  async #write(lines: string[]): Promise<void> {
    if (this.#handle === undefined) {
      mkdirSync(dirname(this.path), { recursive: true });
      this.#handle = await open(this.path, 'w', 0o600);
      const header: SnapshotHeader = { edgeSnapshot: SNAPSHOT_FORMAT, unit: this.#unit };
      lines = [JSON.stringify(header), ...lines];
    }
    if (lines.length > 0) await this.#handle.write(`${lines.join('\n')}\n`);
  }
}

function changesLine(changes: readonly Change[], position: Position): string {
  const body: Omit<SnapshotChanges, 'sum'> = {
    ...position,
    changes: changes.map(({ kind, id, value }) => [kind, id, value]),
  };
  return JSON.stringify({ ...body, sum: changesSum(body) } satisfies SnapshotChanges);
}

/** Proves the objects, of which `objects` is the digest, and the trailer itself. */
export function trailerSum(objects: number, { version, digest, tail, count }: Position): string {
  const text = JSON.stringify([version, digest, tail, count]);
  return formatDigest(addDigest(objects, objectDigest('trailer', String(version), text)));
}

/** Proves that a line of changes is whole. */
export function changesSum(body: Omit<SnapshotChanges, 'sum'>): string {
  const { version, digest, tail, count, changes } = body;
  const text = JSON.stringify([version, digest, tail, count, changes]);
  return formatDigest(objectDigest('changes', String(version), text));
}
