// One real thing of each service, done from the package: a translated ping, a lease, an answer, a
// request through the balancer, the console's page.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './verify-daemon.ts';
import { type Machine, Network } from './verify-root.ts';

export const ADMIN = '127.0.0.1:9190';
const COMMON = `admin: { listen: "${ADMIN}" }\nstore: embedded\n`;

/** Three links: to a client upstream, to a VM, to a LAN. Addresses of RFC 5737 and RFC 1918. */
export class Site {
  readonly machine: Machine;
  readonly client = new Network();
  readonly vm = new Network();
  #server: ChildProcess | undefined;

  constructor(machine: Machine) {
    this.machine = machine;
  }

  async build(): Promise<void> {
    await this.#link(this.client, 'up0', '198.51.100.2/24', '198.51.100.9/24');
    await this.#link(this.client, 'lan0', '10.1.0.1/24', undefined);
    await this.#link(this.vm, 'in0', '10.0.0.1/24', '10.0.0.5/24');
    this.vm.must('ip', 'route', 'add', 'default', 'via', '10.0.0.1');
    this.vm.must('ip', 'link', 'set', 'lo', 'up');
    const serve = "require('node:http').createServer((q, r) => r.end('from the VM')).listen(8080)";
    const [first = '', ...rest] = this.vm.words(process.execPath, '-e', serve);
    this.#server = spawn(first, rest, { stdio: 'ignore' });
  }

  async #link(to: Network, name: string, own: string, theirs: string | undefined): Promise<void> {
    const there = `c-${name}`;
    const make = ['link', 'add', name, 'type', 'veth', 'peer', 'name', there, 'netns'];
    // The other side may not have unshared yet.
    await until(`link ${name}`, () => {
      const made = this.machine.hostTool('ip', ...make, String(to.pid));
      return made.code === 0 && to.run('ip', 'link', 'show', there).code === 0;
    });
    this.machine.hostTool('ip', 'address', 'add', own, 'dev', name);
    this.machine.hostTool('ip', 'link', 'set', name, 'up');
    if (theirs !== undefined) to.must('ip', 'address', 'add', theirs, 'dev', there);
    to.must('ip', 'link', 'set', there, 'up');
  }

  /** edgectl of the package, as root. */
  edgectl(...words: string[]): string {
    return this.machine.must('edgectl', ...words);
  }

  /** A site file in the root, applied. */
  async apply(yaml: string): Promise<void> {
    writeFileSync(join(this.machine.root, 'etc/edge/site.yaml'), yaml);
    const words = ['edgectl', 'apply', '-f', '/etc/edge/site.yaml', '--wait', '20s'];
    let said = '';
    const isApplied = (): boolean => {
      const { code, stdout, stderr } = this.machine.run(...words);
      said = `${stdout}${stderr}`.trim();
      return code === 0;
    };
    await until('edgectl apply', isApplied, 60_000).catch((error: Error) => {
      throw new Error(`${error.message}: ${said}`);
    });
  }

  close(): void {
    this.#server?.kill('SIGKILL');
    this.client.close();
    this.vm.close();
  }
}

export type ServiceCase = {
  service: string;
  settings: string;
  /** Before it starts. */
  prepare?(site: Site): void;
  /** Objects, applied once its store answers: without some, dns and lb are not ready. */
  site?: string;
  /** What it did, in words; throws when it did not. */
  prove(site: Site): Promise<string>;
};

