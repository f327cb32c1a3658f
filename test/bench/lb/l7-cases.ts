// Cases of L7 with one route and one target: CPU, rates, latency, TLS, HTTP/2, two workers.
import { type Measured, runH2load, runWrk, type Wish, withCpu } from './l7-load.ts';
import {
  EDGE,
  PLAIN,
  type Proxies,
  type RunningProxy,
  startProxies,
  type Wanted,
} from './l7-proxies.ts';
import { CPUS } from './l7-site.ts';
import type { Case, CaseOptions, Figure, Figures } from './types.ts';

export const MICROS = { unit: 'µs of CPU per request', better: 'lower' } as const;
export const RATE = { unit: 'requests per second', better: 'higher' } as const;
const MS = { unit: 'ms', better: 'lower' } as const;
export const PEERS = ['haproxy', 'nginx'] as const;
export const TURNS = 3;
const CONNECTIONS = 64;
const LATENCY_RATE = 2000;
/** Ours is slower until it is compiled; on a busy machine that takes some seconds. */
const WARM_SECONDS = 5;

export const secondsOf = ({ quick }: Pick<CaseOptions, 'quick'>): number => (quick ? 1 : 3);

export const http = ({ http: port }: RunningProxy, path = '/'): string =>
  `http://127.0.0.1:${port}${path}`;
const https = ({ https: port }: RunningProxy): string => `https://127.0.0.1:${port}/`;

/** Starts all, and loads each once, uncounted: what compiles as it runs has not compiled yet. */
export async function prepareProxies(
  options: CaseOptions,
  wanted: readonly (readonly [string, Wanted])[],
  measure: (proxy: RunningProxy, seconds: number, name: string) => Promise<Figures>,
) {
  const proxies: Proxies = await startProxies(options.run, wanted);
  try {
    for (const [name] of wanted) await measure(proxies.of(name), WARM_SECONDS, name);
  } catch (error) {
    await proxies.stop();
    throw error;
  }
  const seconds = secondsOf(options);
  return {
    measure: (name: string) => measure(proxies.of(name), seconds, name),
    stop: () => proxies.stop(),
  };
}

export const plain = (names: readonly string[]) => names.map((name) => [name, PLAIN] as const);
export const ALL = [EDGE, ...PEERS] as const;

const wrk = (
  { run }: CaseOptions,
  proxy: RunningProxy,
  wish: Omit<Wish, 'connections'> & { connections?: number },
): Promise<Measured> =>
  withCpu(proxy.process.pid, () => runWrk(run, { connections: CONNECTIONS, ...wish }));

/** A case of one load on all three. */
function loadCase(
  name: string,
  figures: Record<string, Figure>,
  load: (options: CaseOptions, proxy: RunningProxy, seconds: number) => Promise<Figures>,
): Case {
  const named = (given: Record<string, unknown>) =>
    Object.fromEntries(Object.entries(given).map(([key, value]) => [`${name}/${key}`, value]));
  return {
    figures: named(figures) as Record<string, Figure>, // as: the same values
    contenders: ALL,
    turns: TURNS,
    prepare: (options) =>
      prepareProxies(
        options,
        plain(ALL),
        // as: numbers by name, as before
        async (proxy, seconds) => named(await load(options, proxy, seconds)) as Figures,
      ),
  };
}

const getKeepAlive = loadCase(
  'l7/get-keepalive',
  {
    cpu: { ...MICROS, targets: [{ atMost: 1.25, of: ['haproxy'] }] },
    rate: RATE,
    p50: MS,
    p99: MS,
  },
  async (options, proxy, seconds) => {
    const load = await wrk(options, proxy, { url: http(proxy), seconds });
    return { cpu: load.cpuMicros, rate: load.perSecond, p50: load.p50Ms, p99: load.p99Ms };
  },
);

const body64k = loadCase(
  'l7/body-64k',
  { cpu: { ...MICROS, targets: [{ atMost: 1.4, of: PEERS }] }, rate: RATE },
  async (options, proxy, seconds) => {
    const load = await wrk(options, proxy, { url: http(proxy, '/large'), seconds });
    return { cpu: load.cpuMicros, rate: load.perSecond };
  },
);

const tlsGet = loadCase(
  'l7/tls-get',
  { cpu: MICROS, rate: RATE },
  async (options, proxy, seconds) => {
    const load = await wrk(options, proxy, { url: https(proxy), seconds });
    return { cpu: load.cpuMicros, rate: load.perSecond };
  },
);

const h2Get = loadCase(
  'l7/h2-get',
  { cpu: MICROS, rate: RATE },
  async ({ run }, proxy, seconds) => {
    const wish = { url: https(proxy), seconds, connections: 16, streams: 4, isHttp1: false };
    const load = await withCpu(proxy.process.pid, () => runH2load(run, wish));
    return { cpu: load.cpuMicros, rate: load.perSecond };
  },
);

const tlsHandshake = loadCase(
  'l7/tls-handshake',
  {
    cpu: { unit: 'µs of CPU per connection', better: 'lower' },
    rate: { unit: 'connections per second', better: 'higher' },
  },
  async (options, proxy, seconds) => {
    const headers = ['Connection: close'];
    const load = await wrk(options, proxy, { url: https(proxy), seconds, headers });
    return { cpu: load.cpuMicros, rate: load.perSecond };
  },
);

const latency: Case = {
  figures: { 'l7/latency/p50': MS, 'l7/latency/p99': MS },
  contenders: ALL,
  turns: TURNS,
  async prepare(options) {
    const ask = async (url: string, seconds: number) =>
      runH2load(options.run, { url, seconds, connections: 16, isHttp1: true, rate: LATENCY_RATE });
    return prepareProxies(options, plain(ALL), async (proxy, seconds) => {
      const direct = await ask('http://127.0.0.1:9000/', seconds);
      const load = await ask(http(proxy), seconds);
      return {
        'l7/latency/p50': load.p50Ms - direct.p50Ms,
        'l7/latency/p99': load.p99Ms - direct.p99Ms,
      };
    });
  },
};

const ONE_WORKER = `${EDGE}, 1 worker`;
const two: Wanted = { ...PLAIN, workers: 2, cpus: CPUS.two };
const isAlone = CPUS.count >= 4;

const twoWorkers: Case = {
  figures: {
    'l7/two-workers': {
      ...RATE,
      ...(isAlone ? { targets: [{ atLeast: 1.8, of: [ONE_WORKER] }] } : {}),
    },
  },
  contenders: [EDGE, ONE_WORKER, ...PEERS],
  turns: TURNS,
  ...(isAlone
    ? {}
    : { caveat: 'load and target share both CPUs with the workers: 1.8 cannot be measured here' }),
  prepare(options) {
    const wanted = [
      [EDGE, two],
      [ONE_WORKER, PLAIN],
      ['haproxy', two],
      ['nginx', two],
    ] as const;
    return prepareProxies(options, wanted, async (proxy, seconds) => {
      const load = await wrk(options, proxy, { url: http(proxy), seconds, cpus: CPUS.others });
      return { 'l7/two-workers': load.perSecond };
    });
  },
};

export const L7_CASES: readonly Case[] = [
  getKeepAlive,
  body64k,
  latency,
  tlsGet,
  h2Get,
  tlsHandshake,
  twoWorkers,
];
