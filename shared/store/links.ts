// The links of one user of the store: by lane, so that what waits in one does not hold up another,
// and in a Cluster by primary as well. A link that was closed is opened again when next wanted; it
// may lead to another server then, which its run id tells.
import type { StoreConfig } from './connection.ts';
import { DEFAULT_COMMAND_TIMEOUT_MS } from './connection.ts';
import { storeError } from './failure.ts';
import { type Call, type Link, openLink, type Reply, type ServerAddress } from './link.ts';
import type { Script } from './script.ts';
import { slotOf } from './slot.ts';
import type { StoreAddress } from './url.ts';

type ClusterAddress = Extract<StoreAddress, { kind: 'cluster' }>;
type SlotRange = { first: number; last: number; node: string };

/** Several Sentinels may be silent, each for as long as a connection may take. */
const OPEN_TIMEOUT_MS = 10_000;

/** Names the only server there is when it is no Cluster. */
export const ONLY = '';

export class Links {
  readonly isCluster: boolean;
  readonly timeoutMs: number;
  readonly #address: ServerAddress | ClusterAddress;
  readonly #config: StoreConfig;
  readonly #scripts: readonly Script[];
  readonly #links = new Map<string, { node: string; link: Promise<Link> }>();
  #slots: Promise<SlotRange[]> | undefined;
  #closed = false;

  constructor(
    address: ServerAddress | ClusterAddress,
    config: StoreConfig,
    scripts: readonly Script[],
  ) {
    this.#address = address;
    this.#config = config;
    this.#scripts = scripts;
    this.isCluster = address.kind === 'cluster';
    this.timeoutMs = config.commandTimeoutMs ?? DEFAULT_COMMAND_TIMEOUT_MS;
  }

  /** Where the key lives: the same text for all keys of one server. */
  async nodeOf(key: string): Promise<string> {
    if (!this.isCluster) return ONLY;
    const slot = slotOf(key);
    const range = (await this.#map()).find((each) => each.first <= slot && slot <= each.last);
    if (range !== undefined) return range.node;
    this.#slots = undefined;
    throw storeError(new Error('CLUSTERDOWN a slot has no primary'));
  }

  async nodes(): Promise<string[]> {
    if (!this.isCluster) return [ONLY];
    return [...new Set((await this.#map()).map(({ node }) => node))].sort();
  }

  /**
   * Waits as long as a call may take; the opening goes on, for a Sentinel or a node that is silent
   * delays it, and is there for a later call.
   */
  async link(lane: string, node: string): Promise<Link> {
    const name = `${lane} ${node}`;
    for (let held = this.#links.get(name); held !== undefined; held = this.#links.get(name)) {
      const link = await this.#within(held.link);
      if (link.isOpen) return link;
      if (this.#links.get(name) === held) this.#links.delete(name);
    }
    if (this.#closed) throw storeError(new Error('Connection is closed'));
    const opening = { node, link: this.#open(node) };
    this.#links.set(name, opening);
    opening.link.then(
      ({ runId }) => this.#closeStale(node, runId),
      () => {
        if (this.#links.get(name) === opening) this.#links.delete(name);
        this.#slots = undefined;
      },
    );
    return this.#within(opening.link);
  }

  /** Runs on the key's server; a slot that moved is found again the next time. */
  async run(lane: string, key: string, calls: readonly Call[], waitMs = 0): Promise<Reply[]> {
    const node = await this.nodeOf(key);
    const link = await this.link(lane, node);
    return this.runOn(link, calls, waitMs);
  }

  async runOn(link: Link, calls: readonly Call[], waitMs = 0): Promise<Reply[]> {
    const replies = await link.run(calls, this.timeoutMs + waitMs);
    for (const reply of replies) {
      if (!(reply instanceof Error)) continue;
      if (/^(MOVED|ASK|CLUSTERDOWN|READONLY)/.test(reply.message)) this.#slots = undefined;
    }
    return replies;
  }

  close(): void {
    this.#closed = true;
    for (const name of [...this.#links.keys()]) this.#drop(name);
  }

  async #within(opening: Promise<Link>): Promise<Link> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new Error('connecting timed out')), this.timeoutMs);
    try {
      return await Promise.race([opening, late]);
    } catch (error) {
      throw storeError(error);
    } finally {
      clearTimeout(timer);
    }
  }

  #drop(name: string): void {
    const link = this.#links.get(name)?.link;
    this.#links.delete(name);
    link?.then(
      (each) => each.close(),
      () => {}, // who waits for it hears of it
    );
  }

  /** What still talks to another server under that name has to look again. */
  #closeStale(node: string, runId: string): void {
    for (const each of this.#links.values()) {
      if (each.node !== node) continue;
      each.link.then(
        (link) => {
          if (link.runId !== runId) link.close();
        },
        () => {}, // who waits for it hears of it
      );
    }
  }

  #open(node: string): Promise<Link> {
    const address = this.#address;
    const at = address.kind === 'cluster' ? serverAt(node, address.tls) : address;
    return openLink(at, this.#config, this.#scripts, OPEN_TIMEOUT_MS);
  }

  #map(): Promise<SlotRange[]> {
    if (this.#slots === undefined) {
      const slots = this.#askSlots();
      this.#slots = slots;
      slots.catch(() => {
        if (this.#slots === slots) this.#slots = undefined;
      });
    }
    return this.#slots;
  }

  /** From the first node that answers. */
  async #askSlots(): Promise<SlotRange[]> {
    const address = this.#address;
    const seeds = address.kind === 'cluster' ? address.nodes : [];
    let failure: unknown = new Error('the cluster has no nodes');
    for (const seed of seeds) {
      try {
        const at: ServerAddress = {
          kind: 'server',
          at: seed,
          tls: address.kind === 'cluster' && address.tls,
        };
        const link = await openLink(at, this.#config, [], this.timeoutMs);
        const [reply] = await link
          .run([['CLUSTER', 'SLOTS']], this.timeoutMs)
          .finally(() => link.close());
        if (reply instanceof Error) throw reply;
        return rangesOf(reply ?? null, seed.host);
      } catch (error) {
        failure = error;
      }
    }
    throw storeError(failure);
  }
}

/** Rows of first slot, last slot, primary [host, port, …], replicas. */
function rangesOf(reply: Reply, askedHost: string): SlotRange[] {
  if (!Array.isArray(reply)) throw new Error('CLUSTER SLOTS without rows');
  return reply.flatMap((row) => {
    if (!Array.isArray(row) || !Array.isArray(row[2])) return [];
    const [first, last, [host, port]] = [row[0], row[1], row[2]];
    const name = host === null || String(host) === '' ? askedHost : String(host);
    return [{ first: Number(first), last: Number(last), node: `${name} ${Number(port)}` }];
  });
}

function serverAt(node: string, tls: boolean): ServerAddress {
  const [host = '', port = '0'] = node.split(' ');
  return { kind: 'server', at: { host, port: Number(port) }, tls };
}
