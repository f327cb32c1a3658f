// What is printed of a run that found a fault: enough to run it again, and what went before.
import type { RunOptions, RunResult } from './simulate.ts';

const TOLD_FAULTS = 5;
const TOLD_LINES = 120;

export function report(scene: string, options: RunOptions, result: RunResult): string {
  const { seed, steps } = options;
  const repeat = `EDGE_SCENE=${scene} EDGE_SEED=${seed} EDGE_STEPS=${steps} npx vitest run cluster`;
  const { faults, trace } = result;
  const first = faults[0]?.replace(/^\S+ /, 'FAULT ') ?? '';
  const at = trace.findIndex((line) => line.endsWith(first));
  const end = at < 0 ? trace.length : at + 1;
  return [
    `${faults.length} found in scene ${scene}, seed ${seed}; again by: ${repeat}`,
    ...faults.slice(0, TOLD_FAULTS),
    'before the first one:',
    ...trace.slice(Math.max(0, end - TOLD_LINES), end),
  ].join('\n');
}
