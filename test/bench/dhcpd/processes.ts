// CPU time and memory of servers, with all the children that they have, from /proc.
import { readdirSync, readFileSync } from 'node:fs';

/** The fields of /proc/PID/stat behind the command's name, or undefined: it has ended. */
function statOf(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

const PARENT = 1;
/** utime, stime, and those of children that have ended and were waited for. */
const TIMES = [11, 12, 13, 14];
/** USER_HZ, the unit of /proc: the same on all of Linux' architectures. */
const TICKS_PER_SECOND = 100;

/** The processes and all that descend from them. */
export function treeOf(roots: readonly number[]): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    const parent = /^\d+$/.test(name) ? statOf(Number(name))?.[PARENT] : undefined;
    if (parent === undefined) continue;
    const siblings = children.get(Number(parent)) ?? [];
    siblings.push(Number(name));
    children.set(Number(parent), siblings);
  }
  const found = new Set<number>(roots);
  // A set's iteration goes on to what is added meanwhile.
  for (const pid of found) for (const child of children.get(pid) ?? []) found.add(child);
  return [...found];
}

export function cpuSeconds(roots: readonly number[]): number {
  const ticks = treeOf(roots).map((pid) => {
    const fields = statOf(pid);
    return TIMES.reduce((sum, field) => sum + Number(fields?.[field] ?? 0), 0);
  });
  return ticks.reduce((sum, each) => sum + each, 0) / TICKS_PER_SECOND;
}

/** Resident memory that is theirs alone: what PostgreSQL's processes share counts once in none. */
export function residentBytes(roots: readonly number[]): number {
  const own = treeOf(roots).map((pid) => {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    return Number(/^RssAnon:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
  });
  return own.reduce((sum, each) => sum + each, 0);
}
