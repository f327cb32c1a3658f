// HAProxy and nginx as Debian has them, with a plain configuration: HTTP/1.1 and kept connections
// on both sides, nothing held back, X-Forwarded-For, upgrades as each one's manual has them, one
// thread.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../../../../lab/ready.ts';
import { Program } from '../../dns/peers.ts';
import { portsOf } from './ours.ts';
import { isProxied } from './row.ts';
import type { Place, Running } from './subjects.ts';

export const OTHERS = ['haproxy', 'nginx'] as const;
export type OtherName = (typeof OTHERS)[number];

type Kind = {
  /** Of the version that the page tells of. */
  version: string;
  versionFlag: string;
  arguments(directory: string): string[];
  configuration(places: readonly Place[], directory: string): string;
};

export async function startOther(name: OtherName, places: readonly Place[]): Promise<Running> {
  const kind = KINDS[name];
  const directory = mkdtempSync(join(tmpdir(), `edge-${name}-`));
  writeFileSync(join(directory, 'configuration'), kind.configuration(places, directory));
  const program = new Program(directory, name, kind.arguments(directory));
  const stop = async () => {
    await program.end();
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    const last = places.at(-1)?.at;
    if (last === undefined) throw new Error('there are no rows');
    await until(`${name} listens`, () => !program.hasEnded && isListening(last.host, last.port));
    return { stop };
  } catch (error) {
    const said = program.output;
    await stop();
    throw new Error(`${(error as Error).message}\n${said}`);
  }
}

/** As its -v says; undefined: it is another one than the page tells of. */
export function isKnownVersion(name: OtherName): boolean {
  const { version, versionFlag } = KINDS[name];
  const said = execFileSync('sh', ['-c', `${name} ${versionFlag} 2>&1`], { encoding: 'utf8' });
  return said.includes(version);
}

function isListening(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.on('connect', () => resolve(true));
    socket.on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}

/** What nginx would keep in files, each in a directory. */
const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];

const KINDS: Record<OtherName, Kind> = {
  haproxy: {
    version: '2.6',
    versionFlag: '-v',
    arguments: () => ['-db', '-f', 'configuration'],
    configuration: (places) => `
global
  nbthread 1
  maxconn 2000
defaults
  mode http
  option forwardfor
  http-reuse always
  retries 1
  option redispatch 1
  timeout connect 3s
  timeout client 30s
  timeout server 30s
${places.map(haproxyPlace).join('')}`,
  },
  nginx: {
    version: '1.22',
    versionFlag: '-v',
    arguments: (directory) => ['-p', directory, '-c', 'configuration', '-e', 'stderr'],
    configuration: (places, directory) => `
daemon off;
master_process off;
pid ${directory}/pid;
events { worker_connections 2000; }
http {
  access_log off;
  proxy_buffering off;
  proxy_request_buffering off;
${TEMPORARY.map((each) => `  ${each}_temp_path ${directory}/${each};`).join('\n')}
  map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
${places.map(nginxPlace).join('')}}
`,
  },
};

function haproxyPlace({ row, at, target, dead }: Place, index: number): string {
  const { setup } = row;
  const impatient =
    '  timeout http-request 1s\n  timeout http-keep-alive 1s\n  timeout client 1s\n';
  const servers = portsOf(setup.dead, target.port, dead);
  const headMs = setup.proxy?.timeouts?.headMs;
  return `listen r${index}
  bind ${at.host}:${at.port}${isProxied(row) ? ' accept-proxy' : ''}
${setup.impatient === true ? impatient : '  timeout http-request 10s\n'}${
  headMs === undefined ? '' : `  timeout server ${headMs}ms\n`
}${servers.map((port) => `  server s${port} 127.0.0.1:${port}\n`).join('')}`;
}

function nginxPlace({ row, at, target, dead }: Place, index: number): string {
  const { setup } = row;
  const impatient = `    client_header_timeout 1s;
    client_body_timeout 1s;
    keepalive_timeout 1s;
`;
  const headMs = setup.proxy?.timeouts?.headMs;
  const servers = portsOf(setup.dead, target.port, dead);
  const hasProxy = isProxied(row);
  return `  upstream u${index} {
${servers.map((port) => `    server 127.0.0.1:${port} max_fails=0;\n`).join('')}    keepalive 8;
  }
  server {
    listen ${at.host}:${at.port}${hasProxy ? ' proxy_protocol' : ''};
${hasProxy ? '    set_real_ip_from 127.0.0.0/8;\n    real_ip_header proxy_protocol;\n' : ''}${
  setup.impatient === true ? impatient : ''
}${headMs === undefined ? '' : `    proxy_read_timeout ${headMs}ms;\n`}    location / {
      proxy_pass http://u${index};
      proxy_http_version 1.1;
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
    }
  }
`;
}
