// Which processes own a state directory: written beside the data, and believed only as long as the
// start times in /proc say that the numbers still mean the same processes.
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { OperationalError } from '../errors.ts';

export type ProcessId = { pid: number; startTicks: number };
export type Owners = { server: ProcessId; owner: ProcessId };

/** Undefined when there is no such process, or it is a zombie. */
export function processId(pid: number): ProcessId | undefined {
  const stat = readIfThere(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // proc(5): the name is in parentheses and may hold anything; state is field 3, the start field
  // 22.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
  return { pid, startTicks: Number(fields[19]) };
}

export function isAlive(id: ProcessId): boolean {
  return processId(id.pid)?.startTicks === id.startTicks;
}

/** A file that is not one of ours counts as none. */
export function readOwners(path: string): Owners | undefined {
  const text = readIfThere(path);
  if (text === undefined) return undefined;
  try {
    const { server, owner }: Partial<Owners> = JSON.parse(text);
    return server !== undefined && owner !== undefined ? { server, owner } : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined; // cut off by a crash: start times decide
    throw error;
  }
}

export function writeOwners(path: string, owners: Owners): void {
  writeFileSync(`${path}.new`, JSON.stringify(owners), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

export function removeOwners(path: string): void {
  rmSync(path, { force: true });
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw new OperationalError('EDGE_STORE_EMBEDDED', `cannot read ${path}`, { cause });
  }
}