export const SERVICE_CASES: readonly ServiceCase[] = [
  {
    service: 'natter',
    settings: `${COMMON}links: { uplink: [up0], inside: [in0] }\narp: true\n`,
    async prove(site) {
      site.edgectl('eip', 'add', '198.51.100.7', '10.0.0.5', '--wait', '20s');
      const filters = site.machine.hostTool('tc', 'filter', 'show', 'dev', 'up0', 'ingress').stdout;
      if (!filters.includes('pref 157')) throw new Error(`no filter on up0: ${filters}`);
      const ping = ['ping', '-c1', '-W1', '198.51.100.7'];
      await until('a ping to the EIP', () => site.client.run(...ping).code === 0);
      return 'eip add; tc filter on the uplink; the VM answers a ping to its EIP';
    },
  },
  {
    service: 'dhcpd',
    settings: `${COMMON}links: [lan0]\nrelayed: { listen: ["127.0.0.1:67"] }\n`,
    site: 'subnets: [{ subnet: 10.1.0.0/24, pools: [10.1.0.10-10.1.0.20] }]\n',
    async prove(site) {
      const lease = await until('a lease', () => leaseOf(site));
      return `udhcpc on the LAN got ${lease}`;
    },
  },
  {
    service: 'dns',
    settings: `${COMMON}listen: ["198.51.100.2:53"]\n`,
    site: `zones: [{ zone: example.com, soa: { primary: ns1.example.com, mail: h.example.com } }]
records:
  - { name: example.com, type: NS, data: [ns1.example.com] }
  - { name: ns1.example.com, type: A, data: [198.51.100.2] }
  - { name: www.example.com, type: A, data: [198.51.100.7] }
`,
    async prove(site) {
      const ask = ['kdig', '+short', '+timeout=1', '@198.51.100.2', 'www.example.com', 'A'];
      const said = await until('an answer', () => site.client.run(...ask).stdout.trim());
      if (said !== '198.51.100.7') throw new Error(`kdig: ${said}`);
      return `kdig over the wire: www.example.com is ${said}`;
    },
  },
  {
    service: 'lb',
    settings: `${COMMON}secretFile: /etc/edge/lb.secret
l4: { uplink: [up0], inside: [in0] }
vips: { link: lo }
workers: 1
accessLog: { file: /var/log/edge/lb.access.log }
drain: { delay: 0s, timeout: 2s }
`,
    prepare(site) {
      const { machine } = site;
      writeFileSync(join(machine.root, 'etc/edge/lb.secret'), `${'5a'.repeat(32)}\n`);
      machine.must('chown', 'edge-lb:edge', '/etc/edge/lb.secret');
      machine.must('chmod', '0400', '/etc/edge/lb.secret');
    },
    site: `listeners: [{ name: web, at: ["198.51.100.2:80"], protocol: http }]
routes: [{ name: all, listeners: web, pool: vms }]
pools: [{ name: vms, targets: ["10.0.0.5:8080"] }]
`,
    async prove(site) {
      const get = ['curl', '-s', '-m', '2', 'http://198.51.100.2/'];
      const said = await until('a page through lb', () => site.client.run(...get).stdout);
      if (said !== 'from the VM') throw new Error(`curl: ${said}`);
      const filters = site.machine.hostTool('tc', 'filter', 'show', 'dev', 'up0', 'ingress').stdout;
      if (!filters.includes('pref 158')) throw new Error(`no filter of L4 on up0: ${filters}`);
      return 'curl through port 80 reached the VM; L4 is on the uplink';
    },
  },
  {
    service: 'console',
    settings: `admin: { listen: "${ADMIN}" }\nstore: unix:/run/edge/store.sock\n`,
    async prove(site) {
      const get = ['curl', '-s', '-m', '2', 'http://127.0.0.1:9180/'];
      const page = await until('the page', () => site.machine.hostTool(...get).stdout);
      if (!/<!doctype html>/i.test(page)) throw new Error(`no page: ${page.slice(0, 80)}`);
      return `its page, ${page.length} bytes`;
    },
  },
];

function leaseOf(site: Site): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'edge-udhcpc-'));
  try {
    const script = join(folder, 'script');
    writeFileSync(script, '#!/bin/sh\n[ "$1" != bound ] || echo "bound $ip"\n', { mode: 0o755 });
    const client = ['udhcpc', '-i', 'c-lan0', '-n', '-q', '-f', '-t', '3', '-T', '1', '-s', script];
    return /^bound (\S+)/m.exec(site.client.run(...client).stdout)?.[1];
  } finally {
    rmSync(folder, { recursive: true });
  }
}
