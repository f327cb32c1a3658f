// What daemons are like: their own pages, and /proc. A daemon that does not answer just now has no
// pages, which is no error here.
import { readdirSync, readFileSync } from 'node:fs';
import type { LabDaemon } from '../../../lab/daemon.ts';
import type { Sample } from '../facts.ts';

const TICKS_A_SECOND = 100; // USER_HZ, on every Linux that we know
const PAGE_SECONDS = '4';

export type Pages = { isReady: boolean; metrics: Map<string, number> };

/** /readyz and /metrics, in one go. */
export async function pagesOf(daemon: LabDaemon): Promise<Pages> {
  const base = `http://127.0.0.1:${daemon.service.adminPort}`;
  const args = ['-sS', '--max-time', PAGE_SECONDS, '-w', '\n%{http_code}\n'];
  const { stdout } = await daemon.exec('curl', [...args, `${base}/readyz`, `${base}/metrics`], {
    allowFailure: true,
  });
  return { isReady: /^200$/m.test(stdout.split('# HELP')[0] ?? ''), metrics: metricsOf(stdout) };
}

/** By name and labels as they are written. */
export function metricsOf(text: string): Map<string, number> {
  const found = text.matchAll(/^([a-z_]+(?:\{[^\n]*\})?) ([-+.eE\d]+|NaN)$/gm);
  return new Map([...found].map(([, name = '', value]) => [name, Number(value)]));
}

export function sumOf(metrics: ReadonlyMap<string, number>, name: string): number | undefined {
  const found = [...metrics].filter(([key]) => key === name || key.startsWith(`${name}{`));
  if (found.length === 0) return undefined;
  return found.reduce((sum, [, value]) => sum + value, 0);
}

/** A process and its children, theirs too. */
export function family(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return [pid, ...text.trim().split(' ').filter(Boolean).map(Number).flatMap(family)];
  } catch {
    return []; // it has just ended
  }
}

type Held = { rssMb: number; files: number; cpuSeconds: number };

function heldBy(pid: number): Held {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return {
      rssMb: Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024,
      files: readdirSync(`/proc/${pid}/fd`).length,
      cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND,
    };
  } catch {
    return { rssMb: 0, files: 0, cpuSeconds: 0 }; // it has just ended
  }
}

/** Undefined: it does not run. */
export async function sample(daemon: LabDaemon): Promise<Sample | undefined> {
  const pid = daemon.daemon?.exit === undefined ? daemon.daemon?.pid : undefined;
  if (pid === undefined) return undefined;
  const { metrics } = await pagesOf(daemon);
  const held = family(pid).map(heldBy);
  if (held.length === 0) return undefined;
  const lagSeconds = sumOf(metrics, 'edge_event_loop_lag_seconds');
  const sum = (of: (each: Held) => number): number => held.reduce((all, one) => all + of(one), 0);
  return {
    daemon: daemon.name,
    pid,
    atMs: Date.now(),
    rssMb: sum(({ rssMb }) => rssMb),
    files: sum(({ files }) => files),
    cpuSeconds: sum(({ cpuSeconds }) => cpuSeconds),
    lagMs: lagSeconds === undefined ? undefined : lagSeconds * 1000,
    entries: sumOf(metrics, 'edge_natter_map_entries'),
  };
}
