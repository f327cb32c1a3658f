// The addresses of targets of ALIAS that no served zone has (A7): asks resolvers for them, again
// before their TTL ends, and keeps the last good ones for a while when no resolver says anything.
import { type Clock, every } from '../../shared/clock.ts';
import { TYPES } from '../../shared/dns/constants.ts';
import { displayName } from '../../shared/dns/names.ts';
import { typeName } from '../../shared/dns/rdata.ts';
import type { Name } from '../../shared/dns/types.ts';
import { describeError } from '../../shared/errors.ts';
import type { Log } from '../../shared/log.ts';
import type { Endpoint } from '../../shared/net/ports.ts';
import { jitter, type Random } from '../../shared/random.ts';
import { LEAST_TTL_SECONDS, type OutsideAddresses, outsideKey } from '../answer/alias-table.ts';
import type { DnsEvent } from '../events.ts';
import type { Resolved } from './resolvers.ts';
import { MAX_TARGETS, type Outside } from './targets.ts';

/** For both bounds: of how long a TTL is believed, and how soon it is asked again. */
const MOST_TTL_SECONDS = 3600;
/** Beyond the TTL. */
const KEPT_MS = 3_600_000;
const TICK_MS = 200;
/** So at most 100 questions a second. */
const A_TICK = 20;
const UNDER_WAY = 32;
/** Of the TTL, when it is asked again. */
const REFRESH_SHARE = 0.85;
const RETRY_MS = 5000;
const RETRY_MAX_MS = 60_000;

type Known = { told: OutsideAddresses; from: string; atMs: number; goodUntilMs: number };
type Entry = {
  target: Name;
  type: number;
  dueMs: number;
  isUnderWay: boolean;
  known: Known | undefined;
  /** Of the last question, and how many have failed since one was answered. */
  problem: string | undefined;
  failures: number;
};

export type OutsideAliasesOptions = {
  resolvers: readonly Endpoint[];
  ask: (resolvers: readonly Endpoint[], target: Name, type: number) => Promise<Resolved>;
  /** The list is never changed, but replaced. */
  onChanged: (list: readonly OutsideAddresses[]) => void;
  clock: Clock;
  random: Random;
  signal: AbortSignal;
  log: Log<DnsEvent>;
};

export class OutsideAliases {
  /** Questions by what became of them. */
  readonly counts = { answered: 0, failed: 0 };
  readonly #options: OutsideAliasesOptions;
  readonly #entries = new Map<string, Entry>();
  #resolvers: readonly Endpoint[];
  #wanted: Outside | undefined;
  #underWay = 0;
  #isChanged = false;

