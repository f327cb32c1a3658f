// edge-natter as a daemon: from its settings to a service and what surrounds it.

import { hostname } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { createBpf } from '../shared/bpf/kernel.ts';
import type { DaemonContext, DaemonDefinition, DaemonService } from '../shared/daemon.ts';
import { DaemonStore, type Machine, refuseChanged } from '../shared/daemon-store.ts';
import { isDenied, OperationalError } from '../shared/errors.ts';
import { createIpHost } from '../shared/links/ip-host.ts';
import { formatEndpoint, publicEndpoint } from '../shared/net/ports.ts';
import { storeEvents } from '../shared/store/events.ts';
import type { Store } from '../shared/store/types.ts';
import { natterPages, natterRoutes, statusJson, statusView } from './admin.ts';
import {
  ipv4Prefixes,
  type NatterConfig,
  NEEDS_RESTART,
  parseNatterConfig,
  pinDirectoryOf,
  printNatterConfig,
  routeTableOf,
} from './config.ts';
import { natterEvents } from './events.ts';
import { declareNatterMetrics } from './metrics.ts';
import { SERVICE } from './name.ts';
import { NovaSource } from './nova-source.ts';
import { type NatterPlan, NatterService } from './service.ts';

export const OBJECT_PATH = join(import.meta.dirname, 'bpf', 'natter.bpf.o');
export const events = { ...storeEvents, ...natterEvents } as const;

const STATE_CODE = 'EDGE_NATTER_STATE';
export const HOST_CODE = 'EDGE_NATTER_HOST';
const RESTART = {
  code: 'EDGE_NATTER_RESTART',
  remedy: 'restart the daemon; its data plane goes on meanwhile',
} as const;

type Context = DaemonContext<NatterConfig, keyof typeof events>;

export type NatterDaemon = DaemonDefinition<NatterConfig, typeof events>;

export function natterDaemon(machine: Machine): NatterDaemon {
  return {
    service: SERVICE,
    description: 'Translates elastic IPs and port forwards in the kernel, as the store wants it.',
    switches: { detach: 'take programs, routes and pinned maps away, and end' },
    events,
    load: (file) => parseNatterConfig(file, hostname()),
    print: printNatterConfig,
    build: (context) => build(context, machine),
  };
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

function build(context: Context, machine: Machine): DaemonService<NatterConfig> {
  const { config, metrics, version } = context;
  const store = new DaemonStore({
    ...context,
    ...machine,
    service: SERVICE,
    stateCode: STATE_CODE,
  });
  let natter: NatterService | undefined;
  let nova: NovaSource | undefined;
  declareNatterMetrics(metrics, () => natter);
  return {
    parts: [
      {
        name: 'store',
        start: () => store.start(),
        stop: () => store.stop(),
      },
      {
        name: SERVICE,
        async start(signal) {
          natter = create({ ...context, ...machine }, store.opened);
          await natter.start(signal);
        },
        stop: async () => natter?.stop(),
      },
      {
        name: 'nova',
        start() {
          const { nova: settings } = config.source;
          if (settings === undefined) return;
          nova = new NovaSource({ ...context, config: settings, store: store.opened });
          nova.start();
        },
        stop: async () => nova?.stop(),
      },
    ],
    checks: () => natter?.checks() ?? [{ name: 'table', problem: 'starting' }],
    status: () => statusView(config, version, natter),
    statusJson: () => statusJson(config, natter),
    pages: natterPages(() => natter),
    routes: [
      ...natterRoutes(() => natter),
      {
        method: 'POST',
        path: '/confirm',
        handle() {
          natter?.follower.confirm();
          nova?.confirm();
          return {};
        },
      },
    ],
    async reload(next) {
      refuseChanged(config, next, NEEDS_RESTART, RESTART);
      await natter?.reload(planOf(next));
    },
  };
}

function create(
  { config, log, clock, random, version, monotonicMicroseconds }: Context & Machine,
  store: Store,
): NatterService {
  const address = publicEndpoint(config.admin.listen, hostname());
  try {
    return new NatterService({
      node: config.node,
      version,
      ...(address === undefined ? {} : { address: formatEndpoint(address) }),
      objectPath: OBJECT_PATH,
      pinDirectory: pinDirectoryOf(config),
      snapshotPath: join(config.stateDirectory, 'natter.snapshot'),
      capacity: config.capacity,
      plan: planOf(config),
      bpf: createBpf(),
      host: createIpHost(clock, HOST_CODE),
      store,
      clock,
      random,
      log,
      turn,
      monotonicMicroseconds,
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
