// Memory of processes, with all that descend from them.
import { readFileSync } from 'node:fs';
import { treeOf } from '../dhcpd/processes.ts';

function kilobytes(pid: number, file: string, field: string): number {
  const text = readFileSync(`/proc/${pid}/${file}`, 'latin1');
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0);
}

const megabytes = (roots: readonly number[], file: string, field: string): number =>
  treeOf(roots).reduce((sum, pid) => sum + kilobytes(pid, file, field) * 1024, 0) / 1e6;

/** Resident now, in MB (10⁶ bytes): what processes share counts once (Pss). */
export const residentMegabytes = (roots: readonly number[]): number =>
  megabytes(roots, 'smaps_rollup', 'Pss');

/** The most that was ever resident, in MB; of several processes the sum, with what they share. */
export const peakMegabytes = (roots: readonly number[]): number =>
  megabytes(roots, 'status', 'VmHWM');
