// A long-running child of the lab: its output goes to a file, and it is ended by its own pid.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from './ready.ts';
import { RUN_VARIABLE, type Run } from './run.ts';

export type Exit = { code: number | null; signal: NodeJS.Signals | null };

export type SpawnOptions = { name: string; env?: Record<string, string>; cwd?: string };

export class LabProcess {
  readonly name: string;
  readonly logPath: string;
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcess;
  readonly #logStart: number; // what an earlier process of the same name wrote comes before
  #exit: Exit | undefined;

  /** Starts it; stdout and stderr are appended to `<run directory>/<name>.log`. */
  constructor(run: Run, argv: readonly [string, ...string[]], options: SpawnOptions) {
    run.signal?.throwIfAborted();
    const [command, ...args] = argv;
    this.name = options.name;
    this.logPath = join(run.directory, `${options.name}.log`);
    const log = openSync(this.logPath, 'a');
    this.#logStart = fstatSync(log).size;
    this.#child = spawn(command, args, {
      stdio: ['ignore', log, log],
      detached: true, // Ctrl-C is for the runner, which ends the others in its own order
      env: { ...process.env, ...options.env, [RUN_VARIABLE]: run.id },
      ...(options.cwd ? { cwd: options.cwd } : {}),
    });
    closeSync(log);
    this.exited = new Promise((resolve) => {
      const end = (code: number | null, signal: NodeJS.Signals | null): void => {
        this.#exit = { code, signal };
        resolve(this.#exit);
      };
      this.#child.once('error', () => end(127, null));
      this.#child.once('exit', end);
    });
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** How it ended; undefined while it runs. */
  get exit(): Exit | undefined {
    return this.#exit;
  }

  kill(signal: NodeJS.Signals): void {
    if (!this.#exit) this.#child.kill(signal);
  }

  /** What it has written so far. */
  output(): string {
    return readFileSync(this.logPath).subarray(this.#logStart).toString();
  }

  /** SIGTERM, and SIGKILL when it has not ended by then. */
  async stop(graceMs = 5_000): Promise<Exit> {
    this.kill('SIGTERM');
    const timer = setTimeout(() => this.kill('SIGKILL'), graceMs);
    const exit = await this.exited;
    clearTimeout(timer);
    return exit;
  }

  /** SIGKILL, and waits until it is gone. */
  kill9(): Promise<Exit> {
    this.kill('SIGCONT');
    this.kill('SIGKILL');
    return this.exited;
  }

  /** Waits as `until` does, but fails at once, with the log's end, when the process has ended. */
  async ready<T>(what: string, probe: () => T | Promise<T>, timeoutMs?: number): Promise<T> {
    const ended = (): Error =>
      new Error(`${this.name} ended (${JSON.stringify(this.#exit)}):\n${this.tail()}`);
    const stop = new AbortController();
    const limit = timeoutMs === undefined ? {} : { timeoutMs };
    let isWaiting = true;
    // Later its log may be gone with its run.
    void this.exited.then(() => isWaiting && stop.abort(ended()));
    try {
      return await until<T>(`${this.name}: ${what}`, probe as () => Promise<T>, {
        ...limit,
        signal: stop.signal,
      });
    } finally {
      isWaiting = false;
    }
  }

  tail(lines = 15): string {
    return this.output().trimEnd().split('\n').slice(-lines).join('\n');
  }
}
