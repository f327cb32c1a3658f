// The lease book's files in the state directory: the journal of an outage, and the snapshot that an
// instance starts from when Redis is away (docs/leases.md §7).

import { createReadStream } from 'node:fs';
import { type FileHandle, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { BookDisk } from './leases/options.ts';

export function createBookDisk(directory: string): BookDisk {
  const journal = join(directory, 'leases.journal');
  const snapshot = join(directory, 'leases.snapshot');
  const syncDirectory = async (): Promise<void> => {
    const handle = await open(directory, 'r');
    await using(handle, () => handle.sync());
  };
  return {
    async appendJournal(bytes) {
      const handle = await open(journal, 'a', 0o600);
      await using(handle, async () => {
        const isNew = (await handle.stat()).size === 0;
        await handle.appendFile(bytes);
        await handle.datasync();
        if (isNew) await syncDirectory();
      });
    },
    async readJournal() {
      return (await ifThere(() => readFile(journal))) ?? new Uint8Array(0);
    },
    async clearJournal() {
      await rm(journal, { force: true });
      await syncDirectory();
    },
    async writeSnapshot(chunks) {
      const aside = `${snapshot}.new`;
      const handle = await open(aside, 'w', 0o600);
      await using(handle, async () => {
        for await (const chunk of chunks) await handle.appendFile(chunk);
        await handle.sync();
      });
      await rename(aside, snapshot);
      await syncDirectory();
    },
    async readSnapshot() {
      const handle = await ifThere(() => open(snapshot, 'r'));
      if (handle === undefined) return undefined;
      return createReadStream(snapshot, { fd: handle });
    },
  };
}

async function using(handle: FileHandle, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } finally {
    await handle.close();
  }
}

async function ifThere<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    // node:fs throws nothing else.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
