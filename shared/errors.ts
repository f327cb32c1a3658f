// The two kinds of error that are not bugs. A ConfigError is the operator's: every problem at once,
// each with its place. An OperationalError is the world's: a stable code, the cause, the remedy.
// Anything else that is thrown is a programmer's error and ends the process.

export type ConfigProblem = {
  file: string;
  line: number; // from 1; 0: the file as a whole
  column: number; // from 1, in UTF-16 units
  message: string;
  remedy?: string;
  sourceLine?: string; // the text of that line, for the caret
};

const maxProblemsShown = 50;
const maxSourceColumns = 100;

export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    const sorted = problems.toSorted(byPlace);
    super(formatProblems(sorted));
    this.problems = sorted;
  }
}

export type ErrorCode = `EDGE_${string}`;
export type OperationalErrorOptions = {
  cause?: unknown;
  remedy?: string;
  exitCode?: number; // what a process that ends of it returns; 1 when absent
};

/** `message` is lower case, names the thing, and needs no stack to be understood. */
export class OperationalError extends Error {
  override readonly name = 'OperationalError';
  readonly code: ErrorCode;
  readonly remedy: string | undefined;
  readonly exitCode: number;

  constructor(code: ErrorCode, message: string, options: OperationalErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.remedy = options.remedy;
    this.exitCode = options.exitCode ?? 1;
  }
}

/** Whether an error of Node says that a right is missing: to try again is no use then. */
export function isDenied(cause: unknown): boolean {
  const { code } = Object(cause) as { code?: unknown }; // Node names its errors so
  return code === 'EACCES' || code === 'EPERM' || code === 'EROFS';
}

/** What a process that ends of the error returns; undefined for a bug, which should crash it. */
export function exitCodeOf(error: unknown): number | undefined {
  if (error instanceof ConfigError) return 78;
  return error instanceof OperationalError ? error.exitCode : undefined;
}

/** One line for an operator: message, the chain of causes, the remedy. */
export function describeError(error: unknown): string {
  const parts: string[] = [];
  let current: unknown = error;
  for (let depth = 0; current !== undefined && depth < 5; depth++) {
    const text = current instanceof Error ? current.message : String(current);
    if (!parts.includes(text)) parts.push(text);
    current = current instanceof Error ? current.cause : undefined;
  }
  const remedy = error instanceof OperationalError ? error.remedy : undefined;
  return parts.join(': ') + (remedy === undefined ? '' : ` (${remedy})`);
}

/** Compiler style: `file:line:column: error: message (remedy)`, the source line, a caret. */
export function formatProblem(problem: ConfigProblem): string {
  const { file, line, column, message, remedy, sourceLine } = problem;
  const place = line === 0 ? file : `${file}:${line}:${column}`;
  const head = `${place}: error: ${message}${remedy === undefined ? '' : ` (${remedy})`}`;
  return sourceLine === undefined ? head : `${head}\n${excerpt(sourceLine, column)}`;
}

function formatProblems(problems: readonly ConfigProblem[]): string {
  const shown = problems.slice(0, maxProblemsShown).map(formatProblem);
  const hidden = problems.length - shown.length;
  if (hidden > 0) shown.push(`and ${hidden} more ${hidden === 1 ? 'error' : 'errors'}`);
  return shown.join('\n');
}

/** The part of a line around the column, and a caret under it; tabs stay, so that both line up. */
function excerpt(sourceLine: string, column: number): string {
  const start = Math.max(0, column - 1 - maxSourceColumns / 2);
  const text = sourceLine.slice(start, start + maxSourceColumns).replace(/[^\t\x20-\uffff]/g, ' ');
  const before = text.slice(0, column - 1 - start).replace(/[^\t]/g, ' ');
  return `    ${text}\n    ${before}^`;
}

function byPlace(a: ConfigProblem, b: ConfigProblem): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return a.line - b.line || a.column - b.column;
}
