// The bench's end of a worker: a Node process inside a namespace, pinned to one CPU.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { netnsPath } from '../../../lab/netns.ts';
import { RUN_VARIABLE, type Run } from '../../../lab/run.ts';
import type { Answer, Call, Method, Methods } from './protocol.ts';

const CALL_LIMIT_MS = 120_000;

interface Waiting {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

export class Remote {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  readonly #name: string;
  #next = 1;

  /** Measured work runs on `cpu`, all of it in this one process. */
  constructor(run: Run, node: string, cpu: number) {
    this.#name = node;
    const inside = ['nsenter', `--net=${netnsPath(run, node)}`, '--'];
    const worker = [process.execPath, join(import.meta.dirname, 'worker.ts')];
    this.#child = spawn('taskset', ['-c', String(cpu), ...inside, ...worker], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, [RUN_VARIABLE]: run.id },
    });
    // as: worker.ts sends nothing else
    this.#child.on('message', (message) => this.#settle(message as Answer));
    this.#child.once('error', (error) => this.#fail(error));
    this.#child.once('exit', () => this.#fail(new Error(`worker in ${node} has ended`)));
  }

  call<M extends Method>(method: M, argument: Methods[M][0]): Promise<Methods[M][1]> {
    const id = this.#next++;
    const call: Call = { id, method, argument };
    return new Promise((resolve, reject) => {
      const late = () => reject(new Error(`worker in ${this.#name}: no answer to ${method}`));
      const timer = setTimeout(late, CALL_LIMIT_MS);
      const settled = <T extends unknown[]>(then: (...values: T) => void) => {
        return (...values: T) => {
          clearTimeout(timer);
          then(...values);
        };
      };
      // as: the worker's methods have the types of Methods.
      const done = (result: unknown) => resolve(result as Methods[M][1]);
      this.#waiting.set(id, { resolve: settled(done), reject: settled(reject) });
      this.#child.send(call, (error) => error && this.#fail(error));
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Resolves when it has ended. */
  stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return Promise.resolve();
    return new Promise((resolve) => {
      this.#child.once('exit', () => resolve());
      this.#child.kill('SIGKILL');
    });
  }

  #settle(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (answer.error !== undefined) waiting?.reject(new Error(`${this.#name}: ${answer.error}`));
    else waiting?.resolve(answer.result);
  }

  #fail(error: Error): void {
    for (const waiting of this.#waiting.values()) waiting.reject(error);
    this.#waiting.clear();
  }
}
