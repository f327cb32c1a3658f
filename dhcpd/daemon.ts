// edge-dhcpd as a daemon: from its settings to a service and what surrounds it.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Built, type ServiceContext, serviceDaemon } from '../shared/daemon-service.ts';
import type { Machine } from '../shared/daemon-store.ts';
import { openEcho } from '../shared/health/icmp.ts';
import type { StoreConfig } from '../shared/store/open.ts';
import { LeaseHistory } from './admin/lease-history.ts';
import type { ShownNames } from './admin/name-pages.ts';
import { dhcpdPages, dhcpdRoutes, statusJson, statusView } from './admin/pages.ts';
import { type DhcpdConfig, parseDhcpdConfig, printDhcpdConfig, RELOADABLE } from './config.ts';
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

const BOOT_ID = '/proc/sys/kernel/random/boot_id';
type Context = ServiceContext<DhcpdConfig, keyof typeof dhcpdEvents>;

export function dhcpdDaemon(machine: Machine) {
  return serviceDaemon<DhcpdConfig, typeof dhcpdEvents, DhcpdService>(
    {
      service: SERVICE,
      description: 'Hands out addresses, as one of any number of identical servers.',
      events: dhcpdEvents,
      codes: {
        state: 'EDGE_DHCPD_STATE',
        restart: 'EDGE_DHCPD_RESTART',
        starting: 'EDGE_DHCPD_STARTING',
      },
      restartRemedy: 'the other members serve meanwhile',
      firstCheck: 'plan',
      reloadable: RELOADABLE,
      syncsEveryWrite: true, // leases are promises
      load: parseDhcpdConfig,
      print: printDhcpdConfig,
      build,
    },
    machine,
  );
}

function build(
  context: Context,
  dhcpd: () => DhcpdService | undefined,
): Built<DhcpdConfig, DhcpdService> {
  const { config, metrics, version, store } = context;
  let backend: LateBackend | undefined;
  let history: LeaseHistory | undefined;
  let names: ShownNames | undefined;
  declareDhcpdMetrics(metrics, dhcpd, () => names?.names);
  const shown = () => ({ durability: backend?.durability });
  return {
    opened() {
      names = openNames(context, store.at, () => dhcpd()?.plan);
      backend = openLeases(context, store.at, names.names);
      history = new LeaseHistory(store.at);
    },
    async closing() {
      history?.close();
      await names?.names.stop();
      backend?.close();
    },
    create() {
      if (backend === undefined) throw new Error('no store was started');
      return create(context, backend);
    },
    status: () => statusView(config, version, dhcpd(), shown()),
    statusJson: () => statusJson(config, dhcpd(), shown()),
    pages: dhcpdPages(dhcpd),
    routes: dhcpdRoutes(
      dhcpd,
      () => history,
      () => names,
    ),
    reload: (running, next) => running.reload(next),
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

function create(context: Context, backend: LateBackend): DhcpdService {
  const { config, log, clock, random, version, store, address, fail } = context;
  const boot = readFileSync(BOOT_ID, 'utf8').trim();
  return new DhcpdService({
    config,
    version,
    ...address,
    store: store.opened,
    backend,
    snapshotPath: join(config.stateDirectory, 'dhcpd.snapshot'),
    disk: createBookDisk(config.stateDirectory),
    uptime: () => ({ boot, ms: Number(context.monotonicMicroseconds() / 1000n) }),
    interfaces: createInterfaces(clock),
    openCapture,
    openEcho: () => openEcho(clock, random.integer(0x1_0000)),
    clock,
    random,
    log,
    fail,
  });
}
