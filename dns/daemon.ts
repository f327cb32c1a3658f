// edge-dns as a daemon: from its settings to a service and what surrounds it.
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { DaemonContext, DaemonDefinition, DaemonService } from '../shared/daemon.ts';
import { DaemonStore, type Machine, refuseChanged } from '../shared/daemon-store.ts';
import { Health } from '../shared/health/health.ts';
import { createProbes } from '../shared/health/probes.ts';
import { RedisVotes } from '../shared/health/redis-votes.ts';
import { formatEndpoint, publicEndpoint } from '../shared/net/ports.ts';
import { storeEvents } from '../shared/store/events.ts';
import { dnsPages, dnsRoutes, type Running, statusJson, statusView } from './admin/pages.ts';
import { OutsideAliases } from './aliases/outside.ts';
import { Resolvers } from './aliases/resolvers.ts';
import type { AnswerSettings, ServingState } from './answer/types.ts';
import { Canary } from './canary.ts';
import { type DnsConfig, needsRestart, parseDnsConfig, printDnsConfig } from './config.ts';
import { dnsEvents } from './events.ts';
import { compileLines } from './lines/compile.ts';
import { DEFAULT_LINE } from './lines/types.ts';
import { declareDnsMetrics } from './metrics.ts';
import { SERVICE } from './name.ts';
import { QueryLog } from './query-log/query-log.ts';
import { DnsService } from './service.ts';
import { answerSettings, drawCookieSecret, readTls } from './settings.ts';
import { Transfers } from './transfers.ts';
import { WaysIn } from './ways-in.ts';
import { Builder } from './zones/builder.ts';
import { LeaseNames } from './zones/lease-names.ts';

export const events = { ...storeEvents, ...dnsEvents } as const;

const STATE_CODE = 'EDGE_DNS_STATE';
const RESTART = {
  code: 'EDGE_DNS_RESTART',
  remedy: 'restart the daemon; the other members serve meanwhile',
} as const;

type Context = DaemonContext<DnsConfig, keyof typeof events>;

export type DnsDaemon = DaemonDefinition<DnsConfig, typeof events>;

export function dnsDaemon(machine: Machine): DnsDaemon {
  return {
    service: SERVICE,
    description: 'Answers DNS: each client with what lies inside of its own ISP.',
    events,
    load: (file) => parseDnsConfig(file, hostname()),
    print: printDnsConfig,
    build: (context) => build(context, machine),
  };
}

function build(context: Context, machine: Machine): DaemonService<DnsConfig> {
  const { config, metrics, version } = context;
  const store = new DaemonStore({
    ...context,
    ...machine,
    service: SERVICE,
    stateCode: STATE_CODE,
  });
  let running: Running;
  declareDnsMetrics(
    metrics,
    () => running?.dns,
    () => running?.ways,
  );
  return {
    parts: [
      { name: 'store', start: () => store.start(), stop: () => store.stop() },
      {
        name: SERVICE,
        async start(signal) {
          running = create(context, store);
          await running.dns.start(signal);
        },
        drain: () => running?.dns.drain(),
        stop: async () => running?.dns.stop(),
      },
    ],
    checks: () => running?.dns.presence.checks() ?? [{ name: 'zones', problem: 'starting' }],
    status: () => statusView(config, version, running),
    statusJson: () => statusJson(config, running),
    pages: dnsPages(() => running),
    routes: dnsRoutes(() => running),
    async reload(next) {
      refuseChanged(config, next, needsRestart(config), RESTART);
      running?.ways.reloadCertificates();
      await running?.dns.reload(next);
      if (running !== undefined) running.ways.queryLog.maxPerSecond = next.queryLog.maxPerSecond;
    },
  };
}

function create(context: Context, store: DaemonStore): NonNullable<Running> {
  const running = {} as NonNullable<Running>; // what is made first asks for what is made last
  const { config, version, clock, random, log, fail } = context;
  const secret = drawCookieSecret(random);
  const settingsOf = (of: DnsConfig): AnswerSettings => answerSettings(of, secret);
  const { maxPerSecond } = config.queryLog;
  const queryLog = new QueryLog({ maxPerSecond, clock, log });
  const ways = new WaysIn({
    config,
    queryLog,
    first: nothing(settingsOf(config)),
    referred: (message, exchange) => running.dns.transfers.server.referred(message, exchange),
    tls: () => readTls(config.tls),
    clock,
    random,
    onException: (text) => log.error('answer-failed', text, {}),
    onFatal: fail,
  });
  const address = publicEndpoint(config.admin.listen, hostname());
  const [at] = config.listen;
  if (at === undefined) throw new Error('the configuration has an address');
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
  const dns = new DnsService({
    config,
    version,
    ...(address === undefined ? {} : { address: formatEndpoint(address) }),
    store: store.opened,
    health,
    canary: new Canary({ at, clock, random }),
    builders: { zones: new Builder(clock), lines: new Builder(clock) },
    adopt: (state) => ways.adopt(state),
    transports: ways.transports,
    settingsOf,
    leaseNames: (options) => new LeaseNames({ ...options, store: store.at, clock }),
    transfers: (options) =>
      new Transfers({ ...options, config, responder: ways.responder, clock, random, log }),
    aliases: (options) => {
      const asking = new Resolvers({ clock, random, signal: options.signal });
      const ask: Resolvers['ask'] = (...question) => asking.ask(...question);
      const { resolvers } = config;
      return new OutsideAliases({ ...options, resolvers, ask, clock, random, log });
    },
    snapshotPaths: {
      dns: join(config.stateDirectory, 'dns.snapshot'),
      pools: join(config.stateDirectory, 'pools.snapshot'),
    },
    clock,
    random,
    log,
    fail,
  });
  return Object.assign(running, { dns, ways });
}

/** Every query is refused. */
function nothing(settings: AnswerSettings): ServingState {
  const { tree } = compileLines([], [], [DEFAULT_LINE]);
  return { generation: 0, zones: [], lines: tree, smart: [], settings };
}
