// The configuration of a natter: schema, defaults, and what contradicts itself.

import { join } from 'node:path';
import { z } from 'zod';
import { loadConfig, printConfig, type Report } from '../shared/config/load.ts';
import { absolutePath, durationWithin, prefix } from '../shared/config/types.ts';
import { daemonSettings, linkName } from '../shared/daemon-settings.ts';
import { HOOKS } from '../shared/links/hook.ts';
import {
  formatPrefix,
  type Ipv4Prefix,
  type Prefix,
  prefixesOverlap,
} from '../shared/net/prefix.ts';
import { storeSetting } from '../shared/store/settings.ts';
import { SERVICE } from './name.ts';

/** A number that no routing daemon in /etc/iproute2/rt_protos has. */
export const ROUTE_PROTOCOL = 157;
const MAIN_TABLE = 254;
const ADMIN_PORT = 9101;
/** The kernel's slot word leaves 24 bits for the slot. */
const MAX_EIPS = 2 ** 24;

const instanceName = z.string().regex(/^[a-zA-Z0-9][a-zA-Z0-9_-]{0,31}$/, {
  error: ({ input }) =>
    `${JSON.stringify(input)} is not an instance's name: letters, digits, dashes, 32 at most`,
});
const routeTable = z.union([
  z.literal('main'),
  z
    .int()
    .min(1)
    .max(2 ** 32 - 1),
]);

const nova = z.strictObject({
  socket: absolutePath.optional(),
  host: z.string().min(1).default('127.0.0.1'),
  port: z.int().min(1).max(65535).default(3306),
  user: z.string().min(1).default('nova'),
  passwordFile: absolutePath.optional(),
  database: z.string().min(1).default('nova'),
  interval: durationWithin('1s', '1h').prefault('10s'),
});

/** `hostname`: what `node` is when the file does not say. */
export function natterSchema(hostname: string) {
  const daemon = daemonSettings({ service: SERVICE, hostname, adminPort: ADMIN_PORT });
  return z.strictObject({
    ...daemon,
    instance: instanceName.default('default'),
    store: storeSetting.default('embedded'),
    stateDirectory: absolutePath.default('/var/lib/edge/natter'),
    bpffs: absolutePath.default('/sys/fs/bpf'),
    links: z.strictObject({
      uplink: z.array(linkName).min(1).max(32),
      inside: z.array(linkName).min(1).max(32),
    }),
    hook: z.enum(HOOKS).default('tc'),
    insidePrefixes: z.array(prefix).max(1024).default([]),
    announce: z
      .strictObject({
        prefixes: z.array(prefix).max(1024).default([]),
        perEip: z.boolean().default(false),
        protocol: z.int().min(5).max(255).default(ROUTE_PROTOCOL),
        table: routeTable.default('main'),
      })
      .prefault({}),
    arp: z.boolean().default(false),
    capacity: z
      .strictObject({
        eips: z.int().min(16).max(MAX_EIPS).default(1_048_576),
        forwards: z.int().min(16).max(4_194_304).default(65_536),
        limits: z.int().min(16).max(1_048_576).default(65_536),
      })
      .prefault({}),
    drain: z
      .strictObject({
        quiet: durationWithin('0s', '5m').prefault('2s'),
        timeout: durationWithin('0s', '1h').prefault('30s'),
      })
      .prefault({}),
    source: z.strictObject({ nova: nova.optional() }).prefault({}),
  });
}

export type NatterConfig = z.output<ReturnType<typeof natterSchema>>;

export function parseNatterConfig(file: string, hostname: string, text?: string): NatterConfig {
  const given = text === undefined ? {} : { text };
  return loadConfig({ file, schema: natterSchema(hostname), check: checkNatter, ...given });
}

export function printNatterConfig(config: NatterConfig): string {
  return printConfig(natterSchema(config.node), config);
}

export function pinDirectoryOf(config: NatterConfig): string {
  return join(config.bpffs, 'edge', config.instance, SERVICE);
}

export function routeTableOf(config: NatterConfig): number {
  return config.announce.table === 'main' ? MAIN_TABLE : config.announce.table;
}

/** What a running natter takes over: everything else needs a restart. */
export const RELOADABLE = [
  'log',
  'drain',
  'links',
  'hook',
  'insidePrefixes',
  'announce',
  'arp',
] as const satisfies (keyof NatterConfig)[];

function checkNatter(config: NatterConfig, report: Report): void {
  checkLinks(config, report);
  checkPrefixes(config.insidePrefixes, ['insidePrefixes'], report);
  checkPrefixes(config.announce.prefixes, ['announce', 'prefixes'], report);
  for (const [index, announced] of config.announce.prefixes.entries()) {
    const inside = config.insidePrefixes.find((one) => prefixesOverlap(one, announced));
    if (inside === undefined) continue;
    const message = `${formatPrefix(announced)} overlaps ${formatPrefix(inside)} of insidePrefixes`;
    report(['announce', 'prefixes', index], message, 'what is announced is public');
  }
  const { nova } = config.source;
  if (nova !== undefined && nova.passwordFile === undefined && nova.socket === undefined) {
    report(['source', 'nova'], 'has neither a passwordFile nor a socket');
  }
}

function checkLinks(config: NatterConfig, report: Report): void {
  for (const role of ['uplink', 'inside'] as const) {
    const names = config.links[role];
    for (const [index, name] of names.entries()) {
      if (names.indexOf(name) === index) continue;
      report(['links', role, index], `${name} is listed twice`);
    }
  }
  const both = config.links.uplink.findIndex((name) => config.links.inside.includes(name));
  if (both >= 0 && config.insidePrefixes.length === 0) {
    report(
      ['links', 'uplink', both],
      `${config.links.uplink[both]} is uplink and inside link, but insidePrefixes is empty`,
      'say which destinations lie inside: insidePrefixes: [10.0.0.0/8]',
    );
  }
}

function checkPrefixes(prefixes: Prefix[], path: string[], report: Report): void {
  for (const [index, one] of prefixes.entries()) {
    if (one.family !== 4) {
      report([...path, index], `${formatPrefix(one)} is not IPv4`, 'natter translates IPv4 only');
      continue;
    }
    const earlier = prefixes.findIndex((other) => prefixesOverlap(one, other));
    if (earlier >= index) continue;
    const other = prefixes[earlier];
    if (other === undefined) continue;
    report([...path, index], `${formatPrefix(one)} overlaps ${formatPrefix(other)}`);
  }
}

/** The check has refused all others. */
export function ipv4Prefixes(prefixes: readonly Prefix[]): Ipv4Prefix[] {
  return prefixes.filter((one) => one.family === 4);
}
