// Journal and snapshot of the lease book in a directory. The journal is appended to and synced; the
// snapshot is written aside, synced, renamed, and the directory synced.
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { OperationalError } from '../../shared/errors.ts';
import type { BookDisk } from './options.ts';

export function directoryDisk(directory: string): BookDisk & { close(): Promise<void> } {
  return new DirectoryDisk(directory);
}

class DirectoryDisk implements BookDisk {
  readonly #directory: string;
  readonly #journal: string;
  readonly #snapshot: string;
  #file: FileHandle | undefined;
  /** One after the other; those that wait share the next sync. */
  #last: Promise<void> = Promise.resolve();
  #gathered: { parts: Uint8Array[]; written: Promise<void> } | undefined;

  constructor(directory: string) {
    this.#directory = directory;
    this.#journal = join(directory, 'leases.journal');
    this.#snapshot = join(directory, 'leases.snapshot');
  }

  appendJournal(bytes: Uint8Array): Promise<void> {
    if (this.#gathered === undefined) {
      const parts: Uint8Array[] = [];
      const written = this.#then(async () => {
        this.#gathered = undefined;
        const file = await this.#open();
        await file.appendFile(Buffer.concat(parts));
        await file.datasync();
      });
      this.#gathered = { parts, written };
    }
    this.#gathered.parts.push(bytes);
    return this.#gathered.written;
  }

  async readJournal(): Promise<Uint8Array> {
    return (await exists(this.#journal)) ? readFile(this.#journal) : new Uint8Array(0);
  }

  clearJournal(): Promise<void> {
    return this.#then(async () => {
      const file = await this.#open();
      await file.truncate(0);
      await file.datasync();
    });
  }

  async writeSnapshot(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    await mkdir(this.#directory, { recursive: true });
    const aside = `${this.#snapshot}.new`;
    const file = await open(aside, 'w', 0o640);
    try {
      for await (const chunk of chunks) await file.writeFile(chunk);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(aside, this.#snapshot);
    await this.#syncDirectory();
  }

  async readSnapshot(): Promise<AsyncIterable<Uint8Array> | undefined> {
    if (!(await exists(this.#snapshot))) return undefined;
    return createReadStream(this.#snapshot, { highWaterMark: 1 << 20 });
  }

  async close(): Promise<void> {
    await this.#last;
    await this.#file?.close();
    this.#file = undefined;
  }

  #then(work: () => Promise<void>): Promise<void> {
    const next = this.#last.then(work, work);
    this.#last = next.catch(() => {}); // told to whoever asked
    return next;
  }

  async #open(): Promise<FileHandle> {
    if (this.#file !== undefined) return this.#file;
    await mkdir(this.#directory, { recursive: true });
    this.#file = await open(this.#journal, 'a', 0o640);
    await this.#syncDirectory();
    return this.#file;
  }

  async #syncDirectory(): Promise<void> {
    const directory = await open(this.#directory, 'r');
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return false;
    throw new OperationalError('EDGE_SNAPSHOT_DAMAGED', `cannot read ${path}`, { cause });
  }
}
