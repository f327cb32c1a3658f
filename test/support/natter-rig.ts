// A real edge-natter between a client and a VM. The test's process moves into a network namespace
// of its own, where the daemon runs too; client and VM have theirs, which end with the process
// that holds them.
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
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
import { promisify } from 'node:util';
import { execute } from '../../lab/exec.ts';
import { until } from '../../lab/ready.ts';
import { controlRequest, controlStream } from '../../shared/admin/client.ts';
import { unshareNetwork } from '../../shared/bpf/libc.ts';
import { openStore } from '../../shared/store/open.ts';
import type { Change, Store } from '../../shared/store/types.ts';
import { type RedisProcess, startRedis } from './redis.ts';

const MAIN = join(import.meta.dirname, '../../natter/main.ts');
export const CLIENT_ADDRESS = '192.0.2.2';
export const PREFIX = '198.51.100.0/24';

export const ip = (...lines: string[]): string =>
  lines.map((line) => execFileSync('ip', line.split(' '), { encoding: 'utf8' })).join('');

/** What the tests look at in /status.json. */
export type Status = {
  state: string;
  drift: string[];
  table: { version: number };
  store: { up: boolean; source: string };
};

/** A process that holds a network namespace, and dies with this one. */
export class Host {
  readonly #holder: ChildProcess;

  constructor() {
    const command = ['--pdeathsig', 'KILL', 'unshare', '--net', 'sleep', '1000'];
    this.#holder = spawn('setpriv', command, { stdio: 'ignore' });
  }

  get pid(): number {
    return this.#holder.pid ?? -1;
  }

  async ready(): Promise<void> {
    const own = readlinkSync('/proc/thread-self/ns/net');
    const there = () => readlinkSync(`/proc/${this.pid}/ns/net`) !== own;
    await until('a network namespace', there, { timeoutMs: 5000 });
  }

  run(command: string, ...args: string[]): string {
    const inside = ['-t', `${this.pid}`, '-n', '--', command, ...args];
    return execFileSync('nsenter', inside, { encoding: 'utf8' });
  }

  /** Until it ends; what it printed. */
  async spawn(command: string, ...args: string[]): Promise<string> {
    const inside = ['-t', `${this.pid}`, '-n', '--', command, ...args];
    return (await promisify(execFile)('nsenter', inside)).stdout;
  }

  end(): void {
    this.#holder.kill('SIGKILL');
  }
}

export class NatterRig {
  readonly directory = mkdtempSync(join(tmpdir(), 'edge-natter-'));
  readonly instance = `test-${process.pid}`;
  readonly client = new Host();
  readonly vm = new Host();
  readonly log = join(this.directory, 'log');
  config: Record<string, unknown> = {};
  redis!: RedisProcess; // set by up(), before anything uses it
  store!: Store;
  daemon: ChildProcess | undefined;

  get configPath(): string {
    return join(this.directory, 'natter.yaml');
  }

  get pins(): string {
    return `/sys/fs/bpf/edge/${this.instance}/natter`;
  }

  async up(): Promise<void> {
    await Promise.all([this.client.ready(), this.vm.ready()]);
    unshareNetwork();
    ip('link set lo up');
    this.makeUplink();
    ip(`link add in0 type veth peer name e0 netns ${this.vm.pid}`);
    ip('address add 10.0.0.1/24 dev in0', 'link set in0 up');
    this.vm.run('ip', 'address', 'add', '10.0.0.5/24', 'dev', 'e0');
    this.vm.run('ip', 'address', 'add', '10.0.0.6/24', 'dev', 'e0');
    this.vm.run('ip', 'link', 'set', 'e0', 'up');
    this.vm.run('ip', 'route', 'add', 'default', 'via', '10.0.0.1');
    this.redis = await startRedis();
    this.store = openStore({ url: this.redis.url });
    this.config = {
      node: 'rig',
      instance: this.instance,
      store: this.redis.url,
      stateDirectory: join(this.directory, 'state'),
      links: { uplink: ['up0'], inside: ['in0'] },
      announce: { prefixes: [PREFIX] },
      control: { socket: join(this.directory, 'sock') },
      capacity: { eips: 1024, forwards: 256, limits: 256 },
      drain: { quiet: '200ms', timeout: '5s' },
    };
  }

  makeUplink(): void {
    ip(`link add up0 type veth peer name e0 netns ${this.client.pid}`);
    ip('address add 192.0.2.1/24 dev up0', 'link set up0 up');
    this.client.run('ip', 'address', 'add', `${CLIENT_ADDRESS}/24`, 'dev', 'e0');
    this.client.run('ip', 'link', 'set', 'e0', 'up');
    this.client.run('ip', 'route', 'add', PREFIX, 'via', '192.0.2.1');
  }

  writeConfig(): void {
    writeFileSync(this.configPath, JSON.stringify(this.config));
  }

  /** Starts the daemon, after one that a failed test left; resolves when it is ready. */
  async start(): Promise<void> {
    await this.end('SIGKILL');
    const daemon = this.launch();
    await until(
      'the daemon to be ready',
      async () => {
        if (daemon.exitCode !== null) throw new Error(`it ended: ${this.logText()}`);
        return (await this.readyz()) === 200;
      },
      { timeoutMs: 30_000 },
    );
  }

