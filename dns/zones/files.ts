// Zone files: which there are, and when one has changed. Looked at in turns, so that a hundred
// thousand of them cost little; SIGHUP looks at all at once.
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { displayName, parseName } from '../../shared/dns/names.ts';

const SUFFIX = '.zone';
/** Looked at in one turn. */
const TURN_FILES = 2000;

export type ZoneFileSettings = {
  zones: readonly { zone: string; file: string }[];
  zoneDirectory?: string | undefined;
};

export type FileZone = { zone: string; path: string; fingerprint: string };

type Seen = { path: string; stamps: Map<string, string> };

export class ZoneFileList {
  readonly #seen = new Map<string, Seen>();
  #settings: ZoneFileSettings;
  #turn = 0;
  #files: readonly string[] = [];
  /** Of the directory. */
  problem: string | undefined;

  constructor(settings: ZoneFileSettings) {
    this.#settings = settings;
    this.lookAtAll();
  }

  set settings(settings: ZoneFileSettings) {
    this.#settings = settings;
    this.lookAtAll();
  }

  get zones(): FileZone[] {
    return [...this.#seen].map(([zone, { path, stamps }]) => {
      const fingerprint = [...stamps].map((each) => each.join(' ')).join('\n');
      return { zone, path, fingerprint };
    });
  }

  /** What a zone's file includes: a change of it is a change of the zone. */
  includes(zone: string, files: readonly string[]): void {
    const seen = this.#seen.get(zone);
    if (seen === undefined) return;
    for (const file of files) {
      // As it was before it was read is not known; the next look tells whether it changes.
      if (!seen.stamps.has(file)) seen.stamps.set(file, stampOf(file));
    }
  }

  /** Whether anything is another than before. */
  lookAtAll(): boolean {
    return this.#lookAt(0, Number.POSITIVE_INFINITY);
  }

  /** As lookAtAll(), but of what files hold only a part, the next one. */
  lookAtNext(): boolean {
    if (this.#turn >= this.#seen.size) this.#turn = 0;
    const from = this.#turn;
    this.#turn += TURN_FILES;
    return this.#lookAt(from, this.#turn);
  }

  #lookAt(from: number, to: number): boolean {
    const listed = this.#find();
    const gone = [...this.#seen.keys()].filter((zone) => !listed.has(zone));
    for (const zone of gone) this.#seen.delete(zone);
    let changed = gone.length > 0;
    let index = 0;
    for (const [zone, path] of listed) {
      const isDue = index >= from && index < to;
      index++;
      if (this.#seen.get(zone)?.path !== path) {
        this.#seen.set(zone, { path, stamps: new Map([[path, stampOf(path)]]) });
        changed = true;
      } else if (isDue) changed = this.#hasChanged(zone) || changed;
    }
    return changed;
  }

  #find(): Map<string, string> {
    const { zones, zoneDirectory } = this.#settings;
    const found = new Map<string, string>();
    if (zoneDirectory !== undefined) {
      for (const file of this.#filesIn(zoneDirectory)) {
        const name = parseName(file.slice(0, -SUFFIX.length));
        if (name !== undefined) found.set(displayName(name), join(zoneDirectory, file));
      }
    }
    for (const { zone, file } of zones) found.set(zone, file); // what is named goes before
    return found;
  }

  #hasChanged(zone: string): boolean {
    let changed = false;
    const stamps = this.#seen.get(zone)?.stamps ?? [];
    for (const [file, stamp] of stamps) {
      const now = stampOf(file);
      if (now === stamp) continue;
      this.#seen.get(zone)?.stamps.set(file, now);
      changed = true;
    }
    return changed;
  }

  /** One that cannot be read now has what it had: zones do not vanish with a mount. */
  #filesIn(directory: string): readonly string[] {
    try {
      this.#files = readdirSync(directory).filter((file) => /.\.zone$/.test(file));
      this.problem = undefined;
    } catch (error) {
      this.problem = `${directory} cannot be read: ${codeOf(error)}`;
    }
    return this.#files;
  }
}

function stampOf(path: string): string {
  try {
    const { ino, size, mtimeMs, ctimeMs } = statSync(path);
    return `${path}:${ino}:${size}:${mtimeMs}:${ctimeMs}`;
  } catch (error) {
    return `${path}: ${codeOf(error)}`;
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? `${error.code}` : `${error}`;
}
