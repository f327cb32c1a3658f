// Which lines are in force, from list files and the site's line objects: compiled anew when either
// changes; what is wrong with them leaves those before in force.
import type { Clock } from '../../shared/clock.ts';
import type { ConfigProblem } from '../../shared/errors.ts';
import type { Compiled } from './compile.ts';
import { nameLines } from './fallback.ts';
import { LineFiles } from './files.ts';
import { type LineFileSettings, linesNamedBy, type Parsed } from './formats/types.ts';
import type { LineList, LineReport, LineSettings, LineTree } from './types.ts';

export type LinesInForce = {
  tree: LineTree;
  fallbacks: ReadonlyMap<string, readonly string[]>;
  report: LineReport | undefined;
};

export type LineBookOptions = {
  files: readonly LineFileSettings[];
  clock: Clock;
  signal: AbortSignal;
  load: (settings: LineFileSettings) => Promise<Parsed>;
  compile: (
    lists: readonly LineList[],
    settings: readonly LineSettings[],
    lines: readonly string[],
  ) => Promise<Compiled>;
  /** Before anything was compiled: all clients are of line default. */
  first: LineTree;
  onInForce: (lines: LinesInForce) => void;
  onFileProblems: (problems: readonly ConfigProblem[]) => void;
  /** Of the site's objects: the lines before stay. */
  onRefused: (reasons: readonly string[]) => void;
};

export class LineBook {
  readonly #options: LineBookOptions;
  readonly #files: LineFiles;
  #settings: readonly LineSettings[] = [];
  #fileSettings: readonly LineFileSettings[];
  #inForce: LinesInForce;
  #refused: readonly string[] = [];
  #isDue = false;
  #running: Promise<void> | undefined;

  constructor(options: LineBookOptions) {
    const { files, clock, signal, load, onFileProblems } = options;
    this.#options = options;
    this.#fileSettings = files;
    this.#inForce = { tree: options.first, fallbacks: new Map(), report: undefined };
    this.#files = new LineFiles({
      files,
      clock,
      signal,
      load,
      onLists: () => this.#compileSoon(),
      onProblems: onFileProblems,
    });
  }

  get inForce(): LinesInForce {
    return this.#inForce;
  }

  get fileProblems(): readonly ConfigProblem[] {
    return this.#files.problems;
  }

  /** Why the site's lines are not in force as they are wanted. */
  get refused(): readonly string[] {
    return this.#refused;
  }

  /** Resolves when all files were read and what they say is in force. */
  async start(): Promise<void> {
    await this.#files.start();
    await this.settled();
  }

  want(settings: readonly LineSettings[]): void {
    if (JSON.stringify(settings, bigints) === JSON.stringify(this.#settings, bigints)) return;
    this.#settings = settings;
    this.#compileSoon();
  }

  async replaceFiles(files: readonly LineFileSettings[]): Promise<void> {
    this.#fileSettings = files;
    await this.#files.replace(files);
  }

  /** Looks at all files now. */
  look(): Promise<void> {
    return this.#files.look();
  }

  get isSettled(): boolean {
    return this.#running === undefined;
  }

  async settled(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  #compileSoon(): void {
    this.#isDue = true;
    this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    const { compile, onInForce, onRefused, signal } = this.#options;
    await Promise.resolve();
    try {
      while (this.#isDue && !signal.aborted) {
        this.#isDue = false;
        const lists = this.#files.lists;
        const settings = this.#settings;
        const listed = [
          ...linesNamedBy(this.#fileSettings),
          ...lists.flatMap((each) => each.lines),
        ];
        const named = nameLines(settings, listed);
        if ('problems' in named) {
          this.#refused = named.problems.map(({ message, remedy }) => `${message}: ${remedy}`);
          onRefused(this.#refused);
          continue;
        }
        const { tree, report } = await compile(lists, settings, named.lines);
        this.#refused = [];
        this.#inForce = { tree, fallbacks: named.fallbacks, report };
        if (!this.#isDue) this.#running = undefined; // settled, for whoever is told
        onInForce(this.#inForce);
      }
    } finally {
      this.#running = undefined;
    }
  }
}

function bigints(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}` : value;
}
