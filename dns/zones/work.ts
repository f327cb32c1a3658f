// What the builder's thread can be given to do. Plain data both ways.
import { type Compiled, compileLines } from '../lines/compile.ts';
import type { LineFileSettings, Parsed } from '../lines/formats/types.ts';
import { loadList } from '../lines/load-list.ts';
import type { LineList, LineSettings } from '../lines/types.ts';
import { runJob } from './build.ts';
import type { BuildJob, BuildResult } from './types.ts';

type Jobs = { kind: 'zones'; jobs: readonly BuildJob[] };
type Load = { kind: 'list'; settings: LineFileSettings };
type Compile = {
  kind: 'lines';
  lists: readonly LineList[];
  settings: readonly LineSettings[];
  lines: readonly string[];
};
export type Work = Jobs | Load | Compile;
export type WorkResult<W extends Work> = W extends Jobs
  ? readonly BuildResult[]
  : W extends Load
    ? Parsed
    : Compiled;

export async function doWork(work: Work): Promise<unknown> {
  if (work.kind === 'zones') return work.jobs.map((job) => runJob(job, Date.now));
  if (work.kind === 'list') return loadList(work.settings);
  return compileLines(work.lists, work.settings, work.lines);
}
