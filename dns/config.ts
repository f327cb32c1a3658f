// The configuration of a dns instance: schema, defaults, and what contradicts itself. Zones made of
// site objects, their records and lines are in the store; zone files and prefix lists are named
// here.
import { z } from 'zod';
import { loadConfig, printConfig, type Report } from '../shared/config/load.ts';
import { absolutePath, durationWithin, endpoint, prefix, written } from '../shared/config/types.ts';
import { daemonSettings } from '../shared/daemon-settings.ts';
import { displayName, parseName } from '../shared/dns/names.ts';
import { parseIpv4 } from '../shared/net/ipv4.ts';
import { parseIpv6 } from '../shared/net/ipv6.ts';
import { type Endpoint, formatEndpoint, parseEndpoint } from '../shared/net/ports.ts';
import { storeSetting } from '../shared/store/settings.ts';
import { FORMATS } from './lines/formats/types.ts';
import { SERVICE } from './name.ts';
import { tsigAlgorithms } from './tsig/tsig.ts';

const ADMIN_PORT = 9103;
const LISTENERS_MAX = 64;

const zoneName = written(
  'the name of a zone such as example.com',
  (text) => {
    const name = parseName(text);
    return name === undefined ? undefined : displayName(name);
  },
  (text) => text,
);
const hostAndPort = z
  .string()
  .refine((text) => parseEndpoint(text) !== undefined, 'must be host:port such as 192.0.2.53:53');
const listeners = z.array(endpoint).max(LISTENERS_MAX);
const count = (least: number, most: number) => z.int().min(least).max(most);

const zoneFile = z.strictObject({ zone: zoneName, file: absolutePath });

const lineName = z.string().min(1).max(64);
const asNumbers = z.record(lineName, z.array(z.int().min(1).max(0xffff_ffff)));
const lineFile = z.strictObject({
  file: absolutePath,
  format: z.enum(['auto', ...FORMATS]).default('auto'),
  /** Of all its prefixes; without it each names its own, or `asns` or `countries` says. */
  line: lineName.optional(),
  asns: asNumbers.optional(),
  countries: z.record(lineName, z.array(z.string())).optional(),
  field: z.string().min(1).optional(),
});

const key = z.strictObject({
  name: zoneName,
  algorithm: z.enum(tsigAlgorithms).default('hmac-sha256'),
  /** A file with the secret in base64, for root and the daemon only. */
  secretFile: absolutePath,
});

const tcp = z.strictObject({
  connections: count(1, 100_000).default(2000),
  perClient: count(1, 100_000).default(100),
  idle: durationWithin('1s', '10m').prefault('10s'),
  /** For one message to come whole, and for an answer to be taken. */
  message: durationWithin('1s', '1m').prefault('5s'),
  /** Queries of one connection that wait for their answers. */
  pipelined: count(1, 10_000).default(100),
});

const tls = z.strictObject({
  listen: listeners.default([]),
  certificate: absolutePath.optional(),
  key: absolutePath.optional(),
});

const https = z.strictObject({
  listen: listeners.default([]),
  path: z
    .string()
    .regex(/^\/[!-~]*$/, 'must be a path such as /dns-query')
    .default('/dns-query'),
});

const cookies = z.strictObject({
  enabled: z.boolean().default(true),
  required: z.boolean().default(false),
  /** 32 hex digits a line, the newest first; the same on all instances of one address. */
  secretFile: absolutePath.optional(),
});

const rateLimit = z.strictObject({
  perSecond: count(0, 1_000_000).default(0),
  slip: count(0, 100).default(2),
  exempt: z.array(prefix).max(1000).default([]),
});

const health = z.strictObject({
  concurrency: count(1, 10_000).default(256),
});

const secondary = z.strictObject({
  /** Bounds of what a primary's SOA asks for. */
  refreshMin: durationWithin('1s', '1d').prefault('5s'),
  refreshMax: durationWithin('1s', '30d').prefault('1d'),
});

/** Of zones that come from files; those of site objects say it themselves. */
const transfer = z.strictObject({
  prefixes: z.array(prefix).max(1000).default([]),
  keys: z.array(zoneName).max(1000).default([]),
  notify: z
    .array(z.strictObject({ to: hostAndPort, key: zoneName.optional() }))
    .max(1000)
    .default([]),
});

const queryLog = z.strictObject({
  enabled: z.boolean().default(false),
  /** One of so many queries. */
  sample: count(1, 1_000_000).default(1),
  /** Beyond it none is told, and they are counted. */
  maxPerSecond: count(1, 100_000).default(100),
  /** What is told of a client's address: its /24 or /56, or all of it. */
  client: z.enum(['prefix', 'address']).default('prefix'),
});

