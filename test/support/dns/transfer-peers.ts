// BIND, NSD and Knot on a high port of 127.0.0.1, in a directory of their own, ended by their pid:
// as primaries of our zones, or as secondaries.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from './transfer-rig.ts';

export const PEERS = ['named', 'nsd', 'knotd'] as const;
export type PeerKind = (typeof PEERS)[number];

export const SECRET = Buffer.alloc(32, 7).toString('base64');
export const KEY_NAME = 'one.example';

export type PeerOptions = {
  kind: PeerKind;
  /** Of an absolute path, empty. */
  directory: string;
  zone: string;
  /** Of our server: whom it transfers from, or tells of changes. */
  ours: number;
  /** The zone as a master file: it is a primary. Absent: a secondary. */
  text?: string;
  /** By which it asks, or is to be asked. */
  isSigned: boolean;
};

export class Peer {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #zoneFile: string;
  readonly #log: string;

  private constructor(options: PeerOptions, port: number, child: ChildProcess, log: string) {
    this.port = port;
    this.#child = child;
    this.#log = log;
    this.#zoneFile = join(options.directory, 'zone');
  }

  static async start(options: PeerOptions): Promise<Peer> {
    const { kind, directory, text } = options;
    const port = await freePort();
    mkdirSync(directory, { recursive: true });
    if (text !== undefined) writeFileSync(join(directory, 'zone'), text);
    const conf = join(directory, `${kind}.conf`);
    writeFileSync(conf, CONFIGS[kind](options, port));
    const path = join(directory, 'log');
    const log = openSync(path, 'a');
    const child = spawn(kind, ARGUMENTS[kind](conf), {
      stdio: ['ignore', log, log],
      cwd: directory,
    });
    closeSync(log);
    return new Peer(options, port, child, path);
  }

  get endpoint() {
    return { host: '127.0.0.1', port: this.port };
  }

  /** Of a primary. */
  replaceZone(text: string): void {
    writeFileSync(this.#zoneFile, text);
    this.#child.kill('SIGHUP');
  }

  get output(): string {
    return readFileSync(this.#log, 'utf8');
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill(signal);
    await exit;
  }
}

const ARGUMENTS: Record<PeerKind, (conf: string) => string[]> = {
  named: (conf) => ['-g', '-n', '1', '-c', conf],
  nsd: (conf) => ['-d', '-c', conf],
  knotd: (conf) => ['-c', conf],
};

type Config = (options: PeerOptions, port: number) => string;

function namedConfig({ directory, zone, ours, text, isSigned }: PeerOptions, port: number): string {
  const key = isSigned ? `key "${KEY_NAME}"` : '';
  const [policy, role] =
    text === undefined
      ? ['notify no;', `type secondary; primaries port ${ours} { 127.0.0.1 ${key}; };`]
      : [
          `notify explicit; also-notify { 127.0.0.1 port ${ours} ${key}; };`,
          isSigned ? `type primary; allow-transfer { ${key}; };` : 'type primary;',
        ];
  return `
options {
  directory "${directory}"; pid-file none; session-keyfile none;
  listen-on port ${port} { 127.0.0.1; }; listen-on-v6 { none; };
  recursion no; dnssec-validation no; allow-transfer { any; }; notify-delay 0;
  min-refresh-time 1; min-retry-time 1; ixfr-from-differences yes;
  ${policy}
};
controls { };
key "${KEY_NAME}" { algorithm hmac-sha256; secret "${SECRET}"; };
zone "${zone}" {
  file "${join(directory, 'zone')}";
  ${role}
};
`;
}

/** As a primary it makes differences of the versions of its file. */
const KNOT_PRIMARY = `    notify: ours
    zonefile-load: difference
    journal-content: changes`;

const CONFIGS: Record<PeerKind, Config> = {
  named: namedConfig,
  nsd: ({ directory, zone, ours, isSigned }, port) => `
server:
  ip-address: 127.0.0.1@${port}
  server-count: 1
  username: ""
  chroot: ""
  zonesdir: "${directory}"
  database: ""
  pidfile: ""
  xfrdfile: "${directory}/xfrd.state"
  xfrdir: "${directory}"
  zonelistfile: "${directory}/zone.list"
  xfrd-reload-timeout: 0
remote-control:
  control-enable: no
key:
  name: "${KEY_NAME}"
  algorithm: hmac-sha256
  secret: "${SECRET}"
zone:
  name: "${zone}"
  zonefile: "${join(directory, 'zone')}"
  allow-notify: 127.0.0.1 ${isSigned ? KEY_NAME : 'NOKEY'}
  request-xfr: 127.0.0.1@${ours} ${isSigned ? KEY_NAME : 'NOKEY'}
  provide-xfr: 127.0.0.1 NOKEY
`,
  knotd: ({ directory, zone, ours, text, isSigned }, port) => `
server:
  listen: 127.0.0.1@${port}
  rundir: "${directory}"
  background-workers: 1
  tcp-workers: 1
  udp-workers: 1
log:
  - target: stderr
    any: info
database:
  storage: "${directory}"
key:
  - id: ${KEY_NAME}
    algorithm: hmac-sha256
    secret: "${SECRET}"
remote:
  - id: ours
    address: 127.0.0.1@${ours}
${isSigned ? `    key: ${KEY_NAME}` : ''}
acl:
  - id: transfer
    address: 127.0.0.1
    action: transfer
${text !== undefined && isSigned ? `    key: ${KEY_NAME}` : ''}
  - id: notify
    address: 127.0.0.1
    action: notify
${isSigned ? `    key: ${KEY_NAME}` : ''}
zone:
  - domain: ${zone}
    storage: "${directory}"
    file: zone
    acl: [transfer, notify]
${text === undefined ? '    master: ours' : KNOT_PRIMARY}
`,
};
