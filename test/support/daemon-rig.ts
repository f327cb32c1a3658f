// A real daemon of ours with a Redis of the test's own: its configuration, its process, its doors.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../../lab/ready.ts';
import { controlRequest } from '../../shared/admin/client.ts';
import { openStore } from '../../shared/store/open.ts';
import type { Store } from '../../shared/store/types.ts';
import { type RedisProcess, startRedis } from './redis.ts';

const MEBIBYTE = 2 ** 20;

export class DaemonRig {
  readonly service: string;
  readonly main: string;
  readonly directory: string;
  readonly log: string;
  readonly socket: string;
  readonly adminPort: number;
  config: Record<string, unknown> = {};
  redis!: RedisProcess; // set by openRedis(), before anything uses it
  store!: Store;
  daemon: ChildProcess | undefined;

  constructor(service: string, adminPort: number) {
    this.service = service;
    this.adminPort = adminPort;
    this.main = join(import.meta.dirname, `../../${service}/main.ts`);
    this.directory = mkdtempSync(join(tmpdir(), `edge-${service}-`));
    this.log = join(this.directory, 'log');
    this.socket = join(this.directory, 'sock');
  }

  async openRedis(options: Parameters<typeof startRedis>[0] = {}): Promise<void> {
    this.redis = await startRedis(options);
    this.store = openStore({ url: this.redis.url });
  }

  get configPath(): string {
    return join(this.directory, `${this.service}.yaml`);
  }

  writeConfig(): void {
    writeFileSync(this.configPath, JSON.stringify(this.config));
  }

  /** Starts the daemon, after one that a failed test left; resolves when it is ready. */
  async start(): Promise<void> {
    await this.end('SIGKILL');
    const daemon = this.launch();
    const isReady = async () => {
      if (daemon.exitCode !== null) throw new Error(`it ended: ${this.logText()}`);
      return (await this.readyz()) === 200;
    };
    await until('the daemon to be ready', isReady, { timeoutMs: 30_000 });
  }

  /** Starts the daemon, and does not wait. */
  launch(): ChildProcess {
    this.writeConfig();
    const args = [this.main, '--config', this.configPath];
    const daemon = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    daemon.stderr.on('data', (chunk: Buffer) => writeFileSync(this.log, chunk, { flag: 'a' }));
    this.daemon = daemon;
    return daemon;
  }

  async end(signal: NodeJS.Signals): Promise<number | null> {
    const { daemon } = this;
    if (daemon === undefined) return null;
    if (daemon.exitCode !== null || daemon.signalCode !== null) return daemon.exitCode;
    const exited = once(daemon, 'exit');
    daemon.kill(signal);
    await exited;
    return daemon.exitCode;
  }

  #fetch(path: string): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.adminPort}${path}`);
  }

  async admin(path: string): Promise<string> {
    return (await this.#fetch(path)).text();
  }

  async readyz(): Promise<number> {
    return (await this.#fetch('/readyz')).status;
  }

  /** /status.json; each rig says what its tests look at in there. */
  async statusJson(): Promise<unknown> {
    return (await this.#fetch('/status.json')).json();
  }

  control(method: 'GET' | 'POST', path: string, body?: unknown): Promise<unknown> {
    return controlRequest(this.socket, method, path, body);
  }

  /** The end of it, when it is long. */
  logText(): string {
    if (!existsSync(this.log)) return '';
    return readFileSync(this.log, 'utf8').slice(-MEBIBYTE);
  }

  async down(): Promise<void> {
    await this.end('SIGKILL');
    await this.store?.close();
    await this.redis?.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
