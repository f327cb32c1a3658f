// dns' bench: each case on ours and on the peers in turn, round after round; rows are medians.
import { cleanDeadRuns, removeRun } from '../../../lab/clean.ts';
import { execute } from '../../../lab/exec.ts';
import { newRun, type Run } from '../../../lab/run.ts';
import { cleanDeadData, newDirectory, removeData, removeDirectory } from '../dhcpd/site.ts';
import { median } from '../frame/rows.ts';
import type { BenchOptions, Row } from '../frame/types.ts';
import { CASES } from './cases.ts';
import { LARGE_CASES } from './cases-large.ts';
import { Data } from './data.ts';
import { FLIP_CASE } from './flip.ts';
import { untilQuiet } from './quiet.ts';
import { buildSite, CPUS, endAll } from './site.ts';
import type { Case, Contender, Figures, Running } from './types.ts';

const SETUP = new URL('../../../deploy/setup.sh', import.meta.url).pathname;
const SETUP_LIMIT_MS = 900_000;
const SOON_QUIET_MS = 5000;
/** Ours evaluates names by line again some times after a start, with pauses between. */
const MANY_LOOKS = 6;

interface State {
  run: Run;
  data: Data;
  options: BenchOptions;
  failures: string[];
}

/** By contender, one set of figures for each round that went well. */
type Results = Map<string, Figures[]>;

async function measure(state: State, of: Case, contender: Contender): Promise<Figures> {
  const { run, data, options } = state;
  const { quick, signal, progress } = options;
  const { wanted, start } = contender;
  const directory = newDirectory(run);
  let running: Running | undefined;
  progress(`  ${contender.name}`);
  try {
    running = await start?.({ run, data, directory, wanted });
    if (running !== undefined) {
      const ms = await untilQuiet(running.pids, wanted.smart > 1 ? MANY_LOOKS : 1);
      if (ms > SOON_QUIET_MS) progress(`    was at work for ${(ms / 1000).toFixed(1)} s more`);
    }
    const session = { run, data, directory, contender, running, quick, signal, progress };
    return await of.measure(session);
  } finally {
    await running?.stop();
    await endAll(run);
    removeDirectory(directory);
  }
}

async function measureCase(state: State, of: Case): Promise<Results> {
  const { rounds, signal, progress } = state.options;
  const results: Results = new Map(of.contenders.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const contender of of.contenders) {
      signal.throwIfAborted();
      try {
        results.get(contender.name)?.push(await measure(state, of, contender));
      } catch (error) {
        signal.throwIfAborted();
        const why = error instanceof Error ? error.message : String(error);
        state.failures.push(`${Object.keys(of.figures)[0]} of ${contender.name}`);
        progress(`    FAILED: ${why}`);
      }
    }
  }
  return results;
}

const figureOf = (results: Results, contender: string, name: string): number | undefined => {
  const values = results.get(contender)?.flatMap((figures) => figures[name] ?? []) ?? [];
  return values.length === 0 ? undefined : median(values);
};

/** A row for each that ours is measured against; one alone where there is none. */
function rowsOf({ figures, contenders }: Case, results: Results, name: string): Row[] {
  const [own, ...others] = contenders;
  const value = figureOf(results, own.name, name);
  const figure = figures[name];
  if (value === undefined || figure === undefined) return [];
  const row = { case: name, ...figure, ours: value };
  const theirs = others.flatMap(({ name: peer }) => {
    const their = figureOf(results, peer, name);
    return their === undefined ? [] : [{ ...row, peer, theirs: their }];
  });
  return theirs.length === 0 ? [row] : theirs;
}

async function versions(): Promise<string> {
  const first = async (command: string, ...args: string[]): Promise<string> => {
    const { stdout, stderr } = await execute(command, args, { allowFailure: true });
    return /\d+\.\d+[\d.]*/.exec(stdout + stderr)?.[0] ?? 'of unknown version';
  };
  const found = [
    `knot ${await first('knotd', '-V')}`,
    `nsd ${await first('nsd', '-v')}`,
    `gdnsd ${await first('gdnsd', '-h')}`,
    `dnsperf ${await first('dnsperf', '-h')}`,
  ];
  return found.join(', ');
}

export async function* benchDns(options: BenchOptions): AsyncGenerator<Row> {
  await execute('sh', [SETUP, 'bench'], { timeoutMs: SETUP_LIMIT_MS });
  await cleanDeadRuns();
  cleanDeadData();
  const run = newRun();
  const data = new Data(newDirectory(run));
  const state: State = { run, data, options, failures: [] };
  options.progress(`${await versions()}; servers on CPU ${CPUS.server}, dnsperf on ${CPUS.client}`);
  const isWanted = (name: string): boolean =>
    options.cases.length === 0 ||
    options.cases.some((start) => name.startsWith(start) || start.startsWith(`${name}/`));
  try {
    await buildSite(run);
    for (const each of [...CASES, ...LARGE_CASES, FLIP_CASE]) {
      const names = Object.keys(each.figures).filter(isWanted);
      if (names.length === 0) continue;
      options.progress(names.join(', '));
      const results = await measureCase(state, each);
      for (const name of names) yield* rowsOf(each, results, name);
    }
  } finally {
    await removeRun(run.id);
    removeData(run.id);
  }
  if (state.failures.length > 0)
    throw new Error(`not measured, see above: ${state.failures.join(', ')}`);
}