/** `hostname`: what `node` is when the file does not say. */
export function dnsSchema(hostname: string) {
  return z.strictObject({
    ...daemonSettings({ service: SERVICE, hostname, adminPort: ADMIN_PORT }),
    store: storeSetting.default('embedded'),
    stateDirectory: absolutePath.default('/var/lib/edge/dns'),
    listen: listeners.prefault(['0.0.0.0:53', '[::]:53']),
    /** Threads that answer over UDP, each with a socket for every address; 0: one a core. */
    workers: count(0, 256).default(0),
    tcp: tcp.prefault({}),
    tls: tls.prefault({}),
    https: https.prefault({}),
    zones: z.array(zoneFile).max(100_000).default([]),
    /** Each `<zone>.zone` in it is one. */
    zoneDirectory: absolutePath.optional(),
    lines: z.array(lineFile).max(10_000).default([]),
    keys: z.array(key).max(1000).default([]),
    nsid: z.string().max(128).optional(),
    udpBytes: count(512, 4096).default(1232),
    ecs: z.boolean().default(true),
    cookies: cookies.prefault({}),
    rateLimit: rateLimit.prefault({}),
    chaos: z.record(z.string(), z.string().max(255)).default({}),
    /** Whom to ask for the addresses of an ALIAS' target that no zone here has. */
    resolvers: listeners.default([]),
    transfer: transfer.prefault({}),
    secondary: secondary.prefault({}),
    health: health.prefault({}),
    queryLog: queryLog.prefault({}),
  });
}

export type DnsConfig = z.output<ReturnType<typeof dnsSchema>>;

export function parseDnsConfig(file: string, hostname: string, text?: string): DnsConfig {
  const given = text === undefined ? {} : { text };
  return loadConfig({ file, schema: dnsSchema(hostname), check: checkDns, ...given });
}

export function printDnsConfig(config: DnsConfig): string {
  return printConfig(dnsSchema(config.node), config);
}

/** What a running dns takes over: everything else needs a restart. */
export const RELOADABLE = [
  'log',
  'drain',
  'zones',
  'zoneDirectory',
  'lines',
  'keys',
  'transfer',
  'nsid',
  'udpBytes',
  'ecs',
  'cookies',
  'rateLimit',
  'chaos',
  'resolvers',
  'queryLog',
] as const satisfies (keyof DnsConfig)[];

function checkDns(config: DnsConfig, report: Report): void {
  checkListeners(config, report);
  checkTwice('zones', 'zone', config.zones, report);
  checkTwice('keys', 'name', config.keys, report);
  checkKeys(config, report);
  const { tls, https } = config;
  for (const [where, listens] of Object.entries({ tls: tls.listen, https: https.listen })) {
    if (listens.length === 0) continue;
    for (const part of ['certificate', 'key'] as const) {
      if (tls[part] !== undefined) continue;
      report([where, 'listen'], `needs tls.${part}`, `name the file as tls: { ${part}: … }`);
    }
  }
  if (config.cookies.required && !config.cookies.enabled) {
    report(['cookies', 'required'], 'cookies cannot be required when they are not enabled');
  }
  for (const [index, { line, asns }] of config.lines.entries()) {
    if (line === undefined || asns === undefined) continue;
    report(['lines', index, 'asns'], 'has no use beside line: all of the file is one line');
  }
}

function checkKeys({ keys, transfer }: DnsConfig, report: Report): void {
  const names = new Set(keys.map(({ name }) => name));
  const check = (path: (string | number)[], name: string | undefined) => {
    if (name === undefined || names.has(name)) return;
    report(path, `there is no key ${name}`, 'add it to keys, with its secretFile');
  };
  for (const [index, name] of transfer.keys.entries()) check(['transfer', 'keys', index], name);
  for (const [index, { key }] of transfer.notify.entries()) {
    check(['transfer', 'notify', index, 'key'], key);
  }
}

function checkListeners(config: DnsConfig, report: Report): void {
  const all: [string[], readonly Endpoint[]][] = [
    [['listen'], config.listen],
    [['tls', 'listen'], config.tls.listen],
    [['https', 'listen'], config.https.listen],
    [['resolvers'], config.resolvers],
  ];
  const tcp = new Set<string>();
  for (const [path, listens] of all) {
    for (const [index, one] of listens.entries()) {
      const text = formatEndpoint(one);
      if (parseIpv4(one.host) === undefined && parseIpv6(one.host) === undefined) {
        report([...path, index], `${one.host} is no address`, 'write an address, not a name');
      }
      if (path[0] === 'resolvers') continue;
      if (tcp.has(text)) report([...path, index], `${text} is listed twice`);
      tcp.add(text);
    }
  }
  if (config.listen.length === 0) report(['listen'], 'nothing would be served: no address');
}

function checkTwice<Key extends string>(
  section: string,
  key: Key,
  items: readonly Record<Key, string>[],
  report: Report,
): void {
  const seen = new Set<string>();
  for (const [index, item] of items.entries()) {
    if (seen.has(item[key])) report([section, index, key], `${item[key]} is listed twice`);
    seen.add(item[key]);
  }
}
