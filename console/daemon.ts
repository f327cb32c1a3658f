// edge-console as a daemon: from its settings to a service and what surrounds it.
import { hostname } from 'node:os';
import type { StatusView } from '../shared/admin/page.ts';
import { readTokens, tokenGuard } from '../shared/admin/token.ts';
import type { DaemonContext, DaemonDefinition, DaemonService } from '../shared/daemon.ts';
import { DaemonStore, type Machine, refuseChanged } from '../shared/daemon-store.ts';
import { formatEndpoint, publicEndpoint } from '../shared/net/ports.ts';
import { storeEvents } from '../shared/store/events.ts';
import {
  type ConsoleConfig,
  needsRestart,
  parseConsoleConfig,
  printConsoleConfig,
} from './config.ts';
import { consoleEvents } from './events.ts';
import { declareConsoleMetrics } from './metrics.ts';
import { SERVICE } from './name.ts';
import { ConsoleService } from './service.ts';
import { Assets } from './web/assets.ts';
import { Pages } from './web/pages.ts';
import { WebServer } from './web/server.ts';

export const events = { ...storeEvents, ...consoleEvents } as const;

const STATE_CODE = 'EDGE_CONSOLE_STATE';
const RESTART = {
  code: 'EDGE_CONSOLE_RESTART',
  remedy: 'restart the daemon; it forgets the last hour',
} as const;

type Context = DaemonContext<ConsoleConfig, keyof typeof events>;

export type ConsoleDaemon = DaemonDefinition<ConsoleConfig, typeof events>;

export function consoleDaemon(machine: Machine): ConsoleDaemon {
  return {
    service: SERVICE,
    description: 'Shows the whole site on one web page.',
    events,
    load: (file) => parseConsoleConfig(file, hostname()),
    print: printConsoleConfig,
    build: (context) => build(context, machine),
  };
}

function build(context: Context, machine: Machine): DaemonService<ConsoleConfig> {
  const { config, metrics, version } = context;
  const store = new DaemonStore({
    ...context,
    ...machine,
    service: SERVICE,
    stateCode: STATE_CODE,
  });
  const pages = new Pages({ assets: new Assets(), intervalMs: config.interval });
  const web = new WebServer({
    listen: config.listen,
    pages,
    guard: tokenGuard(config.tokenFile),
    onAnswered: (status) => running?.answered(status),
  });
  let running: ConsoleService | undefined;
  declareConsoleMetrics(metrics, () => running);
  return {
    parts: [
      { name: 'store', start: () => store.start(), stop: () => store.stop() },
      {
        name: SERVICE,
        async start() {
          running = create(context, store, pages);
          await running.start();
        },
        stop: async () => running?.stop(),
      },
      { name: 'page', start: () => open(context, web), stop: () => web.stop() },
    ],
    checks: () => running?.checks() ?? [{ name: 'page', problem: 'starting' }],
    status: () => statusView(config, version, running),
    statusJson: () => statusJson(config, version, running),
    routes: [],
    reload(next) {
      refuseChanged(config, next, needsRestart(config), RESTART);
      if (running !== undefined) running.configured = next.members;
    },
  };
}

function create(context: Context, store: DaemonStore, pages: Pages): ConsoleService {
  const { config, version, metrics, clock, log, fail } = context;
  const [token] = config.adminTokenFile === undefined ? [] : readTokens(config.adminTokenFile);
  return new ConsoleService({
    node: config.node,
    version,
    intervalMs: config.interval,
    configured: config.members,
    ...(token === undefined ? {} : { token }),
    store: store.opened,
    pages,
    metrics,
    clock,
    log,
    fail,
  });
}

async function open({ config, log }: Context, web: WebServer): Promise<void> {
  const listening = await web.start();
  const address = formatEndpoint(listening);
  log.info('console-listening', `the site is shown at http://${address}/`, { address });
  if (config.tokenFile !== undefined || publicEndpoint(listening, hostname()) === undefined) return;
  log.warn('console-open', `whoever reaches ${address} sees the site: no token is asked for`, {
    address,
  });
}

function statusJson(
  config: ConsoleConfig,
  version: string,
  running: ConsoleService | undefined,
): unknown {
  const { counts, view, site } = running ?? {};
  return {
    service: SERVICE,
    node: config.node,
    version,
    state: view === undefined ? 'starting' : 'running',
    listen: formatEndpoint(config.listen),
    rounds: counts?.rounds ?? 0,
    roundMs: counts?.roundMs ?? null,
    members: site?.readings.length ?? 0,
    problems: view?.problems.length ?? null,
    store: site?.store.problem ?? 'answers',
  };
}

function statusView(
  config: ConsoleConfig,
  version: string,
  running: ConsoleService | undefined,
): StatusView {
  const { view, site, counts } = running ?? {};
  const problem = site?.store.problem;
  return {
    service: SERVICE,
    node: config.node,
    version,
    state:
      view === undefined ? { text: 'starting', level: 'warn' } : { text: 'running', level: 'ok' },
    facts: [
      ['page', formatEndpoint(config.listen)],
      ['store', problem === undefined ? 'answers' : { text: problem, level: 'warn' }],
      ['members', site?.readings.length ?? 0],
      ['rounds', counts?.rounds ?? 0],
      ['wrong now', view?.problems.length ?? 0],
    ],
    tables: [],
  };
}
