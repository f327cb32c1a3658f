// edge-dns as a daemon: from its settings to a service and what surrounds it.
import { join } from 'node:path';
import { type Built, type ServiceContext, serviceDaemon } from '../shared/daemon-service.ts';
import type { Machine } from '../shared/daemon-store.ts';
import { Health } from '../shared/health/health.ts';
import { createProbes } from '../shared/health/probes.ts';
import { RedisVotes } from '../shared/health/redis-votes.ts';
import { dnsPages, dnsRoutes, type Running, statusJson, statusView } from './admin/pages.ts';
import { OutsideAliases } from './aliases/outside.ts';
import { Resolvers } from './aliases/resolvers.ts';
import type { AnswerSettings, ServingState } from './answer/types.ts';
import { Canary } from './canary.ts';
import { type DnsConfig, parseDnsConfig, printDnsConfig, RELOADABLE } from './config.ts';
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

type Context = ServiceContext<DnsConfig, keyof typeof dnsEvents>;

export function dnsDaemon(machine: Machine) {
  return serviceDaemon<DnsConfig, typeof dnsEvents, DnsService>(
    {
      service: SERVICE,
      description: 'Answers DNS: each client with what lies inside of its own ISP.',
      events: dnsEvents,
      codes: {
        state: 'EDGE_DNS_STATE',
        restart: 'EDGE_DNS_RESTART',
        starting: 'EDGE_DNS_STARTING',
      },
      restartRemedy: 'the other members serve meanwhile',
      firstCheck: 'zones',
      reloadable: RELOADABLE,
      load: parseDnsConfig,
      print: printDnsConfig,
      build,
    },
    machine,
  );
}

function build(context: Context): Built<DnsConfig, DnsService> {
  const { config, metrics, version } = context;
  let running: Running;
  const found = () => running;
  declareDnsMetrics(
    metrics,
    () => running?.dns,
    () => running?.ways,
  );
  return {
    create() {
      running = create(context);
      return running.dns;
    },
    status: () => statusView(config, version, running),
    statusJson: () => statusJson(config, running),
    pages: dnsPages(found),
    routes: dnsRoutes(found),
    async reload(dns, next) {
      running?.ways.reloadCertificates();
      await dns.reload(next);
      if (running !== undefined) running.ways.queryLog.maxPerSecond = next.queryLog.maxPerSecond;
    },
  };
}

function create(context: Context): NonNullable<Running> {
  const running = {} as NonNullable<Running>; // what is made first asks for what is made last
  const { config, version, store, address, clock, random, log, fail } = context;
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
    ...address,
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
      own: join(config.stateDirectory, 'dns.snapshot'),
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
