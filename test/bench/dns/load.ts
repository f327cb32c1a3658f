// One load: dnsperf on a server, what came of it, and what CPU the server took.
import { cpuSeconds } from '../dhcpd/processes.ts';
import { type Report, runClient, type Wish } from './dnsperf.ts';
import type { Session } from './types.ts';

export interface Load extends Report {
  cpuMicros: number;
  /** CPU seconds of the server a second. */
  busy: number;
}

const WRONG_SHARE = 0.001;

/** Throws when answers are not what was asked for: a fast refusal is no answer. */
function checkAnswers({ completed, codes }: Report): void {
  if (completed === 0) throw new Error('no query was answered');
  const good = codes.get('NOERROR') ?? 0;
  if (completed - good <= completed * WRONG_SHARE) return;
  const found = [...codes].map(([code, count]) => `${code} ${count}`).join(', ');
  throw new Error(`answers are not NOERROR: ${found}`);
}

const describe = (load: Load): string => {
  const { perSecond, lost, sent, cpuMicros, busy, meanMs, mostMs } = load;
  const percent = ((100 * lost) / Math.max(1, sent)).toFixed(2);
  return [
    `${Math.round(perSecond).toLocaleString('en-US')}/s, ${percent} % lost`,
    `${cpuMicros.toFixed(2)} µs of CPU, ${Math.round(100 * busy)} % of one`,
    `${meanMs.toFixed(3)} ms, at most ${mostMs.toFixed(1)}`,
  ].join('; ');
};

export async function runLoad(session: Session, wish: Wish): Promise<Load> {
  const { run, running, signal, progress } = session;
  if (running === undefined) throw new Error('there is no server to ask');
  signal.throwIfAborted();
  const before = cpuSeconds(running.pids);
  const report = await runClient(run, wish);
  const used = cpuSeconds(running.pids) - before;
  checkAnswers(report);
  const cpuMicros = (1e6 * used) / report.completed;
  const load = { ...report, cpuMicros, busy: used / report.seconds };
  const rate = wish.rate === undefined ? `${wish.outstanding ?? 100} under way` : `${wish.rate}/s`;
  progress(`    ${wish.mode ?? 'udp'}, ${rate}: ${describe(load)}`);
  return load;
}
