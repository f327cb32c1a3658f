// A zone that dns serves from the store: made of `record` objects, or transferred in from its
// primaries. Id: its name. Pure.
import { formatPrefix, type Prefix, parsePrefix } from '../net/prefix.ts';
import type { ObjectRecord } from '../store/types.ts';
import { storedValue } from './dhcp-settings.ts';
import { parseStoredName } from './dns-name.ts';
import type { ZoneObject, ZoneSoa } from './dns-objects.ts';
import { MAX_TTL_SECONDS } from './dns-times.ts';
import { parsePeer } from './peer.ts';
import { siteIdOf } from './place.ts';
import type { ObjectProblem } from './problem.ts';
import { type Refusal, refusal } from './refusal.ts';
import { ValueReader } from './value.ts';

export const DEFAULT_ZONE_TTL_SECONDS = 300;
export const MAX_SERIAL = 0xffffffff;
/** Of an SOA that does not say them. */
export const SOA_DEFAULTS = {
  refreshSeconds: 3600,
  retrySeconds: 600,
  expireSeconds: 14 * 86_400,
  minimumSeconds: 300,
} as const;

const KEYS = ['notify', 'primaries', 'serialBase', 'soa', 'transfer', 'ttl'];
const SOA_KEYS = ['expire', 'mail', 'minimum', 'primary', 'refresh', 'retry'];
const NAME = 'a domain name in lower case, without a final dot';
const PEER = 'host:port, such as 192.0.2.53:53';

/** From a stored object. */
export function parseZoneObject(id: string, value: string): ZoneObject | Refusal {
  const reader = new ValueReader(`zone ${id}`, value, KEYS);
  if (parseStoredName(id) === undefined) reader.refuse(`the id is not ${NAME}`);
  const soa = reader.within('soa', SOA_KEYS, readSoa);
  const transfer = reader.within('transfer', ['keys', 'prefixes'], (inner) => ({
    prefixes: inner.list('prefixes', 'prefixes', parseStoredPrefix),
    keys: inner.list('keys', 'names of keys', parseStoredName),
  }));
  const zone: ZoneObject = {
    name: id,
    ...(soa === undefined ? {} : { soa }),
    ttlSeconds: reader.integer('ttl', 0, MAX_TTL_SECONDS) ?? DEFAULT_ZONE_TTL_SECONDS,
    serialBase: reader.integer('serialBase', 0, MAX_SERIAL) ?? 0,
    transfer: transfer ?? { prefixes: [], keys: [] },
    notify: readPeers(reader, 'notify', 'to').map(({ peer, ...key }) => ({ to: peer, ...key })),
    primaries: readPeers(reader, 'primaries', 'from').map(({ peer, ...key }) => ({
      from: peer,
      ...key,
    })),
  };
  if (reader.reasons.length > 0) return refusal(...reader.reasons);
  for (const { message } of zoneProblems(zone)) reader.refuse(message);
  return reader.reasons.length === 0 ? zone : refusal(...reader.reasons);
}

function readSoa(reader: ValueReader): ZoneSoa {
  const name = (key: string) => {
    const found = reader.parsed(key, NAME, parseStoredName);
    if (found === undefined && reader.reasons.length === 0) reader.refuse(`there is no ${key}`);
    return found ?? '';
  };
  const seconds = (key: string) => reader.integer(key, 0, MAX_TTL_SECONDS);
  return {
    primary: name('primary'),
    mail: name('mail'),
    refreshSeconds: seconds('refresh') ?? SOA_DEFAULTS.refreshSeconds,
    retrySeconds: seconds('retry') ?? SOA_DEFAULTS.retrySeconds,
    expireSeconds: seconds('expire') ?? SOA_DEFAULTS.expireSeconds,
    minimumSeconds: seconds('minimum') ?? SOA_DEFAULTS.minimumSeconds,
  };
}

function readPeers(reader: ValueReader, list: string, where: 'to' | 'from') {
  return reader.each(list, ['key', where], (inner): { peer: string; key?: string } => {
    const peer = inner.parsed(where, PEER, parseStoredPeer);
    if (peer === undefined && inner.reasons.length === 0) inner.refuse(`there is no ${where}`);
    const key = inner.parsed('key', NAME, parseStoredName);
    return { peer: peer ?? '', ...(key === undefined ? {} : { key }) };
  });
}

function parseStoredPeer(text: string): string | undefined {
  return parsePeer(text) === text ? text : undefined;
}

/** Only the spelling that formatPrefix() gives. */
export function parseStoredPrefix(text: string): Prefix | undefined {
  const prefix = parsePrefix(text);
  return prefix !== undefined && formatPrefix(prefix) === text ? prefix : undefined;
}

/** What is wrong with a zone in itself. */
export function zoneProblems(zone: ZoneObject): ObjectProblem[] {
  const { soa, primaries, ttlSeconds, serialBase } = zone;
  if (primaries.length === 0) {
    if (soa !== undefined) return [];
    const remedy = 'give it an soa; or primaries, from which it is transferred in';
    return [{ message: 'a zone without an soa', remedy }];
  }
  const given: [string, boolean][] = [
    ['soa', soa !== undefined],
    ['ttl', ttlSeconds !== DEFAULT_ZONE_TTL_SECONDS],
    ['serialBase', serialBase !== 0],
  ];
  return given
    .filter(([, isGiven]) => isGiven)
    .map(([key]) => ({
      message: `${key} has no use: the zone is transferred in as its primaries have it`,
      at: [key],
    }));
}

export function formatZone(zone: ZoneObject): ObjectRecord {
  const { name, soa, ttlSeconds, serialBase, transfer, notify, primaries } = zone;
  const peers = <T extends { key?: string }>(list: readonly T[], where: (peer: T) => object) =>
    unlessEmpty(list.map((peer) => ({ key: peer.key, ...where(peer) })));
  const keys = unlessEmpty(transfer.keys);
  const prefixes = unlessEmpty(transfer.prefixes.map(formatPrefix));
  const value = storedValue({
    notify: peers(notify, ({ to }) => ({ to })),
    primaries: peers(primaries, ({ from }) => ({ from })),
    serialBase: unless(0, serialBase),
    soa: soa === undefined ? undefined : storedSoa(soa),
    transfer: keys === undefined && prefixes === undefined ? undefined : { keys, prefixes },
    ttl: unless(DEFAULT_ZONE_TTL_SECONDS, ttlSeconds),
  });
  return { kind: 'zone', id: siteIdOf('dns', 'zone', name), value };
}

/** Sorted by key. */
function storedSoa(soa: ZoneSoa) {
  const { mail, primary } = soa;
  const { expireSeconds, minimumSeconds, refreshSeconds, retrySeconds } = soaTimes(soa);
  return {
    expire: expireSeconds,
    mail,
    minimum: minimumSeconds,
    primary,
    refresh: refreshSeconds,
    retry: retrySeconds,
  };
}

/** Those that are not the default. */
export function soaTimes(soa: ZoneSoa) {
  return {
    refreshSeconds: unless(SOA_DEFAULTS.refreshSeconds, soa.refreshSeconds),
    retrySeconds: unless(SOA_DEFAULTS.retrySeconds, soa.retrySeconds),
    expireSeconds: unless(SOA_DEFAULTS.expireSeconds, soa.expireSeconds),
    minimumSeconds: unless(SOA_DEFAULTS.minimumSeconds, soa.minimumSeconds),
  };
}

/** Undefined for the default: it is not said. */
export function unless<T>(usual: T, value: T): T | undefined {
  return value === usual ? undefined : value;
}

export function unlessEmpty<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length === 0 ? undefined : list;
}
