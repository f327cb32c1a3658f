// New connections through each balancer: wrk asks nginx for a few bytes and both close. What counts
// is the CPU time of everything between, in which the kernel's work for them is.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Run } from '../../../lab/run.ts';
import { treeOf } from '../dhcpd/processes.ts';
import { newDirectory } from '../dhcpd/site.ts';
import { softirqNs } from '../natter/cpu.ts';
import { addressOf, PORTS, type Site } from './l4-sites.ts';

const CONNECTIONS = 32;

export async function startNginx(run: Run, site: Site): Promise<number> {
  const directory = newDirectory(run);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  mkdirSync(join(directory, 'files'));
  const file = join(directory, 'nginx.conf');
  writeFileSync(
    file,
    `daemon off; master_process off; pid ${directory}/pid; error_log stderr;
events { worker_connections 10000; }
http {
  access_log off;
  ${temporary.map((each) => `${each}_temp_path ${directory}/${each};`).join(' ')}
  server { listen 0.0.0.0:${PORTS.http} backlog=65535; location / { return 200 "ok\\n"; } }
}
`,
  );
  const nginx = site.spawnTarget('nginx', ['nginx', '-p', directory, '-c', file]);
  await nginx.ready('listens', () => site.isTargetListening(PORTS.http));
  return nginx.pid;
}

/** Nanoseconds that the processes have run, softirqs that ran in them included. */
export function runNs(pids: readonly number[]): number {
  return treeOf(pids).reduce((sum, pid) => {
    const [ns = '0'] = readFileSync(`/proc/${pid}/schedstat`, 'latin1').split(' ');
    return sum + Number(ns);
  }, 0);
}

/** µs of CPU a connection, of both ends, the proxy if there is one, and ksoftirqd. */
export async function microsPerConnection(
  site: Site,
  nginx: number,
  seconds: number,
): Promise<number> {
  const url = `http://${addressOf(site.contender)}:${PORTS.http}/`;
  const load = `wrk -t 1 -c ${CONNECTIONS} -d ${seconds}s -H 'Connection: close' ${url}`;
  const argv = ['bash', '-c', `TIMEFORMAT='cpu %U %S'; time ${load}`];
  const pids = [nginx, ...site.pids];
  const before = runNs(pids) + softirqNs();
  const { stdout, stderr } = await site.runClient(argv, (seconds + 20) * 1000);
  const around = (runNs(pids) + softirqNs() - before) / 1e9;
  const [, user, system] = /cpu ([\d.]+) ([\d.]+)/.exec(stderr) ?? [];
  const requests = Number(/(\d+) requests in/.exec(stdout)?.[1] ?? 0);
  if (requests === 0 || stdout.includes('Non-2xx')) throw new Error(`no answers:\n${stdout}`);
  return (1e6 * (around + Number(user) + Number(system))) / requests;
}
