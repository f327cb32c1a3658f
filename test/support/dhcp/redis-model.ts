// A modelled Redis with replicas, on an injected clock and with a seed: a failover that loses what
// was acknowledged, an old primary that is cut off and still takes writes, a freeze, a restart, a
// backup put back, and calls of which it is not known whether they ran. What the leases' rules
// must hold against; written from docs/leases.md.
import type { Clock } from '../../../shared/clock.ts';
import type { Random } from '../../../shared/random.ts';
import { ModelBackend } from './redis-model-backend.ts';
import type { Data } from './redis-model-rules.ts';
import { ModelServer } from './redis-model-server.ts';

export type ModelSettings = {
  replicas: number;
  /** How many replicas have to hold a write; 0: the primary's reply is the proof (fsync). */
  waitFor: number;
  /** One way, between a client and its server. */
  delayMs: readonly [least: number, most: number];
  replicationMs: readonly [least: number, most: number];
  timeoutMs: number;
  /** Share of calls that never arrive, and of replies that never come. */
  lostCalls: number;
  lostReplies: number;
};

export const calmSettings: ModelSettings = {
  replicas: 0,
  waitFor: 0,
  delayMs: [0, 0],
  replicationMs: [0, 0],
  timeoutMs: 500,
  lostCalls: 0,
  lostReplies: 0,
};

const WAIT_MS = 1000;

type Replica = { server: ModelServer; held: number; isLinked: boolean };

export class RedisModel {
  settings: ModelSettings;
  primary: ModelServer;
  readonly clock: Clock;
  readonly random: Random;
  readonly backends = new Set<ModelBackend>();
  #replicas: Replica[];
  #cutOff: { server: ModelServer; backends: Set<ModelBackend> } | undefined;
  #lineages = 0;
  #changed: (() => void)[] = [];
  readonly #appended = new Set<() => void>();

  constructor(options: { clock: Clock; random: Random; settings?: Partial<ModelSettings> }) {
    this.clock = options.clock;
    this.random = options.random;
    this.settings = { ...calmSettings, ...options.settings };
    this.primary = this.#server();
    this.#replicas = Array.from({ length: this.settings.replicas }, () => this.#replica());
  }

  connect(): ModelBackend {
    return new ModelBackend(this);
  }

  /** The server that the backend's next connection leads to. */
  serverOf(backend: ModelBackend): ModelServer {
    const cutOff = this.#cutOff;
    return cutOff?.backends.has(backend) ? cutOff.server : this.primary;
  }

  /** Whether a partition lies between. */
  reaches(backend: ModelBackend, server: ModelServer): boolean {
    const cutOff = this.#cutOff;
    if (cutOff === undefined) return true;
    return cutOff.backends.has(backend) === (cutOff.server === server);
  }

  // Faults

  /** Ends the primary. Nothing answers until failover() or restart(). */
  kill(): void {
    this.primary.isUp = false;
    this.#notify();
  }

