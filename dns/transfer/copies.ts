// The last good copy of each zone that was transferred in: a file each, so that it is served while
// no primary answers. A file's time of change is when a primary last said that it is the newest.
import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { RecordMemory } from '../../shared/dns/zone/record-list.ts';

export type Copy = { records: RecordMemory; serial: number };

/** `checkedMs`: since the epoch. */
export type LoadedCopy = Copy & { checkedMs: number };

/** What a file begins with, a line of JSON; then where records begin, and the records. */
type Header = {
  edgeZoneCopy: typeof FORMAT;
  zone: string;
  serial: number;
  count: number;
  used: number;
  crc32: number;
};
const FORMAT = 1;
const LINE_END = 0x0a;
const AT_BYTES = 8;

export class Copies {
  readonly #directory: string;
  /** By zone, the last thing that was begun with its file. */
  readonly #last = new Map<string, Promise<unknown>>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Undefined: there is none. Rejects for one that cannot be read, or is damaged. */
  load(zone: string): Promise<LoadedCopy | undefined> {
    return this.#inTurn(zone, async () => {
      const path = this.#pathOf(zone);
      try {
        const [bytes, { mtimeMs }] = [await readFile(path), await stat(path)];
        return { ...parse(bytes, zone), checkedMs: mtimeMs };
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    });
  }

  /** In place of the one before, at once. `records` is not changed afterwards. */
  save(zone: string, copy: Copy, checkedMs: number): Promise<void> {
    return this.#inTurn(zone, async () => {
      const path = this.#pathOf(zone);
      await mkdir(this.#directory, { recursive: true, mode: 0o700 });
      const file = await open(`${path}.new`, 'w', 0o600);
      try {
        for (const part of partsOf(zone, copy)) await file.writeFile(part);
        await file.utimes(checkedMs / 1000, checkedMs / 1000);
        await file.datasync();
      } finally {
        await file.close();
      }
      await rename(`${path}.new`, path);
    });
  }

  /** It is still the newest. False: there is none. */
  touch(zone: string, checkedMs: number): Promise<boolean> {
    const seconds = checkedMs / 1000;
    return this.#inTurn(zone, async () => {
      try {
        await utimes(this.#pathOf(zone), seconds, seconds);
        return true;
      } catch (error) {
        if (isMissing(error)) return false;
        throw error;
      }
    });
  }

  remove(zone: string): Promise<void> {
    return this.#inTurn(zone, () => rm(this.#pathOf(zone), { force: true }));
  }

  /** Resolves when what was begun is done, or has failed. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#last.values());
  }

  #inTurn<T>(zone: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(zone) ?? Promise.resolve();
    const result = before.then(work, work);
    this.#last.set(zone, result);
    const forget = () => {
      if (this.#last.get(zone) === result) this.#last.delete(zone);
    };
    result.then(forget, forget);
    return result;
  }

  /** Names of zones are longer than those of files may be, and have any character. */
  #pathOf(zone: string): string {
    const shown = zone.replaceAll(/[^a-z0-9.-]/g, '_').slice(0, 100);
    const hash = createHash('sha256').update(zone).digest('hex').slice(0, 16);
    return join(this.#directory, `${shown}.${hash}.copy`);
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT'; // Node names its errors so
}

function partsOf(zone: string, { records, serial }: Copy): Uint8Array[] {
  const { count, used } = records;
  const at = new Uint8Array(records.at.slice(0, count).buffer);
  const bytes = records.bytes.subarray(0, used);
  const about = { edgeZoneCopy: FORMAT, zone, serial, count, used } as const;
  const header: Header = { ...about, crc32: crc32(bytes, crc32(at, aboutSum(about))) };
  return [Buffer.from(`${JSON.stringify(header)}\n`), at, bytes];
}

function aboutSum({ zone, serial, count, used }: Omit<Header, 'crc32'>): number {
  return crc32(JSON.stringify([zone, serial, count, used]));
}

function parse(file: Buffer, zone: string): Copy {
  const end = file.indexOf(LINE_END);
  const header = JSON.parse(file.toString('utf8', 0, Math.max(0, end))) as Partial<Header>; // ours
  const { serial = 0, count = 0, used = 0 } = header;
  const body = file.subarray(end + 1);
  const atBytes = AT_BYTES * count;
  const isWhole =
    header.edgeZoneCopy === FORMAT &&
    header.zone === zone &&
    body.length === atBytes + used &&
    crc32(body, aboutSum({ edgeZoneCopy: FORMAT, zone, serial, count, used })) === header.crc32;
  if (!isWhole) throw new Error(`the copy of ${zone} is damaged`);
  const at = new Float64Array(new Uint8Array(body.subarray(0, atBytes)).buffer);
  return { records: { bytes: new Uint8Array(body.subarray(atBytes)), at, count, used }, serial };
}
