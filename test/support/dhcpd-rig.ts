// A real edge-dhcpd on a bridge with clients. The test's process moves into a network namespace of
// its own, where the daemon runs too; each client has one that ends with the process that holds it.
import { type ChildProcess, spawn } from 'node:child_process';
import { execute, type Result } from '../../lab/exec.ts';
import { unshareNetwork } from '../../shared/bpf/libc.ts';
import { DaemonRig } from './daemon-rig.ts';
import { ip, NetworkNamespace } from './network-namespace.ts';

export const BRIDGE = 'br0';
export const SERVER = '10.9.0.1';
export const SUBNET = '10.9.0.0/24';
/** As stored: pool of 10.9.0.10 to .200. */
export const POOL = '10.9.0.10-10.9.0.200';

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
export class DhcpClient extends NetworkNamespace {
  readonly name: string;

  constructor(name: string) {
    super();
    this.name = name;
  }

  run(command: string, ...args: string[]): Promise<Result> {
    return execute(...this.inside(command, args), { allowFailure: true });
  }

  /** Until it is killed. */
  spawn(command: string, ...args: string[]): ChildProcess {
    const inside = this.inside(command, args);
    return spawn(inside[0], inside[1], { stdio: 'ignore' });
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
}

export class DhcpdRig extends DaemonRig {
  readonly clients: DhcpClient[] = [];

  constructor() {
    super('dhcpd', 9102);
  }

  /** With so many clients on the bridge, and a plan of one subnet. */
  async up(clients: number): Promise<void> {
    for (let at = 0; at < clients; at++) this.clients.push(new DhcpClient(`c${at}`));
    await Promise.all(this.clients.map((client) => client.ready()));
    unshareNetwork();
    ip('link set lo up', `link add ${BRIDGE} type bridge`);
    ip(`address add ${SERVER}/24 dev ${BRIDGE}`, `link set ${BRIDGE} up`);
    for (const client of this.clients) await this.plug(client);
    await this.openRedis({ arguments: ['--appendonly', 'yes', '--appendfsync', 'always'] });
    this.config = {
      node: 'rig',
      store: this.redis.url,
      stateDirectory: this.directory,
      links: [BRIDGE],
      control: { socket: this.socket },
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

  async status(): Promise<Status> {
    return (await this.statusJson()) as Status; // the daemon's own document
  }

  async leases(query = ''): Promise<LeaseRow[]> {
    const answer = await this.control('GET', `/leases${query}`);
    return (answer as { leases: LeaseRow[] }).leases; // the daemon's own document
  }

  override async down(): Promise<void> {
    await super.down();
    for (const client of this.clients) client.end();
  }
}
