// A node of the lab: a network namespace in which commands run. Only the network is the node's own;
// files, /proc and /sys/fs/bpf are the host's.
import { type ExecOptions, execute, type Result } from './exec.ts';
import { configure, netnsPath } from './netns.ts';
import { LabProcess } from './process.ts';
import { RUN_VARIABLE, type Run } from './run.ts';

export class LabNode {
  readonly name: string;
  address: string; // the one that others reach it by; a VM may get it by DHCP
  readonly run: Run;
  readonly #processes: LabProcess[] = [];

  constructor(run: Run, name: string, address = '') {
    this.run = run;
    this.name = name;
    this.address = address;
  }

  #inside(command: string, args: readonly string[]): [string, ...string[]] {
    return ['nsenter', `--net=${netnsPath(this.run, this.name)}`, '--', command, ...args];
  }

  /** Runs a command to its end; throws CommandError unless it succeeds or `allowFailure`. */
  exec(command: string, args: readonly string[] = [], options: ExecOptions = {}): Promise<Result> {
    const [enter, ...rest] = this.#inside(command, args);
    const env = { ...options.env, [RUN_VARIABLE]: this.run.id };
    const signal = options.signal ?? this.run.signal;
    return execute(enter, rest, { ...options, env, ...(signal ? { signal } : {}) });
  }

  /** Runs `ip` commands (without the word `ip`) here, all in one process. */
  ip(...lines: string[]): Promise<void> {
    return configure(this.run, this.name, lines);
  }

  /** Starts a command that stays; it ends with `stop`, or with the site. */
  spawn(
    command: string,
    args: readonly string[] = [],
    options: { name?: string; env?: Record<string, string>; cwd?: string } = {},
  ): LabProcess {
    const name = `${this.name}.${options.name ?? command.split('/').at(-1)}`;
    const started = new LabProcess(this.run, this.#inside(command, args), { ...options, name });
    this.#processes.push(started);
    return started;
  }

  /** Ends everything that was started here. */
  async stop(): Promise<void> {
    await Promise.all(this.#processes.splice(0).map((child) => child.kill9()));
  }
}
