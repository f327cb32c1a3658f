// One namespace with nothing but a loopback, in it the servers and who asks them: servers on one
// CPU, dnsperf on another.
import { availableParallelism } from 'node:os';
import { processesOf } from '../../../lab/clean.ts';
import { execute } from '../../../lab/exec.ts';
import { createNodes, netnsPath } from '../../../lab/netns.ts';
import { LabProcess } from '../../../lab/process.ts';
import { until } from '../../../lab/ready.ts';
import type { Run } from '../../../lab/run.ts';

export const NODE = 'dns';
export const SERVER = '127.0.0.1';

/** As taskset has them. `all`: who serves and who asks share what there is. */
export const CPUS = (() => {
  const last = availableParallelism() - 1;
  return { server: String(last), client: '0', all: `0-${last}` };
})();

export async function buildSite(run: Run): Promise<void> {
  if (CPUS.server === CPUS.client) throw new Error('needs two CPUs: one serves, one asks');
  await createNodes(run, [NODE]);
}

function inside(run: Run, cpus: string, argv: readonly string[]): [string, ...string[]] {
  const namespace = `--net=${netnsPath(run, NODE)}`;
  return ['nsenter', namespace, '--', 'taskset', '-c', cpus, ...argv];
}

/** Its pid is the program's own. */
export function spawnInside(run: Run, name: string, cpus: string, argv: readonly string[]) {
  return new LabProcess(run, inside(run, cpus, argv), { name });
}

/** What it printed; throws when it fails. */
export async function runInside(
  run: Run,
  cpus: string,
  argv: readonly string[],
  timeoutMs = 60_000,
): Promise<string> {
  const [command, ...args] = inside(run, cpus, argv);
  return (await execute(command, args, { timeoutMs })).stdout;
}

/** What a server has left that did not start, or did not end. */
export async function endAll({ id }: Run): Promise<void> {
  await until('the servers have ended', () => {
    const left = processesOf(id);
    for (const pid of left) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // ESRCH: gone already
      }
    }
    return left.length === 0;
  });
}