  /** Starts the daemon, and does not wait. */
  launch(): ChildProcess {
    this.writeConfig();
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

  /** One run of the program that ends by itself. */
  run(...args: string[]): Promise<{ code: number; text: string }> {
    return this.runAs([process.execPath], ...args);
  }

  async runAs(as: string[], ...args: string[]): Promise<{ code: number; text: string }> {
    const [command = '', ...before] = as;
    const argv = [...before, MAIN, '--config', this.configPath, ...args];
    const { code, stdout, stderr } = await execute(command, argv, { allowFailure: true });
    return { code, text: stdout + stderr };
  }

  /** The lines of tcpdump for what comes to the host's e0. */
  sniff(host: Host, filter: string): { ready: Promise<unknown>; end(): Promise<string[]> } {
    const dump = ['tcpdump', '-l', '-n', '-p', '-i', 'e0', '-Q', 'in', filter];
    const child = spawn('nsenter', ['-t', `${host.pid}`, '-n', '--', ...dump]);
    const [out, err]: string[][] = [[], []];
    child.stdout.on('data', (chunk: Buffer) => out?.push(chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => err?.push(chunk.toString()));
    return {
      ready: until('tcpdump listens', () => err?.join('').includes('listening on') === true),
      async end() {
        const closed = once(child, 'close');
        child.kill('SIGINT');
        await closed;
        return (out ?? []).join('').split('\n').filter(Boolean);
      },
    };
  }

  /** Packets by reason. */
  async counters(): Promise<Record<string, number>> {
    const { packets } = JSON.parse(await this.admin('/status.json')) as {
      packets: Record<string, { packets: number }>;
    }; // the daemon's own document
    return Object.fromEntries(Object.entries(packets).map(([name, one]) => [name, one.packets]));
  }

  async admin(path: string): Promise<string> {
    return (await fetch(`http://127.0.0.1:9101${path}`)).text();
  }

  async readyz(): Promise<number> {
    return (await fetch('http://127.0.0.1:9101/readyz')).status;
  }

  async status(): Promise<Status> {
    const answer = await fetch('http://127.0.0.1:9101/status.json');
    return (await answer.json()) as Status; // the daemon's own document
  }

  /** Stores the changes; resolves when the daemon has applied them. */
  async apply(changes: Change[]): Promise<void> {
    const { version } = await this.store.apply('natter', changes);
    await until(
      `version ${version} in the kernel`,
      async () => (await this.status()).table.version >= version,
      { timeoutMs: 10_000 },
    );
  }

  async meter(address: string): Promise<{ inPackets: number; outPackets: number }> {
    const answer = await this.control('GET', `/stats?address=${address}`);
    // The daemon's own document, of one EIP.
    return (answer as { eips: [{ inPackets: number; outPackets: number }] }).eips[0];
  }

  control(method: 'GET' | 'POST', path: string, body?: unknown): Promise<unknown> {
    return controlRequest(join(this.directory, 'sock'), method, path, body);
  }

  stream(path: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    return controlStream(join(this.directory, 'sock'), 'GET', path, undefined, { signal });
  }

  tc(line: string): string {
    return execFileSync('tc', line.split(' '), { encoding: 'utf8' });
  }

  /** The kernel's number of the program at a link's ingress. */
  programId(link: string): string | undefined {
    return /\bid (\d+)/.exec(this.tc(`filter show dev ${link} ingress`))?.[1];
  }

  logText(): string {
    return existsSync(this.log) ? readFileSync(this.log, 'utf8') : '';
  }

  /** Packets lost of so many, from the client. */
  ping(address: string, count = 3, intervalSeconds = 0.01): number {
    const args = ['-q', '-c', `${count}`, '-i', `${intervalSeconds}`, '-W', '1', address];
    try {
      return lost(this.client.run('ping', ...args));
    } catch (error) {
      return lost(String((error as { stdout?: unknown }).stdout)); // ping's exit code 1: none came
    }
  }

  /** Pings until told to stop; then how many were sent and lost. */
  pingOn(address: string): () => Promise<{ sent: number; lost: number }> {
    const args = ['-t', `${this.client.pid}`, '-n', '--', 'ping', '-i', '0.01', address];
    const child = spawn('nsenter', args, { stdio: ['ignore', 'pipe', 'ignore'] });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    return async () => {
      const closed = once(child, 'close');
      child.kill('SIGINT');
      await closed;
      const sent = Number(/(\d+) packets transmitted/.exec(text)?.[1]);
      const answered = new Set(
        [...text.matchAll(/bytes from .* icmp_seq=(\d+)/g)].map(([, n]) => n),
      );
      // Those behind the last answer were under way, or unread, when ping was told to stop.
      const last = Math.max(0, ...[...answered].map(Number));
      const underWay = sent - last;
      return { sent, lost: last - answered.size + (underWay > MOST_UNDER_WAY ? underWay : 0) };
    };
  }

  async down(): Promise<void> {
    await this.end('SIGKILL');
    await this.store?.close();
    await this.redis?.stop();
    this.client.end();
    this.vm.end();
    rmSync(`/sys/fs/bpf/edge/${this.instance}`, { recursive: true, force: true });
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Of a ping every 10 ms: what a busy machine may leave unread. */
const MOST_UNDER_WAY = 20;

function lost(text: string): number {
  const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec(text) ?? [];
  return Number(sent) - Number(received);
}
