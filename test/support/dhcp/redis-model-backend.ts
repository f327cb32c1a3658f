// A LeaseBackend over the modelled Redis: one instance's connection, which may break at any moment.

import type {
  BlockBytes,
  Details,
  Fenced,
  Item,
  LeaseBackend,
  LogEntry,
  Ran,
} from '../../../dhcpd/leases/types.ts';
import type { OperationalError } from '../../../shared/errors.ts';
import type { Ipv4 } from '../../../shared/net/ipv4.ts';
import type { RedisModel } from './redis-model.ts';
import { describeCode } from './redis-model-failure.ts';
import type { ModelServer } from './redis-model-server.ts';

type Connection = { server: ModelServer; lineage: string };

export class ModelBackend implements LeaseBackend {
  readonly #model: RedisModel;
  readonly #known = new Set<number>();
  #connection: Connection | undefined;
  #followed: string | undefined;
  #closed = false;

  constructor(model: RedisModel) {
    this.#model = model;
    model.backends.add(this);
  }

  /** The connection breaks; the next call makes another. */
  lose(): void {
    this.#connection = undefined;
  }

  async lineage(): Promise<string> {
    return this.#call(({ lineage }) => lineage);
  }

  async run(items: readonly Item[]): Promise<Ran | Fenced> {
    let on: Connection | undefined;
    const answer = await this.#call((connection) => {
      const { server, lineage } = connection;
      on = connection;
      return server.run(lineage, items, (block) => this.#known.has(block));
    });
    if ('fenced' in answer || on === undefined) {
      if ('fenced' in answer) this.#known.delete(answer.block);
      return answer as Fenced;
    }
    // Nothing was written: the time alone, as the real one asks for it.
    const durable = items.length === 0 || (await this.#model.isHeld(on.server));
    if (durable) this.#remember(on, items);
    return { ...answer, durable };
  }

