// On what a soak ran: the machine, the kernel, the programs.
import { cpus, release, totalmem } from 'node:os';
import { execute } from '../../lab/exec.ts';
import type { SoakSite } from './site.ts';

const GB = 1e9;

export function machine(): string {
  const [first] = cpus();
  const memory = Math.round(totalmem() / GB);
  return `${cpus().length} × ${first?.model ?? 'CPU'}, ${memory} GB, Linux ${release()}`;
}

export async function versions({ lab }: SoakSite): Promise<Record<string, string>> {
  const commit = await execute('git', ['rev-parse', '--short', 'HEAD'], { allowFailure: true });
  const redis = await lab.redis.cli('INFO', 'server');
  return {
    edgeplane: commit.stdout.trim() || 'unknown',
    node: process.version,
    redis: /redis_version:(\S+)/.exec(redis)?.[1] ?? 'unknown',
  };
}
