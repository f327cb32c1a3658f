// The store in memory, for simulations and for tests that need no Redis. MemoryServer is what Redis
// holds; each connect() is one client's view of it, whose connection can fail, freeze or lose
// replies by itself.
import type { Clock } from '../clock.ts';
import { OperationalError } from '../errors.ts';
import { acceptChanges } from './changes.ts';
import { MemoryUnit } from './memory-unit.ts';
import type {
  ApplyOptions,
  ApplyResult,
  Change,
  Head,
  Member,
  ObjectRecord,
  ServerFacts,
  Store,
  StreamEntry,
} from './types.ts';

const DAY_MS = 86_400_000;

/**
 * up: answers. failing: every command is refused at once. frozen: no command is answered; each ends
 * in a timeout. deaf: commands are carried out, but their replies are lost.
 */
export type ConnectionMode = 'up' | 'failing' | 'frozen' | 'deaf';

export type MemoryServerOptions = { clock: Clock; maxEntries?: number };

export class MemoryServer {
  readonly clock: Clock;
  readonly #maxEntries: number;
  readonly #units = new Map<string, MemoryUnit>();
  readonly members = new Map<string, Map<string, { member: Member; atMs: number }>>();
  readonly #listeners = new Set<() => void>();

  constructor(options: MemoryServerOptions) {
    this.clock = options.clock;
    this.#maxEntries = options.maxEntries ?? 20_000;
  }

  connect(options: { commandTimeoutMs?: number; scanBatch?: number } = {}): MemoryStore {
    return new MemoryStore(this, options);
  }

  unit(name: string): MemoryUnit {
    let unit = this.#units.get(name);
    if (unit === undefined) {
      unit = new MemoryUnit(this.clock, this.#maxEntries);
      this.#units.set(name, unit);
    }
    return unit;
  }

  /** Drops all but the newest `keep` entries of the change stream. */
  trim(name: string, keep: number): void {
    this.unit(name).trim(keep);
  }

  /** Fails over to a replica that had not seen the last `count` applies. */
  loseWrites(name: string, count: number): void {
    this.unit(name).undo(count);
    this.wake();
  }

  /** Everything is gone, as after a restart without persistence. */
  wipe(): void {
    this.#units.clear();
    this.members.clear();
    this.wake();
  }

  /** Resolves at the next change of anything, or when the signal aborts. */
  changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.#listeners.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#listeners.add(done);
      signal.addEventListener('abort', done, { once: true });
      if (signal.aborted) done();
    });
  }

  wake(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

export class MemoryStore implements Store {
  readonly server: MemoryServer;
  readonly #commandTimeoutMs: number;
  readonly #scanBatch: number;
  #mode: ConnectionMode = 'up';
  #failures = 0;

  constructor(server: MemoryServer, options: { commandTimeoutMs?: number; scanBatch?: number }) {
    this.server = server;
    this.#commandTimeoutMs = options.commandTimeoutMs ?? 200;
    this.#scanBatch = options.scanBatch ?? 1000;
  }

  get mode(): ConnectionMode {
    return this.#mode;
  }

  set mode(mode: ConnectionMode) {
    this.#mode = mode;
    this.server.wake();
  }

  /** The next `count` commands are refused. */
  failNext(count: number): void {
    this.#failures = count;
    this.server.wake();
  }

  head(unit: string): Promise<Head> {
    return this.#command(() => this.server.unit(unit).head());
  }

  async apply(
    unit: string,
    changes: readonly Change[],
    options: ApplyOptions = {},
  ): Promise<ApplyResult> {
    const accepted = acceptChanges(changes);
    return this.#command(() => {
      const result = this.server.unit(unit).apply(accepted, options.expectedVersion);
      this.server.wake();
      return result;
    });
  }

  raise(
    unit: string,
    version: number,
    { expectedVersion }: { expectedVersion: number },
  ): Promise<number> {
    return this.#command(() => {
      const raised = this.server.unit(unit).raise(version, expectedVersion);
      this.server.wake();
      return raised;
    });
  }

  async *scan(unit: string): AsyncGenerator<ObjectRecord[]> {
    const objects = this.server.unit(unit).objects;
    const fields = [...objects.keys()];
    for (let at = 0; at < fields.length; at += this.#scanBatch) {
      const batch = fields.slice(at, at + this.#scanBatch);
      yield await this.#command(() => batch.flatMap((field) => objects.get(field) ?? []));
    }
  }

  get(unit: string, kind: string, id: string): Promise<string | undefined> {
    return this.#command(() => this.server.unit(unit).objects.get(`${kind}:${id}`)?.value);
  }

  async read(
    unit: string,
    afterId: string,
    blockMs: number,
    signal: AbortSignal,
  ): Promise<StreamEntry[] | 'trimmed'> {
    const { clock } = this.server;
    const endMs = clock.monotonicMs() + Math.max(1, Math.ceil(blockMs));
    for (;;) {
      signal.throwIfAborted();
      const done = new AbortController();
      // Asked for before looking, so that no news falls in between.
      const news = this.server.changed(AbortSignal.any([signal, done.signal]));
      try {
        const entries = await this.#command(() => this.server.unit(unit).after(afterId));
        signal.throwIfAborted();
        if (entries === 'trimmed' || entries.length > 0) return entries;
        const leftMs = endMs - clock.monotonicMs();
        if (leftMs <= 0) return [];
        clock.after(leftMs, () => done.abort(), done.signal);
        await news;
      } finally {
        done.abort();
      }
    }
  }

  heartbeat(member: Member): Promise<void> {
    return this.#command(() => {
      const nodes = this.server.members.get(member.service) ?? new Map();
      nodes.set(member.node, { member: structuredClone(member), atMs: this.server.clock.nowMs() });
      this.server.members.set(member.service, nodes);
    });
  }

  members(service: string): Promise<(Member & { ageMs: number })[]> {
    return this.#command(() => {
      const nowMs = this.server.clock.nowMs();
      const nodes = this.server.members.get(service) ?? new Map();
      for (const [node, { atMs }] of nodes) if (nowMs - atMs > DAY_MS) nodes.delete(node);
      return [...nodes.values()]
        .map(({ member, atMs }) => ({ ...structuredClone(member), ageMs: nowMs - atMs }))
        .sort((a, b) => (a.node < b.node ? -1 : 1));
    });
  }

  leave(service: string, node: string): Promise<void> {
    return this.#command(() => {
      this.server.members.get(service)?.delete(node);
    });
  }

  inspect(): Promise<ServerFacts[]> {
    return this.#command(() => []);
  }

  ping(): Promise<void> {
    return this.#command(() => {});
  }

  async close(): Promise<void> {
    this.mode = 'failing';
  }

  async #command<T>(run: () => T): Promise<T> {
    if (this.#failures > 0) {
      this.#failures--;
      throw unreachable();
    }
    if (this.#mode === 'failing') throw unreachable();
    if (this.#mode === 'deaf') run();
    if (this.#mode !== 'up') {
      await this.server.clock.sleep(this.#commandTimeoutMs);
      throw new OperationalError('EDGE_STORE_TIMEOUT', 'the store did not answer in time');
    }
    return run();
  }
}

function unreachable(): OperationalError {
  return new OperationalError('EDGE_STORE_UNREACHABLE', 'the store cannot be reached');
}

/** A store of its own, with one connection. */
export function createMemoryStore(options: MemoryServerOptions): MemoryStore {
  return new MemoryServer(options).connect();
}
