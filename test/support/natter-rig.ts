// A real edge-natter between a client and a VM. The test's process moves into a network namespace
// of its own, where the daemon runs too; client and VM have theirs, which end with the process
// that holds them.
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { execute } from '../../lab/exec.ts';
import { until } from '../../lab/ready.ts';
import { controlStream } from '../../shared/admin/client.ts';
import { unshareNetwork } from '../../shared/bpf/libc.ts';
import type { Change } from '../../shared/store/types.ts';
import { DaemonRig } from './daemon-rig.ts';
import { ip, NetworkNamespace } from './network-namespace.ts';

export const CLIENT_ADDRESS = '192.0.2.2';
export const PREFIX = '198.51.100.0/24';

/** What the tests look at in /status.json. */
export type Status = {
  state: string;
  drift: string[];
  table: { version: number };
  store: { up: boolean; source: string };
};

/** Client or VM: its link is e0. */
export class Host extends NetworkNamespace {
  run(command: string, ...args: string[]): string {
    return execFileSync(...this.inside(command, args), { encoding: 'utf8' });
  }

  /** Until it ends; what it printed. */
  async spawn(command: string, ...args: string[]): Promise<string> {
    return (await promisify(execFile)(...this.inside(command, args))).stdout;
  }
}

export class NatterRig extends DaemonRig {
  readonly instance = `test-${process.pid}`;
  readonly client = new Host();
  readonly vm = new Host();

  constructor() {
    super('natter', 9101);
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
    await this.openRedis();
    this.config = {
      node: 'rig',
      instance: this.instance,
      store: this.redis.url,
      stateDirectory: join(this.directory, 'state'),
      links: { uplink: ['up0'], inside: ['in0'] },
      announce: { prefixes: [PREFIX] },
      control: { socket: this.socket },
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

  /** One run of the program that ends by itself. */
  run(...args: string[]): Promise<{ code: number; text: string }> {
    return this.runAs([process.execPath], ...args);
  }

  async runAs(as: string[], ...args: string[]): Promise<{ code: number; text: string }> {
    const [command = '', ...before] = as;
    const argv = [...before, this.main, '--config', this.configPath, ...args];
    const { code, stdout, stderr } = await execute(command, argv, { allowFailure: true });
    return { code, text: stdout + stderr };
  }

  /** The lines of tcpdump for what comes to the host's e0. */
  sniff(host: Host, filter: string): { ready: Promise<unknown>; end(): Promise<string[]> } {
    const dump = ['-l', '-n', '-p', '-i', 'e0', '-Q', 'in', filter];
    const child = spawn(...host.inside('tcpdump', dump));
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
    const { packets } = (await this.statusJson()) as {
      packets: Record<string, { packets: number }>;
    }; // the daemon's own document
    return Object.fromEntries(Object.entries(packets).map(([name, one]) => [name, one.packets]));
  }

  async status(): Promise<Status> {
    return (await this.statusJson()) as Status; // the daemon's own document
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

  stream(path: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    return controlStream(this.socket, 'GET', path, undefined, { signal });
  }

  tc(line: string): string {
    return execFileSync('tc', line.split(' '), { encoding: 'utf8' });
  }

  /** The kernel's number of the program at a link's ingress. */
  programId(link: string): string | undefined {
    return /\bid (\d+)/.exec(this.tc(`filter show dev ${link} ingress`))?.[1];
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
    const ping = this.client.inside('ping', ['-i', '0.01', address]);
    const child = spawn(...ping, { stdio: ['ignore', 'pipe', 'ignore'] });
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

  override async down(): Promise<void> {
    await super.down();
    this.client.end();
    this.vm.end();
    rmSync(`/sys/fs/bpf/edge/${this.instance}`, { recursive: true, force: true });
  }
}

/** Of a ping every 10 ms: what a busy machine may leave unread. */
const MOST_UNDER_WAY = 20;

function lost(text: string): number {
  const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec(text) ?? [];
  return Number(sent) - Number(received);
}
