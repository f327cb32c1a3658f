// A real edge-lb with two workers: site objects as a test gives them, on free ports of loopback in
// the network namespace that the process of the test is in; L4 is off unless `config` says so.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../../../lab/ready.ts';
import { diffSite } from '../../../shared/site/diff.ts';
import { readSite } from '../../../shared/site/file.ts';
import { planApply } from '../../../shared/site/plan.ts';
import { openStore } from '../../../shared/store/open.ts';
import type { ObjectRecord } from '../../../shared/store/types.ts';
import { DaemonRig } from '../daemon-rig.ts';
import { type Result, runEdgectl } from '../edgectl.ts';
import { freePorts } from '../redis.ts';

const SITE_KINDS = ['certificate', 'vserver', 'listener', 'route', 'pool', 'override'] as const;
const SECRET = 'c0ffee'.repeat(12);

/** What the tests look at in /status.json. */
export type LbStatus = {
  state: string;
  units: Record<'lb' | 'pools', { version: number; storeUp: boolean; source: string }>;
  drift: string[];
  listeners: { listener: string; open: number; accepted: number }[];
  pools: { pool: string; up: number; retries: number }[];
  targets: {
    pool: string;
    target: string;
    health: 'up' | 'down' | 'drain';
    weightNow: number;
    open: number;
    requests: number;
    skipped: string | null;
    why: string;
  }[];
  workers: { worker: number; pid: number | null; version: number | null; restarts: number }[];
};

/** What the tests look at in a line of the access log. */
export type AccessLine = {
  listener: string;
  route: string;
  client: string;
  protocol: string;
  scheme: string;
  method: string;
  host: string;
  target: string;
  status: number;
  cause: string;
  detail?: string;
  bytesIn: number;
  bytesOut: number;
  totalMs: number;
  certificate?: string;
  pool?: string;
  backend?: string;
  tries?: number;
  headMs?: number;
};

export type LbRigOptions = {
  node?: string;
  /** Sections of a site file. */
  site?: Record<string, unknown>;
  /** Whose Redis, keys and secret this one shares; without it, it has its own. */
  beside?: LbRig;
  /** Settings besides, or instead. */
  config?: Record<string, unknown>;
};

export class LbRig extends DaemonRig {
  readonly keyDirectory: string;
  readonly accessLog: string;
  #stored: ObjectRecord[] = [];

  private constructor(adminPort: number, beside: LbRig | undefined) {
    super('lb', adminPort);
    this.keyDirectory = beside?.keyDirectory ?? join(this.directory, 'keys');
    this.accessLog = join(this.directory, 'access.log');
    mkdirSync(this.keyDirectory, { recursive: true, mode: 0o700 });
  }

  /** Running, ready, and with all of it in force. Throws when something of it is refused. */
  static async up(options: LbRigOptions): Promise<LbRig> {
    const rig = await LbRig.prepared(options);
    try {
      await rig.start();
      await rig.inForce();
    } catch (error) {
      await rig.down();
      throw error;
    }
    return rig;
  }

  /** Set up but for the start; the test may change `config`, and make certificates, before it. */
  static async prepared({ node, site, beside, config }: LbRigOptions = {}): Promise<LbRig> {
    const [admin = 0] = await freePorts(1);
    const rig = new LbRig(admin, beside);
    if (beside === undefined) await rig.openRedis();
    else rig.store = openStore({ url: beside.redis.url }); // whose it is, ends it
    const secretFile = join(rig.keyDirectory, 'lb.secret');
    writeFileSync(secretFile, `${SECRET}\n`);
    rig.config = {
      node: node ?? 'rig',
      store: (beside ?? rig).redis.url,
      stateDirectory: rig.directory,
      keyDirectory: rig.keyDirectory,
      secretFile,
      workers: 2,
      accessLog: { file: rig.accessLog },
      admin: { listen: `127.0.0.1:${admin}` },
      control: { socket: rig.socket },
      drain: { delay: '100ms', timeout: '2s' },
      log: { level: 'warn' },
      ...config,
    };
    if (site !== undefined) await rig.setSite(site);
    return rig;
  }

