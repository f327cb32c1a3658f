// edge-natter as a daemon: from its settings to a service and what surrounds it.

import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { createBpf } from '../shared/bpf/kernel.ts';
import { type Built, type ServiceContext, serviceDaemon } from '../shared/daemon-service.ts';
import type { Machine } from '../shared/daemon-store.ts';
import { isDenied, OperationalError } from '../shared/errors.ts';
import { createIpHost } from '../shared/links/ip-host.ts';
import { natterPages, natterRoutes, statusJson, statusView } from './admin.ts';
import {
  ipv4Prefixes,
  type NatterConfig,
  parseNatterConfig,
  pinDirectoryOf,
  printNatterConfig,
  RELOADABLE,
  routeTableOf,
} from './config.ts';
import { natterEvents } from './events.ts';
import { declareNatterMetrics } from './metrics.ts';
import { SERVICE } from './name.ts';
import { NovaSource } from './nova-source.ts';
import { type NatterPlan, NatterService } from './service.ts';

export const OBJECT_PATH = join(import.meta.dirname, 'bpf', 'natter.bpf.o');
export const HOST_CODE = 'EDGE_NATTER_HOST';
type Context = ServiceContext<NatterConfig, keyof typeof natterEvents>;

export type NatterDaemon = ReturnType<typeof natterDaemon>;

export function natterDaemon(machine: Machine) {
  return serviceDaemon<NatterConfig, typeof natterEvents, NatterService>(
    {
      service: SERVICE,
      description: 'Translates elastic IPs and port forwards in the kernel, as the store wants it.',
      switches: { detach: 'take programs, routes and pinned maps away, and end' },
      events: natterEvents,
      codes: {
        state: 'EDGE_NATTER_STATE',
        restart: 'EDGE_NATTER_RESTART',
        starting: 'EDGE_NATTER_STARTING',
      },
      restartRemedy: 'its data plane goes on meanwhile',
      firstCheck: 'table',
      reloadable: RELOADABLE,
      load: parseNatterConfig,
      print: printNatterConfig,
      build,
    },
    machine,
  );
}

export function planOf(config: NatterConfig): NatterPlan {
  const { links, hook, insidePrefixes, announce, arp, drain } = config;
  return {
    links: { ...links, hook, insidePrefixes: ipv4Prefixes(insidePrefixes) },
    announce: {
      prefixes: ipv4Prefixes(announce.prefixes),
      perAddress: announce.perEip,
      arp,
      routes: { table: routeTableOf(config), protocol: announce.protocol },
    },
    drain: { quietMs: drain.quiet, timeoutMs: drain.timeout },
  };
}

function build(
  context: Context,
  natter: () => NatterService | undefined,
): Built<NatterConfig, NatterService> {
  const { config, metrics, version, store } = context;
  const { nova: wanted } = config.source;
  let nova: NovaSource | undefined;
  declareNatterMetrics(metrics, natter);
  return {
    create: () => create(context, () => nova?.confirm()),
    parts: [
      {
        name: 'nova',
        start() {
          if (wanted === undefined) return;
          nova = new NovaSource({ ...context, config: wanted, store: store.opened });
          nova.start();
        },
        stop: async () => nova?.stop(),
      },
    ],
    status: () => statusView(config, version, natter()),
    statusJson: () => statusJson(config, natter()),
    pages: natterPages(natter),
    routes: natterRoutes(natter),
    reload: (running, next) => running.reload(planOf(next)),
  };
}

function create(context: Context, onConfirmed: () => void): NatterService {
  const { config, log, clock, random, version, store, address } = context;
  try {
    return new NatterService({
      node: config.node,
      version,
      ...address,
      objectPath: OBJECT_PATH,
      pinDirectory: pinDirectoryOf(config),
      snapshotPath: join(config.stateDirectory, 'natter.snapshot'),
      capacity: config.capacity,
      plan: planOf(config),
      bpf: createBpf(),
      host: createIpHost(clock, HOST_CODE),
      store: store.opened,
      clock,
      random,
      log,
      turn,
      monotonicMicroseconds: context.monotonicMicroseconds,
      onConfirmed,
    });
  } catch (error) {
    throw withExitCode(error);
  }
}

/** Without the rights the service manager should not try again. */
function withExitCode(error: unknown): unknown {
  if (!(error instanceof OperationalError) || !isForbidden(error)) return error;
  const { code, message, remedy, cause } = error;
  return new OperationalError(code, message, {
    cause,
    exitCode: 77,
    ...(remedy === undefined ? {} : { remedy }),
  });
}

function isForbidden({ code, cause }: OperationalError): boolean {
  return code === 'EDGE_BPF_PERMISSION' || isDenied(cause);
}
