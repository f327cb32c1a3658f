// One load on a running server: perfdhcp, one for each of its targets, side by side; what they
// report, and the CPU time that the server took for it.
import { until } from '../../../lab/ready.ts';
import type { Run } from '../../../lab/run.ts';
import {
  dropShare,
  type Load,
  mergeReports,
  parseReport,
  perfdhcpArguments,
  type Report,
  violation,
} from './perfdhcp.ts';
import { cpuSeconds } from './processes.ts';
import { NODE, runInside, udpCounters } from './site.ts';
import type { Running, Target } from './types.ts';

/** What ISC counts as keeping up. */
export const MOST_DROPS = 0.025;
/** perfdhcp's exit code when not all exchanges were completed. */
const NOT_ALL = 3;
const GRACE_MS = 30_000;
const QUIET_MS = 500;

export type Wish = Pick<Load, 'rate' | 'seconds' | 'renewals' | 'exchanges'>;

export interface Measured {
  report: Report;
  /** Completed exchanges and renewals. */
  done: number;
  /** A second. */
  rate: number;
  passed: boolean;
  cpuMicros: number;
  /** By sockets that were full: the server's, and perfdhcp's own. */
  lost: { server: number; client: number };
}

let loads = 0;

async function runOne(run: Run, target: Target, wish: Wish, listed: boolean): Promise<Report> {
  const load = { ...target, ...wish, number: loads++, listed };
  const argv = ['perfdhcp', ...perfdhcpArguments(load)];
  const timeoutMs = wish.seconds * 1000 + GRACE_MS;
  return parseReport(await runInside(run, NODE.client, argv, { timeoutMs, also: NOT_ALL }));
}

/** Each target gets its part. */
function partOf(wish: Wish, targets: number): Wish {
  const { rate, seconds, renewals, exchanges } = wish;
  return {
    seconds,
    rate: Math.round(rate / targets),
    ...(renewals === undefined ? {} : { renewals: Math.round(renewals / targets) }),
    ...(exchanges === undefined ? {} : { exchanges: Math.round(exchanges / targets) }),
  };
}

async function lostSoFar(run: Run) {
  const errors = async (node: 'server' | 'client'): Promise<number> =>
    (await udpCounters(run, node)).get('RcvbufErrors') ?? 0;
  return { server: await errors(NODE.servers), client: await errors(NODE.client) };
}

/**
 * Until no reply has come for a while: one that is late would reach the next perfdhcp, which counts
 * its transactions from 0 again, and take it for its own.
 */
async function quiet(run: Run): Promise<void> {
  let before = -1;
  const isQuiet = async (): Promise<boolean> => {
    const counters = await udpCounters(run, NODE.client);
    const seen = ['InDatagrams', 'NoPorts', 'InErrors'];
    const now = seen.reduce((sum, name) => sum + (counters.get(name) ?? 0), 0);
    const isSame = now === before;
    before = now;
    return isSame;
  };
  await until('late replies have come', isQuiet, { everyMs: QUIET_MS, timeoutMs: GRACE_MS });
}

/** It was sent as fast as asked for, and no more than 2.5 % of any kind went unanswered. */
function passes(report: Report, wish: Wish): boolean {
  const asked = Math.min(wish.rate * wish.seconds, wish.exchanges ?? Number.POSITIVE_INFINITY);
  const phases = [report.offers, report.acks, report.renewals];
  return (
    report.offers.sent >= asked * (1 - MOST_DROPS) &&
    phases.every((phase) => dropShare(phase) <= MOST_DROPS)
  );
}

export async function runLoad(run: Run, running: Running, wish: Wish): Promise<Measured> {
  const { targets } = running;
  const part = partOf(wish, targets.length);
  const lost = await lostSoFar(run);
  const cpu = cpuSeconds(running.pids());
  const isMany = targets.length > 1;
  const reports = await Promise.all(targets.map((target) => runOne(run, target, part, isMany)));
  const used = cpuSeconds(running.pids()) - cpu;
  const after = await lostSoFar(run);
  await quiet(run);
  const report = mergeReports(reports);
  const wrong = violation(report);
  if (wrong !== undefined) throw new Error(wrong);
  const done = report.acks.received + report.renewals.received;
  return {
    report,
    done,
    rate: report.rate,
    passed: passes(report, wish),
    cpuMicros: (used / done) * 1e6,
    lost: { server: after.server - lost.server, client: after.client - lost.client },
  };
}

const percent = (share: number): string => `${(share * 100).toFixed(2)} %`;

/** For people who watch. */
export function describe(asked: number, measured: Measured): string {
  const { report, rate, passed, cpuMicros, lost } = measured;
  const { offers, acks, renewals } = report;
  return [
    `${passed ? 'ok  ' : 'not '} ${asked}/s: ${Math.round(rate)} done`,
    `drops D-O ${percent(dropShare(offers))}, R-A ${percent(dropShare(acks))}`,
    ...(renewals.sent > 0 ? [`renewals ${percent(dropShare(renewals))}`] : []),
    `${cpuMicros.toFixed(0)} µs`,
    `${(offers.meanDelayMs + acks.meanDelayMs).toFixed(1)} ms`,
    ...(offers.nonUnique > 0 ? [`${offers.nonUnique} offers of one address to two`] : []),
    ...(offers.sent < asked ? [`sent ${offers.sent}`] : []),
    ...(lost.client > 0 ? [`${lost.client} lost by perfdhcp itself`] : []),
  ].join(', ');
}
