// The cases, in groups that need the same server: what each does with it, and its figures.
import type { Run } from '../../../lab/run.ts';
import type { Better } from '../frame/types.ts';
import { FILLED_POOL, LARGE_POOL } from './addresses.ts';
import { timeToAnswer } from './kill.ts';
import { describe, type Measured, runLoad, type Wish } from './load.ts';
import { residentBytes } from './processes.ts';
import { type Found, highestRate } from './search.ts';
import type { Faults, Pool, Running } from './types.ts';

export interface Session {
  run: Run;
  running: Running;
  /** Where a search begins. */
  guess: number;
  quick: boolean;
  signal: AbortSignal;
  wanted(name: string): boolean;
  progress(line: string): void;
}

export type Figures = Record<string, number>;

export interface Group {
  /** The names of its cases, and what their figures are. */
  cases: Record<string, { unit: string; better: Better }>;
  pool: Pool;
  filledPerMille: number;
  /** Its Redis has replicas, one of which takes over. */
  isFailover?: boolean;
  /** With two instances, too. */
  isScaled: boolean;
  peers: readonly string[];
  measure(session: Session): Promise<Figures>;
}

const LIMITS = { least: 50, most: 200_000 };
const SEARCH = {
  full: { ...LIMITS, tolerance: 0.03, retries: 1, mostProbes: 20 },
  quick: { ...LIMITS, tolerance: 0.08, retries: 0, mostProbes: 8 },
};
const MODERATE_RATE = 1000;
/** Fewer than are free in FILLED_POOL at 999 of 1000. */
const FILL = { rate: 300, seconds: 3, exchanges: 900 };
const MEMORY_RATE = 2000;

const secondsOf = ({ quick }: Session): number => (quick ? 5 : 10);

async function load(session: Session, wish: Wish): Promise<Measured> {
  session.signal.throwIfAborted();
  const measured = await runLoad(session.run, session.running, wish);
  session.progress(`    ${describe(wish.rate, measured)}`);
  return measured;
}

/** Outside of a search a server must keep up well enough to be measured. */
async function steadyLoad(session: Session, wish: Wish): Promise<Measured> {
  const measured = await load(session, wish);
  if (measured.done === 0) throw new Error('no exchange was completed');
  return measured;
}

async function search(session: Session, wishOf: (rate: number) => Wish): Promise<Measured> {
  const options = session.quick ? SEARCH.quick : SEARCH.full;
  // One that does not count: caches are cold, and what compiles as it runs has not compiled yet.
  await load(session, wishOf(Math.round(session.guess / 2)));
  const found: Found<Measured> = await highestRate({ ...options, start: session.guess }, (rate) =>
    load(session, wishOf(rate)),
  );
  if (found.best === undefined) throw new Error('no rate at which 97.5 % are answered');
  if (found.isBound) session.progress('    no rate was found that is too high');
  return found.best;
}

async function measureRate(session: Session): Promise<Figures> {
  const seconds = secondsOf(session);
  const figures: Figures = {};
  if (session.wanted('cpu-moderate')) {
    const moderate = await steadyLoad(session, { rate: MODERATE_RATE, seconds });
    figures['cpu-moderate'] = moderate.cpuMicros;
  }
  if (session.wanted('rate') || session.wanted('cpu-highest')) {
    const best = await search(session, (rate) => ({ rate, seconds }));
    figures.rate = best.rate;
    figures['cpu-highest'] = best.cpuMicros;
  }
  return figures;
}

async function measureRenew(session: Session): Promise<Figures> {
  const seconds = secondsOf(session);
  const best = await search({ ...session, guess: session.guess * 0.7 }, (rate) => {
    return { rate, seconds, renewals: rate };
  });
  return { renew: best.rate + best.report.renewals.received / seconds };
}

const micros = { unit: 'µs of CPU per exchange', better: 'lower' } as const;

function fillGroup(label: string, filledPerMille: number): Group {
  const [cpu, delay] = [`fill-cpu/${label}`, `fill-delay/${label}`];
  return {
    cases: { [cpu]: micros, [delay]: { unit: 'ms per exchange', better: 'lower' } },
    pool: FILLED_POOL,
    filledPerMille,
    isScaled: false,
    peers: ['kea-memfile', 'kea-postgresql'],
    measure: async (session) => {
      const { cpuMicros, report } = await steadyLoad(session, FILL);
      const { offers, acks } = report;
      return { [cpu]: cpuMicros, [delay]: offers.meanDelayMs + acks.meanDelayMs };
    },
  };
}

async function measureMemory(session: Session): Promise<Figures> {
  const { running, quick } = session;
  const bytes = (): Promise<number> =>
    running.leaseBytes?.() ?? Promise.resolve(residentBytes(running.pids()));
  const empty = await bytes();
  const first = await steadyLoad(session, { rate: MEMORY_RATE, seconds: 2 });
  const warm = await bytes();
  const { done } = await steadyLoad(session, { rate: MEMORY_RATE, seconds: quick ? 10 : 30 });
  const all = await bytes();
  // What a process takes once, it has taken when it is warm; a store of leases has no such part.
  const perLease = running.leaseBytes ? (all - empty) / (first.done + done) : (all - warm) / done;
  return { memory: perLease };
}

/** Kea's pair would wait for a minute before the standby serves: `max-response-delay`. */
function killGroup(what: keyof Faults): Group {
  const name = `kill-${what}`;
  return {
    cases: { [name]: { unit: 'ms to the next ACK', better: 'lower' } },
    pool: LARGE_POOL,
    filledPerMille: 0,
    isFailover: what === 'redis',
    isScaled: true,
    peers: [],
    measure: async ({ run, running, progress }) => {
      const ms = await timeToAnswer(run, running, what);
      progress(`    ${ms.toFixed(0)} ms`);
      return { [name]: ms };
    },
  };
}

const ALL_PEERS = ['kea-memfile', 'kea-postgresql', 'kea-ha'];
const large = { pool: LARGE_POOL, filledPerMille: 0, isScaled: true, peers: ALL_PEERS };

export const GROUPS: readonly Group[] = [
  {
    ...large,
    cases: {
      rate: { unit: 'exchanges per second', better: 'higher' },
      'cpu-highest': micros,
      'cpu-moderate': micros,
    },
    measure: measureRate,
  },
  {
    ...large,
    cases: { renew: { unit: 'exchanges and renewals per second', better: 'higher' } },
    measure: measureRenew,
  },
  fillGroup('0', 0),
  fillGroup('90', 900),
  fillGroup('99.9', 999),
  {
    ...large,
    isScaled: false,
    peers: ['kea-memfile'],
    cases: { memory: { unit: 'bytes per lease', better: 'lower' } },
    measure: measureMemory,
  },
  killGroup('instance'),
  killGroup('redis'),
];
