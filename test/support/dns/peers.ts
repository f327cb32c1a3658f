// Other name servers as Debian has them, with authority for the zones of a test: on a free port of
// 127.0.0.1, in a directory of their own, ended by their pid. All answer with one thread, in order.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../../../lab/ready.ts';
import { queryHex, questionHex } from '../../unit/dns/answer/packets.ts';
import { freePorts } from '../redis.ts';
import { askUdp } from './packets-ask.ts';

export const PEERS = ['nsd', 'knot', 'gdnsd'] as const;
export type PeerName = (typeof PEERS)[number];

export type Zones = Readonly<Record<string, string>>;
type Setup = { directory: string; port: number; zones: Zones; more: string };
type Kind = {
  program: string;
  arguments(setup: Setup): string[];
  /** Files by name, beside the zones. */
  files(setup: Setup): Record<string, string>;
};

/** A program of the test's: what it prints is kept. */
export class Program {
  readonly #child: ChildProcess;
  readonly #log: string;

  constructor(directory: string, command: string, args: readonly string[]) {
    this.#log = join(directory, 'log');
    const log = openSync(this.#log, 'a');
    const words = ['--pdeathsig', 'KILL', command, ...args]; // ends with a killed test run
    this.#child = spawn('setpriv', words, { cwd: directory, stdio: ['ignore', log, log] });
    closeSync(log);
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  get output(): string {
    return readFileSync(this.#log, 'utf8');
  }

  async end(): Promise<void> {
    if (this.hasEnded) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exit;
  }
}

export class NameServer {
  readonly port: number;
  readonly directory: string;
  readonly #program: Program;

  private constructor({ port, directory }: Setup, program: Program) {
    this.port = port;
    this.directory = directory;
    this.#program = program;
  }

  /** Resolves when it answers for all of them. `more`: settings of gdnsd besides. */
  static async start(name: PeerName, zones: Zones, more = ''): Promise<NameServer> {
    const directory = mkdtempSync(join(tmpdir(), `edge-${name}-`));
    const [port = 0] = await freePorts(1);
    const setup = { directory, port, zones, more };
    const kind = KINDS[name];
    for (const each of ['zones', 'run', 'state']) mkdirSync(join(directory, each));
    for (const [zone, text] of Object.entries(zones)) {
      writeFileSync(join(directory, 'zones', zone), `$ORIGIN ${zone}.\n${text}`);
    }
    for (const [file, text] of Object.entries(kind.files(setup))) {
      writeFileSync(join(directory, file), text);
    }
    const program = new Program(directory, kind.program, kind.arguments(setup));
    const server = new NameServer(setup, program);
    await server.#ready(Object.keys(zones));
    return server;
  }

  async stop(): Promise<void> {
    await this.#program.end();
    rmSync(this.directory, { recursive: true, force: true });
  }

  async #ready(zones: readonly string[]): Promise<void> {
    const answers = async (zone: string): Promise<boolean> => {
      const query = queryHex({ question: questionHex(zone, 6) });
      const bytes = await askUdp({ host: '127.0.0.1', port: this.port }, query, {
        deadlineMs: 500,
      });
      return bytes !== undefined && ((bytes[3] ?? 15) & 15) === 0;
    };
    const all = async () => {
      if (this.#program.hasEnded) throw new Error('it has ended');
      return (await Promise.all(zones.map(answers))).every(Boolean);
    };
    await until('the name server to answer', all, { timeoutMs: 10_000 }).catch(async (error) => {
      const said = this.#program.output;
      await this.stop();
      throw new Error(`${error.message}\n${said}`);
    });
  }
}

const KINDS: Record<PeerName, Kind> = {
  nsd: {
    program: 'nsd',
    arguments: () => ['-d', '-c', 'nsd.conf'],
    files: ({ directory, port, zones }) => ({
      'nsd.conf': `
server:
  ip-address: 127.0.0.1@${port}
  server-count: 1
  username: ""
  chroot: ""
  zonesdir: "${directory}/zones"
  database: ""
  pidfile: ""
  xfrdfile: "${directory}/state/xfrd"
  xfrdir: "${directory}/state"
  zonelistfile: "${directory}/state/zones"
  ipv4-edns-size: 1232
  minimal-responses: yes
  nsid: "ascii_rig"
  answer-cookie: yes
remote-control:
  control-enable: no
${Object.keys(zones)
  .map((zone) => `zone:\n  name: "${zone}"\n  zonefile: "${directory}/zones/${zone}"\n`)
  .join('')}`,
    }),
  },
  knot: {
    program: 'knotd',
    arguments: () => ['-c', 'knot.conf'],
    files: ({ directory, port, zones }) => ({
      'knot.conf': `
server:
  listen: 127.0.0.1@${port}
  rundir: "${directory}/run"
  background-workers: 1
  tcp-workers: 1
  udp-workers: 1
  udp-max-payload: 1232
  edns-client-subnet: on
  nsid: rig
log:
  - target: stderr
    any: info
database:
  storage: "${directory}/state"
template:
  - id: default
    global-module: mod-cookies
zone:
${Object.keys(zones)
  .map((zone) => `  - domain: ${zone}\n    file: "${directory}/zones/${zone}"\n`)
  .join('')}`,
    }),
  },
  gdnsd: {
    program: 'gdnsd',
    arguments: ({ directory }) => ['-c', directory, 'start'],
    files: ({ directory, port, more }) => ({
      config: `
options => {
  listen => 127.0.0.1
  dns_port => ${port}
  run_dir => ${directory}/run
  state_dir => ${directory}/state
  udp_threads => 1
  tcp_threads => 1
  nsid_ascii => rig
}
${more}`,
    }),
  },
};
