// edge-lb as a daemon: from its settings to a service and what surrounds it.
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Built, type ServiceContext, serviceDaemon } from '../shared/daemon-service.ts';
import type { Machine } from '../shared/daemon-store.ts';
import { Health } from '../shared/health/health.ts';
import { createProbes } from '../shared/health/probes.ts';
import { RedisVotes } from '../shared/health/redis-votes.ts';
import { createIpHost } from '../shared/links/ip-host.ts';
import { siblingModule } from '../shared/module-path.ts';
import { lbPages, lbRoutes, type Running, statusJson, statusView } from './admin/pages.ts';
import { Agents } from './agents.ts';
import { type LbConfig, parseLbConfig, printLbConfig, RELOADABLE, routeTableOf } from './config.ts';
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

export const HOST_CODE = 'EDGE_LB_HOST';

type Context = ServiceContext<LbConfig, keyof typeof lbEvents>;

/** `nodeFlags`: what its workers are started with, too. */
export type LbMachine = Machine & { nodeFlags: readonly string[] };

export function lbDaemon(machine: LbMachine) {
  return serviceDaemon<LbConfig, typeof lbEvents, LbService>(
    {
      service: SERVICE,
      description: 'Balances load: L4 in the kernel, HTTP and TCP streams in worker processes.',
      switches: { detach: 'take programs, routes, addresses and pinned maps away, and end' },
      events: lbEvents,
      codes: { state: 'EDGE_LB_STATE', restart: 'EDGE_LB_RESTART', starting: 'EDGE_LB_STARTING' },
      restartRemedy: 'the other members serve meanwhile',
      firstCheck: 'site',
      reloadable: RELOADABLE,
      load: parseLbConfig,
      print: printLbConfig,
      build: (context, running) => build(context, running, machine.nodeFlags),
    },
    machine,
  );
}

function build(
  context: Context,
  running: () => Running,
  nodeFlags: readonly string[],
): Built<LbConfig, LbService> {
  const { config, metrics, version } = context;
  declareLbMetrics(metrics, running);
  return {
    create: () => create(context, nodeFlags),
    status: () => statusView(config, version, running()),
    statusJson: () => statusJson(config, running()),
    pages: lbPages(running),
    routes: lbRoutes(running),
    reload: (lb, next) => lb.reload(next),
  };
}

function create(context: Context, nodeFlags: readonly string[]): LbService {
  const { config, version, store, address, clock, random, log, fail } = context;
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
  const host = createIpHost(clock, HOST_CODE);
  const { link, announce } = config.vips;
  const routes = { table: routeTableOf(config), protocol: announce.protocol };
  const vips = new Vips({
    host,
    log,
    link: link === 'none' ? undefined : link,
    announce: announce.enabled ? routes : undefined,
  });
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
    ...address,
    store: store.opened,
    health,
    workers,
    l4: createL4({ config, host, onChanged: onApplied, clock, random, log }),
    vips,
    agents: new Agents({ clock, random, log }),
    keys: new KeyFiles(config.keyDirectory, log),
    limits,
    snapshotPaths: {
      own: join(config.stateDirectory, 'lb.snapshot'),
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
