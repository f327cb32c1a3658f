// The configuration of a dhcpd: schema, defaults, and what contradicts itself. Subnets, pools and
// reservations are site objects in the store, not settings of a daemon.

import { z } from 'zod';
import { loadConfig, printConfig, type Report } from '../shared/config/load.ts';
import {
  absolutePath,
  durationWithin,
  endpoint,
  ipv4Address,
  written,
} from '../shared/config/types.ts';
import { daemonSettings, linkName } from '../shared/daemon-settings.ts';
import { formatIpv4, isUnicastIpv4, parseIpv4 } from '../shared/net/ipv4.ts';
import { formatEndpoint } from '../shared/net/ports.ts';
import { isEmbedded, storeSetting } from '../shared/store/settings.ts';
import { SERVICE } from './name.ts';
import type { ServerSettings } from './server-types.ts';

const ADMIN_PORT = 9102;
/** docs/leases.md §5: an offer must not outlive the short reserve that it came from. */
const RESERVE_TERM_MS = 60_000;
/** docs/leases.md §1: what is told ends so long before what is held. */
const GUARD_MS = 30_000;

/** A link, or the beginning of the names of many: the bridges of /30 networks are `l3-*`. */
const linkNames = z.string().regex(/^[^\s/:*]{1,14}\*$|^[^\s/:*]{1,15}$/, {
  error: ({ input }) => `${JSON.stringify(input)} is not the name of a link`,
});

/** docs/leases.md §6. */
export type Durability =
  | { kind: 'auto' | 'fsync' | 'waitaof' | 'none' }
  | { kind: 'replicas'; count: number };

const durability = written<Durability>(
  'auto, fsync, replicas:N, waitaof or none',
  parseDurability,
  (value) => (value.kind === 'replicas' ? `replicas:${value.count}` : value.kind),
);

function parseDurability(text: string): Durability | undefined {
  if (text === 'auto' || text === 'fsync' || text === 'waitaof' || text === 'none') {
    return { kind: text };
  }
  const count = Number(/^replicas:([1-9])$/.exec(text)?.[1]);
  return Number.isNaN(count) ? undefined : { kind: 'replicas', count };
}

const perSecond = z.int().min(0).max(1_000_000);

const limits = z.strictObject({
  perRelay: perSecond.default(0),
  perPort: perSecond.default(100),
  perClient: perSecond.default(10),
  declinesPerRelay: perSecond.default(10),
});

const outage = z.strictObject({
  reserve: z.int().min(0).max(65_536).default(64),
  budget: durationWithin('0s', '7d').prefault('1h'),
});

const probe = z.strictObject({
  timeout: durationWithin('10ms', '2s').prefault('300ms'),
  ping: z.boolean().default(true),
  arp: z.boolean().default(true),
  cache: durationWithin('0s', '10m').prefault('30s'),
  maxPerSecond: z.int().min(1).max(10_000).default(100),
});

const canary = z.strictObject({
  enabled: z.boolean().default(true),
  timeout: durationWithin('100ms', '30s').prefault('3s'),
  every: durationWithin('1s', '1h').prefault('30s'),
});

/** `hostname`: what `node` is when the file does not say. */
export function dhcpdSchema(hostname: string) {
  const daemon = daemonSettings({ service: SERVICE, hostname, adminPort: ADMIN_PORT });
  return z.strictObject({
    ...daemon,
    store: storeSetting.default('embedded'),
    stateDirectory: absolutePath.default('/var/lib/edge/dhcpd'),
    links: z.array(linkNames).max(64).default([]),
    trustedLinks: z.array(linkName).max(64).default([]),
    relayed: z
      .strictObject({ listen: z.array(endpoint).max(8).prefault(['0.0.0.0:67']) })
      .prefault({}),
    serverId: ipv4Address.optional(),
    siblingIds: z.array(ipv4Address).max(64).default([]),
    strict: z.boolean().default(false),
    sharedLan: z.enum(['bucket', 'all']).default('bucket'),
    offer: durationWithin('2s', '5m').prefault('30s'),
    quarantine: durationWithin('1m', '30d').prefault('1d'),
    affinity: durationWithin('0s', '365d').prefault('1d'),
    reuse: durationWithin('15s', '1d').prefault('1m'),
    cacheShare: z.number().min(0).max(0.5).default(0.25),
    staleAfter: durationWithin('500ms', '30s').prefault('4s'),
    maxPending: z.int().min(16).max(1_000_000).default(8192),
    limits: limits.prefault({}),
    durability: durability.prefault('auto'),
    outage: outage.prefault({}),
    probe: probe.prefault({}),
    canary: canary.prefault({}),
  });
}

export type DhcpdConfig = z.output<ReturnType<typeof dhcpdSchema>>;

