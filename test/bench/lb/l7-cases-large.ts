// Cases of L7 in which there is much of something: idle connections, routes, checked targets.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { cpuSeconds } from '../dhcpd/processes.ts';
import { residentMegabytes } from '../dns/memory.ts';
import { ALL, http, MICROS, PEERS, plain, prepareProxies, RATE, TURNS } from './l7-cases.ts';
import { CHECK_SECONDS } from './l7-edge.ts';
import { runWrk, withCpu } from './l7-load.ts';
import {
  EDGE,
  PLAIN,
  type RunningProxy,
  routeHosts,
  startProxies,
  type Wanted,
} from './l7-proxies.ts';
import { CPUS, runInside, spawnInside } from './l7-site.ts';
import type { Case, CaseOptions, Figures } from './types.ts';

const IDLE = 10_000;
const ACTIVE = 1000;
const ROUTES = 1000;
const CHECKED = 5000;
const OPEN_MS = 60_000;
/** Until what a proxy frees after a load is free. */
const SETTLE_MS = 1500;

const idleConnections: Case = {
  figures: {
    'l7/idle-10k/memory': {
      unit: 'KB per idle connection',
      better: 'lower',
      targets: [{ atMost: 15 }],
    },
    'l7/idle-10k/cpu': MICROS,
    'l7/idle-10k/rate': RATE,
  },
  contenders: ALL,
  turns: 1,
  async prepare(options) {
    const active = async (proxy: RunningProxy, seconds: number) =>
      withCpu(proxy.process.pid, () =>
        runWrk(options.run, { url: http(proxy), seconds, connections: ACTIVE }),
      );
    return prepareProxies(options, plain(ALL), async (proxy, seconds) => {
      const { run } = options;
      await active(proxy, seconds);
      await pause(SETTLE_MS);
      const before = residentMegabytes([proxy.process.pid]);
      const script = join(import.meta.dirname, 'idle.ts');
      const argv = [process.execPath, script, String(proxy.http), String(IDLE)];
      const idle = spawnInside(run, 'idle', CPUS.load, argv);
      try {
        const says = () => /open|failed.*/.exec(idle.output())?.[0];
        const said = await idle.ready('has all open', says, OPEN_MS);
        if (said !== 'open') throw new Error(said);
        await pause(SETTLE_MS);
        const memory = (1000 * (residentMegabytes([proxy.process.pid]) - before)) / IDLE;
        const { cpuMicros, perSecond } = await active(proxy, seconds);
        return {
          'l7/idle-10k/memory': memory,
          'l7/idle-10k/cpu': cpuMicros,
          'l7/idle-10k/rate': perSecond,
        };
      } finally {
        await idle.kill9();
      }
    });
  },
};

const ONE_ROUTE = `${EDGE}, 1 route`;
const routed: Wanted = { ...PLAIN, routes: ROUTES };

/** wrk asks for one of the hosts at random. */
function writeScript({ run }: CaseOptions): string {
  const file = join(run.directory, 'hosts.lua');
  const requests = routeHosts(ROUTES).map(
    (host) => `"GET / HTTP/1.1\\r\\nHost: ${host}\\r\\n\\r\\n"`,
  );
  writeFileSync(
    file,
    `local all = { ${requests.join(', ')} }
function request() return all[math.random(#all)] end
`,
  );
  return file;
}

const routes: Case = {
  figures: { 'l7/routes-1000/cpu': MICROS, 'l7/routes-1000/rate': RATE },
  contenders: [EDGE, ONE_ROUTE, ...PEERS],
  turns: TURNS,
  prepare(options) {
    const { run } = options;
    const script = writeScript(options);
    const wanted = [
      [EDGE, routed],
      [ONE_ROUTE, PLAIN],
      ['haproxy', routed],
      ['nginx', routed],
    ] as const;
    return prepareProxies(options, wanted, async (proxy, seconds) => {
      const wish = { url: http(proxy), seconds, connections: 64, script };
      const load = await withCpu(proxy.process.pid, () => runWrk(run, wish));
      return { 'l7/routes-1000/cpu': load.cpuMicros, 'l7/routes-1000/rate': load.perSecond };
    });
  },
};

/** Milliseconds, by the daemon's own metrics: its loop since it was asked last, its workers'. */
async function lagsOf({ run }: CaseOptions, { admin }: RunningProxy) {
  const url = `http://127.0.0.1:${admin}/metrics`;
  const text = await runInside(run, CPUS.load, ['curl', '-sS', '--fail', url]);
  const most = (name: string): number => {
    const found = [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))];
    return 1000 * Math.max(...found.map(([, value]) => Number(value)));
  };
  return {
    daemon: most('edge_event_loop_lag_seconds'),
    worker: most('edge_lb_worker_loop_lag_seconds'),
  };
}

const SETTLE_CHECKS_MS = 3 * CHECK_SECONDS * 1000;
const watched: Wanted = { ...PLAIN, checked: CHECKED };

const checks: Case = {
  figures: {
    'l7/checks-5000/cpu': { unit: '% of a CPU', better: 'lower' },
    'l7/checks-5000/daemon-lag': { unit: 'ms at worst', better: 'lower' },
    'l7/checks-5000/worker-lag': { unit: 'ms at worst', better: 'lower' },
  },
  contenders: [EDGE, 'haproxy'],
  turns: 1,
  async prepare(options) {
    const wanted = [
      [EDGE, watched],
      ['haproxy', watched],
    ] as const;
    const proxies = await startProxies(options.run, wanted);
    await pause(SETTLE_CHECKS_MS);
    return {
      async measure(name) {
        const proxy = proxies.of(name);
        const isOurs = proxy.admin !== undefined;
        if (isOurs) await lagsOf(options, proxy); // begins a new span
        const before = cpuSeconds([proxy.process.pid]);
        const startedMs = performance.now();
        const worst = { daemon: 0, worker: 0 };
        for (let second = 0; second <= CHECK_SECONDS; second++) {
          await pause(1000);
          const { daemon, worker } = isOurs ? await lagsOf(options, proxy) : worst;
          worst.daemon = Math.max(worst.daemon, daemon);
          worst.worker = Math.max(worst.worker, worker);
        }
        const seconds = (performance.now() - startedMs) / 1000;
        const cpu = (100 * (cpuSeconds([proxy.process.pid]) - before)) / seconds;
        const figures: Figures = { 'l7/checks-5000/cpu': cpu };
        if (!isOurs) return figures;
        return {
          ...figures,
          'l7/checks-5000/daemon-lag': worst.daemon,
          'l7/checks-5000/worker-lag': worst.worker,
        };
      },
      stop: () => proxies.stop(),
    };
  },
};

export const L7_LARGE_CASES: readonly Case[] = [idleConnections, routes, checks];