  /** Makes the lb's part of the site exactly these sections of a site file, without edgectl. */
  async setSite(sections: Record<string, unknown>): Promise<void> {
    const site = readSite([{ file: 'site', text: JSON.stringify(sections) }]);
    const wanted = site.objects.map(({ record }) => record);
    const { calls } = planApply(this.#stored, diffSite(this.#stored, wanted, SITE_KINDS));
    for (const { unit, changes } of calls) await this.store.apply(unit, changes);
    this.#stored = wanted;
  }

  /** As the control socket's /impact takes them: what is stored is not changed. */
  recordsOf(sections: Record<string, unknown>): ObjectRecord[] {
    const { objects } = readSite([{ file: 'site', text: JSON.stringify(sections) }]);
    return objects.map(({ record }) => record);
  }

  /** setSite, and until all workers go by it. */
  async serve(sections: Record<string, unknown>): Promise<void> {
    await this.setSite(sections);
    await this.inForce();
  }

  /** Until what the store wants now is served by all workers. */
  async inForce(): Promise<void> {
    const heads = { lb: await this.store.head('lb'), pools: await this.store.head('pools') };
    await until('the site to be in force', async () => {
      const { units, workers } = await this.status();
      const isApplied =
        units.lb.version >= heads.lb.version && units.pools.version >= heads.pools.version;
      return isApplied && workers.every(({ version }) => version !== null);
    }).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.logText()}`);
    });
  }

  /** Read from stdin as a site file where `site` is told. */
  edgectl(argv: readonly string[], site?: Record<string, unknown>): Promise<Result> {
    const storeUrl = String(this.config.store);
    const { directory } = this;
    const stdin = site === undefined ? {} : { stdin: JSON.stringify(site) };
    return runEdgectl(argv, { storeUrl, directory, ...stdin });
  }

  async status(): Promise<LbStatus> {
    return (await this.statusJson()) as LbStatus; // the daemon's own document
  }

  async target(pool: string, target: string): Promise<LbStatus['targets'][number] | undefined> {
    const { targets } = await this.status();
    return targets.find((row) => row.pool === pool && row.target === target);
  }

  /** Until all targets of these pools, or of all, are measured to be up. */
  async allUp(...pools: string[]): Promise<void> {
    await until('all targets are up', async () => {
      const { targets } = await this.status();
      const asked = targets.filter(({ pool }) => pools.length === 0 || pools.includes(pool));
      return asked.every(({ health, skipped }) => health === 'up' && skipped !== 'ejected');
    });
  }

  /** SIGHUP; resolves when it was taken or refused, with whether it was taken. */
  async reload(): Promise<boolean> {
    const said = () => this.#reloads();
    const before = await said();
    this.writeConfig();
    this.daemon?.kill('SIGHUP');
    const after = await until('the reload', async () => {
      const now = await said();
      return now.done > before.done || now.refused > before.refused ? now : undefined;
    });
    return after.done > before.done;
  }

  /** Sum of the samples of a metric whose labels contain `labels`. */
  async metric(name: string, labels = ''): Promise<number> {
    const lines = (await this.admin('/metrics')).split('\n');
    const own = lines.filter((line) => {
      return (line.startsWith(`${name}{`) || line.startsWith(`${name} `)) && line.includes(labels);
    });
    return own.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  }

  /** Whole lines that the file has by now; the workers write a few times a second. */
  accessLines(): AccessLine[] {
    if (!existsSync(this.accessLog)) return [];
    const lines = readFileSync(this.accessLog, 'utf8').split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as AccessLine); // the workers' own
  }

  /** The line of a request that the test marked by its path. */
  accessLine(path: string): Promise<AccessLine> {
    return until(`the access log has ${path}`, () =>
      this.accessLines().find(({ target }) => target === path),
    );
  }

  /**
   * A certificate and its key; the key goes to keyDirectory. `ca`: signed by that one, which was
   * made here; else by itself. PEM.
   */
  certificate(name: string, hosts: readonly string[], ca?: string): string {
    const at = (end: string) => join(this.keyDirectory, `${name}.${end}`);
    const names = hosts.map((host) => (/^[\d.]+$/.test(host) ? `IP:${host}` : `DNS:${host}`));
    const args = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    args.push('-keyout', at('key'), '-out', at('pem'), '-days', '30', '-subj', `/CN=${hosts[0]}`);
    args.push('-addext', `subjectAltName=${names.join(',')}`);
    if (ca !== undefined) {
      const of = (end: string) => join(this.keyDirectory, `${ca}.${end}`);
      args.push('-CA', of('pem'), '-CAkey', of('key'));
    }
    execFileSync('openssl', args, { stdio: 'pipe' });
    return readFileSync(at('pem'), 'utf8');
  }

  /** When the settings in force were taken, and how often others were refused. */
  async #reloads(): Promise<{ done: number; refused: number }> {
    const refused = await this.metric('edge_log_events_total', '"reload-refused"');
    return { done: await this.metric('edge_config_last_reload_timestamp_seconds'), refused };
  }
}
