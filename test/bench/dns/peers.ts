// The peers, configured as ours is: one thread that answers unless told, no limits of rates, no
// logs of queries, zones from files.
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { addressOfLine, DEFAULT_ADDRESS, LINES, SMART_ZONE, ZONE, zoneHead } from './data.ts';
import { SERVER } from './site.ts';
import { startServer } from './start.ts';
import type { Running, StartOptions } from './types.ts';

const write = (path: string, lines: readonly string[]): string => {
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
};

export async function startKnot({ run, data, directory, wanted }: StartOptions): Promise<Running> {
  const config = write(join(directory, 'knot.conf'), [
    'server:',
    `  listen: ${SERVER}@53`,
    `  rundir: ${directory}`,
    `  udp-workers: ${wanted.workers}`,
    `  tcp-workers: ${wanted.workers}`,
    '  background-workers: 1',
    'log:',
    '  - target: stderr',
    '    any: warning',
    'database:',
    `  storage: ${directory}`,
    'zone:',
    `  - domain: ${ZONE}`,
    `    file: ${data.zoneFile(wanted.names)}`,
    '    zonefile-sync: -1',
    '    journal-content: none',
  ]);
  return startServer(run, 'knotd', wanted, ['knotd', '-c', config]);
}

export async function startNsd(options: StartOptions): Promise<Running> {
  const { run, data, directory, wanted } = options;
  const { certificate, key } = await data.certificate();
  const secure = [
    `  ip-address: ${SERVER}@853`,
    '  tls-port: 853',
    `  tls-service-key: ${key}`,
    `  tls-service-pem: ${certificate}`,
  ];
  const config = write(join(directory, 'nsd.conf'), [
    'server:',
    `  ip-address: ${SERVER}@53`,
    ...(wanted.isSecure ? secure : []),
    `  server-count: ${wanted.workers}`,
    `  reuseport: ${wanted.workers > 1 ? 'yes' : 'no'}`,
    '  tcp-count: 1000',
    '  username: ""',
    '  database: ""',
    ...['pidfile', 'xfrdfile', 'zonelistfile'].map((file) => `  ${file}: ${directory}/${file}`),
    `  xfrdir: ${directory}`,
    `  zonesdir: ${directory}`,
    '  rrl-ratelimit: 0',
    'remote-control:',
    '  control-enable: no',
    'zone:',
    `  name: ${ZONE}`,
    `  zonefile: ${data.zoneFile(wanted.names)}`,
  ]);
  return startServer(run, 'nsd', wanted, ['nsd', '-d', '-c', config]);
}

/** Lines are data centers of plugin_geoip, and prefixes its `nets`. */
function geoip({ data, wanted }: StartOptions): string[] {
  const centers = ['default', ...LINES];
  const address = (name: string) => (name === 'default' ? DEFAULT_ADDRESS : addressOfLine(name));
  return [
    'plugins => { geoip => {',
    '  maps => { isp => {',
    `    datacenters => [ ${centers.join(', ')} ]`,
    `    nets => ${data.netsFile(wanted.prefixes)}`,
    '  } }',
    '  resources => { www => {',
    '    map => isp',
    '    service_types => up',
    `    dcmap => { ${centers.map((name) => `${name} => ${address(name)}`).join(', ')} }`,
    '  } }',
    '} }',
  ];
}

export async function startGdnsd(options: StartOptions): Promise<Running> {
  const { run, data, directory, wanted } = options;
  const own = (name: string): string => {
    mkdirSync(join(directory, name));
    return join(directory, name);
  };
  const zones = own('zones');
  copyFileSync(data.zoneFile(wanted.names), join(zones, ZONE));
  const threads = `udp_threads = ${wanted.workers}, tcp_threads = ${wanted.workers}`;
  write(join(directory, 'config'), [
    'options => {',
    `  listen => { ${SERVER} => { ${threads} } }`,
    `  run_dir = ${own('run')}`,
    `  state_dir = ${own('state')}`,
    '}',
    ...(wanted.smart > 0 ? geoip(options) : []),
  ]);
  if (wanted.smart > 0) {
    const names = Array.from({ length: wanted.smart }, (_, index) => `s${index} DYNA geoip!www`);
    writeFileSync(join(zones, SMART_ZONE), `${zoneHead(SMART_ZONE)}${names.join('\n')}\n`);
  }
  return startServer(run, 'gdnsd', wanted, ['gdnsd', '-c', directory, 'start']);
}
