// A machine of a test: a network namespace, held by a process that dies with the test's.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { until } from '../../lab/ready.ts';

/** Lines of `ip` in the namespace of the test itself; what they print. */
export const ip = (...lines: string[]): string =>
  lines.map((line) => execFileSync('ip', line.split(' '), { encoding: 'utf8' })).join('');

export class NetworkNamespace {
  readonly #holder: ChildProcess;

  constructor() {
    const command = ['--pdeathsig', 'KILL', 'unshare', '--net', 'sleep', '1000'];
    this.#holder = spawn('setpriv', command, { stdio: 'ignore' });
  }

  get pid(): number {
    return this.#holder.pid ?? -1;
  }

  async ready(): Promise<void> {
    // This thread's: a worker that has moved into one of its own is not where its process is.
    const own = readlinkSync('/proc/thread-self/ns/net');
    const there = () => readlinkSync(`/proc/${this.pid}/ns/net`) !== own;
    await until('a network namespace', there, { timeoutMs: 5000 });
  }

  /** The command and its arguments, to be run in there. */
  inside(command: string, args: readonly string[]): [string, string[]] {
    return ['nsenter', ['-t', `${this.pid}`, '-n', '--', command, ...args]];
  }

  end(): void {
    this.#holder.kill('SIGKILL');
  }
}
