// The site's Redis: a private server in the `store` node, with an append-only file, that can be
// frozen, killed and started again with what it had written.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { LabNode } from './node.ts';
import { STORE_ADDRESS } from './plan.ts';
import type { LabProcess } from './process.ts';

const PORT = 6379;

export class LabRedis {
  readonly url = `redis://${STORE_ADDRESS}:${PORT}`;
  readonly #node: LabNode;
  #process: LabProcess | undefined;

  constructor(node: LabNode) {
    this.#node = node;
  }

  /** Starts it, and waits until it answers. */
  async start(): Promise<void> {
    const directory = join(this.#node.run.directory, 'redis');
    mkdirSync(directory, { recursive: true });
    const settings = {
      bind: `${STORE_ADDRESS} 127.0.0.1`,
      port: PORT,
      dir: directory,
      appendonly: 'yes',
      appendfsync: 'always', // what dhcpd promises has to outlive a kill
      save: '',
      'protected-mode': 'no',
      daemonize: 'no',
    };
    const args = Object.entries(settings).flatMap(([key, value]) => [`--${key}`, String(value)]);
    this.#process = this.#node.spawn('redis-server', args);
    await this.#process.ready('answers PING', async () => (await this.cli('PING')) === 'PONG');
  }

  async cli(...words: string[]): Promise<string> {
    const { stdout } = await this.#node.exec('redis-cli', words, { timeoutMs: 5_000 });
    return stdout.trim();
  }

  /** SIGSTOP: connections stay, nothing answers. */
  freeze(): void {
    this.#process?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#process?.kill('SIGCONT');
  }

  /** SIGKILL: connections break. `start` brings it back with its data. */
  async kill(): Promise<void> {
    await this.#process?.kill9();
  }
}
