// Runs one command to its end: output collected, time bounded, failure an error that shows both.
import { execFile } from 'node:child_process';

export type Result = { code: number; stdout: string; stderr: string };

export type ExecOptions = {
  input?: string;
  env?: Record<string, string>;
  timeoutMs?: number; // default 60 s; the command is killed with SIGKILL
  allowFailure?: boolean; // default: a non-zero exit code throws
  signal?: AbortSignal;
};

export class CommandError extends Error {
  readonly result: Result;
  constructor(line: string, result: Result) {
    super(`${line}: exit code ${result.code}\n${result.stderr || result.stdout}`.trimEnd());
    this.name = 'CommandError';
    this.result = result;
  }
}

const exitCode = (error: (Error & { code?: unknown; killed?: boolean }) | null): number => {
  if (!error) return 0;
  return typeof error.code === 'number' ? error.code : -1;
};

/**
 * Exit code -1: the command could not start, was killed, or ran out of time. An aborted signal is
 * no failure of the command: it rejects with its reason, `allowFailure` or not.
 */
export function execute(
  command: string,
  args: readonly string[],
  options: ExecOptions = {},
): Promise<Result> {
  return new Promise((resolve, reject) => {
    options.signal?.throwIfAborted();
    const settings = {
      timeout: options.timeoutMs ?? 60_000,
      killSignal: 'SIGKILL' as const,
      maxBuffer: 64 * 1024 * 1024,
      env: { ...process.env, ...options.env },
      ...(options.signal ? { signal: options.signal } : {}),
    };
    const child = execFile(command, args, settings, (error, stdout, stderr) => {
      if (options.signal?.aborted) return reject(options.signal.reason);
      const why = error && typeof error.code !== 'number' ? `${stderr}${error.message}` : stderr;
      const result = { code: exitCode(error), stdout, stderr: why };
      if (result.code === 0 || options.allowFailure) resolve(result);
      else reject(new CommandError([command, ...args].join(' '), result));
    });
    // A command that never reads its input (EPIPE) is judged by its exit code.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(options.input ?? '');
  });
}
