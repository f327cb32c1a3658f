// Takes a run down whole: processes, namespaces, pins, files. Before each run, what dead runners
// left (kill -9, a lost machine session) goes the same way; what a live one owns is not touched.
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { deleteNetns } from './netns.ts';
import { until } from './ready.ts';
import { isLive, isRunId, PIN_ROOT, RUN_VARIABLE, RUNS_DIRECTORY, runOf } from './run.ts';

const list = (directory: string): string[] => {
  try {
    return readdirSync(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []; // never made: nothing there
    throw error;
  }
};

/**
 * The processes that a run started, children included: by the variable in their environment, or by
 * their namespace (redis-server writes its title over its environment).
 */
export function processesOf(id: string): number[] {
  const mark = `${RUN_VARIABLE}=${id}`;
  const namespaces = new Set(
    list('/run/netns')
      .filter((name) => runOf(name) === id)
      .map((name) => inodeOf(join('/run/netns', name))),
  );
  return list('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      try {
        if (namespaces.has(inodeOf(`/proc/${pid}/ns/net`))) return true;
        return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(mark);
      } catch {
        return false; // it has just ended
      }
    })
    .map(Number);
}

const inodeOf = (path: string): number => statSync(path).ino;

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // ESRCH: gone already
  }
}

/** Removes everything of one run. Safe to repeat. */
export async function removeRun(id: string): Promise<void> {
  await until(`no process of run ${id} is left`, () => {
    const left = processesOf(id);
    for (const pid of left) kill(pid);
    return left.length === 0;
  });
  await deleteNetns(list('/run/netns').filter((name) => runOf(name) === id));
  for (const pin of list(PIN_ROOT).filter((name) => runOf(name) === id)) {
    rmSync(join(PIN_ROOT, pin), { recursive: true, force: true });
  }
  rmSync(join(RUNS_DIRECTORY, id), { recursive: true, force: true });
}

/** Ids of runs whose owner is dead and of which something is left. */
export function deadRuns(): string[] {
  const named = [...list('/run/netns'), ...list(PIN_ROOT)].map(runOf);
  const ids = [...named, ...list(RUNS_DIRECTORY).filter(isRunId)];
  return [...new Set(ids)].filter((id) => id !== undefined).filter((id) => !isLive(id));
}

/** Removes what dead runners left; returns their run ids. */
export async function cleanDeadRuns(): Promise<string[]> {
  const dead = deadRuns();
  for (const id of dead) await removeRun(id);
  return dead;
}
