// Transfers of a running dns, both ways: who may have which zone, who is told of new versions, and
// what comes from primaries. Everything by the site's zones, and for those of files by the
// settings.
import { join } from 'node:path';
import type { Clock } from '../shared/clock.ts';
import { parseName } from '../shared/dns/names.ts';
import { describeError } from '../shared/errors.ts';
import type { Log } from '../shared/log.ts';
import type { Random } from '../shared/random.ts';
import type { Responder } from './answer/types.ts';
import type { DnsConfig } from './config.ts';
import type { DnsEvent } from './events.ts';
import type { DnsPlan } from './plan.ts';
import type { SmartAnswer } from './policy/types.ts';
import { readTsigSecret } from './settings.ts';
import { noTransfers } from './transfer/counts.ts';
import { Journal } from './transfer/journal.ts';
import { Notifier, type NotifyTarget } from './transfer/notifier.ts';
import { Secondaries } from './transfer/secondaries.ts';
import { TransferServer } from './transfer/server.ts';
import type { TransferPolicy, TransferZone } from './transfer/types.ts';
import type { TsigKey } from './tsig/tsig.ts';
import type { ServedZone, ZoneChange } from './zones/types.ts';
import type { TransferredZone } from './zones/wanted.ts';

export type TransfersOptions = {
  config: DnsConfig;
  responder: Pick<Responder, 'respond'>;
  /** What is served. */
  now: () => {
    plan: DnsPlan | undefined;
    served: ReadonlyMap<string, ServedZone>;
    smart: readonly SmartAnswer[];
  };
  /** Undefined: it has expired. */
  onTransferred: (zone: string, news: Omit<TransferredZone, 'copy'> | undefined) => void;
  clock: Clock;
  random: Random;
  log: Log<DnsEvent>;
};

type Terms = { policy: TransferPolicy; notify: readonly NotifyTarget[] };

export class Transfers {
  readonly counts = noTransfers();
  readonly server: TransferServer;
  readonly secondaries: Secondaries;
  readonly #options: TransfersOptions;
  readonly #keys = new Map<string, TsigKey>();
  readonly #journal = new Journal();
  readonly #notifier: Notifier;
  #config: DnsConfig;

  /** Throws a ConfigError when a key's file is no good. */
  constructor(options: TransfersOptions) {
    const { config, responder, clock, random, log, onTransferred } = options;
    const { counts } = this;
    const keys = this.#keys;
    this.#options = options;
    this.#config = config;
    this.#takeKeys(readKeys(config));
    this.server = new TransferServer({
      zoneOf: (zone) => this.#zoneOf(zone),
      keys,
      journal: this.#journal,
      responder,
      onNotify: (zone, primary, serial) => this.secondaries.notified(zone, primary, serial),
      onException: (error) => log.error('answer-failed', describeError(error), { error }),
      counts,
      nowSeconds: () => Math.floor(clock.nowMs() / 1000),
    });
    this.#notifier = new Notifier({
      keys,
      counts,
      clock,
      random,
      onFailed: (zone, target, why) =>
        log.warn('notify-unheard', `${zone}: ${target}: ${why}`, { zone, target }),
    });
    const { refreshMin: refreshMinMs, refreshMax: refreshMaxMs } = config.secondary;
    this.secondaries = new Secondaries({
      directory: join(config.stateDirectory, 'zones'),
      keys,
      counts,
      clock,
      random,
      limits: { refreshMinMs, refreshMaxMs },
      onZone: (zone, news) => onTransferred(zone, news === 'expired' ? undefined : news),
      onFailed: (zone, why) => log.warn('transfer-failed', `${zone}: ${why}`, { zone }),
    });
  }

  /** Zones with primaries are transferred in from now on. */
  want({ zones }: DnsPlan): void {
    const secondary = [...zones.values()].filter(({ primaries }) => primaries.length > 0);
    this.secondaries.want(new Map(secondary.map(({ name, primaries }) => [name, primaries])));
  }

  /** Reads the keys again; throws a ConfigError and keeps those before. */
  reload(config: DnsConfig): void {
    this.#takeKeys(readKeys(config));
    this.#config = config;
  }

  /** Zones are others than before: told of each, in order. */
  changed(changes: readonly ZoneChange[]): void {
    for (const { zone, before, after } of changes) {
      const { policy } = this.#termsOf(zone);
      if (after === undefined || before === undefined) this.#journal.forget(zone);
      else if (policy.prefixes.length + policy.keys.length > 0) {
        this.#journal.changed(zone, before.image, after.image);
      }
    }
  }

  /** They are in force, so that who hears of them finds them. */
  inForce(changes: readonly ZoneChange[]): void {
    for (const { zone, before, after } of changes) {
      if (after === undefined || after.image.serial === before?.image.serial) continue;
      this.#notifier.changed(zone, after.image, this.#termsOf(zone).notify);
    }
  }

  async stop(): Promise<void> {
    this.#notifier.stop();
    await this.secondaries.stop();
  }

  #takeKeys(keys: ReadonlyMap<string, TsigKey>): void {
    this.#keys.clear();
    for (const [name, key] of keys) this.#keys.set(name, key);
  }

  #zoneOf(zone: string): TransferZone | undefined {
    const { plan, served, smart } = this.#options.now();
    const image = served.get(zone)?.image;
    const object = plan?.zones.get(zone);
    const origin = image?.origin ?? (object === undefined ? undefined : parseName(zone));
    if (origin === undefined) return undefined;
    const { policy } = this.#termsOf(zone);
    return { origin, image, smart, policy, primaries: object?.primaries ?? [] };
  }

  #termsOf(zone: string): Terms {
    const { plan, served } = this.#options.now();
    const object = served.get(zone)?.source === 'file' ? undefined : plan?.zones.get(zone);
    if (object !== undefined) return { policy: object.transfer, notify: object.notify };
    const { prefixes, keys, notify } = this.#config.transfer;
    return { policy: { prefixes, keys }, notify: notify.map(targetOf) };
  }
}

function targetOf({ to, key }: DnsConfig['transfer']['notify'][number]): NotifyTarget {
  return key === undefined ? { to } : { to, key };
}

function readKeys({ keys }: DnsConfig): Map<string, TsigKey> {
  return new Map(
    keys.map(({ name: text, algorithm, secretFile }) => {
      const name = parseName(text);
      if (name === undefined) throw new Error(`${text} is no name`);
      return [text, { name, algorithm, secret: readTsigSecret(secretFile) }];
    }),
  );
}
