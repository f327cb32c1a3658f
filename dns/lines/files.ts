// The list files of the settings: read at the start, watched, read again when they change. A file
// that is bad is told once and its last good list stays. Changes are seen by fs.watch on the
// directories, so that files put there by rename are, too, and by looking at times and sizes now
// and then, as not every file system tells.
import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Clock, every } from '../../shared/clock.ts';
import type { ConfigProblem } from '../../shared/errors.ts';
import type { LineFileSettings, Parsed } from './formats/types.ts';
import { loadList } from './load-list.ts';
import type { LineList } from './types.ts';

/** After a sign of a change: who writes several files at once is waited for. */
const SETTLE_MS = 200;
const POLL_MS = 5000;

export type LineFilesOptions = {
  files: readonly LineFileSettings[];
  clock: Clock;
  signal: AbortSignal;
  /** After a look that changed something: all good lists, in the order of the settings. */
  onLists: (lists: readonly LineList[]) => void;
  /** A file is bad as it is now; its last good list, if it had one, stays. Once for each change. */
  onProblems: (problems: readonly ConfigProblem[]) => void;
  /** `loadList`, or what does the same in a thread. */
  load?: (settings: LineFileSettings) => Promise<Parsed>;
};

type Watched = {
  settings: LineFileSettings;
  /** What it was when it was last read: device, inode, size, time; or why it was not there. */
  stamp: string;
  list: LineList | undefined;
  problems: readonly ConfigProblem[];
};

export class LineFiles {
  readonly #options: LineFilesOptions;
  readonly #load: (settings: LineFileSettings) => Promise<Parsed>;
  readonly #watchers = new Map<string, FSWatcher>();
  #files: Watched[] = [];
  #looking: Promise<void> | undefined;
  #lookAgain = false;
  #settling = false;
  #replaced = false;

  constructor(options: LineFilesOptions) {
    this.#options = options;
    this.#load = options.load ?? loadList;
    this.#files = options.files.map(unread);
  }

  /** Good lists, in the order of the settings: of equal prefixes the first one's wins. */
  get lists(): readonly LineList[] {
    return this.#files.flatMap(({ list }) => (list === undefined ? [] : [list]));
  }

  /** Of files that are bad as they are now. */
  get problems(): readonly ConfigProblem[] {
    return this.#files.flatMap(({ problems }) => problems);
  }

  /** Resolves when all files were read once; then watches until the signal. */
  async start(): Promise<void> {
    const { clock, signal } = this.#options;
    signal.addEventListener('abort', () => this.#unwatch(), { once: true });
    await this.look();
    if (signal.aborted) return;
    this.#watch();
    every(clock, POLL_MS, () => this.#poll(), signal);
  }

  /** Other settings: files that are in both, unchanged, are not read again. Resolves when read. */
  async replace(files: readonly LineFileSettings[]): Promise<void> {
    const before = new Map(this.#files.map((each) => [JSON.stringify(each.settings), each]));
    const next = files.map((each) => before.get(JSON.stringify(each)) ?? unread(each));
    const isSame =
      next.length === this.#files.length && next.every((each, at) => each === this.#files[at]);
    if (isSame) return;
    this.#files = next;
    this.#replaced = true;
    this.#watch();
    await this.look();
  }

  /** Reads what has changed. One look at a time: who asks meanwhile gets a second one. */
  look(): Promise<void> {
    if (this.#looking !== undefined) {
      this.#lookAgain = true;
      return this.#looking;
    }
    this.#looking = this.#looks().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #looks(): Promise<void> {
    do {
      // A file less, or another order, is a change that no file tells.
      let changed = this.#replaced;
      this.#lookAgain = false;
      this.#replaced = false;
      // One after the other: each may be large.
      for (const file of this.#files) changed = (await this.#read(file)) || changed;
      if (this.#options.signal.aborted) return;
      if (changed) this.#options.onLists(this.lists);
    } while (this.#lookAgain);
  }

  /** Whether there is another list now. */
  async #read(file: Watched): Promise<boolean> {
    const stamp = await stampOf(file.settings.file);
    if (stamp === file.stamp || this.#options.signal.aborted) return false;
    const parsed = await this.#load(file.settings);
    if ((await stampOf(file.settings.file)) !== stamp) {
      // Written while it was read: what came is half of each. The end of the writing is a sign too.
      this.#soon();
      return false;
    }
    file.stamp = stamp;
    if ('list' in parsed) {
      file.list = parsed.list;
      file.problems = [];
      return true;
    }
    file.problems = parsed.problems;
    if (!this.#options.signal.aborted) this.#options.onProblems(parsed.problems);
    return false;
  }

  #soon(): void {
    const { clock, signal } = this.#options;
    if (this.#settling || signal.aborted) return;
    this.#settling = true;
    const look = () => {
      this.#settling = false;
      void this.look();
    };
    clock.after(SETTLE_MS, look, signal);
  }

  #poll(): void {
    this.#watch();
    void this.look();
  }

  /** Directories that are there and not watched yet. */
  #watch(): void {
    const wanted = new Set(this.#files.map(({ settings }) => dirname(settings.file)));
    for (const [directory, watcher] of this.#watchers) {
      if (wanted.has(directory)) continue;
      watcher.close();
      this.#watchers.delete(directory);
    }
    for (const directory of wanted) {
      if (this.#watchers.has(directory)) continue;
      try {
        const watcher = watch(directory, { persistent: false }, () => this.#soon());
        watcher.on('error', () => this.#forget(directory, watcher));
        this.#watchers.set(directory, watcher);
      } catch {
        // Not there, or no watches left: polling does it.
      }
    }
  }

  #forget(directory: string, watcher: FSWatcher): void {
    watcher.close();
    if (this.#watchers.get(directory) === watcher) this.#watchers.delete(directory);
  }

  #unwatch(): void {
    for (const [directory, watcher] of this.#watchers) this.#forget(directory, watcher);
  }
}

function unread(settings: LineFileSettings): Watched {
  return { settings, stamp: '', list: undefined, problems: [] };
}

async function stampOf(file: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs } = await stat(file, { bigint: true });
    return `${dev}:${ino}:${size}:${mtimeNs}`;
  } catch (error) {
    const { code } = Object(error) as { code?: unknown }; // Node names its errors so
    return `absent: ${String(code)}`;
  }
}
