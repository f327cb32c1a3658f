// A Redis with a replica and three Sentinels, at an address that the machines of a test reach.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../../../lab/ready.ts';
import { freePorts, type RedisProcess, startRedis } from '../redis.ts';

const GROUP = 'leases';

export class SentinelGroup {
  readonly #servers: RedisProcess[] = [];
  readonly #sentinels: RedisProcess[] = [];
  readonly #address: string;
  url = '';

  private constructor(address: string) {
    this.#address = address;
  }

  /** `directory`: for the Sentinels' files, which they write to. */
  static async start(address: string, directory: string): Promise<SentinelGroup> {
    const group = new SentinelGroup(address);
    const [primary = 0, replica = 0, ...sentinels] = await freePorts(5);
    const open = ['--bind', address, '127.0.0.1', '--protected-mode', 'no'];
    const careful = [...open, '--min-replicas-to-write', '1', '--repl-diskless-sync-delay', '0'];
    const following = [...careful, '--replicaof', `${address} ${primary}`];
    group.#servers.push(await startRedis({ port: primary, arguments: careful }));
    group.#servers.push(await startRedis({ port: replica, arguments: following }));
    await group.whole();
    for (const port of sentinels) {
      const file = join(directory, `sentinel-${port}.conf`);
      const settings = [
        `sentinel monitor ${GROUP} ${address} ${primary} 2`,
        `sentinel down-after-milliseconds ${GROUP} 1000`,
        `sentinel failover-timeout ${GROUP} 3000`,
      ];
      writeFileSync(file, `${settings.join('\n')}\n`);
      const command = ['redis-server', file, '--sentinel'];
      group.#sentinels.push(await startRedis({ port, command, arguments: open }));
    }
    for (const sentinel of group.#sentinels) {
      await until('the Sentinels know one another', async () => {
        const told = await sentinel.ask(`SENTINEL MASTER ${GROUP}`);
        return /num-slaves\r\n\$1\r\n1/.test(told) && /num-other-sentinels\r\n\$1\r\n2/.test(told);
      });
    }
    const nodes = sentinels.map((port) => `${address}:${port}`).join(',');
    group.url = `redis+sentinel://${nodes}/${GROUP}`;
    return group;
  }

  /** The port of the primary, by what a majority of Sentinels says. */
  async #primaryPort(): Promise<number | undefined> {
    const asked = `SENTINEL GET-MASTER-ADDR-BY-NAME ${GROUP}`;
    const told = await Promise.all(this.#sentinels.map((each) => each.ask(asked)));
    const ports = told.map((text) => Number(/\r\n(\d{4,5})\r\n$/.exec(text)?.[1]));
    return ports.find((port) => ports.filter((other) => other === port).length >= 2);
  }

  async primary(): Promise<RedisProcess> {
    return await until('a primary', async () => {
      const port = await this.#primaryPort();
      return this.#servers.find((server) => server.port === port);
    });
  }

  /** Another server than this has been made the primary, and knows it. */
  async moved(from: RedisProcess): Promise<void> {
    const other = this.#servers.find((server) => server !== from);
    const isMoved = async () => {
      const role = await other?.ask('ROLE');
      return role?.includes('master') && (await this.#primaryPort()) === other?.port;
    };
    await until('a failover', isMoved, { timeoutMs: 40_000 });
  }

  /** One follows the other again. */
  async whole(): Promise<void> {
    const isWhole = async () => {
      const told = await Promise.all(this.#servers.map((each) => each.ask('INFO replication')));
      return told.some((text) => text.includes('master_link_status:up'));
    };
    await until('the replica follows', isWhole, { timeoutMs: 40_000 });
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#sentinels, ...this.#servers].map((each) => each.stop()));
  }

  get address(): string {
    return this.#address;
  }
}
