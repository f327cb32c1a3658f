// A daemon from its settings to its end: puts log, metrics, pages, socket and signals around a
// service.
import { type ControlRoute, ControlServer } from './admin/control.ts';
import { AdminServer, type AdminSource, type ReadyCheck } from './admin/server.ts';
import { type TokenGuard, tokenGuard } from './admin/token.ts';
import { systemClock } from './clock.ts';
import type {
  CommonSettings,
  DaemonContext,
  DaemonDefinition,
  DaemonIo,
  DaemonService,
} from './daemon.ts';
import { daemonEvents } from './daemon-events.ts';
import type { DaemonFlags } from './daemon-flags.ts';
import { exitCodeOf } from './errors.ts';
import { Lifecycle, type Part } from './lifecycle.ts';
import { createLog, type EventTable } from './log.ts';
import { Metrics } from './metrics.ts';
import { createNotify } from './notify.ts';
import { systemRandom } from './random.ts';
import { RecentEvents } from './recent-events.ts';
import { productVersion } from './version.ts';

/** What a reload exchanges. */
type Current<Config> = { config: Config; guard: TokenGuard | undefined };

const signals = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1'] as const;

/** Resolves with the exit code when the daemon has ended; the log then says why. */
export async function serve<Config extends CommonSettings, const Events extends EventTable>(
  definition: DaemonDefinition<Config, Events>,
  io: DaemonIo,
  flags: DaemonFlags,
  config: Config,
): Promise<number> {
  // The service needs the lifecycle's state and the lifecycle the service's parts.
  const late: { lifecycle?: Lifecycle } = {};
  const recent = new RecentEvents();
  const context = contextOf(definition, io, flags, config, { late, recent });
  const { log, metrics, clock } = context;
  const current: Current<Config> = { config, guard: tokenGuard(config.admin.tokenFile) };
  const service = await definition.build(context);
  const notify = createNotify({ ...io, clock, log });
  const lifecycle = new Lifecycle({
    parts: [...doors(current, service, context, recent), ...service.parts],
    log,
    clock,
    notify,
    drainTimeoutMs: () => current.config.drain.timeout,
    reload: () => reload(definition, flags, context, service, current),
    dump: () => service.dump?.() ?? service.statusJson(),
  });
  late.lifecycle = lifecycle;
  for (const name of signals) io.onSignal(name, () => lifecycle.onSignal(name));
  const ended = new AbortController();
  notify.keepWatchdog(ended.signal);
  try {
    await lifecycle.start();
    await lifecycle.ended;
    return 0;
  } catch (error) {
    return exitCodeOf(error) ?? 1; // the lifecycle has logged it
  } finally {
    ended.abort();
    log.flush();
    metrics.close();
  }
}

function contextOf<Config extends CommonSettings, const Events extends EventTable>(
  definition: DaemonDefinition<Config, Events>,
  io: DaemonIo,
  flags: DaemonFlags,
  config: Config,
  { late, recent }: { late: { lifecycle?: Lifecycle }; recent: RecentEvents },
): DaemonContext<Config, keyof Events & string> {
  const { service } = definition;
  const [clock, version] = [systemClock, productVersion()];
  const metrics = new Metrics({ service, version, nodeVersion: io.nodeVersion }, clock);
  metrics.everywhere.configReloadOk.set(1);
  metrics.everywhere.configReloadTime.set(clock.nowMs() / 1000);
  const log = createLog({
    service,
    node: config.node,
    events: { ...daemonEvents, ...definition.events },
    level: flags.logLevel ?? config.log.level,
    output: io.stderr,
    clock,
    noColor: (io.env.NO_COLOR ?? '') !== '',
    onEvent: (event) => metrics.everywhere.logEvents.add(1, { event }),
    onRecord: (line) => recent.add(line),
  });
  return {
    config,
    log,
    clock,
    random: systemRandom,
    metrics,
    version,
    switches: flags.switches,
    state: () => late.lifecycle?.state ?? 'starting',
    fail: (error) => void late.lifecycle?.fail(error),
  };
}

/**
 * The control socket, first because it finds out whether another daemon runs, and the admin pages.
 */
function doors<Config extends CommonSettings>(
  current: Current<Config>,
  service: DaemonService<Config>,
  context: Pick<DaemonContext<Config, never>, 'metrics' | 'state' | 'log'>,
  recent: RecentEvents,
): Part[] {
  const { log, metrics, state } = context;
  const checks = (): ReadyCheck[] => {
    const now = state();
    const own = now === 'ready' ? { name: 'state' } : { name: 'state', problem: now };
    return [own, ...service.checks()];
  };
  metrics.declare({}, () => {
    const isReady = checks().every(({ problem }) => problem === undefined);
    metrics.everywhere.ready.set(isReady ? 1 : 0);
  });
  const source: AdminSource = {
    checks,
    status: () => service.status(),
    statusJson: () => service.statusJson(),
    metrics,
    pages: { '/events.json': () => recent.page(), ...service.pages },
  };
  const status: ControlRoute = {
    method: 'GET',
    path: '/status',
    handle: () => service.statusJson(),
  };
  const { control: socket, admin: pages } = current.config;
  const routes = [status, ...service.routes];
  const control = new ControlServer({ socketPath: socket.socket, routes, log });
  const guard = () => current.guard;
  const admin = new AdminServer({ listen: pages.listen, guard, source, log });
  return [
    { name: 'control socket', start: () => control.start(), stop: () => control.stop() },
    {
      name: 'admin pages',
      start: async () => {
        await admin.start();
      },
      stop: () => admin.stop(),
    },
  ];
}

async function reload<Config extends CommonSettings, const Events extends EventTable>(
  definition: DaemonDefinition<Config, Events>,
  flags: DaemonFlags,
  context: DaemonContext<Config, keyof Events & string>,
  service: DaemonService<Config>,
  current: Current<Config>,
): Promise<void> {
  const { metrics, clock, log } = context;
  metrics.everywhere.configReloadOk.set(0);
  const config = definition.load(flags.config);
  const guard = tokenGuard(config.admin.tokenFile);
  await service.reload(config);
  current.config = config;
  current.guard = guard;
  log.setLevel(flags.logLevel ?? config.log.level);
  metrics.everywhere.configReloadOk.set(1);
  metrics.everywhere.configReloadTime.set(clock.nowMs() / 1000);
}
