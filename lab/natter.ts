// A natter of the site: its namespace with uplink and inside link, its BIRD, its daemon.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Bird, natterConfig } from './bird.ts';
import { LabNode } from './node.ts';
import { EIP_PREFIX, type NatterPlan } from './plan.ts';
import type { Exit, LabProcess } from './process.ts';
import { until } from './ready.ts';
import { instanceName, PIN_ROOT, type Run } from './run.ts';

const MAIN = join(import.meta.dirname, '..', 'natter', 'main.ts');
/** The protocol number of the kernel routes by which a natter announces; its config's default. */
export const ROUTE_PROTOCOL = 157;
export const ADMIN_PORT = 9101;

/** What a natter's config file says, as objects. */
export type DaemonConfig = Record<string, unknown>;

/** The config of a natter of the site; `own` is laid over it, key by key. */
function daemonConfig(natter: LabNatter, storeUrl: string, own: DaemonConfig): DaemonConfig {
  return {
    node: natter.name,
    instance: natter.instance,
    store: storeUrl,
    stateDirectory: join(natter.run.directory, `${natter.name}.state`),
    links: { uplink: [natter.uplink], inside: ['in0'] },
    announce: { prefixes: [EIP_PREFIX], protocol: ROUTE_PROTOCOL },
    admin: { listen: `127.0.0.1:${ADMIN_PORT}` },
    control: { socket: natter.socketPath },
    // A million per-CPU cells take seconds to allocate; what measures scale says so.
    capacity: { eips: 16_384, forwards: 16_384, limits: 4096 },
    drain: { quiet: '500ms', timeout: '10s' },
    ...own,
  };
}

export class LabNatter extends LabNode {
  readonly plan: NatterPlan;
  readonly instance: string;
  readonly configPath: string;
  readonly socketPath: string;
  readonly pinDirectory: string;
  readonly bird: Bird;
  readonly uplink: string;
  /** Written to `configPath` at each start; may be changed before one. */
  config: DaemonConfig;
  #daemon: LabProcess | undefined;

  constructor(
    run: Run,
    plan: NatterPlan,
    options: { uplink: string; storeUrl: string; config: DaemonConfig },
  ) {
    super(run, plan.name, plan.inside.address);
    this.plan = plan;
    this.instance = instanceName(run, `n${plan.index}`);
    this.configPath = join(run.directory, `${plan.name}.yaml`);
    this.socketPath = join(run.directory, `${plan.name}.sock`);
    this.pinDirectory = join(PIN_ROOT, this.instance);
    this.uplink = options.uplink;
    this.config = daemonConfig(this, options.storeUrl, options.config);
    this.bird = new Bird(this, natterConfig(plan, ROUTE_PROTOCOL));
  }

  get daemon(): LabProcess | undefined {
    return this.#daemon;
  }

  /** Starts the daemon, and waits until it is ready unless told not to. */
  async start(options: { wait?: boolean } = {}): Promise<void> {
    // JSON is YAML; the file is for the daemon, and stays readable.
    writeFileSync(this.configPath, `${JSON.stringify(this.config, null, 2)}\n`);
    const args = [MAIN, '--config', this.configPath];
    this.#daemon = this.spawn(process.execPath, args, { name: 'edge-natter' });
    if (options.wait ?? true) await this.untilReady();
  }

  /** Waits until /readyz says yes. */
  async untilReady(timeoutMs = 20_000): Promise<void> {
    if (!this.#daemon) throw new Error(`${this.name}: its daemon was not started`);
    const asks = async (): Promise<boolean> => (await this.admin('/readyz')).code === 0;
    await this.#daemon.ready('is ready', asks, timeoutMs);
  }

  /** Asks the admin port; the code is curl's, 22 for an HTTP error. */
  admin(path: string): Promise<{ code: number; stdout: string; stderr: string }> {
    const url = `http://127.0.0.1:${ADMIN_PORT}${path}`;
    return this.exec('curl', ['-sS', '--fail-with-body', '--max-time', '5', url], {
      allowFailure: true,
    });
  }

  async status(): Promise<Record<string, unknown>> {
    const { code, stdout, stderr } = await this.admin('/status.json');
    if (code !== 0) throw new Error(`${this.name}: /status.json: ${stderr}`);
    return JSON.parse(stdout) as Record<string, unknown>; // the natter's own status document
  }

  /** SIGKILL: the daemon only. Its programs stay attached and go on forwarding. */
  async kill9(): Promise<void> {
    await this.#daemon?.kill9();
  }

  /** Asks on the control socket; throws when the daemon refuses. */
  async control(method: 'GET' | 'POST', path: string): Promise<string> {
    const request = ['-X', method, '--unix-socket', this.socketPath, `http://localhost${path}`];
    const args = ['-sS', '--fail-with-body', '--max-time', '60', ...request];
    return (await this.exec('curl', args)).stdout;
  }

  /** Withdraws the announcement; the daemon stays. */
  async drain(): Promise<void> {
    await this.control('POST', '/drain');
  }

  async undrain(): Promise<void> {
    await this.control('POST', '/undrain');
  }

  /** SIGTERM: drains, then stops. */
  async stopDaemon(graceMs = 20_000): Promise<Exit | undefined> {
    return this.#daemon?.stop(graceMs);
  }

  /** SIGTERM, waits, starts again. */
  async restart(): Promise<void> {
    await this.stopDaemon();
    await this.start();
  }

  /** The machine dies: daemon and BIRD are gone, its links silent, the neighbours not told. */
  async powerOff(): Promise<void> {
    await Promise.all([this.kill9(), this.bird.process.kill9()]);
    // Links that went down would be seen at once; a dead host behind a switch is not.
    await this.#silence(true);
    // tc comes before nft on ingress: without its hook nothing is redirected any more.
    for (const device of [this.uplink, 'in0']) {
      await this.exec('tc', ['qdisc', 'del', 'dev', device, 'clsact'], { allowFailure: true });
    }
    await this.exec('rm', ['-rf', this.pinDirectory]);
  }

  /** After powerOff: boots again, without the daemon, which `start` brings. */
  async powerOn(): Promise<void> {
    const { stdout } = await this.exec('ip', ['-4', 'route', 'show', 'proto', `${ROUTE_PROTOCOL}`]);
    const routes = stdout.split('\n').filter(Boolean);
    await this.ip(...routes.map((route) => `route del ${route}`));
    await this.#silence(false);
    this.bird.start();
  }

  async #silence(on: boolean): Promise<void> {
    const chain = (device: string): string =>
      `chain ${device} { type filter hook ingress device ${device} priority -500; policy drop; }\n`;
    const table = 'table netdev edge_dead';
    const input = on
      ? `${table} {\n${chain('up0')}${chain('in0')}}\n`
      : `${table} {}\ndelete ${table}\n`;
    await this.exec('nft', ['-f', '-'], { input });
  }

  /** Waits until this natter's BIRD has both neighbours. */
  async untilPeering(): Promise<void> {
    await until(`${this.name} has its BGP sessions`, async () => {
      const up = await this.bird.established();
      return up.includes('tor') && up.includes('core');
    });
  }
}
