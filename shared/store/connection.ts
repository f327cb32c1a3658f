// Clients of Redis, three by behaviour. Commands: what cannot be sent now fails now, and nothing is
// ever sent again by the library, so that no stale intent is replayed after an outage. Blocking
// reads: a connection of their own, since whatever follows a blocked XREAD would wait behind it.
// Links (link.ts): used once, for who must not be handed another server unawares.
import { readFileSync } from 'node:fs';
import type { RedisOptions } from 'ioredis';
import { Cluster, Redis } from 'ioredis';
import { OperationalError } from '../errors.ts';
import type { StoreAddress } from './url.ts';

export type RedisClient = Redis | Cluster;

export type StoreConfig = {
  /** See url.ts. */
  url: string;
  username?: string;
  /** Its first line is the password of Redis. */
  passwordFile?: string;
  /** The same for the Sentinels, when they want one; without a user it is the default one's. */
  sentinelUsername?: string;
  sentinelPasswordFile?: string;
  tls?: { caFile?: string; certFile?: string; keyFile?: string; serverName?: string };
  /** How long a command may take. Default 500. */
  commandTimeoutMs?: number;
  /** Names the connections in Redis' CLIENT LIST: `edge:<clientName>:commands`. */
  clientName?: string;
};

export const DEFAULT_COMMAND_TIMEOUT_MS = 500;
const CONNECT_TIMEOUT_MS = 2000;
const MAX_RECONNECT_MS = 1000;

/** `once`: never connects again by itself, so that who uses it knows which server it talks to. */
export type Role = 'commands' | 'blocking' | 'once';
type ServerAddress = Exclude<StoreAddress, { kind: 'embedded' }>;
type ClientOptions = RedisOptions & { replyMapping: 'legacy' };

/** A client that connects when first used, and again whenever it lost its connection. */
export function createClient(address: ServerAddress, config: StoreConfig, role: Role): RedisClient {
  const options = redisOptions(config, role);
  const secured: ClientOptions =
    'tls' in address && address.tls ? { ...options, tls: tlsOptions(config) } : options;
  switch (address.kind) {
    case 'socket':
      return new Redis({ ...options, path: address.path });
    case 'server':
      return new Redis({ ...secured, ...address.at });
    case 'sentinel':
      return new Redis({ ...secured, ...sentinelOptions(address, config) });
    case 'cluster':
      return new Cluster(address.nodes, clusterOptions(secured));
  }
}

function redisOptions(config: StoreConfig, role: Role): ClientOptions {
  const timeoutMs = config.commandTimeoutMs ?? DEFAULT_COMMAND_TIMEOUT_MS;
  return {
    lazyConnect: true,
    protocol: 2,
    replyMapping: 'legacy',
    connectionName: `edge:${config.clientName ?? 'edge'}:${role}`,
    disableClientInfo: true, // a command more that a user would need
    connectTimeout: CONNECT_TIMEOUT_MS,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: role === 'blocking' ? null : 0,
    // A blocked read has its deadline in client.ts: the library's own answers "nothing new", which
    // hides that the server is gone.
    ...(role === 'commands' ? { commandTimeout: timeoutMs } : {}),
    retryStrategy: role === 'once' ? () => null : reconnectDelayMs,
    // A primary that became a replica: go and find the new one; the command itself has failed.
    reconnectOnError: (error) => role !== 'once' && error.message.startsWith('READONLY'),
    ...(config.username === undefined ? {} : { username: config.username }),
    ...password(config.passwordFile),
  };
}

function sentinelOptions(
  address: Extract<ServerAddress, { kind: 'sentinel' }>,
  config: StoreConfig,
): Omit<RedisOptions, 'replyMapping'> {
  const secret = password(config.sentinelPasswordFile).password;
  return {
    sentinels: address.nodes,
    name: address.group,
    enableTLSForSentinelMode: address.tls,
    ...(address.tls ? { sentinelTLS: tlsOptions(config) } : {}),
    ...(config.sentinelUsername === undefined ? {} : { sentinelUsername: config.sentinelUsername }),
    ...(secret === undefined ? {} : { sentinelPassword: secret }),
    sentinelCommandTimeout: CONNECT_TIMEOUT_MS,
    sentinelRetryStrategy: reconnectDelayMs,
  };
}

function clusterOptions(redis: ClientOptions) {
  return {
    lazyConnect: true,
    enableOfflineQueue: false,
    redisOptions: redis,
    retryDelayOnFailover: 0,
    slotsRefreshInterval: 2000,
    clusterRetryStrategy: reconnectDelayMs,
    clusterNodeRetryStrategy: reconnectDelayMs,
  };
}

/** The first again is quick, since most losses are a restart; then slower, never in step. */
function reconnectDelayMs(times: number): number {
  const ceilingMs = Math.min(MAX_RECONNECT_MS, 20 * 2 ** Math.min(times, 10));
  return ceilingMs / 2 + Math.random() * (ceilingMs / 2);
}

function password(file: string | undefined): { password?: string } {
  if (file === undefined) return {};
  const line = readSecretFile(file).split('\n')[0] ?? '';
  if (line !== '') return { password: line };
  throw new OperationalError('EDGE_STORE_SECRET', `the password file ${file} is empty`);
}

function tlsOptions(config: StoreConfig): object {
  const { caFile, certFile, keyFile, serverName } = config.tls ?? {};
  return {
    ...(caFile === undefined ? {} : { ca: readSecretFile(caFile) }),
    ...(certFile === undefined ? {} : { cert: readSecretFile(certFile) }),
    ...(keyFile === undefined ? {} : { key: readSecretFile(keyFile) }),
    ...(serverName === undefined ? {} : { servername: serverName }),
  };
}

function readSecretFile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new OperationalError('EDGE_STORE_SECRET', `cannot read ${file}`, { cause });
  }
}
