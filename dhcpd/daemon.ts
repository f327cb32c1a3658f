// edge-dhcpd as a daemon: from its settings to a service and what surrounds it.

import { mkdirSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { DaemonContext, DaemonDefinition, DaemonIo, DaemonService } from '../shared/daemon.ts';
import { OperationalError } from '../shared/errors.ts';
import { openEcho } from '../shared/health/icmp.ts';
import { formatEndpoint, publicEndpoint } from '../shared/net/ports.ts';
import { type EmbeddedOptions, EmbeddedServer } from '../shared/store/embedded.ts';
import { storeEvents } from '../shared/store/events.ts';
import { openStore, type StoreConfig } from '../shared/store/open.ts';
import { credentialsOf } from '../shared/store/settings.ts';
import type { Store } from '../shared/store/types.ts';
import { dhcpdRoutes, statusJson, statusView } from './admin.ts';
import {
  type DhcpdConfig,
  isEmbedded,
  parseDhcpdConfig,
  printDhcpdConfig,
  RELOADABLE,
} from './config.ts';
import { Names } from './ddns-names.ts';
import type { ShownNames } from './ddns-pages.ts';
import { RedisNames } from './ddns-records.ts';
import { createBookDisk } from './disk.ts';
import { dhcpdEvents } from './events.ts';
import { openCapture } from './io/capture.ts';
import { createInterfaces } from './io/interfaces.ts';
import { LateBackend } from './late-backend.ts';
import { LeaseHistory } from './lease-history.ts';
import { declareDhcpdMetrics } from './metrics.ts';
import type { Plan } from './plan/types.ts';
import { DhcpdService } from './service.ts';

export const events = { ...storeEvents, ...dhcpdEvents } as const;

const BOOT_ID = '/proc/sys/kernel/random/boot_id';
const PROMISES_OF_EMBEDDED = { syncsEveryWrite: true } as const;

type Context = DaemonContext<DhcpdConfig, keyof typeof events>;

export type DhcpdDaemon = DaemonDefinition<DhcpdConfig, typeof events>;
/** This process, as far as a dhcpd needs it: `owner` is that of an embedded store. */
type Machine = Pick<DaemonIo, 'monotonicMicroseconds'> & Pick<EmbeddedOptions, 'owner'>;

export function dhcpdDaemon(machine: Machine): DhcpdDaemon {
  return {
    service: 'dhcpd',
    description: 'Hands out addresses, as one of any number of identical servers.',
    events,
    load: (file) => parseDhcpdConfig(file, hostname()),
    print: printDhcpdConfig,
    build: (context) => build(context, machine),
  };
}

function build(context: Context, machine: Machine): DaemonService<DhcpdConfig> {
  const { config, metrics, version } = context;
  const embedded = isEmbedded(config)
    ? new EmbeddedServer({ ...config, ...context, ...machine, ...PROMISES_OF_EMBEDDED })
    : undefined;
  let store: Store | undefined;
  let backend: LateBackend | undefined;
  let history: LeaseHistory | undefined;
  let dhcpd: DhcpdService | undefined;
  let names: ShownNames | undefined;
  declareDhcpdMetrics(
    metrics,
    () => dhcpd,
    () => names?.names,
  );
  const shown = () => ({ durability: backend?.durability });
  return {
    parts: [
      {
        name: 'store',
        async start() {
          makeStateDirectory(config.stateDirectory);
          await embedded?.start();
          const at = storeConfigOf(config, embedded?.url);
          store = openStore(at);
          const named = openNames(context, at, () => dhcpd?.plan);
          names = named;
          backend = openLeases(context, at, named.names);
          history = new LeaseHistory(at);
        },
        async stop() {
          history?.close();
          await names?.names.stop();
          backend?.close();
          await store?.close();
          await embedded?.stop();
        },
      },
      {
        name: 'dhcpd',
        async start(signal) {
          if (store === undefined || backend === undefined) throw new Error('no store was started');
          dhcpd = create({ ...context, ...machine }, store, backend);
          await dhcpd.start(signal);
        },
        drain: () => dhcpd?.drain(),
        stop: async () => dhcpd?.stop(),
      },
    ],
    checks: () => dhcpd?.checks() ?? [{ name: 'plan', problem: 'starting' }],
    status: () => statusView(config, version, dhcpd, shown()),
    statusJson: () => statusJson(config, dhcpd, shown()),
    routes: dhcpdRoutes(
      () => dhcpd,
      () => history,
      () => names,
    ),
    reload(next) {
      refuseRestart(config, next);
      dhcpd?.reload(next);
    },
  };
}

function openNames(
  { clock, random, log }: Context,
  store: StoreConfig,
  plan: () => Plan | undefined,
): ShownNames {
  const records = new RedisNames(store);
  return { records, names: new Names({ records, plan, clock, random, log }) };
}

function openLeases({ config, log, fail }: Context, store: StoreConfig, names: Names): LateBackend {
  return new LateBackend({
    store,
    durability: config.durability,
    onRan: (items, results) => names.saw(items, results),
    onOpened({ by }) {
      const level = by === 'none' ? 'warn' : 'info';
      log[level]('durability-found', `a lease is made safe by: ${by}`, { durability: by });
    },
    onRefused: fail,
  });
}

function create(
  { config, log, clock, random, version, fail, monotonicMicroseconds }: Context & Machine,
  store: Store,
  backend: LateBackend,
): DhcpdService {
  const address = publicEndpoint(config.admin.listen, hostname());
  const boot = readFileSync(BOOT_ID, 'utf8').trim();
  return new DhcpdService({
    config,
    version,
    ...(address === undefined ? {} : { address: formatEndpoint(address) }),
    store,
    backend,
    snapshotPath: join(config.stateDirectory, 'dhcpd.snapshot'),
    disk: createBookDisk(config.stateDirectory),
    uptime: () => ({ boot, ms: Number(monotonicMicroseconds() / 1000n) }),
    interfaces: createInterfaces(clock),
    openCapture,
    openEcho: () => openEcho(clock, random.integer(0x1_0000)),
    clock,
    random,
    log,
    fail,
  });
}

function makeStateDirectory(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (cause) {
    const { code } = Object(cause) as { code?: unknown }; // node:fs names its errors so
    throw new OperationalError('EDGE_DHCPD_STATE', `${path} cannot be made`, {
      cause,
      exitCode: code === 'EACCES' || code === 'EPERM' || code === 'EROFS' ? 77 : 1,
      remedy: 'make it, owned by the user of the daemon, or choose another stateDirectory',
    });
  }
}

function storeConfigOf({ store, node }: DhcpdConfig, embeddedUrl?: string): StoreConfig {
  const given = typeof store === 'string' ? { url: store } : store;
  const url = embeddedUrl ?? given.url;
  return { ...credentialsOf(given), url, clientName: `dhcpd:${node}` };
}

function refuseRestart(running: DhcpdConfig, next: DhcpdConfig): void {
  const keys = Object.keys(running) as (keyof DhcpdConfig)[]; // a strict object's own
  const changed = keys.filter((key) => {
    const isSame = JSON.stringify(running[key]) === JSON.stringify(next[key]);
    return !isSame && !RELOADABLE.some((each) => each === key);
  });
  if (changed.length === 0) return;
  throw new OperationalError('EDGE_DHCPD_RESTART', `${changed.join(', ')} cannot be reloaded`, {
    remedy: 'restart the daemon; the other members serve meanwhile',
  });
}
