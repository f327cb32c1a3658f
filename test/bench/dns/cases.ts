// Cases of a server that answers: CPU, the highest rate, transports, workers, lines.
import { EDGE, edge, PEERS, peers, SMALL } from './contenders.ts';
import type { Wish } from './dnsperf.ts';
import { type Load, runLoad } from './load.ts';
import { CPUS } from './site.ts';
import type { Case, Figures, Session } from './types.ts';

export const MICROS = { unit: 'µs of CPU per query', better: 'lower' } as const;
export const RATE = { unit: 'queries per second', better: 'higher' } as const;
const MODERATE_RATE = 20_000;
/** Queries under way; the highest rate is the best of them. */
const WINDOWS = { quick: [100, 600], full: [20, 50, 100, 300, 1000] };
const LOST_SHARE = 0.001;

const secondsOf = ({ quick }: Session): number => (quick ? 2 : 6);

/** One that does not count: caches are cold, and what compiles as it runs has not compiled yet. */
export async function warmUp(session: Session, wish: Omit<Wish, 'seconds'>): Promise<void> {
  await runLoad(session, { ...wish, seconds: session.quick ? 1 : 3 });
}

export async function steadyLoad(session: Session, wish: Omit<Wish, 'seconds'>): Promise<Load> {
  return runLoad(session, { ...wish, seconds: secondsOf(session) });
}

const plainOf = ({ data, contender }: Session) => ({
  queries: data.queries('plain', contender.wanted),
});

async function measureCpu(session: Session): Promise<Figures> {
  const plain = plainOf(session);
  await warmUp(session, plain);
  const full = await steadyLoad(session, plain);
  const moderate = await steadyLoad(session, { ...plain, rate: MODERATE_RATE });
  return {
    'cpu/full': full.cpuMicros,
    'cpu/20k': moderate.cpuMicros,
    'cpu/20k-latency': moderate.meanMs,
  };
}

async function measureHighest(session: Session): Promise<Figures> {
  const plain = plainOf(session);
  await warmUp(session, plain);
  let best = 0;
  for (const outstanding of session.quick ? WINDOWS.quick : WINDOWS.full) {
    const { perSecond, lost, sent } = await steadyLoad(session, { ...plain, outstanding });
    if (lost < sent * LOST_SHARE) best = Math.max(best, perSecond);
  }
  if (best === 0) throw new Error('more than 0.1 % were lost, however few were under way');
  return { max: best };
}

function streamCase(mode: 'tcp' | 'dot' | 'doh', names: readonly string[]): Case {
  const wanted = { ...SMALL, isSecure: mode !== 'tcp' };
  return {
    figures: { [`${mode}/rate`]: RATE, [`${mode}/cpu`]: MICROS },
    contenders: [edge(EDGE, wanted), ...peers(names, wanted)],
    async measure(session) {
      const { data, contender } = session;
      const plain = mode === 'doh' ? 'plain-messages' : 'plain';
      const wish = { queries: data.queries(plain, contender.wanted), mode };
      await warmUp(session, wish);
      const { perSecond, cpuMicros } = await steadyLoad(session, wish);
      return { [`${mode}/rate`]: perSecond, [`${mode}/cpu`]: cpuMicros };
    },
  };
}

/** Everybody has all CPUs, dnsperf too, with a thread for each worker. */
async function measureCores(session: Session): Promise<Figures> {
  const { running, contender, progress } = session;
  const wish = { ...plainOf(session), cpus: CPUS.all, threads: 2, clients: 64 };
  await warmUp(session, wish);
  const before = await running?.byThread?.();
  const { perSecond } = await steadyLoad(session, wish);
  const after = await running?.byThread?.();
  const shares = after?.map((count, index) => count - (before?.[index] ?? 0)) ?? [];
  if (contender.wanted.workers === 1 || shares.length < 2) return { 'cores/2': perSecond };
  progress(`    by thread: ${shares.join(', ')}`);
  return { 'cores/2': perSecond, 'cores/2-share': Math.min(...shares) / Math.max(...shares) };
}

async function measureEcs(session: Session): Promise<Figures> {
  const { data, contender } = session;
  const figures: Figures = {};
  await warmUp(session, plainOf(session));
  for (const asked of ['plain', 'plain-ecs', 'smart-ecs'] as const) {
    const isBinary = asked !== 'plain';
    const wish = { queries: data.queries(asked, contender.wanted), isBinary };
    if (isBinary) await warmUp(session, wish);
    figures[`ecs/${asked}`] = (await steadyLoad(session, wish)).cpuMicros;
  }
  return figures;
}

const both = { ...SMALL, workers: 2, cpus: CPUS.all };
const lined = { ...SMALL, smart: 1000, prefixes: 500_000 };

export const CASES: readonly Case[] = [
  {
    figures: {
      'cpu/full': MICROS,
      'cpu/20k': MICROS,
      'cpu/20k-latency': { unit: 'ms per answer, mean', better: 'lower' },
    },
    contenders: [edge(EDGE, SMALL), ...peers(PEERS, SMALL)],
    measure: measureCpu,
  },
  {
    figures: { max: RATE },
    contenders: [edge(EDGE, SMALL), ...peers(PEERS, SMALL)],
    measure: measureHighest,
  },
  streamCase('tcp', PEERS),
  streamCase('dot', ['nsd']),
  streamCase('doh', []),
  {
    figures: {
      'cores/2': RATE,
      'cores/2-share': { unit: 'of the busier worker', better: 'higher' },
    },
    contenders: [
      edge(EDGE, both),
      edge('edge-dns, 1 worker', { ...both, workers: 1 }),
      ...peers(PEERS, both),
    ],
    measure: measureCores,
  },
  {
    figures: { 'ecs/plain': MICROS, 'ecs/plain-ecs': MICROS, 'ecs/smart-ecs': MICROS },
    contenders: [edge(EDGE, lined), ...peers(['gdnsd'], lined)],
    measure: measureEcs,
  },
];
