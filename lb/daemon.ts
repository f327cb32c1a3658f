// edge-lb as a daemon: from its settings to a service and what surrounds it.
import { availableParallelism, hostname } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DaemonContext, DaemonDefinition, DaemonService } from '../shared/daemon.ts';
import { DaemonStore, type Machine, refuseChanged } from '../shared/daemon-store.ts';
import { Health } from '../shared/health/health.ts';
import { createProbes } from '../shared/health/probes.ts';
import { RedisVotes } from '../shared/health/redis-votes.ts';
import { createIpHost } from '../shared/links/ip-host.ts';
import { siblingModule } from '../shared/module-path.ts';
import { formatEndpoint, publicEndpoint } from '../shared/net/ports.ts';
import { storeEvents } from '../shared/store/events.ts';
import { lbPages, lbRoutes, type Running, statusJson, statusView } from './admin/pages.ts';
import { Agents } from './agents.ts';
import {
  type LbConfig,
  needsRestart,
  parseLbConfig,
  printLbConfig,
  routeTableOf,
} from './config.ts';
import { lbEvents } from './events.ts';
import { KeyFiles } from './key-files.ts';
import { createL4 } from './l4-part.ts';
import { LimitHub } from './limits/hub.ts';
import { RedisBuckets } from './limits/redis-buckets.ts';
import { declareLbMetrics } from './metrics.ts';
import { SERVICE } from './name.ts';
import { drawSecret, keyFor, readSecret } from './secret.ts';
import { LbService } from './service.ts';
import { Vips } from './vips.ts';
import type { WorkerSettings } from './workers/messages.ts';
import { Workers } from './workers/workers.ts';

export const events = { ...storeEvents, ...lbEvents } as const;

const STATE_CODE = 'EDGE_LB_STATE';
const RESTART = {
  code: 'EDGE_LB_RESTART',
  remedy: 'restart the daemon; the other members serve meanwhile',
} as const;

type Context = DaemonContext<LbConfig, keyof typeof events>;

export type LbDaemon = DaemonDefinition<LbConfig, typeof events>;

/** `nodeFlags`: what its workers are started with, too. */
export type LbMachine = Machine & { nodeFlags: readonly string[] };

export function lbDaemon(machine: LbMachine): LbDaemon {
  return {
    service: SERVICE,
    description: 'Balances load: L4 in the kernel, HTTP and TCP streams in worker processes.',
    events,
    load: (file) => parseLbConfig(file, hostname()),
    print: printLbConfig,
    build: (context) => build(context, machine),
  };
}

function build(context: Context, machine: LbMachine): DaemonService<LbConfig> {
  const { config, metrics, version } = context;
  const store = new DaemonStore({
    ...context,
    ...machine,
    service: SERVICE,
    stateCode: STATE_CODE,
  });
  let running: Running;
  declareLbMetrics(metrics, () => running);
  return {
    parts: [
      { name: 'store', start: () => store.start(), stop: () => store.stop() },
      {
        name: SERVICE,
        async start(signal) {
          running = create(context, store, machine.nodeFlags);
          await running.start(signal);
        },
        drain: (signal) => running?.drain(signal),
        stop: async () => running?.stop(),
      },
    ],
    checks: () => running?.presence.checks() ?? [{ name: 'site', problem: 'starting' }],
    status: () => statusView(config, version, running),
    statusJson: () => statusJson(config, running),
    pages: lbPages(() => running),
    routes: lbRoutes(() => running),
    reload(next) {
      refuseChanged(config, next, needsRestart(config), RESTART);
      running?.reload(next);
    },
  };
}

function create(context: Context, store: DaemonStore, nodeFlags: readonly string[]): LbService {
  const { config, version, clock, random, log, fail } = context;
  const secret =
    config.secretFile === undefined ? drawSecret(random) : readSecret(config.secretFile);
  const keys = { sticky: keyFor(secret, 'sticky'), tickets: keyFor(secret, 'tickets') };
  const count = config.workers > 0 ? config.workers : availableParallelism();
  let service: LbService | undefined;
  const onApplied = () => service?.appliedChanged();
  const shared = new RedisBuckets(store.at);
  const limits: LimitHub = new LimitHub({
    shared,
    tell: (own, common) => {
      for (const worker of workers.all) workers.limits(worker, own, common);
    },
    monotonicMs: () => clock.monotonicMs(),
    log,
  });
  const workers = new Workers({
    path: fileURLToPath(siblingModule('./worker/main', import.meta.url)),
    count,
    nodeFlags,
    settings: (index) => workerSettings(service?.config ?? config, { count, index, keys }),
    onLimits: (_, { own, shared: common }) => limits.heard(own, common),
    onApplied,
    clock,
    log,
  });
  const host = createIpHost(clock, 'EDGE_LB_HOST');
  const { link, announce } = config.vips;
  const routes = { table: routeTableOf(config), protocol: announce.protocol };
  const vips = new Vips({
    host,
    log,
    link: link === 'none' ? undefined : link,
    announce: announce.enabled ? routes : undefined,
  });
  const address = publicEndpoint(config.admin.listen, hostname());
  const health = new Health({
    self: `${SERVICE}/${config.node}`,
    board: new RedisVotes(store.at),
    prober: createProbes({ clock, random }),
    clock,
    random,
    log,
    concurrency: config.health.concurrency,
    snapshotPath: join(config.stateDirectory, 'health.snapshot'),
  });
  service = new LbService({
    config,
    version,
    ...(address === undefined ? {} : { address: formatEndpoint(address) }),
    store: store.opened,
    health,
    workers,
    l4: createL4({ config, host, onApplied, clock, random, log }),
    vips,
    agents: new Agents({ clock, random, log }),
    keys: new KeyFiles(config.keyDirectory, log),
    limits,
    snapshotPaths: {
      lb: join(config.stateDirectory, 'lb.snapshot'),
      pools: join(config.stateDirectory, 'pools.snapshot'),
    },
    clock,
    random,
    log,
    fail,
  });
  return service;
}

function workerSettings(
  { node, accessLog, limits }: LbConfig,
  of: { count: number; index: number; keys: WorkerSettings['keys'] },
): WorkerSettings {
  const { count: workers, index, keys } = of;
  return { node, workers, index, accessLog: accessLog.file, limits, keys };
}
