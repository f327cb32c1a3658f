// A connection that calls go through: each ends in time, its error says what is wrong with the
// connection, and a connection that has gone deaf is given up for a new one, which may find another
// server.
import type { RedisClient } from './connection.ts';
import { storeError } from './failure.ts';

/**
 * Calls in a row without an answer. One may be a slow moment; then the server, or the way, is gone.
 */
const TIMEOUTS_TO_REPLACE = 2;

export class StoreClient {
  readonly #create: () => RedisClient;
  readonly #timeoutMs: number;
  #client: RedisClient | undefined;
  #trouble: Error | undefined;
  #timeouts = 0;

  constructor(create: () => RedisClient, timeoutMs: number) {
    this.#create = create;
    this.#timeoutMs = timeoutMs;
  }

  async run<T>(call: (client: RedisClient) => Promise<T>): Promise<T> {
    const client = this.#open();
    try {
      await this.#ready(client);
      const reply = await call(client);
      this.#timeouts = 0;
      return reply;
    } catch (error) {
      const failure = storeError(error, this.#trouble);
      this.#timeouts = failure.code === 'EDGE_STORE_TIMEOUT' ? this.#timeouts + 1 : 0;
      if (this.#timeouts >= TIMEOUTS_TO_REPLACE) this.#giveUp(client);
      throw failure;
    }
  }

  /**
   * For calls that block: they have a deadline of their own, and fail as soon as the connection is
   * lost. After a failure the connection is a new one, or a late reply would be taken for that of
   * the next call.
   */
  async runBlocking<T>(call: (client: RedisClient) => Promise<T>, deadlineMs: number): Promise<T> {
    const client = this.#open();
    const { promise: lost, reject } = Promise.withResolvers<never>();
    lost.catch(() => {}); // raced below; may come when nobody waits any more
    const onClose = () => reject(new Error('Connection is closed'));
    const timer = setTimeout(() => reject(new Error('blocking read timed out')), deadlineMs);
    try {
      await this.#ready(client);
      client.once('close', onClose);
      return await Promise.race([call(client), lost]);
    } catch (error) {
      const failure = storeError(error, this.#trouble);
      this.#giveUp(client);
      throw failure;
    } finally {
      clearTimeout(timer);
      client.off('close', onClose);
    }
  }

  close(): void {
    if (this.#client !== undefined) this.#giveUp(this.#client);
  }

  #open(): RedisClient {
    if (this.#client !== undefined) return this.#client;
    const client = this.#create();
    client.setMaxListeners(0); // one a call that waits for the connection
    client.on('error', (error: Error) => {
      this.#trouble = error;
    });
    client.on('ready', () => {
      this.#trouble = undefined;
    });
    this.#client = client;
    return client;
  }

  #giveUp(client: RedisClient): void {
    client.disconnect();
    if (this.#client === client) this.#client = undefined;
    this.#timeouts = 0;
  }

  /** Waits for a connection that is being made, as long as a call may take. */
  async #ready(client: RedisClient): Promise<void> {
    if (client.status === 'ready') return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const fail = () => reject(new Error('Connection is closed'));
    const timer = setTimeout(() => reject(new Error('connecting timed out')), this.#timeoutMs);
    client.once('ready', resolve).once('end', fail);
    if (client.status === 'wait' || client.status === 'end') client.connect().catch(reject);
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      client.off('ready', resolve).off('end', fail);
    }
  }
}
