// A daemon of ours as a child of this process, on this machine itself.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../ready.ts';
import { settingsFile } from './settings.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const READY_MS = 60_000;
const GRACE_MS = 15_000;

export class HostDaemon {
  readonly service: string;
  readonly #child: ChildProcess;
  readonly #logPath: string;
  readonly #adminPort: number;

  /** Starts it; what it says goes to `<service>.log` in the directory. */
  constructor(directory: string, service: string, adminPort: number) {
    this.service = service;
    this.#adminPort = adminPort;
    this.#logPath = join(directory, `${service}.log`);
    const log = openSync(this.#logPath, 'a');
    const main = join(ROOT, service, 'main.ts');
    // It ends with this process, however that ends; Ctrl-C is for this process alone.
    const command = ['--pdeathsig', 'TERM', process.execPath, main];
    this.#child = spawn('setpriv', [...command, '--config', settingsFile(directory, service)], {
      stdio: ['ignore', log, log],
      detached: true,
    });
    closeSync(log);
  }

  async untilReady(signal: AbortSignal): Promise<void> {
    const isReady = async (): Promise<boolean> => {
      if (this.#child.exitCode !== null) throw this.#ended();
      return (await fetch(`http://127.0.0.1:${this.#adminPort}/readyz`)).ok;
    };
    await until(`${this.service} is ready`, isReady, { timeoutMs: READY_MS, signal });
  }

  #ended(): Error {
    const last = readFileSync(this.#logPath, 'utf8').trimEnd().split('\n').slice(-5).join('\n');
    const error = new Error(`${this.service} ended:\n${last}`);
    error.name = 'AbortError'; // it does not come back: waiting is over
    return error;
  }

  /** SIGTERM, and SIGKILL when it takes too long. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), GRACE_MS);
    await exited;
    clearTimeout(timer);
  }
}
