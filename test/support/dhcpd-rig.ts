// A real edge-dhcpd on a bridge with clients. The test's process moves into a network namespace of
// its own, where the daemon runs too; each client has one that ends with the process that holds it.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execute, type Result } from '../../lab/exec.ts';
import { until } from '../../lab/ready.ts';
import { controlRequest } from '../../shared/admin/client.ts';
import { unshareNetwork } from '../../shared/bpf/libc.ts';
import { openStore } from '../../shared/store/open.ts';
import type { Store } from '../../shared/store/types.ts';
import { type RedisProcess, startRedis } from './redis.ts';

const MAIN = join(import.meta.dirname, '../../dhcpd/main.ts');
const MEBIBYTE = 2 ** 20;
export const BRIDGE = 'br0';
export const SERVER = '10.9.0.1';
export const SUBNET = '10.9.0.0/24';
/** As stored: pool of 10.9.0.10 to .200. */
export const POOL = '10.9.0.10-10.9.0.200';

export const ip = (...lines: string[]): string =>
  lines.map((line) => execFileSync('ip', line.split(' '), { encoding: 'utf8' })).join('');

/** What the tests look at in /status.json. */
export type Status = {
  state: string;
  plan: { version: number };
  leases: { condition: string };
  networks: { network: string; bound: number; free: number }[];
  links: { name: string; problem: string | null }[];
  messages: Record<string, number>;
  dropped: Record<string, number>;
  canary: string;
  foreignAnswers: number;
};

export type LeaseRow = { address: string; state: string; mac: string; hostname?: string };

/** A machine on the bridge: its link is e0. */
export class DhcpClient {
  readonly name: string;
  readonly #holder: ChildProcess;

  constructor(name: string) {
    this.name = name;
    const command = ['--pdeathsig', 'KILL', 'unshare', '--net', 'sleep', '1000'];
    this.#holder = spawn('setpriv', command, { stdio: 'ignore' });
  }

  get pid(): number {
    return this.#holder.pid ?? -1;
  }

  async ready(): Promise<void> {
    const own = readlinkSync('/proc/self/ns/net');
    const there = () => readlinkSync(`/proc/${this.pid}/ns/net`) !== own;
    await until('a network namespace', there, { timeoutMs: 5000 });
  }

  run(command: string, ...args: string[]): Promise<Result> {
    return execute(...this.#inside(command, args), { allowFailure: true });
  }

  /** Until it is killed. */
  spawn(command: string, ...args: string[]): ChildProcess {
    const inside = this.#inside(command, args);
    return spawn(inside[0], inside[1], { stdio: 'ignore' });
  }

  #inside(command: string, args: string[]): [string, string[]] {
    return ['nsenter', ['-t', `${this.pid}`, '-n', '--', command, ...args]];
  }

  async mac(): Promise<string> {
    return (await this.#link()).address;
  }

  async linkIndex(): Promise<number> {
    return (await this.#link()).ifindex;
  }

  async #link(): Promise<{ address: string; ifindex: number }> {
    const { stdout } = await this.run('ip', '-j', 'link', 'show', 'e0');
    return (JSON.parse(stdout) as [{ address: string; ifindex: number }])[0]; // iproute2's own
  }

  end(): void {
    this.#holder.kill('SIGKILL');
  }
}

export class DhcpdRig {
  readonly directory = mkdtempSync(join(tmpdir(), 'edge-dhcpd-'));
  readonly log = join(this.directory, 'log');
  readonly clients: DhcpClient[] = [];
  config: Record<string, unknown> = {};
  redis!: RedisProcess; // set by up(), before anything uses it
  store!: Store;
  daemon: ChildProcess | undefined;

  /** With so many clients on the bridge, and a plan of one subnet. */
  async up(clients: number): Promise<void> {
    for (let at = 0; at < clients; at++) this.clients.push(new DhcpClient(`c${at}`));
    await Promise.all(this.clients.map((client) => client.ready()));
    unshareNetwork();
    ip('link set lo up', `link add ${BRIDGE} type bridge`);
    ip(`address add ${SERVER}/24 dev ${BRIDGE}`, `link set ${BRIDGE} up`);
    for (const client of this.clients) await this.plug(client);
    this.redis = await startRedis({
      arguments: ['--appendonly', 'yes', '--appendfsync', 'always'],
    });
    this.store = openStore({ url: this.redis.url });
    this.config = {
      node: 'rig',
      store: this.redis.url,
      stateDirectory: this.directory,
      links: [BRIDGE],
      control: { socket: join(this.directory, 'sock') },
      drain: { timeout: '5s' },
    };
    await this.setSubnet({});
  }

  async plug(client: DhcpClient): Promise<void> {
    ip(`link add ${client.name} type veth peer name e0 netns ${client.pid}`);
    ip(`link set ${client.name} master ${BRIDGE} up`);
    for (const link of ['lo', 'e0']) await client.run('ip', 'link', 'set', link, 'up');
  }

  client(at: number): DhcpClient {
    const client = this.clients[at];
    if (client === undefined) throw new Error(`there is no client ${at}`);
    return client;
  }

  /** Stores the one subnet, or changes it; the daemon need not run. */
  async setSubnet(more: Record<string, unknown>, id = SUBNET): Promise<void> {
    const options = { 3: '0a090001', 6: '0a090035' };
    const value = JSON.stringify({ options, pools: [POOL], ...more });
    await this.store.apply('dhcpd', [{ kind: 'subnet', id, value }]);
  }

  get configPath(): string {
    return join(this.directory, 'dhcpd.yaml');
  }

  /** Starts the daemon, after one that a failed test left; resolves when it is ready. */
  async start(): Promise<void> {
    await this.end('SIGKILL');
    const daemon = this.launch();
    const isReady = async () => {
      if (daemon.exitCode !== null) throw new Error(`it ended: ${this.logText()}`);
      return (await this.readyz()) === 200;
    };
    await until('the daemon to be ready', isReady, { timeoutMs: 30_000 });
  }

  launch(): ChildProcess {
    writeFileSync(this.configPath, JSON.stringify(this.config));
    const args = [MAIN, '--config', this.configPath];
    const daemon = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    daemon.stderr.on('data', (chunk: Buffer) => writeFileSync(this.log, chunk, { flag: 'a' }));
    this.daemon = daemon;
    return daemon;
  }

  async end(signal: NodeJS.Signals): Promise<number | null> {
    const { daemon } = this;
    if (daemon === undefined) return null;
    if (daemon.exitCode !== null || daemon.signalCode !== null) return daemon.exitCode;
    const exited = once(daemon, 'exit');
    daemon.kill(signal);
    await exited;
    return daemon.exitCode;
  }

  async readyz(): Promise<number> {
    return (await fetch('http://127.0.0.1:9102/readyz')).status;
  }

  async status(): Promise<Status> {
    const answer = await fetch('http://127.0.0.1:9102/status.json');
    return (await answer.json()) as Status; // the daemon's own document
  }

  async leases(query = ''): Promise<LeaseRow[]> {
    const answer = await this.control('GET', `/leases${query}`);
    return (answer as { leases: LeaseRow[] }).leases; // the daemon's own document
  }

  control(method: 'GET' | 'POST', path: string, body?: unknown): Promise<unknown> {
    return controlRequest(join(this.directory, 'sock'), method, path, body);
  }

  logText(): string {
    if (!existsSync(this.log)) return '';
    return readFileSync(this.log, 'utf8').slice(-MEBIBYTE);
  }

  async down(): Promise<void> {
    await this.end('SIGKILL');
    await this.store?.close();
    await this.redis?.stop();
    for (const client of this.clients) client.end();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
