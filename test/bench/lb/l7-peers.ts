// HAProxy and nginx, configured to do what ours does: kept connections on both sides, one thread
// unless told, X-Forwarded-For, no access log.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CHECK_SECONDS } from './l7-edge.ts';
import {
  BACKEND_PORT,
  type RunningProxy,
  routeHosts,
  type StartOptions,
  targetAddress,
} from './l7-proxies.ts';
import { spawnInside, untilListening } from './l7-site.ts';

async function start(options: StartOptions, argv: readonly string[]): Promise<RunningProxy> {
  const { run, name, wanted, http, https } = options;
  const process = spawnInside(run, name, wanted.cpus, argv);
  await untilListening(run, process, http);
  await untilListening(run, process, https);
  return { process, http, https };
}

const many = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

export async function startHaproxy(options: StartOptions): Promise<RunningProxy> {
  const { directory, wanted, http, https, certificate } = options;
  const pem = join(directory, 'www.pem');
  writeFileSync(pem, certificate.pem + readFileSync(certificate.keyFile, 'utf8'), { mode: 0o600 });
  const map = join(directory, 'hosts.map');
  writeFileSync(
    map,
    routeHosts(wanted.routes)
      .map((host, at) => `${host} b${at}\n`)
      .join(''),
  );
  const server = `  server s 127.0.0.1:${BACKEND_PORT}\n`;
  const backends =
    wanted.routes > 1
      ? many(wanted.routes).map((at) => `backend b${at}\n${server}`)
      : [`backend b\n${server}`];
  const use = wanted.routes > 1 ? `use_backend %[req.hdr(host),lower,map_str(${map})]` : '';
  const checked = many(wanted.checked).map(
    (at) =>
      `  server c${at} ${targetAddress(at)}:${BACKEND_PORT} check inter ${CHECK_SECONDS}s rise 2 fall 3\n`,
  );
  const file = join(directory, 'haproxy.cfg');
  writeFileSync(
    file,
    `global
  nbthread ${wanted.workers}
  maxconn 15000
  no strict-limits
  ssl-default-bind-options ssl-min-ver TLSv1.2
defaults
  mode http
  option forwardfor
  http-reuse always
  timeout connect 3s
  timeout client 60s
  timeout server 30s
frontend plain
  bind 127.0.0.1:${http} backlog 65535
  ${use}
  default_backend ${wanted.routes > 1 ? 'b0' : 'b'}
frontend secure
  bind 127.0.0.1:${https} ssl crt ${pem} alpn h2,http/1.1 backlog 65535
  default_backend ${wanted.routes > 1 ? 'b0' : 'b'}
${backends.join('')}${checked.length > 0 ? `backend checked\n${checked.join('')}` : ''}`,
  );
  return start(options, ['haproxy', '-db', '-f', file]);
}

export async function startNginx(options: StartOptions): Promise<RunningProxy> {
  const { directory, wanted, http, https, certificate } = options;
  const file = join(directory, 'nginx.conf');
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const hosts = wanted.routes > 1 ? routeHosts(wanted.routes) : ['_'];
  const location = `location / { proxy_pass http://backend; }`;
  const { chainFile, keyFile } = certificate;
  const tls = `ssl_certificate ${chainFile}; ssl_certificate_key ${keyFile};`;
  const isFirst = (at: number) => (at === 0 ? ' default_server backlog=65535 reuseport' : '');
  const servers = hosts.map((host, at) => {
    const listen = `listen 127.0.0.1:${http}${isFirst(at)};`;
    return `  server { ${listen} server_name ${host}; ${location} }`;
  });
  writeFileSync(
    file,
    `daemon off; pid ${directory}/pid; error_log stderr; user root;
worker_processes ${wanted.workers};
events { worker_connections 19000; }
http {
  access_log off; keepalive_requests 100000000; server_names_hash_max_size 8192;
  server_names_hash_bucket_size 128;
  ${temporary.map((each) => `${each}_temp_path ${directory}/${each};`).join(' ')}
  proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;
  proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
  proxy_buffers 32 4k; proxy_max_temp_file_size 0;
  upstream backend {
    server 127.0.0.1:${BACKEND_PORT}; keepalive 2000; keepalive_requests 100000000;
  }
${servers.join('\n')}
  server { listen 127.0.0.1:${https} ssl http2; ${tls} ${location} }
}
`,
  );
  return start(options, ['nginx', '-p', directory, '-c', file, '-e', 'stderr']);
}
