// dhcpd's bench: perfdhcp on ours and on the peers in turn, group of cases by group.
import { cleanDeadRuns, processesOf, removeRun } from '../../../lab/clean.ts';
import { execute } from '../../../lab/exec.ts';
import { until } from '../../../lab/ready.ts';
import { newRun, type Run } from '../../../lab/run.ts';
import { median } from '../frame/rows.ts';
import type { BenchOptions, Row } from '../frame/types.ts';
import { edgeContenders } from './edge.ts';
import { type Figures, GROUPS, type Group, type Session } from './groups.ts';
import { PEERS } from './peers.ts';
import { buildSite, cleanDeadData, newDirectory, removeData, removeDirectory } from './site.ts';
import type { Contender, Running, Server } from './types.ts';

const SETUP = new URL('../../../deploy/setup.sh', import.meta.url).pathname;
const SETUP_LIMIT_MS = 900_000;

interface State {
  run: Run;
  options: BenchOptions;
  /** By contender: the mode that was the best, and what it reached. */
  best: Map<string, { mode: Server; rate: number }>;
  failures: string[];
}

/** By contender, one set of figures for each round that went well. */
type Results = Map<string, Figures[]>;

const isWanted = (options: BenchOptions, name: string): boolean =>
  options.cases.length === 0 ||
  options.cases.some((start) => name.startsWith(start) || start.startsWith(`${name}/`));

async function measureMode(state: State, group: Group, mode: Server): Promise<Figures> {
  const { run, options } = state;
  const { signal, quick, progress } = options;
  const directory = newDirectory(run);
  const { pool, filledPerMille, isFailover = false } = group;
  progress(`  ${mode.name}`);
  let running: Running | undefined;
  try {
    running = await mode.start({ run, directory, pool, filledPerMille, isFailover });
    const [known] = [...state.best.values()].filter((best) => best.mode === mode);
    const wanted = (name: string): boolean => isWanted(options, name);
    const guess = known?.rate ?? mode.guess;
    const session: Session = { run, running, guess, quick, signal, wanted, progress };
    return await group.measure(session);
  } finally {
    await running?.stop();
    await endAll(run);
    removeDirectory(directory);
  }
}

/** What a server has left that did not start, or did not end. */
async function endAll({ id }: Run): Promise<void> {
  await until('the servers have ended', () => {
    const left = processesOf(id);
    for (const pid of left) endProcess(pid);
    return left.length === 0;
  });
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // ESRCH: gone already
  }
}

/** Its modes until it is known which is the best; then that one. */
async function measureContender(state: State, group: Group, one: Contender): Promise<Figures> {
  const known = state.best.get(one.name);
  const [first] = one.modes;
  if (first === undefined) throw new Error(`${one.name} has no mode`);
  if (known !== undefined) return measureMode(state, group, known.mode);
  if (!('rate' in group.cases)) return measureMode(state, group, first);
  let figures: Figures | undefined;
  for (const mode of one.modes) {
    const found = await measureMode(state, group, mode);
    const rate = found.rate ?? 0;
    if (figures === undefined || rate > (figures.rate ?? 0)) {
      figures = found;
      if (rate > 0) state.best.set(one.name, { mode, rate });
    }
  }
  return figures ?? {};
}

async function measureGroup(state: State, group: Group, ours: Contender[]): Promise<Results> {
  const peers = PEERS.filter(({ name }) => group.peers.includes(name));
  const contenders = [...(group.isScaled ? ours : ours.slice(0, 1)), ...peers];
  const results: Results = new Map(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round < state.options.rounds; round++) {
    for (const contender of contenders) {
      state.options.signal.throwIfAborted();
      try {
        results.get(contender.name)?.push(await measureContender(state, group, contender));
      } catch (error) {
        state.options.signal.throwIfAborted();
        const why = error instanceof Error ? error.message : String(error);
        state.failures.push(`${Object.keys(group.cases)[0]} of ${contender.name}`);
        state.options.progress(`    FAILED: ${why}`);
      }
    }
  }
  return results;
}

const figureOf = (results: Results, contender: string, name: string): number | undefined => {
  const values = results.get(contender)?.flatMap((figures) => figures[name] ?? []) ?? [];
  return values.length === 0 ? undefined : median(values);
};

/** A row for each peer; one without a peer where it is not measured. */
function rowsOf(group: Group, results: Results, name: string, ours: Contender[]): Row[] {
  const { unit, better } = group.cases[name] ?? { unit: '', better: 'higher' as const };
  const theirs = group.peers.flatMap((peer) => {
    const value = figureOf(results, peer, name);
    return value === undefined ? [] : [{ peer, theirs: value }];
  });
  // Without a server of ours there is still something to know.
  if (ours.length === 0) {
    return theirs.map(({ peer, theirs: value }) => {
      return { case: `${name}/${peer}`, unit, better, ours: value };
    });
  }
  return ours.flatMap((own, index): Row[] => {
    const value = figureOf(results, own.name, name);
    if (value === undefined) return [];
    const row = { case: group.isScaled ? `${name}/${index + 1}` : name, unit, better, ours: value };
    return theirs.length === 0 ? [row] : theirs.map((peer) => ({ ...row, ...peer }));
  });
}

export async function* benchDhcpd(options: BenchOptions): AsyncGenerator<Row> {
  await execute('sh', [SETUP, 'bench'], { timeoutMs: SETUP_LIMIT_MS });
  await cleanDeadRuns();
  cleanDeadData();
  const run = newRun();
  const state: State = { run, options, best: new Map(), failures: [] };
  const ours = edgeContenders();
  if (ours.length === 0) options.progress('no dhcpd to measure: the peers alone');
  try {
    await buildSite(run);
    for (const group of GROUPS) {
      const names = Object.keys(group.cases).filter((name) => isWanted(options, name));
      if (names.length === 0) continue;
      options.progress(names.join(', '));
      const results = await measureGroup(state, group, ours);
      for (const name of names) yield* rowsOf(group, results, name, ours);
    }
  } finally {
    await removeRun(run.id);
    removeData(run.id);
  }
  if (state.failures.length > 0)
    throw new Error(`not measured, see above: ${state.failures.join(', ')}`);
}
