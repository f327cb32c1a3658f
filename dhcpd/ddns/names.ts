// Takes the names of leases from changes as they are done to Redis, off the path of packets: the
// latest of each address waits, and is written zone by zone. What is lost with a process comes back
// with the client's next renewal.
import type { Clock } from '../../shared/clock.ts';
import { describeError } from '../../shared/errors.ts';
import type { Log } from '../../shared/log.ts';
import { formatIpv4 } from '../../shared/net/ipv4.ts';
import { jitter, type Random } from '../../shared/random.ts';
import { Counters } from '../counters.ts';
import type { Item, ItemResult } from '../leases/types.ts';
import type { Plan } from '../plan/types.ts';
import { NAME_CODE, type NameRecords, type NamesWritten } from './records.ts';
import { merged, type NameChange, type Named, namedBy, zonesOf } from './wanted.ts';

export type NamesOptions = {
  records: NameRecords;
  /** Undefined: none yet. */
  plan: () => Plan | undefined;
  clock: Clock;
  random: Random;
  log: Log<'name-taken' | 'name-refused' | 'names-unwritten'>;
};

/** Addresses whose change waits; more are dropped, and counted. */
export const MAX_WAITING = 10_000;
/** Some 10 µs each in Redis, where leases wait meanwhile. */
const CHANGES_PER_CALL = 32;
const AGAIN_MS = 1000;
const SWEEP_MS = 10_000;
/** Of each zone, one after the other, as long as there is more to take away. */
const CALLS_PER_SWEEP = 10;

export class Names {
  /** By what became of them. */
  readonly counts = new Counters();
  readonly #options: NamesOptions;
  readonly #stopping = new AbortController();
  /** By zone and address. */
  #waiting = new Map<string, NameChange>();
  #zones: { plan: Plan; names: readonly string[] } | undefined;
  #working: Promise<void> | undefined;
  #sweeping: Promise<void> = Promise.resolve();
  #hasFailed = false;

  constructor(options: NamesOptions) {
    this.#options = options;
    this.#sweepLater();
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Those of the plan in force. */
  get zones(): readonly string[] {
    const plan = this.#options.plan();
    if (plan === undefined) return [];
    if (this.#zones?.plan !== plan) this.#zones = { plan, names: zonesOf(plan) };
    return this.#zones.names;
  }

  /** What ran against the leases; never throws, never waits. */
  saw(items: readonly Item[], results: readonly ItemResult[]): void {
    const plan = this.#options.plan();
    if (plan === undefined || this.zones.length === 0) return;
    for (const [at, item] of items.entries()) {
      const result = results[at];
      const named = result === undefined ? undefined : namedBy(plan, item, result);
      if (named !== undefined) this.#take(named);
    }
    this.#work();
  }

  /** What waits is written, if Redis answers. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('stopped'));
    await this.#working;
    await this.#sweeping;
    this.#options.records.close();
  }

  #take({ change, why, name }: Named): void {
    if (why !== undefined) this.counts.add(why);
    if (why === 'reserved' || why === 'unfit') {
      const address = formatIpv4(change.address);
      const text = `${address} asked for the name ${JSON.stringify(name)}: ${why}`;
      this.#options.log.info('name-refused', text, { address, zone: change.zone, why });
    }
    const key = keyOf(change);
    const before = this.#waiting.get(key);
    if (before === undefined && this.#waiting.size >= MAX_WAITING) this.counts.add('dropped');
    else this.#waiting.set(key, merged(before, change));
  }

  #work(): void {
    if (this.#waiting.size === 0 || this.#stopping.signal.aborted) return;
    this.#working ??= this.#writeAll().finally(() => {
      this.#working = undefined;
    });
  }

  async #writeAll(): Promise<void> {
    const { clock, random } = this.#options;
    const { signal } = this.#stopping;
    while (this.#waiting.size > 0) {
      const batch = this.#batch();
      if (await this.#write(batch.zone, batch.changes)) continue;
      for (const change of batch.changes) this.#putBack(change);
      if (signal.aborted) return;
      await clock.sleep(jitter(random, AGAIN_MS), signal).catch(() => {}); // once more at the stop
    }
  }

  /** The longest waiting, and others of its zone. */
  #batch(): { zone: string; changes: NameChange[] } {
    const changes: NameChange[] = [];
    let zone = '';
    for (const [key, change] of this.#waiting) {
      if (changes.length === 0) zone = change.zone;
      if (change.zone !== zone) continue;
      changes.push(change);
      this.#waiting.delete(key);
      if (changes.length >= CHANGES_PER_CALL) break;
    }
    return { zone, changes };
  }

  /** What came meanwhile is later than this. */
  #putBack(change: NameChange): void {
    const key = keyOf(change);
    const since = this.#waiting.get(key);
    this.#waiting.set(key, since === undefined ? change : merged(change, since));
  }

  async #write(zone: string, changes: readonly NameChange[]): Promise<NamesWritten | undefined> {
    try {
      const written = await this.#options.records.write(zone, changes);
      this.#hasFailed = false;
      for (const [at, change] of changes.entries()) this.#count(change, written.codes[at]);
      for (let ended = 0; ended < written.ended; ended++) this.counts.add('ended');
      return written;
    } catch (error) {
      this.counts.add('failed');
      if (!this.#hasFailed) {
        const text = `${zone}: ${describeError(error)}`;
        this.#options.log.warn('names-unwritten', text, { zone, changes: changes.length });
      }
      this.#hasFailed = true;
      return undefined;
    }
  }

  #count(change: NameChange, code: string | undefined): void {
    if (code === NAME_CODE.done) this.counts.add(change.op === 'remove' ? 'removed' : 'written');
    if (code !== NAME_CODE.taken || change.op !== 'set') return;
    this.counts.add('taken');
    const { zone, name } = change;
    const address = formatIpv4(change.address);
    const text = `${name}.${zone} is another client's, ${address} goes without`;
    this.#options.log.info('name-taken', text, { name, zone, address });
  }

  #sweepLater(): void {
    const { clock, random } = this.#options;
    const sweep = () => {
      this.#sweeping = this.#sweep().finally(() => this.#sweepLater());
    };
    if (!this.#stopping.signal.aborted) {
      clock.after(jitter(random, SWEEP_MS), sweep, this.#stopping.signal);
    }
  }

  async #sweep(): Promise<void> {
    for (const zone of this.zones) {
      for (let call = 0; call < CALLS_PER_SWEEP; call++) {
        if (this.#stopping.signal.aborted) return;
        const written = await this.#write(zone, []);
        if (written === undefined) return; // the next time
        if (written.ended === 0) break;
      }
    }
  }
}

function keyOf({ zone, address }: NameChange): string {
  return `${address} ${zone}`;
}