  /** The same data under a new lineage; with a backup, that data. */
  restart(backup?: Data): void {
    this.primary.restart(this.#newLineage(), backup);
    for (const replica of this.#replicas) this.#resync(replica);
    this.#notify();
  }

  backup(): Data {
    return this.primary.data.copy();
  }

  /** FLUSHALL: the lineage stays. */
  flush(): void {
    this.primary.write((data) => {
      data.blocks.clear();
      data.leases.clear();
      data.details.clear();
      data.registry.clear();
      data.offers.clear();
      data.log = [];
      data.lastId = '0-0';
    });
    this.replicate(this.primary);
  }

  /** Calls hang; after thaw() those that came meanwhile run, whoever still waits for them. */
  freeze(): void {
    this.primary.isFrozen = true;
  }

  thaw(): void {
    this.primary.isFrozen = false;
    if (this.#cutOff !== undefined) this.#cutOff.server.isFrozen = false;
    this.#notify();
  }

  /** The primary and these backends are on one side, the replicas and all others on the other. */
  partition(backends: readonly ModelBackend[]): void {
    this.#cutOff = { server: this.primary, backends: new Set(backends) };
    for (const replica of this.#replicas) replica.isLinked = false;
    for (const backend of this.#others(backends)) backend.lose();
  }

  /** No more writes reach the replicas, so that a failover loses them. */
  stopReplication(): void {
    for (const replica of this.#replicas) replica.isLinked = false;
  }

  resumeReplication(): void {
    for (const replica of this.#replicas) replica.isLinked = true;
    this.replicate(this.primary);
  }

  /**
   * A replica becomes the primary: the one that holds most, or any. What it does not hold is lost.
   * A primary that is not cut off by partition() ends.
   */
  failover(chosen: 'best' | 'any' = 'best'): void {
    const byHeld = this.#replicas.toSorted((a, b) => b.held - a.held);
    const next = chosen === 'best' ? byHeld[0] : byHeld[this.random.integer(byHeld.length)];
    if (next === undefined) throw new Error('no replica to promote');
    const old = this.primary;
    if (this.#cutOff === undefined) old.isUp = false;
    next.server.forget(next.held);
    next.server.isPrimary = true;
    this.primary = next.server;
    this.#replicas = this.#replicas.filter((each) => each !== next);
    for (const replica of this.#replicas) this.#resync(replica);
    this.#notify();
  }

  /** The partition ends; an old primary becomes a replica and forgets what only it has. */
  heal(): void {
    const old = this.#cutOff?.server;
    this.#cutOff = undefined;
    if (old !== undefined && old !== this.primary) this.#demote(old);
    for (const replica of this.#replicas) replica.isLinked = true;
    this.replicate(this.primary);
    this.#notify();
  }

  /** After a failover without partition: the server that ended comes back as a replica. */
  rejoin(server: ModelServer): void {
    server.restart(this.#newLineage());
    this.#demote(server);
  }

  // For the backends

  /** Replicas take the primary's writes over, each in its time. */
  replicate(server: ModelServer): void {
    if (server !== this.primary) return;
    const upTo = server.end;
    for (const replica of this.#replicas) {
      this.clock.after(this.delay(this.settings.replicationMs), () => {
        if (this.primary === server) this.#take(replica, upTo);
      });
    }
    if (this.#replicas.length === 0) server.forget(upTo);
    for (const wake of [...this.#appended]) wake();
  }

  /** WAIT: whether enough replicas hold all that the server has now, within a second. */
  async isHeld(server: ModelServer): Promise<boolean> {
    const upTo = server.end;
    const enough = () => {
      if (server !== this.primary) return false;
      const holding = this.#replicas.filter(({ held, isLinked }) => isLinked && held >= upTo);
      return holding.length >= this.settings.waitFor;
    };
    if (this.settings.waitFor === 0) return true;
    const deadlineMs = this.clock.monotonicMs() + WAIT_MS;
    while (!enough()) {
      const leftMs = deadlineMs - this.clock.monotonicMs();
      if (leftMs <= 0) return false;
      await this.changes(leftMs);
    }
    return true;
  }

  /** Resolves when something of servers or replicas changed, or after the time. */
  changes(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.clock.after(withinMs, resolve);
      this.#changed.push(() => {
        cancel();
        resolve();
      });
    });
  }

  onAppend(wake: () => void): () => void {
    this.#appended.add(wake);
    return () => this.#appended.delete(wake);
  }

  delay([least, most]: readonly [number, number]): number {
    return least + this.random.next() * (most - least);
  }

  #others(backends: readonly ModelBackend[]): ModelBackend[] {
    return [...this.backends].filter((each) => !backends.includes(each));
  }

  #take(replica: Replica, upTo: number): void {
    if (!replica.isLinked || !this.#replicas.includes(replica)) return;
    const { history, start } = this.primary;
    for (; replica.held < upTo; replica.held++)
      history[replica.held - start]?.(replica.server.data);
    this.primary.forget(Math.min(...this.#replicas.map(({ held }) => held)));
    this.#notify();
  }

  #replica(): Replica {
    const server = this.#server();
    server.isPrimary = false;
    const replica = { server, held: 0, isLinked: true };
    this.#resync(replica);
    return replica;
  }

  #resync(replica: Replica): void {
    replica.server.resync(this.primary);
    replica.held = this.primary.end;
  }

  #demote(server: ModelServer): void {
    server.isPrimary = false;
    server.isUp = true;
    server.isFrozen = false;
    const replica = { server, held: 0, isLinked: true };
    this.#resync(replica);
    this.#replicas.push(replica);
  }

  #server(): ModelServer {
    return new ModelServer(this.#newLineage(), () => this.clock.nowMs());
  }

  #newLineage(): string {
    const word = Buffer.from(this.random.bytes(4)).toString('hex');
    return `${word}${(++this.#lineages).toString(16).padStart(8, '0')}`;
  }

  #notify(): void {
    for (const wake of this.#changed.splice(0)) wake();
    for (const wake of [...this.#appended]) wake();
  }
}
