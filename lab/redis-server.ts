// One redis-server of the site, or one Sentinel: a process in a node, with a configuration file of
// its own, which a Sentinel rewrites when roles change; so a restart knows what it was last.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LabNode } from './node.ts';
import type { LabProcess } from './process.ts';

export const REDIS_PORT = 6379;
export const SENTINEL_PORT = 26379;

export class RedisServer {
  readonly node: LabNode;
  readonly port: number;
  readonly #mode: readonly string[];
  readonly #directory: string;
  readonly #configPath: string;
  readonly #settings: readonly string[];
  #process: LabProcess | undefined;

  /** `settings`: lines of redis.conf, or of sentinel.conf when the port is Sentinel's. */
  constructor(node: LabNode, port: number, settings: readonly string[]) {
    this.node = node;
    this.port = port;
    this.#mode = port === SENTINEL_PORT ? ['--sentinel'] : [];
    const directory = join(node.run.directory, `redis-${node.name}-${port}`);
    this.#configPath = join(directory, 'redis.conf');
    this.#settings = [
      `bind ${node.address} 127.0.0.1`,
      `port ${port}`,
      `dir ${directory}`,
      'protected-mode no',
      'daemonize no',
      ...settings,
    ];
    this.#directory = directory;
  }

  /** Starts it, again with what it had written, and waits until it answers. */
  async start(): Promise<void> {
    if (!existsSync(this.#configPath)) {
      mkdirSync(this.#directory, { recursive: true });
      writeFileSync(this.#configPath, `${this.#settings.join('\n')}\n`);
    }
    const name = this.#mode.length > 0 ? 'redis-sentinel' : 'redis-server';
    const args = [this.#configPath, ...this.#mode];
    this.#process = this.node.spawn('redis-server', args, { name });
    await this.#process.ready('answers PING', async () => (await this.cli('PING')) === 'PONG');
  }

  async cli(...words: string[]): Promise<string> {
    const to = ['-h', this.node.address, '-p', String(this.port)];
    const { stdout } = await this.node.exec('redis-cli', [...to, ...words], { timeoutMs: 5_000 });
    return stdout.trim();
  }

  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal);
  }

  async kill9(): Promise<void> {
    await this.#process?.kill9();
  }

  async stop(): Promise<void> {
    await this.#process?.stop();
  }
}
