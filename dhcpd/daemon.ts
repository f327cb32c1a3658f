// edge-dhcpd as a daemon: from its settings to a service and what surrounds it.

import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { DaemonContext, DaemonDefinition, DaemonService } from '../shared/daemon.ts';
import { DaemonStore, type Machine, refuseChanged } from '../shared/daemon-store.ts';
import { openEcho } from '../shared/health/icmp.ts';
import { formatEndpoint, publicEndpoint } from '../shared/net/ports.ts';
import { storeEvents } from '../shared/store/events.ts';
import type { StoreConfig } from '../shared/store/open.ts';
import type { Store } from '../shared/store/types.ts';
import { LeaseHistory } from './admin/lease-history.ts';
import type { ShownNames } from './admin/name-pages.ts';
import { dhcpdPages, dhcpdRoutes, statusJson, statusView } from './admin/pages.ts';
import { type DhcpdConfig, needsRestart, parseDhcpdConfig, printDhcpdConfig } from './config.ts';
import { Names } from './ddns/names.ts';
import { RedisNames } from './ddns/records.ts';
import { createBookDisk } from './disk.ts';
import { dhcpdEvents } from './events.ts';
import { openCapture } from './io/capture.ts';
import { createInterfaces } from './io/interfaces.ts';
import { LateBackend } from './late-backend.ts';
import { declareDhcpdMetrics } from './metrics.ts';
import { SERVICE } from './name.ts';
import type { Plan } from './plan/types.ts';
import { DhcpdService } from './service.ts';

export const events = { ...storeEvents, ...dhcpdEvents } as const;

const BOOT_ID = '/proc/sys/kernel/random/boot_id';
const STATE_CODE = 'EDGE_DHCPD_STATE';
const RESTART = {
  code: 'EDGE_DHCPD_RESTART',
  remedy: 'restart the daemon; the other members serve meanwhile',
} as const;

type Context = DaemonContext<DhcpdConfig, keyof typeof events>;

export type DhcpdDaemon = DaemonDefinition<DhcpdConfig, typeof events>;

export function dhcpdDaemon(machine: Machine): DhcpdDaemon {
  return {
    service: SERVICE,
    description: 'Hands out addresses, as one of any number of identical servers.',
    events,
    load: (file) => parseDhcpdConfig(file, hostname()),
    print: printDhcpdConfig,
    build: (context) => build(context, machine),
  };
}

function build(context: Context, machine: Machine): DaemonService<DhcpdConfig> {
  const { config, metrics, version } = context;
  const store = new DaemonStore({
    ...context,
    ...machine,
    service: SERVICE,
    stateCode: STATE_CODE,
    syncsEveryWrite: true, // leases are promises
  });
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
          await store.start();
          names = openNames(context, store.at, () => dhcpd?.plan);
          backend = openLeases(context, store.at, names.names);
          history = new LeaseHistory(store.at);
        },
        async stop() {
          history?.close();
          await names?.names.stop();
          backend?.close();
          await store.stop();
        },
      },
      {
        name: SERVICE,
        async start(signal) {
          if (backend === undefined) throw new Error('no store was started');
          dhcpd = create({ ...context, ...machine }, store.opened, backend);
          await dhcpd.start(signal);
        },
        drain: () => dhcpd?.drain(),
        stop: async () => dhcpd?.stop(),
      },
    ],
    checks: () => dhcpd?.checks() ?? [{ name: 'plan', problem: 'starting' }],
    status: () => statusView(config, version, dhcpd, shown()),
    statusJson: () => statusJson(config, dhcpd, shown()),
    pages: dhcpdPages(() => dhcpd),
    routes: dhcpdRoutes(
      () => dhcpd,
      () => history,
      () => names,
    ),
    reload(next) {
      refuseChanged(config, next, needsRestart(config), RESTART);
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
