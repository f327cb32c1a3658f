// edge-natter as a daemon: from its settings to a service and what surrounds it.

import { mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { createBpf } from '../shared/bpf/kernel.ts';
import type { DaemonContext, DaemonDefinition, DaemonIo, DaemonService } from '../shared/daemon.ts';
import { OperationalError } from '../shared/errors.ts';
import { formatEndpoint, publicEndpoint } from '../shared/net/ports.ts';
import { type EmbeddedOptions, EmbeddedServer } from '../shared/store/embedded.ts';
import { storeEvents } from '../shared/store/events.ts';
import { openStore, type StoreConfig } from '../shared/store/open.ts';
import { credentialsOf } from '../shared/store/settings.ts';
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
import { createIpHost } from './ip-host.ts';
import { declareNatterMetrics } from './metrics.ts';
import { NovaSource } from './nova-source.ts';
import { type NatterPlan, NatterService } from './service.ts';

export const OBJECT_PATH = join(import.meta.dirname, 'bpf', 'natter.bpf.o');
export const events = { ...storeEvents, ...natterEvents } as const;

type Context = DaemonContext<NatterConfig, keyof typeof events>;

export type NatterDaemon = DaemonDefinition<NatterConfig, typeof events>;
/** This process, as far as a natter needs it: `owner` is that of an embedded store. */
type Machine = Pick<DaemonIo, 'monotonicMicroseconds'> & Pick<EmbeddedOptions, 'owner'>;

export function natterDaemon(machine: Machine): NatterDaemon {
  return {
    service: 'natter',
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
      perEip: announce.perEip,
      arp,
      routes: { table: routeTableOf(config), protocol: announce.protocol },
    },
    drain: { quietMs: drain.quiet, timeoutMs: drain.timeout },
  };
}

function build(context: Context, machine: Machine): DaemonService<NatterConfig> {
  const { config, metrics, version } = context;
  const embedded = isEmbedded(config)
    ? new EmbeddedServer({ ...config, ...context, ...machine })
    : undefined;
  let store: Store | undefined;
  let natter: NatterService | undefined;
  let nova: NovaSource | undefined;
  declareNatterMetrics(metrics, () => natter);
  return {
    parts: [
      {
        name: 'store',
        async start() {
          makeStateDirectory(config.stateDirectory);
          await embedded?.start();
          store = openStore(storeConfigOf(config, embedded?.url));
        },
        async stop() {
          await store?.close();
          await embedded?.stop();
        },
      },
      {
        name: 'natter',
        async start(signal) {
          if (store === undefined) throw new Error('the store was not started');
          natter = create({ ...context, ...machine }, store);
          await natter.start(signal);
        },
        stop: async () => natter?.stop(),
      },
      {
        name: 'nova',
        start() {
          const { nova: settings } = config.source;
          if (store === undefined || settings === undefined) return;
          nova = new NovaSource({ ...context, config: settings, store });
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
      refuseRestart(config, next);
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
      host: createIpHost(clock),
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

function makeStateDirectory(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (cause) {
    throw new OperationalError('EDGE_NATTER_STATE', `${path} cannot be made`, {
      cause,
      exitCode: isDenied(cause) ? 77 : 1,
      remedy: 'make it, owned by the user of the daemon, or choose another stateDirectory',
    });
  }
}

function isEmbedded({ store }: NatterConfig): boolean {
  return (typeof store === 'string' ? store : store.url) === 'embedded';
}

function storeConfigOf({ store, node }: NatterConfig, embeddedUrl?: string): StoreConfig {
  const given = typeof store === 'string' ? { url: store } : store;
  const url = embeddedUrl ?? given.url;
  return { ...credentialsOf(given), url, clientName: `natter:${node}` };
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

function isDenied(cause: unknown): boolean {
  const { code } = Object(cause) as { code?: unknown }; // node:fs names its errors so
  return code === 'EACCES' || code === 'EPERM' || code === 'EROFS';
}

function refuseRestart(running: NatterConfig, next: NatterConfig): void {
  const changed = NEEDS_RESTART.filter((key) => {
    return JSON.stringify(running[key]) !== JSON.stringify(next[key]);
  });
  if (changed.length === 0) return;
  throw new OperationalError('EDGE_NATTER_RESTART', `${changed.join(', ')} cannot be reloaded`, {
    remedy: 'restart the daemon; its data plane goes on meanwhile',
  });
}
