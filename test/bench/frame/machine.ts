// What the figures were measured on: the header line of a bench.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release } from 'node:os';

function commit(): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    const changed = git('status', '--porcelain', '--untracked-files=no') === '' ? '' : '+changes';
    return git('rev-parse', '--short', 'HEAD') + changed;
  } catch {
    return 'unknown'; // a package, not a clone
  }
}

/** `kernel 6.18.1, 2 × AMD EPYC, load 0.10, node v24.1.0, commit 5049dd2`. */
export function describeMachine(): string {
  const [load] = readFileSync('/proc/loadavg', 'latin1').split(' ');
  const processors = cpus();
  const model = processors[0]?.model.trim() ?? 'unknown CPU';
  return [
    `kernel ${release()}`,
    `${processors.length} × ${model}`,
    `load ${load}`,
    `node ${process.version}`,
    `commit ${commit()}`,
  ].join(', ');
}
