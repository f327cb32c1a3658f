// What a command of edgectl is: data for parsing, help and completion, and a lazily loaded run.

import type { Context } from './context.ts';

export type Flag = {
  name: string;
  short?: string;
  /** Placeholder of the value, e.g. `RATE`; without it the flag is a switch. */
  value?: string;
  /** May be given more than once. */
  many?: true;
  choices?: readonly string[];
  help: string;
};

export type Positional = {
  name: string;
  optional?: true;
  /** Takes all that follow; only the last one may. */
  many?: true;
  /** For completion; other values stay possible. */
  choices?: readonly string[];
};

/** What parsing gives: switches are `true`, a flag with `many` is collected in `lists`. */
export type Arguments = {
  positionals: string[];
  values: ReadonlyMap<string, string>;
  lists: ReadonlyMap<string, readonly string[]>;
  switches: ReadonlySet<string>;
};

/** Gives the exit code: see exit.ts. */
export type Run = (context: Context, args: Arguments) => Promise<number>;

export type Command = {
  /** The words that name it, e.g. `eip add`. */
  name: string;
  summary: string;
  positionals: readonly Positional[];
  flags: readonly Flag[];
  /** A few lines: what is not obvious, e.g. exit codes of its own. */
  notes?: readonly string[];
  example: string;
  /** What exit code tells trouble where 1 already has a meaning (diff). */
  troubleCode?: number;
  load: () => Promise<Run>;
};

/** A wrong call: exit code 2. `command` makes the message point at its help. */
export class UsageError extends Error {
  readonly command: string | undefined;

  constructor(message: string, command?: string) {
    super(message);
    this.name = 'UsageError';
    this.command = command;
  }
}
