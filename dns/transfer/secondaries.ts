// All zones that are transferred in: which there are, from whom, and how many are asked for at a
// time.
import type { Clock } from '../../shared/clock.ts';
import { displayName, parseName } from '../../shared/dns/names.ts';
import { applyDiffs } from '../../shared/dns/zone/diff.ts';
import { parseEndpoint } from '../../shared/net/ports.ts';
import type { Random } from '../../shared/random.ts';
import type { TsigKey } from '../tsig/tsig.ts';
import { type Asking, askSerial, transferIn } from './ask.ts';
import { Copies } from './copies.ts';
import type { TransferCounts } from './counts.ts';
import {
  Secondary,
  type SecondaryOptions,
  type SecondaryStatus,
  type Upstream,
} from './secondary.ts';
import { Slots } from './slots.ts';
import type { Primary } from './types.ts';

/** Of all zones. */
const SERIALS_AT_A_TIME = 100;
const TRANSFERS_AT_A_TIME = 10;

export type SecondariesOptions = Pick<SecondaryOptions, 'limits' | 'onZone' | 'onFailed'> & {
  /** Where copies are kept: a directory of their own. */
  directory: string;
  /** By name. Looked at anew for each question. */
  keys: ReadonlyMap<string, TsigKey>;
  counts: TransferCounts;
  clock: Clock;
  random: Random;
  apply?: SecondaryOptions['apply'];
  /** Other than the network, for tests. */
  upstream?: Upstream;
};

export class Secondaries {
  readonly #options: SecondaryOptions;
  readonly #copies: Copies;
  readonly #zones = new Map<string, Secondary>();
  readonly #wanted = new Map<string, string>();
  readonly #stopping = new AbortController();

  constructor(options: SecondariesOptions) {
    const { directory, counts, apply = applyDiffs, ...rest } = options;
    const network = networkUpstream(options, this.#stopping.signal);
    const upstream = counted(options.upstream ?? network, counts);
    this.#copies = new Copies(directory);
    this.#options = { ...rest, apply, upstream, copies: this.#copies };
  }

  /**
   * All zones that there are to be, with their primaries in order. One that is new begins with its
   * copy on disk; the copy of one that is gone is removed.
   */
  want(zones: ReadonlyMap<string, readonly Primary[]>): void {
    for (const [zone, secondary] of this.#zones) {
      if (zones.has(zone)) continue;
      secondary.stop();
      this.#zones.delete(zone);
      this.#wanted.delete(zone);
      this.#copies.remove(zone).catch((error: unknown) => {
        this.#options.onFailed(zone, `its copy cannot be removed: ${String(error)}`);
      });
    }
    for (const [zone, primaries] of zones) this.#want(zone, primaries);
  }

  #want(zone: string, primaries: readonly Primary[]): void {
    const words = JSON.stringify(primaries);
    const known = this.#zones.get(zone);
    if (known !== undefined && this.#wanted.get(zone) === words) return;
    this.#wanted.set(zone, words);
    if (known !== undefined) {
      known.primaries = primaries;
      return;
    }
    const origin = parseName(zone);
    if (origin === undefined) throw new RangeError(`${zone} is no name`);
    const secondary = new Secondary(zone, origin, primaries, this.#options);
    this.#zones.set(zone, secondary);
    void secondary.start();
  }

  /** TransferServer's onNotify. */
  notified(zone: string, primary: Primary, serial: number | undefined): void {
    this.#zones.get(zone)?.notified(primary, serial);
  }

  /** At once; false: there is no such zone. `isWhole`: all of it, whatever the serial is. */
  refresh(zone: string, isWhole = false): boolean {
    const secondary = this.#zones.get(zone);
    secondary?.check({ isWhole });
    return secondary !== undefined;
  }

  status(): SecondaryStatus[] {
    return [...this.#zones.values()].map(({ status }) => status);
  }

  /** Resolves when copies are on disk. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the server stops'));
    for (const secondary of this.#zones.values()) secondary.stop();
    await this.#copies.settled();
  }
}

function networkUpstream(
  { keys, clock, random }: Pick<SecondariesOptions, 'keys' | 'clock' | 'random'>,
  signal: AbortSignal,
): Upstream {
  const asking = ({ from, key }: Primary, zone: Asking['zone']): Asking => {
    const endpoint = parseEndpoint(from);
    if (endpoint === undefined) throw new Error(`${from} is no host:port`);
    const tsig = key === undefined ? undefined : keys.get(key);
    if (key !== undefined && tsig === undefined) {
      throw new Error(`${displayName(zone)} from ${from}: the settings have no key ${key}`);
    }
    return { from: endpoint, zone, clock, random, signal, ...(tsig && { key: tsig }) };
  };
  return {
    serial: async (primary, zone) => askSerial(asking(primary, zone)),
    transfer: async (primary, zone, have) => transferIn(asking(primary, zone), have),
  };
}

/** In turn, and counted. */
function counted(upstream: Upstream, counts: TransferCounts): Upstream {
  const serials = new Slots(SERIALS_AT_A_TIME);
  const transfers = new Slots(TRANSFERS_AT_A_TIME);
  return {
    serial: (primary, zone) => serials.run(() => upstream.serial(primary, zone)),
    transfer: (primary, zone, have) =>
      transfers.run(async () => {
        try {
          const received = await upstream.transfer(primary, zone, have);
          if (received.kind !== 'current') {
            counts[received.kind === 'whole' ? 'axfr-in' : 'ixfr-in']++;
          }
          return received;
        } catch (error) {
          counts['in-failed']++;
          throw error;
        }
      }),
  };
}