  async adopt(blocks: readonly number[], from: string, seconds: number): Promise<number> {
    let on: ModelServer | undefined;
    const adopted = await this.#call(({ server, lineage }) => {
      on = server;
      if (from === lineage) return 0; // ours: lengthen() is for those
      return server.adopt(lineage, blocks, from, seconds);
    });
    await this.#hold(on);
    return adopted;
  }

  async lengthen(block: number, seconds: number): Promise<void> {
    let on: ModelServer | undefined;
    await this.#call(({ server, lineage }) => {
      on = server;
      return server.adopt(lineage, [block], lineage, seconds);
    });
    await this.#hold(on);
  }

  async prove(_blocks: readonly number[], lineage: string): Promise<boolean> {
    let on: ModelServer | undefined;
    const isSame = await this.#call((connection) => {
      on = connection.server;
      if (this.#model.settings.waitFor > 0) on.write(() => {});
      return connection.lineage === lineage;
    });
    return isSame && on !== undefined && (await this.#model.isHeld(on));
  }

  blocks(): Promise<number[]> {
    return this.#call(({ server }) => [...server.data.registry].sort((a, b) => a - b));
  }

  read(blocks: readonly number[]): Promise<BlockBytes[]> {
    return this.#call(({ server }) => blocks.map((block) => server.read(block)));
  }

  details(addresses: readonly Ipv4[]): Promise<(Details | undefined)[]> {
    return this.#call(({ server }) => addresses.map((each) => server.data.details.get(each)));
  }

  offer(key: Uint8Array, address: Ipv4, ttlMs: number): Promise<Ipv4> {
    return this.#call(({ server }) => server.offer(hex(key), address, ttlMs));
  }

  offered(key: Uint8Array): Promise<Ipv4 | undefined> {
    return this.#call(({ server }) => server.offered(hex(key)));
  }

  logTail(): Promise<string> {
    return this.#call(({ server }) => server.data.log.at(-1)?.id ?? '0-0');
  }

  async follow(
    afterId: string,
    blockMs: number,
    signal: AbortSignal,
  ): Promise<LogEntry[] | 'trimmed'> {
    const untilMs = this.#model.clock.monotonicMs() + blockMs;
    for (;;) {
      signal.throwIfAborted();
      let lineage = '';
      const entries = await this.#call((connection) => {
        lineage = connection.lineage;
        return connection.server.after(afterId);
      });
      signal.throwIfAborted();
      const isOther = this.#followed !== undefined && this.#followed !== lineage;
      this.#followed = lineage;
      if (isOther) return 'trimmed';
      if (entries !== undefined) return entries;
      const leftMs = untilMs - this.#model.clock.monotonicMs();
      if (leftMs <= 0) return [];
      await this.#appended(leftMs, signal);
    }
  }

  close(): void {
    this.#closed = true;
    this.#connection = undefined;
    this.#model.backends.delete(this);
  }

  /** One request and its reply. What is thrown before `work` ran may as well have run: or not. */
  async #call<T>(work: (connection: Connection) => T): Promise<T> {
    const { settings, random, clock } = this.#model;
    await this.#pause(settings.delayMs);
    if (this.#closed) throw this.#fail('EDGE_STORE_UNREACHABLE');
    if (random.next() < settings.lostCalls) throw await this.#timeOut(settings.timeoutMs);
    const connection = this.#connect();
    const lateMs = clock.monotonicMs() + settings.timeoutMs;
    let isLate = false;
    while (connection.server.isFrozen && connection.server.isUp) {
      const leftMs = lateMs - clock.monotonicMs();
      if (leftMs <= 0) isLate = true;
      if (isLate) break;
      await this.#model.changes(leftMs);
    }
    if (isLate) {
      this.#runWhenThawed(connection, work);
      throw this.#fail('EDGE_STORE_TIMEOUT');
    }
    this.#check(connection);
    const before = connection.server.end;
    const value = work(connection);
    // Who only reads wakes nobody: followers would wake one another for ever.
    if (connection.server.end !== before) this.#model.replicate(connection.server);
    if (random.next() < settings.lostReplies) throw await this.#timeOut(settings.timeoutMs);
    await this.#pause(settings.delayMs);
    return value;
  }

  #connect(): Connection {
    const held = this.#connection;
    if (held !== undefined) return held;
    const server = this.#model.serverOf(this);
    if (!server.isUp || !this.#model.reaches(this, server))
      throw this.#fail('EDGE_STORE_UNREACHABLE');
    this.#connection = { server, lineage: server.lineage };
    return this.#connection;
  }

  #check({ server, lineage }: Connection): void {
    const isSame = server.isUp && server.isPrimary && server.lineage === lineage;
    if (!isSame || !this.#model.reaches(this, server)) throw this.#fail('EDGE_STORE_UNREACHABLE');
  }

  /** It was in the socket: nobody waits for it any more, and it runs all the same. */
  #runWhenThawed<T>(connection: Connection, work: (connection: Connection) => T): void {
    const { server, lineage } = connection;
    const wait = async () => {
      while (server.isFrozen) await this.#model.changes(60_000);
      if (!server.isUp || !server.isPrimary || server.lineage !== lineage) return;
      work(connection);
      this.#model.replicate(server);
    };
    void wait();
  }

  #remember({ server }: Connection, items: readonly Item[]): void {
    const exists = (block: number) => server.data.blocks.has(block);
    for (const item of items) {
      if (exists(item.address >>> 8)) this.#known.add(item.address >>> 8);
    }
  }

  async #hold(server: ModelServer | undefined): Promise<void> {
    if (server === undefined || (await this.#model.isHeld(server))) return;
    throw describeCode('EDGE_STORE_UNREACHABLE');
  }

  #fail(code: 'EDGE_STORE_UNREACHABLE' | 'EDGE_STORE_TIMEOUT'): OperationalError {
    this.#connection = undefined;
    return describeCode(code);
  }

  async #timeOut(timeoutMs: number): Promise<OperationalError> {
    await this.#model.clock.sleep(timeoutMs);
    return this.#fail('EDGE_STORE_TIMEOUT');
  }

  async #pause(delayMs: readonly [number, number]): Promise<void> {
    const ms = this.#model.delay(delayMs);
    if (ms > 0) await this.#model.clock.sleep(ms);
  }

  #appended(withinMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void) => () => {
        cancel();
        off();
        signal.removeEventListener('abort', abort);
        settle();
      };
      const wake = end(resolve);
      const abort = end(() => reject(signal.reason));
      const cancel = this.#model.clock.after(withinMs, wake);
      const off = this.#model.onAppend(wake);
      signal.addEventListener('abort', abort, { once: true });
    });
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
