// A store, and any number of real edge-dhcpds in machines; edgectl as operators call it. The test's
// process moves into a namespace of its own: it is the switch, or a router, between them.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../../../lab/ready.ts';
import { controlRequest } from '../../../shared/admin/client.ts';
import { unshareNetwork } from '../../../shared/bpf/libc.ts';
import { runEdgectl } from '../edgectl.ts';
import { ip } from '../network-namespace.ts';
import { type RedisProcess, startRedis } from '../redis.ts';
import { Machine, type Program } from './clients-machines.ts';

const MAIN = join(import.meta.dirname, '../../../dhcpd/main.ts');
export const SYNCED = ['--appendonly', 'yes', '--appendfsync', 'always'];

/** What the tests look at in the daemon's status. */
export type DhcpdStatus = {
  state: string;
  checks: { name: string; problem?: string }[];
  store: { up: boolean };
  leases: { condition: string; durability: string | null; reserve: { long: number } };
  members: { all: string[]; onLan: string[] };
  networks: { network: string; bound: number; free: number }[];
  messages: Record<string, number>;
};

/** As edgectl's `--json` and the control socket have it. */
export type LeaseRow = {
  address: string;
  state: string;
  mac: string;
  clientId?: string;
  hostname?: string;
  toldUntil: number;
  leaseSeconds: number;
  instance: string;
};

export class Dhcpd {
  readonly machine: Machine;
  readonly directory: string;
  readonly config: Record<string, unknown>;
  program: Program | undefined;

  constructor(machine: Machine, directory: string, config: Record<string, unknown>) {
    this.machine = machine;
    this.directory = directory;
    mkdirSync(directory, { recursive: true });
    const control = { socket: this.socket };
    const limits = { perClient: 1000 };
    const base = { node: machine.name, stateDirectory: directory, control, limits };
    this.config = { ...base, drain: { timeout: '5s' }, ...config };
  }

  get socket(): string {
    return join(this.directory, 'sock');
  }

  /** Does not wait. */
  launch(): Program {
    const file = join(this.directory, 'dhcpd.yaml');
    writeFileSync(file, JSON.stringify(this.config));
    const args = [process.execPath, MAIN, '--config', file] as const;
    this.program = this.machine.spawn(join(this.directory, 'log'), ...args);
    return this.program;
  }

  /** Resolves when it is ready: plan, leases, links and its own canary. */
  async start(): Promise<void> {
    const program = this.launch();
    const stop = new AbortController();
    const isRunning = async () => {
      if (program.ended) stop.abort(new Error(`it ended: ${program.output().slice(-4000)}`));
      const { state, checks } = await this.status();
      if (state === 'running') return true;
      throw new Error(JSON.stringify({ state, checks }));
    };
    const options = { timeoutMs: 30_000, signal: stop.signal };
    await until(`${this.machine.name} to be running`, isRunning, options);
  }

  async status(): Promise<DhcpdStatus> {
    return (await this.control('GET', '/status')) as DhcpdStatus; // its own document
  }

  async count(...reasons: string[]): Promise<number> {
    const { messages } = await this.status();
    return reasons.reduce((sum, reason) => sum + (messages[reason] ?? 0), 0);
  }

  async leases(query = ''): Promise<LeaseRow[]> {
    const answer = await this.control('GET', `/leases${query}`);
    return (answer as { leases: LeaseRow[] }).leases; // its own document
  }

  /** The address that is bound to the client of this MAC. */
  async boundTo(mac: string): Promise<string | undefined> {
    return (await this.leases(`?mac=${mac}&state=bound`))[0]?.address;
  }

  control(method: 'GET' | 'POST', path: string, body?: unknown): Promise<unknown> {
    return controlRequest(this.socket, method, path, body);
  }

  freeze = () => this.program?.child.kill('SIGSTOP');
  thaw = () => this.program?.child.kill('SIGCONT');
  end = async (signal: NodeJS.Signals = 'SIGKILL') => this.program?.end(signal);
}

export class DhcpSite {
  readonly directory = mkdtempSync(join(tmpdir(), 'edge-dhcp-site-'));
  readonly machines: Machine[] = [];
  readonly daemons: Dhcpd[] = [];
  readonly programs: Program[] = [];
  redis: RedisProcess | undefined;
  storeUrl = '';

  /** Machines first, for they are born of the host's namespace; then the test leaves it. */
  async up(names: readonly string[], redis: readonly string[] | false = SYNCED): Promise<void> {
    this.machines.push(...(await Machine.make(...names)));
    unshareNetwork();
    ip('link set lo up');
    if (redis === false) return;
    this.redis = await startRedis({ arguments: [...redis] });
    this.storeUrl = this.redis.url;
  }

  machine(name: string): Machine {
    const machine = this.machines.find((each) => each.name === name);
    if (machine === undefined) throw new Error(`there is no machine ${name}`);
    return machine;
  }

  /** Not started yet. */
  dhcpd(name: string, config: Record<string, unknown> = {}): Dhcpd {
    const directory = join(this.directory, name);
    const daemon = new Dhcpd(this.machine(name), directory, { store: this.storeUrl, ...config });
    this.daemons.push(daemon);
    return daemon;
  }

  /** Started at once; resolves when all are ready and know of one another. */
  async start(...daemons: Dhcpd[]): Promise<void> {
    await Promise.all(daemons.map((daemon) => daemon.start()));
    const known = async (daemon: Dhcpd): Promise<boolean> => {
      const { all, onLan } = (await daemon.status()).members;
      const isOnLan = Array.isArray(daemon.config.links);
      return (isOnLan ? onLan : all).length >= daemons.length;
    };
    for (const one of daemons) await until(`${one.machine.name}: members`, () => known(one));
  }

  spawn(machine: string, command: string, ...args: string[]): Program {
    const log = join(this.directory, `${machine}-${this.programs.length}.log`);
    const program = this.machine(machine).spawn(log, command, ...args);
    this.programs.push(program);
    return program;
  }

  /** Stored, and in force on every daemon that runs. */
  async apply(objects: Record<string, unknown>, ...flags: string[]): Promise<void> {
    const stdin = JSON.stringify(objects);
    const isServed = this.daemons.some(({ program }) => program !== undefined && !program.ended);
    const wait = isServed ? [] : ['--no-wait'];
    const argv = ['apply', '-f', '-', '--yes', ...wait, ...flags];
    const { code, out, err } = await this.edgectl(argv, stdin);
    if (code !== 0) throw new Error(`edgectl apply ended with ${code}: ${out}${err}`);
  }

  edgectl(argv: readonly string[], stdin = '') {
    const { storeUrl, directory } = this;
    return runEdgectl(argv, { storeUrl, directory, stdin });
  }

  /** The JSON that a verb answers with. */
  async asked<T>(...argv: string[]): Promise<T> {
    const { code, out, err } = await this.edgectl([...argv, '--json']);
    if (code !== 0) throw new Error(`edgectl ${argv.join(' ')} ended with ${code}: ${out}${err}`);
    return JSON.parse(out) as T; // edgectl's own
  }

  async down(): Promise<void> {
    await Promise.all(this.programs.map((program) => program.end()));
    await Promise.all(this.daemons.map((daemon) => daemon.end()));
    await this.redis?.stop();
    for (const machine of this.machines) machine.end();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