export function parseDhcpdConfig(file: string, hostname: string, text?: string): DhcpdConfig {
  const given = text === undefined ? {} : { text };
  return loadConfig({ file, schema: dhcpdSchema(hostname), check: checkDhcpd, ...given });
}

export function printDhcpdConfig(config: DhcpdConfig): string {
  return printConfig(dhcpdSchema(config.node), config);
}

/** What a running dhcpd takes over: everything else needs a restart. */
export const RELOADABLE = [
  'log',
  'drain',
  'strict',
  'trustedLinks',
  'siblingIds',
  'cacheShare',
  'staleAfter',
  'quarantine',
  'sharedLan',
] as const satisfies (keyof DhcpdConfig)[];

export function serverSettingsOf(config: DhcpdConfig): ServerSettings {
  const { node, serverId, siblingIds, strict, trustedLinks, limits } = config;
  return {
    node,
    ...(serverId === undefined ? {} : { serverId }),
    siblingIds,
    strict,
    trustedLinks,
    offerSeconds: Math.floor(config.offer / 1000),
    declineSeconds: Math.floor(config.quarantine / 1000),
    cacheShare: config.cacheShare,
    staleAfterMs: config.staleAfter,
    maxPending: config.maxPending,
    limits,
    sharedLan: config.sharedLan,
  };
}

function checkDhcpd(config: DhcpdConfig, report: Report): void {
  checkLinks(config, report);
  checkListen(config, report);
  checkIdentifiers(config, report);
  checkTimes(config, report);
  if (isEmbedded(config) && config.durability.kind === 'replicas') {
    const remedy = 'name a Redis that has replicas as store, or leave durability to auto';
    report(['durability'], 'the embedded store has no replica', remedy);
  }
}

function checkLinks({ links, trustedLinks, relayed }: DhcpdConfig, report: Report): void {
  for (const [key, names] of Object.entries({ links, trustedLinks })) {
    for (const [index, name] of names.entries()) {
      if (names.indexOf(name) !== index) report([key, index], `${name} is listed twice`);
    }
  }
  for (const [index, name] of trustedLinks.entries()) {
    if (links.some((each) => covers(each, name))) continue;
    report(['trustedLinks', index], `${name} is not one of links`, 'add it there, or remove it');
  }
  if (links.length === 0 && relayed.listen.length === 0) {
    report(['relayed', 'listen'], 'nothing would be served: no link and no address to listen on');
  }
}

function covers(link: string, name: string): boolean {
  return link.endsWith('*') ? name.startsWith(link.slice(0, -1)) : link === name;
}

function checkListen({ relayed }: DhcpdConfig, report: Report): void {
  const { listen } = relayed;
  for (const [index, one] of listen.entries()) {
    const path = ['relayed', 'listen', index];
    const text = formatEndpoint(one);
    if (parseIpv4(one.host) === undefined) report(path, `${one.host} is not an IPv4 address`);
    if (listen.findIndex((other) => formatEndpoint(other) === text) < index) {
      report(path, `${text} is listed twice`);
    }
    const isCovered = listen.some((other) => isWildcard(other) && other.port === one.port);
    if (!isWildcard(one) && isCovered) {
      report(path, `${text} is already covered by 0.0.0.0:${one.port}`);
    }
  }
}

export function isWildcard({ host }: { host: string }): boolean {
  return host === '0.0.0.0';
}

function checkIdentifiers({ serverId, siblingIds }: DhcpdConfig, report: Report): void {
  if (serverId !== undefined && !isUnicastIpv4(serverId)) {
    report(['serverId'], `${formatIpv4(serverId)} is no address that a server can have`);
  }
  for (const [index, id] of siblingIds.entries()) {
    const path = ['siblingIds', index];
    if (id === serverId) report(path, `${formatIpv4(id)} is the serverId itself`);
    if (siblingIds.indexOf(id) !== index) report(path, `${formatIpv4(id)} is listed twice`);
    if (!isUnicastIpv4(id)) report(path, `${formatIpv4(id)} is no address that a server can have`);
  }
}

function checkTimes(config: DhcpdConfig, report: Report): void {
  const { offer, quarantine, reuse, probe, staleAfter, outage } = config;
  if (offer >= RESERVE_TERM_MS) {
    report(['offer'], 'must be shorter than 1m: so long an instance has its reserve');
  }
  if (quarantine < reuse) {
    report(['quarantine'], 'a declined address would rest for less than a released one (reuse)');
  }
  if (probe.timeout >= staleAfter) {
    report(['probe', 'timeout'], 'every probed request would be dropped as stale (staleAfter)');
  }
  if (outage.reserve > 0 && outage.budget < 2 * GUARD_MS) {
    report(
      ['outage', 'budget'],
      'must be 1m or more: a client is told 30s less than it',
      'or set outage.reserve to 0: then nobody new is served while Redis is gone',
    );
  }
}
