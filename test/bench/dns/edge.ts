// Our own server: plain names from a zone file, smart ones as site objects in a Redis of its own.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LabProcess } from '../../../lab/process.ts';
import type { Run } from '../../../lab/run.ts';
import type { SmartRecord } from '../../../shared/site/dns-objects.ts';
import { formatRecord } from '../../../shared/site/record.ts';
import { formatZone, SOA_DEFAULTS } from '../../../shared/site/zone.ts';
import { openStore } from '../../../shared/store/open.ts';
import { type Change, MAX_CHANGES_PER_APPLY } from '../../../shared/store/types.ts';
import { addressOfLine, DEFAULT_ADDRESS, LINES, SMART_ZONE, ZONE } from './data.ts';
import { CPUS, runInside, SERVER, spawnInside } from './site.ts';
import { startServer } from './start.ts';
import type { Running, StartOptions } from './types.ts';

export const EDGE_DNS = join(import.meta.dirname, '../../../deploy/bin/edge-dns');
const ADMIN = '127.0.0.1:9103';
const COMMAND_TIMEOUT_MS = 20_000;

export interface Redis {
  process: LabProcess;
  path: string;
}

/** On a unix socket, without a disk: what is measured does not write. */
export async function startRedis(run: Run, directory: string): Promise<Redis> {
  const path = join(directory, 'redis.sock');
  const settings = { port: 0, unixsocket: path, dir: directory, save: '', appendonly: 'no' };
  const args = Object.entries(settings).flatMap(([key, value]) => [`--${key}`, String(value)]);
  const redis = spawnInside(run, 'redis', CPUS.client, ['redis-server', ...args]);
  const pings = async (): Promise<boolean> =>
    (await runInside(run, CPUS.client, ['redis-cli', '-s', path, 'PING'])).startsWith('PONG');
  await redis.ready('answers', pings);
  return { process: redis, path };
}

/** What configs of the bench have in common. */
export function edgeConfig(redis: Redis, directory: string, name: string): object {
  return {
    node: name,
    store: `unix:${redis.path}`,
    stateDirectory: join(directory, `${name}.state`),
    workers: 1,
    control: { socket: join(directory, `${name}.sock`) },
    drain: { timeout: '0s' },
    log: { level: 'warn' },
  };
}

/** Made of records of the store. */
export const storedZone = (name: string): Change =>
  formatZone({
    name,
    soa: { primary: `ns.${name}`, mail: `hostmaster.${name}`, ...SOA_DEFAULTS },
    ttlSeconds: 300,
    serialBase: 0,
    transfer: { prefixes: [], keys: [] },
    notify: [],
    primaries: [],
  });

export const nameServerOf = (name: string): Change[] => [
  formatRecord({ name, type: 'NS', data: [`ns.${name}`] }),
  formatRecord({ name: `ns.${name}`, type: 'A', data: ['192.0.2.53'] }),
];

function* smartChanges(count: number): Generator<Change> {
  yield storedZone(SMART_ZONE);
  yield* nameServerOf(SMART_ZONE);
  const answer = (address: string) => ({ sources: [{ data: [address] }] });
  const lines = new Map(LINES.map((line) => [line, answer(addressOfLine(line))]));
  lines.set('default', answer(DEFAULT_ADDRESS));
  const common: Omit<SmartRecord, 'name'> = {
    type: 'A',
    minTtlSeconds: 5,
    lines,
    allDown: 'all',
    overflow: new Map(),
  };
  for (let index = 0; index < count; index++) {
    yield formatRecord({ ...common, name: `s${index}.${SMART_ZONE}` });
  }
}

export async function applyAll(redis: Redis, unit: string, all: Iterable<Change>): Promise<void> {
  const store = openStore({ url: `unix:${redis.path}`, commandTimeoutMs: COMMAND_TIMEOUT_MS });
  try {
    let changes: Change[] = [];
    for (const change of all) {
      changes.push(change);
      if (changes.length < MAX_CHANGES_PER_APPLY) continue;
      await store.apply(unit, changes);
      changes = [];
    }
    if (changes.length > 0) await store.apply(unit, changes);
  } finally {
    await store.close();
  }
}

async function writeConfig(options: StartOptions, redis: Redis): Promise<string> {
  const { data, directory, wanted } = options;
  const secure = {
    tls: { listen: [`${SERVER}:853`], ...(await data.certificate()) },
    https: { listen: [`${SERVER}:443`] },
  };
  const file = join(directory, 'dns.yaml');
  const config = {
    ...edgeConfig(redis, directory, 'bench'),
    listen: [`${SERVER}:53`],
    workers: wanted.workers,
    zones: [{ zone: ZONE, file: data.zoneFile(wanted.names) }],
    lines: wanted.prefixes > 0 ? [{ file: data.prefixFile(wanted.prefixes), format: 'cidr' }] : [],
    admin: { listen: ADMIN },
    ...(wanted.isSecure ? secure : {}),
  };
  writeFileSync(file, JSON.stringify(config));
  return file;
}

async function receivedByThread(run: Run): Promise<number[]> {
  const curl = ['curl', '-sS', '--fail', '--max-time', '5', `http://${ADMIN}/status.json`];
  const status = JSON.parse(await runInside(run, CPUS.client, curl)) as {
    receivedByThread: number[];
  }; // as dns/admin/pages.ts writes it
  return status.receivedByThread;
}

export async function startEdge(options: StartOptions): Promise<Running> {
  const { run, directory, wanted } = options;
  const redis = await startRedis(run, directory);
  if (wanted.smart > 0) await applyAll(redis, 'dns', smartChanges(wanted.smart));
  const config = await writeConfig(options, redis);
  const started = await startServer(run, 'edge-dns', wanted, [EDGE_DNS, '--config', config]);
  return {
    ...started,
    byThread: () => receivedByThread(run),
    stop: async () => {
      await started.stop();
      await redis.process.stop();
    },
  };
}
