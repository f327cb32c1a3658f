// A real edge-dns: zone files, prefix lists and site objects as a test gives them, on a free port
// of loopback in the network namespace that the process of the test is in (unshareNetwork() for one
// of its own; then `listen` may be any address there).
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../../../lab/ready.ts';
import { diffSite } from '../../../shared/site/diff.ts';
import { readSite } from '../../../shared/site/file.ts';
import { planApply } from '../../../shared/site/plan.ts';
import { openStore } from '../../../shared/store/open.ts';
import type { ObjectRecord } from '../../../shared/store/types.ts';
import { DaemonRig } from '../daemon-rig.ts';
import { freePorts } from '../redis.ts';

const SITE_KINDS = ['zone', 'record', 'line', 'pool', 'override'] as const;

/** What the tests look at in /status.json. */
export type DnsStatus = {
  node: string;
  state: string;
  units: Record<'dns' | 'pools', { version: number; desiredVersion: number; storeUp: boolean }>;
  drift: string[];
  zones: { zone: string; serial?: number; records: number; problems: string[] }[];
  received: Record<string, number>;
  outcomes: Record<string, number>;
  responses: Record<string, number>;
  lineAnswers: Record<string, number>;
  dropped: Record<string, number>;
  connections: Record<string, number>;
  canary: string;
};

export type DnsRigOptions = {
  node?: string;
  /** Master files by zone. */
  zones?: Readonly<Record<string, string>>;
  /** Prefixes by line, as list files; those of site objects are there besides. */
  lines?: Readonly<Record<string, readonly string[]>>;
  /** Sections of a site file: zones, records, lines, pools, overrides. */
  site?: Record<string, unknown>;
  /** Whose Redis this one shares; without it, it has one of its own. */
  beside?: DnsRig;
  /** Where it is asked; without it a free port of 127.0.0.1. */
  listen?: readonly { host: string; port: number }[];
  /** Settings besides, or instead. */
  config?: Record<string, unknown>;
};

export class DnsRig extends DaemonRig {
  readonly endpoints: readonly { host: string; port: number }[];
  readonly zoneDirectory: string;
  #stored: ObjectRecord[] = [];

  private constructor(adminPort: number, endpoints: DnsRig['endpoints']) {
    super('dns', adminPort);
    this.endpoints = endpoints;
    this.zoneDirectory = join(this.directory, 'zones');
    mkdirSync(this.zoneDirectory);
  }

  /** Running, ready, and with all of it in force. Throws when something of it is refused. */
  static async up(options: DnsRigOptions): Promise<DnsRig> {
    const rig = await DnsRig.prepared(options);
    try {
      await rig.start();
      await rig.inForce();
      await rig.refusedNothing();
    } catch (error) {
      await rig.down();
      throw error;
    }
    return rig;
  }

  /** Set up but for the start; the test may change `config` before it. */
  static async prepared(options: DnsRigOptions): Promise<DnsRig> {
    const [admin = 0, port = 0] = await freePorts(2);
    const rig = new DnsRig(admin, options.listen ?? [{ host: '127.0.0.1', port }]);
    const { zones = {}, lines = {}, site, beside = rig, node = 'rig' } = options;
    if (beside === rig) await rig.openRedis();
    else rig.store = openStore({ url: beside.redis.url }); // whose it is, ends it
    for (const [zone, text] of Object.entries(zones)) rig.writeZone(zone, text);
    rig.config = {
      node,
      store: beside.redis.url,
      stateDirectory: rig.directory,
      listen: rig.endpoints.map(({ host, port: at }) => hostPort(host, at)),
      workers: 1,
      zoneDirectory: rig.zoneDirectory,
      lines: Object.entries(lines).map(([line, prefixes]) => {
        const file = join(rig.directory, `${line}.txt`);
        writeFileSync(file, `${prefixes.join('\n')}\n`);
        return { file, line };
      }),
      admin: { listen: `127.0.0.1:${admin}` },
      control: { socket: rig.socket },
      drain: { timeout: '5s' },
      log: { level: 'warn' },
      ...options.config,
    };
    if (site !== undefined) await rig.setSite(site);
    return rig;
  }

  /** Where it is asked over UDP and TCP. */
  get endpoint(): { host: string; port: number } {
    const [first] = this.endpoints;
    if (first === undefined) throw new Error('it listens nowhere');
    return first;
  }

  /** Taken up by itself within some seconds, or at once by reload(). */
  writeZone(zone: string, text: string): void {
    writeFileSync(join(this.zoneDirectory, `${zone}.zone`), text);
  }

  /** SIGHUP; resolves when the settings and files are in force. Throws when they are refused. */
  async reload(): Promise<void> {
    const before = await this.#reloadedAt();
    this.writeConfig();
    this.daemon?.kill('SIGHUP');
    await until('the reload', async () => (await this.#reloadedAt()) !== before);
    await this.refusedNothing();
  }

  async refusedNothing(): Promise<void> {
    const { drift } = await this.status();
    if (drift.length > 0) throw new Error(drift.join('; '));
  }

  /** Makes the dns' part of the site exactly these sections of a site file. */
  async setSite(sections: Record<string, unknown>): Promise<void> {
    const site = readSite([{ file: 'site', text: JSON.stringify(sections) }]);
    const wanted = site.objects.map(({ record }) => record);
    const { calls } = planApply(this.#stored, diffSite(this.#stored, wanted, SITE_KINDS));
    for (const { unit, changes } of calls) await this.store.apply(unit, changes);
    this.#stored = wanted;
  }

  /** Until what the store wants now is served. */
  async inForce(): Promise<void> {
    const heads = { dns: await this.store.head('dns'), pools: await this.store.head('pools') };
    await until('the site to be in force', async () => {
      const { units } = await this.status();
      return units.dns.version >= heads.dns.version && units.pools.version >= heads.pools.version;
    }).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.logText()}`);
    });
  }

  async status(): Promise<DnsStatus> {
    return (await this.statusJson()) as DnsStatus; // the daemon's own document
  }

  /** How often each end of a message was come to; those of nothing are 0. */
  async outcomes(): Promise<Record<string, number>> {
    return (await this.status()).outcomes;
  }

  async #reloadedAt(): Promise<string | undefined> {
    const metrics = await this.admin('/metrics');
    return /^edge_config_last_reload_timestamp_seconds.* (\S+)$/m.exec(metrics)?.[1];
  }
}

function hostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
