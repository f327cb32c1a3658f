// The peers: Kea with a lease file, Kea with PostgreSQL, and Kea's pair of which one waits.
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { LEASE_SECONDS, TARGETS } from './addresses.ts';
import { memfile, startKea, type Threads } from './kea.ts';
import { startPair } from './kea-pair.ts';
import { leaseFile } from './lease-file.ts';
import { startPostgres } from './postgres.ts';
import { NODE } from './site.ts';
import type { Contender, Running, Server, StartOptions } from './types.ts';

const [TARGET] = TARGETS;
const LISTEN = `dhcp0/${TARGET?.server}`;

async function writeLeaseFile(options: StartOptions): Promise<void> {
  const { directory, pool, filledPerMille } = options;
  const text = leaseFile(pool, filledPerMille, Math.floor(Date.now() / 1000));
  await pipeline(Readable.from(text), createWriteStream(join(directory, 'leases.csv')));
}

const alone = (
  kea: { pid: number },
  stop: () => Promise<unknown>,
  more: number[] = [],
): Running => ({
  targets: TARGETS.slice(0, 1),
  pids: () => [kea.pid, ...more],
  stop: async () => {
    await stop();
  },
});

function memfileServer(mode: string, guess: number, threads: Threads): Server {
  const start = async (options: StartOptions): Promise<Running> => {
    const { run, directory, pool } = options;
    if (options.filledPerMille > 0) await writeLeaseFile(options);
    const settings = { listen: LISTEN, pool, threads, database: memfile(directory) };
    const kea = await startKea({ run, name: 'kea', node: NODE.servers, directory, settings });
    return alone(kea, () => kea.stop());
  };
  return { name: `kea-memfile ${mode}`, guess, start };
}

function postgresServer(mode: string, guess: number, threads: Threads): Server {
  const start = async (options: StartOptions): Promise<Running> => {
    const { run, directory, pool, filledPerMille } = options;
    const data = join(directory, 'postgres');
    const own = join(directory, 'kea');
    await mkdir(own);
    const postgres = await startPostgres(run, data);
    if (filledPerMille > 0) await postgres.fill(pool, filledPerMille, LEASE_SECONDS);
    const settings = { listen: LISTEN, pool, threads, database: postgres.database };
    const node = NODE.servers;
    const kea = await startKea({ run, name: 'kea', node, directory: own, settings });
    const stop = async (): Promise<void> => {
      await kea.stop();
      await postgres.stop();
    };
    return alone(kea, stop, [postgres.pid]);
  };
  return { name: `kea-postgresql ${mode}`, guess, start };
}

/** The queue of 64 a thread is Kea's default; with a database, threads mostly wait. */
const CORES: Threads = { count: 2, queue: 64 };
const DATABASE: Threads = { count: 8, queue: 11 };

export const PEERS: readonly Contender[] = [
  {
    name: 'kea-memfile',
    modes: [
      memfileServer('single-threaded', 12_000, undefined),
      memfileServer('multi-threaded', 8000, CORES),
    ],
  },
  {
    name: 'kea-postgresql',
    modes: [
      postgresServer('multi-threaded', 1500, DATABASE),
      postgresServer('single-threaded', 1000, undefined),
    ],
  },
  {
    name: 'kea-ha',
    modes: [{ name: 'kea-ha', guess: 2500, start: (options) => startPair(options, CORES) }],
  },
];
