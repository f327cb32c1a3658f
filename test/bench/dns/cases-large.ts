// Cases of size: a million names, half a million prefixes; what they cost to load and to ask.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { MICROS, steadyLoad, warmUp } from './cases.ts';
import { alone, EDGE, edge, PEERS, peers, SMALL } from './contenders.ts';
import { peakMegabytes, residentMegabytes } from './memory.ts';
import type { Case, Contender, Figures, Session } from './types.ts';

const COMPILE = join(import.meta.dirname, 'compile-lines.ts');
const COMPILE_LIMIT_MS = 120_000;
const PREFIXES = 500_000;
const MILLION = { ...SMALL, names: 1_000_000 };
/** Of a million names, so many are answered by line. */
const SMART = 100_000;
const BY_LINE = { ...SMALL, names: 900_000, smart: SMART, prefixes: PREFIXES };
const FEW_BY_LINE = { ...SMALL, names: 900, smart: 100, prefixes: 5000 };

async function measureNames(session: Session): Promise<Figures> {
  const wish = { queries: session.data.queries('plain', session.contender.wanted) };
  await warmUp(session, wish);
  return { 'names/1M': (await steadyLoad(session, wish)).cpuMicros };
}

async function measureByLine(session: Session): Promise<Figures> {
  const queries = session.data.queries('both-ecs', session.contender.wanted);
  const wish = { queries, isBinary: true };
  await warmUp(session, wish);
  return { 'names/1M-by-line': (await steadyLoad(session, wish)).cpuMicros };
}

async function measureLoad({ running, progress }: Session): Promise<Figures> {
  if (running === undefined) throw new Error('there is no server');
  const { startMs, pids } = running;
  const memory = residentMegabytes(pids);
  const peak = peakMegabytes(pids);
  progress(`    ${startMs} ms, ${memory.toFixed(0)} MB, at most ${peak.toFixed(0)}`);
  return { 'load/seconds': startMs / 1000, 'load/memory': memory, 'load/peak': peak };
}

interface Compiled {
  parseMs: number;
  compileMs: number;
}

/** In a process of its own, which has compiled nothing before. */
async function measureCompile({ data, progress }: Session): Promise<Figures> {
  const argv = [COMPILE, data.prefixFile(PREFIXES)];
  const text = execFileSync(process.execPath, argv, { timeout: COMPILE_LIMIT_MS });
  const { parseMs, compileMs } = JSON.parse(text.toString()) as Compiled; // what it writes
  progress(`    read in ${parseMs.toFixed(0)} ms, compiled in ${compileMs.toFixed(0)} ms`);
  return { 'lines/read': parseMs / 1000, 'lines/compile': compileMs / 1000 };
}

async function measureLinesStart({ running, progress }: Session): Promise<Figures> {
  const startMs = running?.startMs ?? 0;
  progress(`    ${startMs} ms`);
  return { 'lines/start': startMs / 1000 };
}

const lessIsBetter = (unit: string) => ({ unit, better: 'lower' }) as const;
const seconds = lessIsBetter('seconds');
const megabytes = lessIsBetter('MB');

const lined = { ...SMALL, smart: 1, prefixes: PREFIXES };
const withPeers = (name: string[], wanted: typeof MILLION, ...more: Contender[]) =>
  [edge(EDGE, wanted), ...more, ...peers(name, wanted)] as const;

export const LARGE_CASES: readonly Case[] = [
  {
    figures: { 'names/1M': MICROS },
    contenders: withPeers(PEERS, MILLION, edge('edge-dns, 1k names', SMALL)),
    measure: measureNames,
  },
  {
    figures: { 'names/1M-by-line': MICROS },
    contenders: withPeers(['gdnsd'], BY_LINE, edge('edge-dns, 1k names', FEW_BY_LINE)),
    measure: measureByLine,
  },
  {
    figures: { 'load/seconds': seconds, 'load/memory': megabytes, 'load/peak': megabytes },
    contenders: withPeers(PEERS, MILLION),
    measure: measureLoad,
  },
  {
    figures: { 'lines/read': seconds, 'lines/compile': seconds },
    contenders: [alone],
    measure: measureCompile,
  },
  {
    figures: { 'lines/start': seconds },
    contenders: withPeers(['gdnsd'], lined),
    measure: measureLinesStart,
  },
];
