// A run of the lab: an id that names its owner. Every namespace, process, pin and file of a run
// carries the id, so that a later run can tell what belongs to a runner that is dead.
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const RUNS_DIRECTORY = '/run/edge-lab';
export const PIN_ROOT = '/sys/fs/bpf/edge';
/** Set in every process that a run starts. */
export const RUN_VARIABLE = 'EDGE_LAB_RUN';

/** `signal`: when aborted, nothing is started for this run any more, and what runs is killed. */
export type Run = { id: string; directory: string; signal?: AbortSignal };

const ID = /^(\d+)-([0-9a-z]+)-[0-9a-f]{4}$/;
const NAMED = /^(?:edge|lab)-(\d+-[0-9a-z]+-[0-9a-f]{4})-.+$/;

/** When a process started, in clock ticks since boot: tells a reused pid from the one meant. */
export function startTicks(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The command name may hold anything; the state follows the last ')'. A zombie is dead.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : Number(fields[19]).toString(36);
  } catch {
    return undefined;
  }
}

/** A new run, owned by this process. */
export function newRun(signal?: AbortSignal): Run {
  const id = `${process.pid}-${startTicks(process.pid)}-${randomBytes(2).toString('hex')}`;
  const directory = join(RUNS_DIRECTORY, id);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return { id, directory, ...(signal ? { signal } : {}) };
}

/** The run id in the name of a namespace or of a pin directory. */
export const runOf = (name: string): string | undefined => NAMED.exec(name)?.[1];

export const isRunId = (text: string): boolean => ID.test(text);

/** Whether the process that made the run still lives. */
export function isLive(id: string): boolean {
  const [, pid, ticks] = ID.exec(id) ?? [];
  return pid !== undefined && startTicks(Number(pid)) === ticks;
}

export const netnsName = (run: Run, node: string): string => `edge-${run.id}-${node}`;

/** The `instance` of a natter in the lab: names its pin directory. */
export const instanceName = (run: Run, node: string): string => `lab-${run.id}-${node}`;
