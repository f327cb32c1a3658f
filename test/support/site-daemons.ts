// One real daemon of each service, side by side in a network namespace of the test's own, and the
// objects of a small site that makes each use all that it uses of the store: leases, names, votes,
// shared rate limits.
import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { until } from '../../lab/ready.ts';
import { unshareNetwork } from '../../shared/bpf/libc.ts';
import { DaemonRig } from './daemon-rig.ts';
import { ip } from './network-namespace.ts';

const root = join(import.meta.dirname, '../..');

export type Service = 'natter' | 'dhcpd' | 'dns' | 'lb' | 'console';
const NAMES: readonly Service[] = ['natter', 'dhcpd', 'dns', 'lb', 'console'];
/** Those that are there. */
export const SERVICES = NAMES.filter((name) => existsSync(join(root, name, 'daemon.ts')));
export type Settings = Record<string, unknown>;

const PORTS = { natter: 9101, dhcpd: 9102, dns: 9103, lb: 9104, console: 9105 };
export const BACKEND_PORT = 8080;
export const WEB_PORT = 8081;
export const DNS_PORT = 5300;

/** A site file: what edgectl applies, or readSite() reads. */
export const SITE = {
  eips: [{ address: '198.51.100.7', private: '10.0.0.5', limit: { in: '100mbit' } }],
  subnets: [
    {
      subnet: '10.9.0.0/24',
      pools: ['10.9.0.10-10.9.0.200'],
      options: { routers: ['10.9.0.1'] },
      ddns: { zone: 'vm.example' },
    },
  ],
  zones: [
    { zone: 'example.com', soa: { primary: 'ns1.example.com', mail: 'host.example.com' } },
    { zone: 'vm.example', soa: { primary: 'ns1.example.com', mail: 'host.example.com' } },
  ],
  records: [
    { name: 'example.com', type: 'NS', data: ['ns1.example.com'] },
    { name: 'vm.example', type: 'NS', data: ['ns1.example.com'] },
    { name: 'ns1.example.com', type: 'A', data: ['192.0.2.1'] },
    { name: 'www.example.com', type: 'A', lines: { default: { pool: 'www' } } },
  ],
  pools: [
    {
      name: 'www',
      targets: [{ address: '127.0.0.1', port: BACKEND_PORT }],
      check: { type: 'http', interval: '3s', timeout: '3s', rise: 1, fall: 5 },
    },
  ],
  listeners: [{ name: 'web', at: [`127.0.0.1:${WEB_PORT}`], protocol: 'http' }],
  routes: [
    {
      name: 'all',
      listeners: 'web',
      pool: 'www',
      rateLimit: { rate: '1/s', burst: 1000, by: 'all', shared: true },
    },
  ],
};

export class SiteDaemons {
  readonly rigs: ReadonlyMap<Service, DaemonRig>;
  #backend: Server | undefined;

  constructor(services: readonly Service[] = SERVICES) {
    this.rigs = new Map(services.map((each) => [each, new DaemonRig(each, PORTS[each])]));
  }

  /** Moves this process into a namespace of its own; `settings` are of every daemon, or of one. */
  async prepare(settings: (service: Service) => Settings): Promise<void> {
    unshareNetwork();
    ip('link set lo up', 'link add br0 type bridge', 'address add 10.9.0.1/24 dev br0');
    ip('link set br0 up');
    for (const [name, address] of [
      ['up0', '192.0.2.1'],
      ['in0', '10.0.0.1'],
    ]) {
      ip(`link add ${name} type veth peer name ${name}p`, `address add ${address}/24 dev ${name}`);
      ip(`link set ${name} up`, `link set ${name}p up`);
    }
    ip('link add vm0 type veth peer name vm0p', 'link set vm0p master br0 up', 'link set vm0 up');
    const backend = createServer((_, response) => response.end('backend'));
    await new Promise<void>((resolve) => backend.listen(BACKEND_PORT, '127.0.0.1', resolve));
    this.#backend = backend;
    for (const [service, rig] of this.rigs) {
      const state = { stateDirectory: join(rig.directory, 'state') };
      const doors = { control: { socket: rig.socket }, drain: { timeout: '2s' } };
      const own = { node: `${service}-1`, ...state, ...doors, ...this.#own(service, rig) };
      rig.config = { ...own, ...settings(service) };
    }
  }

  #own(service: Service, rig: DaemonRig): Settings {
    switch (service) {
      case 'natter':
        return {
          instance: `test-${process.pid}`,
          links: { uplink: ['up0'], inside: ['in0'] },
          capacity: { eips: 1024, forwards: 256, limits: 256 },
        };
      case 'dhcpd':
        return { links: ['br0'] };
      case 'dns':
        return { listen: [`127.0.0.1:${DNS_PORT}`], workers: 1 };
      case 'lb':
        return {
          keyDirectory: rig.directory,
          workers: 1,
          drain: { delay: '100ms', timeout: '2s' },
        };
      case 'console':
        return { listen: '127.0.0.1:9180' };
    }
  }

  rig(service: Service): DaemonRig {
    const rig = this.rigs.get(service);
    if (rig === undefined) throw new Error(`${service} is not of this test`);
    return rig;
  }

  async start(): Promise<void> {
    await Promise.all([...this.rigs.values()].map((rig) => rig.start()));
  }

  /** Those that have ended, with what they said last. */
  ended(): string[] {
    return [...this.rigs].flatMap(([service, { daemon, logText }]) => {
      const isRunning = daemon?.exitCode === null && daemon.signalCode === null;
      return isRunning ? [] : [`${service}: ${logText.call(this.rig(service)).slice(-3000)}`];
    });
  }

  async allReady(): Promise<void> {
    for (const rig of this.rigs.values()) {
      await until(`${rig.service} to be ready`, async () => (await rig.readyz()) === 200);
    }
  }

  async down(): Promise<void> {
    for (const rig of this.rigs.values()) await rig.down();
    this.#backend?.closeAllConnections();
    this.#backend?.close();
  }
}
