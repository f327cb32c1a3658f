// A natter of the site: its namespace with uplink and inside link, its BIRD, its daemon.
import { join } from 'node:path';
import { Bird, natterConfig } from './bird.ts';
import { type DaemonConfig, LabDaemon } from './daemon.ts';
import { EIP_PREFIX, type NatterPlan } from './plan.ts';
import { dropPrograms, silence, unsilence } from './power.ts';
import { until } from './ready.ts';
import { instanceName, PIN_ROOT, type Run } from './run.ts';

/** The protocol number of the kernel routes by which a natter announces; its config's default. */
export const ROUTE_PROTOCOL = 157;
const SERVICE = { name: 'natter', adminPort: 9101 };

/** The config of a natter of the site; `own` is laid over it, key by key. */
function daemonConfig(natter: LabNatter, storeUrl: string, own: DaemonConfig): DaemonConfig {
  return {
    node: natter.name,
    instance: natter.instance,
    store: storeUrl,
    stateDirectory: join(natter.run.directory, `${natter.name}.state`),
    links: { uplink: [natter.uplink], inside: ['in0'] },
    announce: { prefixes: [EIP_PREFIX], protocol: ROUTE_PROTOCOL },
    admin: { listen: `127.0.0.1:${SERVICE.adminPort}` },
    control: { socket: natter.socketPath },
    // A million per-CPU cells take seconds to allocate; what measures scale says so.
    capacity: { eips: 16_384, forwards: 16_384, limits: 4096 },
    drain: { quiet: '500ms', timeout: '10s' },
    ...own,
  };
}

export class LabNatter extends LabDaemon {
  readonly plan: NatterPlan;
  readonly instance: string;
  readonly pinDirectory: string;
  readonly bird: Bird;
  readonly uplink: string;

  constructor(
    run: Run,
    plan: NatterPlan,
    options: { uplink: string; storeUrl: string; config: DaemonConfig },
  ) {
    super(run, plan.name, plan.inside.address, SERVICE);
    this.plan = plan;
    this.instance = instanceName(run, `n${plan.index}`);
    this.pinDirectory = join(PIN_ROOT, this.instance);
    this.uplink = options.uplink;
    this.config = daemonConfig(this, options.storeUrl, options.config);
    this.bird = new Bird(this, natterConfig(plan, ROUTE_PROTOCOL));
  }

  /** The machine dies: daemon and BIRD are gone, its links silent, the neighbours not told. */
  async powerOff(): Promise<void> {
    await silence(this);
    await Promise.all([this.kill9(), this.bird.process.kill9()]);
    await dropPrograms(this, [this.uplink, 'in0']);
    await this.exec('rm', ['-rf', this.pinDirectory]);
  }

  /** After powerOff: boots again, without the daemon, which `start` brings. */
  async powerOn(): Promise<void> {
    await unsilence(this, ROUTE_PROTOCOL);
    this.bird.start();
  }

  /** Waits until this natter's BIRD has both neighbours. */
  async untilPeering(): Promise<void> {
    await until(`${this.name} has its BGP sessions`, async () => {
      const up = await this.bird.established();
      return up.includes('tor') && up.includes('core');
    });
  }
}
