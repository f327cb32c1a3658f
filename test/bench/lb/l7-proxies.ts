// The proxies of a case, all of them there at once: ours and the peers, each with its ports, in
// front of one nginx that answers.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { labCertificate } from '../../../lab/lb.ts';
import type { LabProcess } from '../../../lab/process.ts';
import type { Run } from '../../../lab/run.ts';
import { newDirectory } from '../dhcpd/site.ts';
import { startEdge } from './l7-edge.ts';
import { startHaproxy, startNginx } from './l7-peers.ts';
import { buildSite, CPUS, removeSite, spawnInside, untilListening } from './l7-site.ts';

export const EDGE = 'edge-lb';
export const BACKEND_PORT = 9000;
export const LARGE_BYTES = 65_536;
export const HOST = 'www.bench.example';

export type Wanted = {
  workers: number;
  cpus: string;
  /** 1: any host; more: a host each, `r0.bench.example` and so on. */
  routes: number;
  /** 0: the backend, unchecked; else so many addresses of it, checked by TCP. */
  checked: number;
};

export const PLAIN: Wanted = { workers: 1, cpus: CPUS.proxy, routes: 1, checked: 0 };

export type RunningProxy = { process: LabProcess; http: number; https: number; admin?: number };

export type StartOptions = {
  run: Run;
  name: string;
  directory: string;
  wanted: Wanted;
  http: number;
  https: number;
  certificate: { pem: string; chainFile: string; keyFile: string };
};

const STARTS: Record<string, (options: StartOptions) => Promise<RunningProxy>> = {
  [EDGE]: startEdge,
  haproxy: startHaproxy,
  nginx: startNginx,
};

export const routeHosts = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `r${index}.bench.example`);

/** Address of the backend by which target `index` is reached. */
export const targetAddress = (index: number): string =>
  `127.1.${Math.floor(index / 250)}.${(index % 250) + 1}`;

async function startBackend(run: Run): Promise<void> {
  const directory = newDirectory(run);
  mkdirSync(join(directory, 'files'));
  writeFileSync(join(directory, 'files', 'large'), 'x'.repeat(LARGE_BYTES));
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const file = join(directory, 'nginx.conf');
  writeFileSync(
    file,
    `daemon off; master_process off; pid ${directory}/pid; error_log stderr;
events { worker_connections 19000; }
http {
  access_log off; keepalive_requests 100000000; keepalive_timeout 1h; sendfile on;
  open_file_cache max=10; tcp_nodelay on;
  ${temporary.map((each) => `${each}_temp_path ${directory}/${each};`).join(' ')}
  server {
    listen 0.0.0.0:${BACKEND_PORT} backlog=65535;
    root ${directory}/files;
    location = /large { }
    location / { default_type text/plain; return 200 "ok, and a few more bytes\\n"; }
  }
}
`,
  );
  const backend = spawnInside(run, 'backend', CPUS.load, ['nginx', '-p', directory, '-c', file]);
  await untilListening(run, backend, BACKEND_PORT);
}

function certificateOf(run: Run): StartOptions['certificate'] {
  const pem = labCertificate(run, 'www', [HOST]);
  const directory = join(run.directory, 'lb-keys');
  const [chainFile, keyFile] = [join(directory, 'www.pem'), join(directory, 'www.key')];
  return { pem, chainFile, keyFile };
}

/** By name, which may have an addition: `edge-lb, 1 worker`. */
export type Proxies = { of(name: string): RunningProxy; stop(): Promise<void> };

/** Starts those of `wanted` side by side. */
export async function startProxies(
  run: Run,
  wanted: readonly (readonly [name: string, wanted: Wanted])[],
): Promise<Proxies> {
  await buildSite(run);
  const found = new Map<string, RunningProxy>();
  try {
    await startBackend(run);
    const certificate = certificateOf(run);
    for (const [index, [name, wish]] of wanted.entries()) {
      const start = STARTS[name.split(',')[0] ?? ''];
      if (start === undefined) throw new Error(`nobody is called ${name}`);
      const directory = newDirectory(run);
      const ports = { http: 8000 + index, https: 8400 + index };
      const proxy = await start({ run, name, directory, wanted: wish, ...ports, certificate });
      found.set(name, proxy);
    }
  } catch (error) {
    await removeSite(run);
    throw error;
  }
  return {
    of(name) {
      const proxy = found.get(name);
      if (proxy === undefined) throw new Error(`${name} was not started`);
      return proxy;
    },
    stop: () => removeSite(run),
  };
}
