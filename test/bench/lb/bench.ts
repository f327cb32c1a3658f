// lb's bench: the contenders of a case run side by side and are loaded in turn, some times a round;
// rows are medians.
import { cleanDeadRuns, removeRun } from '../../../lab/clean.ts';
import { execute } from '../../../lab/exec.ts';
import { newRun } from '../../../lab/run.ts';
import { cleanDeadData, removeData } from '../dhcpd/site.ts';
import { median } from '../frame/rows.ts';
import type { BenchOptions, Row } from '../frame/types.ts';
import { L4_CASES } from './l4-cases.ts';
import { L7_CASES } from './l7-cases.ts';
import { L7_LARGE_CASES } from './l7-cases-large.ts';
import { isMet, targetText, targetValue } from './targets.ts';
import type { Case, CaseOptions, Figures } from './types.ts';

const SETUP = new URL('../../../deploy/setup.sh', import.meta.url).pathname;
const SETUP_LIMIT_MS = 900_000;

/** By contender, one set of figures for each turn that went well. */
type Results = Map<string, Figures[]>;

async function measureCase(of: Case, rounds: number, options: CaseOptions): Promise<Results> {
  const { signal, progress } = options;
  const results: Results = new Map(of.contenders.map((name) => [name, []]));
  const prepared = await of.prepare(options);
  try {
    for (let turn = 0; turn < rounds * of.turns; turn++) {
      for (const name of of.contenders) {
        signal.throwIfAborted();
        try {
          const figures = await prepared.measure(name);
          results.get(name)?.push(figures);
          progress(`  ${name}: ${describe(figures)}`);
        } catch (error) {
          signal.throwIfAborted();
          progress(`  ${name}: FAILED: ${error instanceof Error ? error.message : error}`);
        }
      }
    }
  } finally {
    await prepared.stop();
  }
  return results;
}

function describe(figures: Figures): string {
  const part = ([name, value]: [string, number]) =>
    `${name.split('/').slice(2).join('/') || name} ${Number(value.toPrecision(4))}`;
  return Object.entries(figures).map(part).join(', ');
}

const figureOf = (results: Results, contender: string, name: string): number | undefined => {
  const values = results.get(contender)?.flatMap((figures) => figures[name] ?? []) ?? [];
  return values.length === 0 ? undefined : median(values);
};

/** A row for each that ours is measured against; one alone where there is none. */
function rowsOf({ figures, contenders }: Case, results: Results, name: string): Row[] {
  const [own, ...others] = contenders;
  const value = figureOf(results, own, name);
  const figure = figures[name];
  if (value === undefined || figure === undefined) return [];
  const row = { case: name, unit: figure.unit, better: figure.better, ours: value };
  const theirs = others.flatMap((peer) => {
    const their = figureOf(results, peer, name);
    return their === undefined ? [] : [{ ...row, peer, theirs: their }];
  });
  return theirs.length === 0 ? [row] : theirs;
}

/** `l7/get-keepalive/cpu: at most 1.25 × haproxy: missed (1.31)`. */
function targetLines({ figures, contenders }: Case, results: Results, name: string): string[] {
  const figure = figures[name];
  const ours = figureOf(results, contenders[0], name);
  if (figure === undefined || ours === undefined) return [];
  return (figure.targets ?? []).flatMap((target) => {
    const theirs = (target.of ?? []).flatMap((peer) => figureOf(results, peer, name) ?? []);
    const value = targetValue(target, figure.better, ours, theirs);
    if (value === undefined) return [];
    const said = isMet(target, value) ? 'met' : 'missed';
    return [`${name}: ${targetText(target)}: ${said} (${Number(value.toPrecision(3))})`];
  });
}

async function versions(): Promise<string> {
  const first = async (command: string, ...args: string[]): Promise<string> => {
    const { stdout, stderr } = await execute(command, args, { allowFailure: true });
    return /\d+\.\d+[\d.]*/.exec(stdout + stderr)?.[0] ?? 'of unknown version';
  };
  const found = [
    `haproxy ${await first('haproxy', '-v')}`,
    `nginx ${await first('nginx', '-v')}`,
    `nft ${await first('nft', '--version')}`,
    `wrk ${await first('wrk', '-v')}`,
    `h2load ${await first('h2load', '--version')}`,
  ];
  return found.join(', ');
}

export async function* benchLb(options: BenchOptions): AsyncGenerator<Row> {
  const { rounds, quick, signal, progress } = options;
  await execute('sh', [SETUP, 'bench'], { timeoutMs: SETUP_LIMIT_MS });
  await cleanDeadRuns();
  cleanDeadData();
  const run = newRun();
  progress(await versions());
  const isWanted = (name: string): boolean =>
    options.cases.length === 0 ||
    options.cases.some((start) => name.startsWith(start) || start.startsWith(`${name}/`));
  const targets: string[] = [];
  const failures: string[] = [];
  try {
    for (const each of [...L7_CASES, ...L7_LARGE_CASES, ...L4_CASES]) {
      const names = Object.keys(each.figures).filter(isWanted);
      if (names.length === 0) continue;
      progress(names.join(', '));
      if (each.caveat !== undefined) progress(`  ${each.caveat}`);
      try {
        const results = await measureCase(each, rounds, { run, quick, signal, progress });
        for (const name of names) {
          const rows = rowsOf(each, results, name);
          if (rows.length === 0) failures.push(name);
          yield* rows;
          targets.push(...targetLines(each, results, name));
        }
      } catch (error) {
        signal.throwIfAborted();
        progress(`  FAILED: ${error instanceof Error ? error.message : error}`);
        failures.push(...names);
      }
    }
  } finally {
    await removeRun(run.id);
    removeData(run.id);
    for (const line of targets) progress(line);
  }
  if (failures.length > 0) throw new Error(`not measured, see above: ${failures.join(', ')}`);
}
