// The site's Redis: one private server in the `store` node, or a primary with two replicas and
// three Sentinels. Any of it can be frozen, killed and started again with what it had written.
//
// Two replicas, not one: a write counts when one replica has it (`min-replicas-to-write 1`, and
// WAIT for leases), since an old primary must not go on alone; the new one still has to find one.
import type { LabNode } from './node.ts';
import { until } from './ready.ts';
import { REDIS_PORT, RedisServer, SENTINEL_PORT } from './redis-server.ts';

const GROUP = 'edge';
const QUORUM = 2;
/** What dhcpd promises has to outlive a kill. */
const DURABLE = ['appendonly yes', 'appendfsync always', 'save ""'];
const FAILOVER_MS = 30_000;

export class LabRedis {
  readonly url: string;
  readonly #servers: readonly RedisServer[];
  readonly #sentinels: readonly RedisServer[];
  #struck: RedisServer; // who was frozen or killed last

  /** One node: a single server. Three: the first is the primary at first; each has a Sentinel. */
  constructor(nodes: readonly [LabNode, ...LabNode[]]) {
    const [first] = nodes;
    this.#servers = nodes.map((node) => {
      return new RedisServer(node, REDIS_PORT, serverSettings(node, nodes));
    });
    const watching = nodes.length > 1 ? nodes : [];
    this.#sentinels = watching.map((node) => {
      return new RedisServer(node, SENTINEL_PORT, sentinelSettings(first));
    });
    this.#struck = this.#servers[0] as RedisServer; // there is one node at least
    const addresses = watching.map(({ address }) => address).join(',');
    this.url = addresses
      ? `redis+sentinel://${addresses}/${GROUP}`
      : `redis://${first.address}:${REDIS_PORT}`;
  }

  /** Starts all of it, and waits until it takes writes. */
  async startAll(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.start()));
    await Promise.all(this.#sentinels.map((sentinel) => sentinel.start()));
    await until('Redis takes writes', async () => (await this.cli('DEL', 'lab')) === '0', {
      timeoutMs: FAILOVER_MS,
    });
  }

  /** SIGTERM to all of it, Sentinels first: so none of them sees another die. */
  async stopAll(): Promise<void> {
    await Promise.all(this.#sentinels.map((sentinel) => sentinel.stop()));
    await Promise.all(this.#servers.map((server) => server.stop()));
  }

  /** The address of the primary, as a majority of the Sentinels says. */
  async primary(): Promise<string> {
    return (await this.#primary()).node.address;
  }

  /** Waits until all replicas follow and all Sentinels know of all: another one may die. */
  async whole(): Promise<void> {
    const others = this.#servers.length - 1;
    await until('each replica follows the primary', () => this.#isWhole(others), {
      timeoutMs: FAILOVER_MS,
      everyMs: 100,
    });
  }

  /** A command, at the present primary. */
  async cli(...words: string[]): Promise<string> {
    return (await this.#primary()).cli(...words);
  }

  /** SIGSTOP for the primary: connections stay, nothing answers. */
  async freeze(): Promise<void> {
    // A single server is frozen when this returns, awaited or not.
    this.#struck = this.#sentinels.length === 0 ? this.#struck : await this.#primary();
    this.#struck.signal('SIGSTOP');
  }

  /** Who was frozen goes on. */
  thaw(): void {
    this.#struck.signal('SIGCONT');
  }

  /** SIGKILL for the primary: connections break. */
  async kill(): Promise<void> {
    this.#struck = await this.#primary();
    await this.#struck.kill9();
  }

  /** Who was killed starts again with its data; among others it becomes a replica of theirs. */
  async start(): Promise<void> {
    await this.#struck.start();
  }

  async #primary(): Promise<RedisServer> {
    if (this.#sentinels.length === 0) return this.#servers[0] as RedisServer; // there is one
    const told = await Promise.all(this.#sentinels.map(primaryByIts));
    const found = this.#servers.find(({ node }) => {
      return told.filter((address) => address === node.address).length >= QUORUM;
    });
    if (!found) throw new Error(`no majority of the Sentinels knows a primary: ${told.join(' ')}`);
    return found;
  }

  async #isWhole(others: number): Promise<boolean> {
    if (others === 0) return true;
    const following = (await this.cli('INFO', 'replication')).match(/state=online/g)?.length;
    const told = await Promise.all(
      this.#sentinels.map((sentinel) => sentinel.cli('SENTINEL', 'MASTER', GROUP)),
    );
    const known = new RegExp(`num-slaves\n${others}\nnum-other-sentinels\n${others}\n`);
    return following === others && told.every((text) => known.test(text));
  }
}

/** '' when this Sentinel does not answer. */
async function primaryByIts(sentinel: RedisServer): Promise<string> {
  const words = ['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', GROUP];
  const answer = await sentinel.cli(...words).catch(() => '');
  return answer.split('\n')[0] ?? '';
}

function serverSettings(node: LabNode, nodes: readonly LabNode[]): string[] {
  const [first] = nodes;
  if (nodes.length === 1) return DURABLE;
  return [
    ...DURABLE,
    'min-replicas-to-write 1',
    'min-replicas-max-lag 3',
    'repl-ping-replica-period 1',
    'repl-diskless-sync-delay 0',
    ...(node === first ? [] : [`replicaof ${first?.address} ${REDIS_PORT}`]),
  ];
}

const sentinelSettings = (primary: LabNode): string[] => [
  `sentinel monitor ${GROUP} ${primary.address} ${REDIS_PORT} ${QUORUM}`,
  `sentinel down-after-milliseconds ${GROUP} 1000`,
  `sentinel failover-timeout ${GROUP} 3000`,
  `sentinel parallel-syncs ${GROUP} 2`,
];
