// Polls an OpenStack database and stores what has changed. Any number of natters may do so: what
// one has stored, the others find. A database that is down changes nothing.

import { readFileSync } from 'node:fs';
import { type ConnectionOptions, createConnection, type RowDataPacket } from 'mysql2/promise';
import type { Clock } from '../shared/clock.ts';
import { describeError, OperationalError } from '../shared/errors.ts';
import type { Log } from '../shared/log.ts';
import { jitter, type Random } from '../shared/random.ts';
import { MAX_CHANGES_PER_APPLY, type ObjectRecord, type Store } from '../shared/store/types.ts';
import type { NatterEvent } from './events.ts';
import { SERVICE } from './name.ts';
import { type FloatingIp, type NovaPlan, planNova } from './nova.ts';

export type NovaConfig = {
  host: string;
  port: number;
  user: string;
  database: string;
  interval: number;
  socket?: string | undefined;
  passwordFile?: string | undefined;
};

export type NovaOptions = {
  config: NovaConfig;
  store: Store;
  clock: Clock;
  random: Random;
  log: Log<NatterEvent>;
};

const TIMEOUT_MS = 10_000;
const QUERY = `
  SELECT f.*, x.address AS natter_fixed
  FROM floating_ips f JOIN fixed_ips x ON x.id = f.fixed_ip_id`;

export class NovaSource {
  readonly #options: NovaOptions;
  readonly #stopping = new AbortController();
  #polling: Promise<void> | undefined;
  #isConfirmed = false;
  #lastTold = '';

  constructor(options: NovaOptions) {
    this.#options = options;
  }

  start(): void {
    this.#polling = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#polling;
  }

  /** The next poll may take more than half of the EIPs away. */
  confirm(): void {
    this.#isConfirmed = true;
  }

  /** Once; rejects with EDGE_NATTER_NOVA, or what the store says. */
  async poll(): Promise<void> {
    const { store, config, log } = this.#options;
    const rows = await readFloatingIps(config);
    const { version } = await store.head(SERVICE);
    const records: ObjectRecord[] = [];
    for await (const batch of store.scan(SERVICE)) records.push(...batch);
    const plan = planNova(rows, records, this.#isConfirmed);
    this.#tell(plan);
    if (plan.refused !== undefined) return;
    this.#isConfirmed = false;
    let expectedVersion = version;
    for (let at = 0; at < plan.changes.length; at += MAX_CHANGES_PER_APPLY) {
      const changes = plan.changes.slice(at, at + MAX_CHANGES_PER_APPLY);
      // An operator who changed something meanwhile wins; the next poll sees it.
      const applied = await store.apply(SERVICE, changes, { expectedVersion, author: 'nova' });
      expectedVersion = applied.version;
    }
    const count = plan.changes.length;
    if (count > 0) log.info('nova-applied', `${count} changes`, { count, rows: rows.length });
  }

  async #run(): Promise<void> {
    const { clock, config, random, log } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await this.poll();
      } catch (error) {
        if (!(error instanceof OperationalError)) throw error;
        if (error.code !== 'EDGE_STORE_CONFLICT') {
          log.warn('nova-failed', describeError(error), { error });
        }
      }
      await clock.sleep(jitter(random, config.interval), signal).catch((reason: unknown) => {
        if (!signal.aborted) throw reason;
      });
    }
  }

  /** Each finding once, not at every poll. */
  #tell({ refused, skipped }: NovaPlan): void {
    const text = refused ?? skipped[0] ?? '';
    const told = JSON.stringify([refused, skipped]);
    if (told === this.#lastTold) return;
    this.#lastTold = told;
    if (text === '') return;
    this.#options.log.warn('nova-refused', text, { skipped: skipped.slice(0, 20) });
  }
}

async function readFloatingIps(config: NovaConfig): Promise<FloatingIp[]> {
  try {
    const connection = await createConnection(connectionOptions(config));
    try {
      const query = { sql: QUERY, timeout: TIMEOUT_MS };
      const [rows] = await connection.query<RowDataPacket[]>(query);
      // A row that nova has deleted keeps its id in `deleted`.
      const live = rows.filter((row) => !row.deleted);
      return live.map((row) => ({ address: row.address, fixed: row.natter_fixed }));
    } finally {
      connection.destroy();
    }
  } catch (cause) {
    const where = config.socket ?? `${config.host}:${config.port}`;
    const message = `the database ${config.database} at ${where} could not be read`;
    const remedy = 'does it run, and may the user read floating_ips and fixed_ips?';
    throw new OperationalError('EDGE_NATTER_NOVA', message, { cause, remedy });
  }
}

function connectionOptions(config: NovaConfig): ConnectionOptions {
  const { socket, host, port, user, database, passwordFile } = config;
  const password = passwordFile === undefined ? '' : readFileSync(passwordFile, 'utf8').trim();
  const place = socket === undefined ? { host, port } : { socketPath: socket };
  return { ...place, user, database, password, connectTimeout: TIMEOUT_MS };
}
