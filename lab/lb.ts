// An lb of the site: its namespace with uplink and inside link, its BIRD, its daemon with workers.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Bird, lbConfig } from './bird.ts';
import { type DaemonConfig, LabDaemon } from './daemon.ts';
import type { EdgePlan } from './plan.ts';
import { dropPrograms, silence, unsilence } from './power.ts';
import { until } from './ready.ts';
import { instanceName, PIN_ROOT, type Run } from './run.ts';

/** The protocol number of the kernel routes by which an lb announces; its config's default. */
const ROUTE_PROTOCOL = 158;
const SERVICE = { name: 'lb', adminPort: 9104 };
/** What targets of lb listen on, a port for each VIP: replies go back through the lbs. */
export const LB_TARGET = { http: [8081, 8082, 8083], echo: 7070 } as const;
/** One an ISP, in the ISPs' order; then one of direct returns, and one of dns. */
export const VIPS = {
  isps: ['198.18.0.201', '198.18.0.202', '198.18.0.203'],
  direct: '198.18.0.204',
  dns: '198.18.0.205',
} as const;

export class LabLb extends LabDaemon {
  readonly plan: EdgePlan;
  readonly bird: Bird;
  readonly #instance: string;

  constructor(run: Run, plan: EdgePlan, options: { storeUrl: string; config: DaemonConfig }) {
    super(run, plan.name, plan.inside.address, SERVICE);
    this.plan = plan;
    this.#instance = instanceName(run, `l${plan.index}`);
    this.bird = new Bird(this, lbConfig(plan, ROUTE_PROTOCOL));
    this.config = {
      node: plan.name,
      store: options.storeUrl,
      stateDirectory: join(run.directory, `${plan.name}.state`),
      keyDirectory: keyDirectory(run),
      l4: {
        uplink: ['up0'],
        inside: ['in0'],
        instance: this.#instance,
        capacity: { servers: 256, targets: 1024, pools: 64, connections: 65_536 },
      },
      vips: { link: 'lo', announce: { enabled: true, protocol: ROUTE_PROTOCOL } },
      workers: 1,
      accessLog: { file: join(run.directory, `${plan.name}.access.log`) },
      // The others' pages are in pools, too: so these are reached from the inside.
      admin: { listen: `0.0.0.0:${SERVICE.adminPort}` },
      control: { socket: this.socketPath },
      drain: { delay: '1s', timeout: '5s' },
      ...options.config,
    };
  }

  /** Of its instance. */
  get pinDirectory(): string {
    return join(PIN_ROOT, this.#instance);
  }

  /** Daemon and workers die; what the service manager does then (ExecStopPost) is done. */
  override async kill9(): Promise<void> {
    await super.kill9();
    await this.ip(`route flush proto ${ROUTE_PROTOCOL}`);
  }

  /** The machine dies: daemon and BIRD are gone, its links silent, the neighbours not told. */
  async powerOff(): Promise<void> {
    await silence(this);
    await Promise.all([super.kill9(), this.bird.process.kill9()]);
    await dropPrograms(this, ['up0', 'in0']);
    await this.exec('rm', ['-rf', this.pinDirectory]);
  }

  /** After powerOff: boots again, without the daemon, which `start` brings. */
  async powerOn(): Promise<void> {
    await unsilence(this, ROUTE_PROTOCOL);
    this.bird.start();
  }

  async untilPeering(): Promise<void> {
    await until(`${this.name} has its BGP session`, async () =>
      (await this.bird.established()).includes('tor'),
    );
  }
}

const keyDirectory = (run: Run): string => join(run.directory, 'lb-keys');

/** Of the lab alone: its key lies in the run's directory. PEM. */
export function labCertificate(run: Run, name: string, hosts: readonly string[]): string {
  const directory = keyDirectory(run);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const [key, certificate] = [join(directory, `${name}.key`), join(directory, `${name}.pem`)];
  const names = hosts.map((host) => `DNS:${host}`).join(',');
  const args = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  args.push('-keyout', key, '-out', certificate, '-days', '30', '-subj', `/CN=${hosts[0]}`);
  execFileSync('openssl', [...args, '-addext', `subjectAltName=${names}`], { stdio: 'pipe' });
  return readFileSync(certificate, 'utf8');
}

/** With its address a target loses it. */
export function targetRoute(lbs: readonly EdgePlan[]): string {
  const hops = lbs.map(({ inside }) => `nexthop via ${inside.address} dev eth0 onlink`).join(' ');
  return `route replace default table 100 ${hops}`;
}

/** Where a target's replies go: to whichever lb, for each of them translates any reply. */
export function targetLines(): string[] {
  return [
    'rule add pref 90 to 10.0.0.0/16 lookup main',
    ...LB_TARGET.http.map((port) => `rule add pref 100 ipproto tcp sport ${port} lookup 100`),
    `rule add pref 100 ipproto udp sport ${LB_TARGET.echo} lookup 100`,
    `address add ${VIPS.direct}/32 dev lo`,
  ];
}
