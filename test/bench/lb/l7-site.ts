// One namespace with nothing but a loopback: proxies on the first CPU, who asks and who answers on
// the last.
import { availableParallelism } from 'node:os';
import { processesOf } from '../../../lab/clean.ts';
import { execute } from '../../../lab/exec.ts';
import { createNodes, deleteNetns, netnsPath, sysctl } from '../../../lab/netns.ts';
import { LabProcess } from '../../../lab/process.ts';
import { until } from '../../../lab/ready.ts';
import { netnsName, RUN_VARIABLE, type Run } from '../../../lab/run.ts';

const NODE = 'l7';

/** As taskset has them. `others`: where a load is that takes none from two workers. */
export const CPUS = (() => {
  const count = availableParallelism();
  const last = count - 1;
  return {
    count,
    proxy: '0',
    load: String(last),
    two: '0-1',
    others: count >= 4 ? `2-${last}` : `0-${last}`,
  };
})();

export async function buildSite(run: Run): Promise<void> {
  if (CPUS.count < 2) throw new Error('needs two CPUs: one for the proxy, one for the load');
  await createNodes(run, [NODE]);
  await sysctl(run, NODE, [
    'net.ipv4.ip_local_port_range=10000 65000',
    'net.ipv4.tcp_max_syn_backlog=65536',
    'net.core.somaxconn=65536',
  ]);
}

/** Ends what runs in it, too. */
export async function removeSite(run: Run): Promise<void> {
  await until('the proxies have ended', () => {
    const left = processesOf(run.id);
    for (const pid of left) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // ESRCH: gone already
      }
    }
    return left.length === 0;
  });
  await deleteNetns([netnsName(run, NODE)]);
}

function inside(run: Run, cpus: string, argv: readonly string[]): [string, ...string[]] {
  const network = ['nsenter', `--net=${netnsPath(run, NODE)}`, '--'];
  return ['taskset', '-c', cpus, ...network, ...argv];
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
  options: { timeoutMs?: number; input?: string; env?: Record<string, string> } = {},
): Promise<string> {
  const [command, ...args] = inside(run, cpus, argv);
  const env = { ...options.env, [RUN_VARIABLE]: run.id };
  return (await execute(command, args, { timeoutMs: 60_000, ...options, env })).stdout;
}

/** Until something takes a connection there. */
export async function untilListening(run: Run, of: LabProcess, port: number): Promise<void> {
  await of.ready(`listens on ${port}`, async () => {
    const found = await runInside(run, CPUS.load, ['ss', '-Hltn', `sport = :${port}`]);
    return found.trim() !== '';
  });
}
