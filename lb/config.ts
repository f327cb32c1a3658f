// The configuration of an lb instance: schema, defaults, and what contradicts itself. Virtual
// servers, listeners, routes, certificates and pools are in the store.
import { join } from 'node:path';
import { z } from 'zod';
import { loadConfig, printConfig, type Report } from '../shared/config/load.ts';
import { absolutePath, durationWithin, size } from '../shared/config/types.ts';
import { daemonSettings, linkName } from '../shared/daemon-settings.ts';
import { HOOKS } from '../shared/links/hook.ts';
import { storeSetting } from '../shared/store/settings.ts';
import { SERVICE } from './name.ts';

/** A number that no routing daemon in /etc/iproute2/rt_protos has; natter's is 157. */
export const ROUTE_PROTOCOL = 158;
const MAIN_TABLE = 254;
const ADMIN_PORT = 9104;
const MAX_INSTANCE = /^[a-zA-Z0-9][a-zA-Z0-9_-]{0,31}$/;

const count = (least: number, most: number) => z.int().min(least).max(most);
const links = z.array(linkName).max(32);
const routeTable = z.union([z.literal('main'), count(1, 2 ** 32 - 1)]);

/** L4; without links in it there is none. */
const l4 = z.strictObject({
  uplink: links.default([]),
  inside: links.default([]),
  hook: z.enum(HOOKS).default('tc'),
  bpffs: absolutePath.default('/sys/fs/bpf'),
  /** Part of where maps are pinned: another one a host, or a namespace, for each instance. */
  instance: z
    .string()
    .regex(MAX_INSTANCE, 'letters, digits, dashes, 32 at most')
    .default('default'),
  capacity: z
    .strictObject({
      servers: count(16, 65_536).default(1024),
      targets: count(16, 1_048_576).default(16_384),
      pools: count(16, 65_536).default(1024),
      connections: count(1024, 67_108_864).default(1_048_576),
    })
    .prefault({}),
});

/** Addresses of virtual servers and listeners: where they are put, and who is told. */
const vips = z.strictObject({
  /** They become addresses (/32, /128) of this link; `none`: somebody else sees to that. */
  link: z.union([z.literal('none'), linkName]).default('none'),
  announce: z
    .strictObject({
      enabled: z.boolean().default(false),
      protocol: count(5, 255).default(ROUTE_PROTOCOL),
      table: routeTable.default('main'),
    })
    .prefault({}),
});

const limits = z.strictObject({
  /** Of the instance; each worker has its share. */
  connections: count(16, 10_000_000).default(100_000),
  /** Of one client (/64 of IPv6). */
  perClient: count(1, 1_000_000).default(10_000),
  /** For a request's head to come whole. */
  head: durationWithin('1s', '5m').prefault('10s'),
  /** Between two pieces of a request's body, and for a client to take what it is sent. */
  body: durationWithin('1s', '10m').prefault('30s'),
  keepAlive: durationWithin('1s', '1h').prefault('60s'),
  handshake: durationWithin('1s', '1m').prefault('10s'),
  /** Requests of one connection; then it is closed politely. */
  requests: count(1, 1_000_000_000).default(100_000),
  /** Heap and buffers of a worker: beyond it connections and requests are refused. */
  workerMemory: size.prefault('1gb'),
});

/** `hostname`: what `node` is when the file does not say. */
export function lbSchema(hostname: string) {
  return z.strictObject({
    ...daemonSettings({ service: SERVICE, hostname, adminPort: ADMIN_PORT }),
    store: storeSetting.default('embedded'),
    stateDirectory: absolutePath.default('/var/lib/edge/lb'),
    /** `<name>.key` of each certificate object. */
    keyDirectory: absolutePath.default('/etc/edge/keys'),
    /** 32 bytes or more in hex, the same on all instances: of sticky cookies and TLS tickets. */
    secretFile: absolutePath.optional(),
    l4: l4.prefault({}),
    vips: vips.prefault({}),
    /** Processes of L7; 0: one a core. */
    workers: count(0, 256).default(0),
    accessLog: z.strictObject({ file: absolutePath.optional() }).prefault({}),
    limits: limits.prefault({}),
    drain: z
      .strictObject({
        /** Between the failing of /readyz and the closing of listeners. */
        delay: durationWithin('0s', '5m').prefault('5s'),
        timeout: durationWithin('0s', '1h').prefault('30s'),
      })
      .prefault({}),
    health: z.strictObject({ concurrency: count(1, 10_000).default(256) }).prefault({}),
  });
}

export type LbConfig = z.output<ReturnType<typeof lbSchema>>;

export function parseLbConfig(file: string, hostname: string, text?: string): LbConfig {
  const given = text === undefined ? {} : { text };
  return loadConfig({ file, schema: lbSchema(hostname), check: checkLb, ...given });
}

export function printLbConfig(config: LbConfig): string {
  return printConfig(lbSchema(config.node), config);
}

/** What a running lb takes over: everything else needs a restart. */
export const RELOADABLE = [
  'log',
  'drain',
  'keyDirectory',
  'accessLog',
  'limits',
] as const satisfies (keyof LbConfig)[];

export const hasL4 = ({ l4: { uplink, inside } }: LbConfig): boolean =>
  uplink.length + inside.length > 0;

export function pinDirectoryOf({ l4: { bpffs, instance } }: LbConfig): string {
  return join(bpffs, 'edge', instance, SERVICE);
}

export function routeTableOf({ vips: { announce } }: LbConfig): number {
  return announce.table === 'main' ? MAIN_TABLE : announce.table;
}

function checkLb(config: LbConfig, report: Report): void {
  const { uplink, inside } = config.l4;
  if (hasL4(config) && (uplink.length === 0 || inside.length === 0)) {
    const missing = uplink.length === 0 ? 'uplink' : 'inside';
    report(['l4', missing], 'has no link', 'one link may be both: name it in uplink and inside');
  }
  const { link, announce } = config.vips;
  if (announce.enabled && link === 'none' && !hasL4(config)) {
    report(['vips', 'link'], 'addresses that nobody has would be announced', 'write link: lo');
  }
  if (config.drain.delay > config.drain.timeout) {
    report(['drain', 'delay'], 'is longer than drain.timeout: connections would not be closed');
  }
}
