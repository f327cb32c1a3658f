// A PostgreSQL of the bench's own, as Debian configures it, with Kea's schema: by socket only, as
// user postgres, in its own directory.
import { readdirSync } from 'node:fs';
import { chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execute } from '../../../lab/exec.ts';
import type { Run } from '../../../lab/run.ts';
import { NODE, spawnInside } from './site.ts';
import type { Pool } from './types.ts';

const VERSIONS = '/usr/lib/postgresql';
const SCHEMA = '/usr/share/kea/scripts/pgsql/dhcpdb_create.pgsql';
const USER = 'postgres';
const FILL_LIMIT_MS = 300_000;

export interface Postgres {
  pid: number;
  /** As Kea's `lease-database`. */
  database: Record<string, unknown>;
  /** Leases, as Kea would have written them. */
  fill(pool: Pool, perMille: number, leaseSeconds: number): Promise<void>;
  stop(): Promise<void>;
}

/** Of the newest version that is installed. */
function binaries(): string {
  const versions = readdirSync(VERSIONS).map(Number).filter(Number.isFinite);
  if (versions.length === 0) throw new Error('PostgreSQL is not installed');
  return join(VERSIONS, String(Math.max(...versions)), 'bin');
}

/**
 * The same spread as isFilled, and the same clients as a lease file has. The schema's triggers
 * count each lease by itself, in one row: the sum is written at once instead.
 */
const fillStatement = (pool: Pool, perMille: number, seconds: number): string => `
  SET session_replication_role = replica;
  INSERT INTO lease4 (address, hwaddr, client_id, valid_lifetime, expire, subnet_id, fqdn_fwd,
    fqdn_rev, hostname, state)
  SELECT ${pool.first}::bigint + i, mac, '\\x01'::bytea || mac, ${seconds},
    now() + interval '${seconds} seconds', 1, false, false, '', 0
  FROM (SELECT i, decode('02f1' || lpad(to_hex(i), 8, '0'), 'hex') AS mac
    FROM generate_series(0, ${pool.count - 1}) AS i
    WHERE (i::bigint * 617) % 1000 < ${perMille}) AS taken;
  INSERT INTO lease4_stat (subnet_id, state, leases) SELECT 1, 0, count(*) FROM lease4;
  VACUUM ANALYZE lease4; CHECKPOINT;`;

async function asPostgres(): Promise<[uid: number, gid: number, argv: string[]]> {
  const id = async (flag: string): Promise<number> =>
    Number((await execute('id', [flag, USER])).stdout);
  const [uid, gid] = [await id('-u'), await id('-g')];
  const as = [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'];
  return [uid, gid, ['setpriv', ...as, '--']];
}

export async function startPostgres(run: Run, directory: string): Promise<Postgres> {
  const bin = binaries();
  const data = join(directory, 'data');
  const [uid, gid, as] = await asPostgres();
  await mkdir(directory);
  await chown(directory, uid, gid);
  const [command = '', ...prefix] = as;
  const locale = ['--locale=C', '--encoding=UTF8'];
  const init = [join(bin, 'initdb'), '-D', data, '-A', 'trust', '-U', USER, ...locale];
  await execute(command, [...prefix, ...init]);
  // The packaged server has no socket but this, and no address either.
  await writeFile(join(data, 'postgresql.auto.conf'), `listen_addresses = ''\n`);
  const argv = [...as, join(bin, 'postgres'), '-D', data, '-k', directory];
  const server = spawnInside(run, argv, { name: 'postgres', node: NODE.servers });
  const psql = (input: string) =>
    execute('psql', ['-q', '-h', directory, '-U', USER, '-v', 'ON_ERROR_STOP=1', USER], {
      input,
      timeoutMs: FILL_LIMIT_MS,
    });
  await server.ready('answers', () => psql('SELECT 1').then(() => true));
  await psql(`\\i ${SCHEMA}`);
  return {
    pid: server.pid,
    database: { type: 'postgresql', host: directory, name: USER, user: USER },
    fill: async (pool, perMille, seconds) => {
      await psql(fillStatement(pool, perMille, seconds));
    },
    stop: async () => {
      server.kill('SIGINT'); // does not wait for clients
      await server.stop();
    },
  };
}