  constructor(options: OutsideAliasesOptions) {
    this.#options = options;
    this.#resolvers = options.resolvers;
    every(options.clock, TICK_MS, () => this.#tick(), options.signal);
  }

  /** Whether anybody is asked at all. */
  get isOn(): boolean {
    return this.#resolvers.length > 0;
  }

  /** Those of which nothing is known, and is kept although nobody says it any more. */
  get states(): { fresh: number; kept: number; unknown: number } {
    const states = { fresh: 0, kept: 0, unknown: 0 };
    for (const { known, failures } of this.#entries.values()) {
      states[known === undefined ? 'unknown' : failures > 0 ? 'kept' : 'fresh']++;
    }
    return states;
  }

  /** Without any, what was known is known no more. */
  reload(resolvers: readonly Endpoint[]): void {
    this.#resolvers = resolvers;
    for (const entry of this.#entries.values()) {
      if (entry.failures > 0) entry.dueMs = 0;
    }
    if (this.#wanted !== undefined) this.want(this.#wanted);
  }

  /** In place of those before. */
  want(outside: Outside): void {
    const { log } = this.#options;
    if (outside.isCut && this.#wanted?.isCut !== true) {
      log.error('alias-targets-many', `more than ${MAX_TARGETS} targets of ALIAS`, {});
    }
    this.#wanted = outside;
    const targets = this.isOn ? outside.targets : new Map<string, Name>();
    const gone = new Map(this.#entries);
    for (const target of targets.values()) {
      for (const type of [TYPES.A, TYPES.AAAA]) {
        const key = outsideKey(target, type);
        if (!gone.delete(key)) this.#entries.set(key, newEntry(target, type));
      }
    }
    for (const [key, { known }] of gone) {
      this.#entries.delete(key);
      if (known !== undefined) this.#isChanged = true;
    }
    this.#askDue();
  }

  /** In words, for explain. */
  say(target: Name, type: number): string {
    const what = `${displayName(target)} ${typeName(type)} is in no zone here`;
    if (!this.isOn) return `${what}, and \`resolvers\` names nobody to ask`;
    const entry = this.#entries.get(outsideKey(target, type));
    if (entry === undefined) return `${what}, and is not asked for`;
    const { known, problem } = entry;
    if (known === undefined) return `${what}: ${problem ?? 'it is being asked for'}`;
    const { told, from, atMs } = known;
    const ageSeconds = Math.round((this.#options.clock.monotonicMs() - atMs) / 1000);
    const said = told.addresses.length === 0 ? 'that it has none' : 'its addresses';
    const last = `${what}: ${from} said ${said} ${ageSeconds} s ago, for ${told.ttlSeconds} s`;
    return problem === undefined ? last : `${last}; that is kept, as now ${problem}`;
  }

  #tick(): void {
    const nowMs = this.#options.clock.monotonicMs();
    for (const entry of this.#entries.values()) {
      if (entry.known === undefined || nowMs < entry.known.goodUntilMs) continue;
      entry.known = undefined;
      this.#isChanged = true;
    }
    if (this.#isChanged) this.#tell();
    this.#askDue();
  }

  #tell(): void {
    this.#isChanged = false;
    this.#options.onChanged([...this.#entries.values()].flatMap(({ known }) => known?.told ?? []));
  }

  #askDue(): void {
    const nowMs = this.#options.clock.monotonicMs();
    const room = Math.min(A_TICK, UNDER_WAY - this.#underWay);
    if (room <= 0 || !this.isOn) return;
    const due = [...this.#entries].filter(([, { dueMs, isUnderWay }]) => {
      return !isUnderWay && dueMs <= nowMs;
    });
    due.sort(([, one], [, other]) => one.dueMs - other.dueMs);
    for (const [key, entry] of due.slice(0, room)) void this.#ask(key, entry);
  }

  async #ask(key: string, entry: Entry): Promise<void> {
    entry.isUnderWay = true;
    this.#underWay++;
    const { ask } = this.#options;
    try {
      this.#learnt(entry, await ask(this.#resolvers, entry.target, entry.type));
      this.counts.answered++;
      if (this.#entries.get(key) === entry) this.#isChanged = true;
    } catch (error) {
      if (this.#options.signal.aborted) return;
      this.#failed(entry, describeError(error));
      this.counts.failed++;
    } finally {
      entry.isUnderWay = false;
      this.#underWay--;
    }
  }

  #learnt(entry: Entry, { addresses, ttlSeconds, from }: Resolved): void {
    const { clock, random } = this.#options;
    const { target, type } = entry;
    const ttl = Math.max(LEAST_TTL_SECONDS, Math.min(MOST_TTL_SECONDS, ttlSeconds));
    const nowMs = clock.monotonicMs();
    const freshUntilSeconds = Math.floor(clock.nowMs() / 1000) + ttl;
    const told = { target, type, addresses, ttlSeconds: ttl, freshUntilSeconds };
    entry.known = { told, from, atMs: nowMs, goodUntilMs: nowMs + 1000 * ttl + KEPT_MS };
    const waitMs = jitter(random, 1000 * ttl * REFRESH_SHARE, 0.1);
    entry.dueMs = nowMs + Math.max(1000 * LEAST_TTL_SECONDS, waitMs);
    entry.problem = undefined;
    entry.failures = 0;
  }

  #failed(entry: Entry, problem: string): void {
    const { clock, random, log } = this.#options;
    const { target, type, failures } = entry;
    const backoffMs = Math.min(RETRY_MAX_MS, RETRY_MS * 2 ** Math.min(failures, 10));
    entry.dueMs = clock.monotonicMs() + jitter(random, backoffMs);
    entry.problem = problem;
    entry.failures++;
    if (failures > 0) return;
    const name = displayName(target);
    log.warn('alias-unresolved', `${name} ${typeName(type)}: ${problem}`, { target: name });
  }
}

function newEntry(target: Name, type: number): Entry {
  const nothing = { known: undefined, problem: undefined, failures: 0 };
  return { target, type, dueMs: 0, isUnderWay: false, ...nothing };
}
