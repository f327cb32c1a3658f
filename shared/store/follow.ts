// Keeps a target equal to a unit of the store: notes the stream's tail, loads the state, follows
// the changes from there, and loads again whenever they do not join on. Without the store the
// target keeps what it has; at a start without it, it gets the last good snapshot.
import { EventEmitter } from 'node:events';
import { isDeepStrictEqual } from 'node:util';
import { describeError, OperationalError } from '../errors.ts';
import { jitter } from '../random.ts';
import { fieldOf } from './changes.ts';
import { Contact } from './contact.ts';
import { strayEntries } from './damage.ts';
import { EMPTY_DIGEST } from './digest.ts';
import type { StoreEvent } from './events.ts';
import type { FollowerOptions } from './follow-options.ts';
import { Load } from './load.ts';
import { compareIds } from './memory-unit.ts';
import { accident, orRefusal, refusalOf } from './refusal.ts';
import type { Position, SnapshotDraft } from './snapshot.ts';
import { LastGood } from './snapshot.ts';
import { peekPosition, readSnapshot } from './snapshot-read.ts';
import type { Change, FollowStatus, Head, Refusal } from './types.ts';

const BLOCK_MS = 2000;
const DIGEST_INTERVAL_MS = 60_000;
const LAG_CHECK_MS = 1000;
const FIRST_RESET_PAUSE_MS = 100;
const MAX_RESET_PAUSE_MS = 10_000;
const MAX_PENDING = 100_000;
const REWRITE_INTERVAL_MS = 60_000;
const TORN_ALLOWED_AFTER = 2;

const nothing: Position = { version: 0, digest: EMPTY_DIGEST, tail: '0-0', count: 0 };

/** Emits `change` with the status whenever anything but lastContactMs is another. */
export class Follower extends EventEmitter<{ change: [FollowStatus] }> {
  readonly #options: FollowerOptions;
  readonly #lastGood: LastGood | undefined;
  readonly #contact: Contact;
  /** What the target holds. */
  #held: Position = nothing;
  #source: FollowStatus['source'] = 'none';
  /** How far the stream was read. */
  #seen: Position = nothing;
  #desiredVersion = 0;
  /** Read, but not taken by the target. */
  #pending = new Map<string, Change>();
  /** Why the target did not take them. */
  #refused: string[] | undefined;
  #warning: string | undefined;
  /** What is wrong with the store's own keys. */
  #damage: string | undefined;
  /** The changes read last do not join on. */
  #unjoined = false;
  /** The state as a whole was not taken: with the next change, load it again. */
  #behind = false;
  #mustReset = true;
  #mustCompare = false;
  #compareAtMs = 0;
  #resetAtMs = 0;
  #resetPauses = 0;
  #lagAt: string | undefined;
  #torn = { version: -1, times: 0 };
  #confirmed = false;
  #rewrittenMs = 0;
  #rewriting: Promise<void> | undefined;
  #lastEmitted = '';

  /** Resolves when the signal has aborted and everything is written. */
  stopped: Promise<void> = Promise.resolve();

  constructor(options: FollowerOptions) {
    super();
    this.#options = options;
    this.#contact = new Contact(options);
    const { snapshotPath: path, unit, clock, log } = options;
    this.#lastGood = path === undefined ? undefined : new LastGood({ path, unit, clock, log });
  }

  /**
   * Resolves once the target holds a state, from the store or else from disk, or once neither has
   * one (status().source is then `none`). Follows until the signal aborts.
   */
  async start(signal: AbortSignal): Promise<void> {
    await this.#turn(signal);
    if (this.#source === 'none') await this.#loadFromDisk();
    this.#emit();
    this.stopped = this.#run(signal);
  }

  status(): FollowStatus {
    const troubles = [this.#warning, this.#damage].filter((one) => one !== undefined);
    const drift = [...(this.#refused ?? []), ...troubles];
    return {
      version: this.#held.version,
      desiredVersion: this.#desiredVersion,
      lastContactMs: this.#contact.ageMs,
      source: this.#source,
      storeUp: this.#contact.up,
      ...(drift.length > 0 ? { drift } : {}),
    };
  }

  /** Says that a store which went back in time, or lost most objects, is meant so. */
  confirm(): void {
    this.#confirmed = true;
    this.#mustReset = true;
    this.#resetAtMs = 0;
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#turn(signal);
      await this.#contact.pause(signal);
    }
    await this.#rewriting;
    await this.#lastGood?.close();
  }

  /** One exchange with the store. */
  async #turn(signal: AbortSignal): Promise<void> {
    try {
      await this.#step(signal);
      if (this.#damage === undefined) this.#contact.succeeded();
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof OperationalError)) throw error;
      this.#mustCompare = true;
      this.#contact.failed(error);
      if (error.code === 'EDGE_STORE_DAMAGED') this.#tellDamage(describeError(error));
    }
    this.#emit();
  }

  async #step(signal: AbortSignal): Promise<void> {
    const nowMs = this.#options.clock.monotonicMs();
    if (this.#mustReset) return this.#resetInTime(signal, nowMs);
    if (this.#mustCompare || nowMs >= this.#compareAtMs) return this.#compare();
    this.#rewriteIfDue(signal);
    return this.#readOn(signal, nowMs);
  }

  async #readOn(signal: AbortSignal, nowMs: number): Promise<void> {
    const { store, unit } = this.#options;
    const waitMs = Math.max(1, Math.min(BLOCK_MS, this.#compareAtMs - nowMs));
    const entries = await store.read(unit, this.#seen.tail, waitMs, signal);
    this.#contact.answered();
    if (entries === 'trimmed') return this.#reload('the change stream was trimmed', true);
    if (entries.length === 0 && this.#lagAt === this.#seen.tail) {
      return this.#reload('the changes do not come');
    }
    for (const { id, version, digestBefore, digest, count, changes } of entries) {
      if (version !== this.#seen.version + 1 || digestBefore !== this.#seen.digest) {
        return this.#reload(`version ${version} does not follow ${this.#seen.version}`, true);
      }
      this.#seen = { version, digest, tail: id, count };
      this.#desiredVersion = version;
      for (const change of changes) this.#pending.set(fieldOf(change.kind, change.id), change);
    }
    this.#damage = undefined;
    if (this.#behind) {
      this.#pending.clear();
      this.#mustReset = entries.length > 0;
    } else if (entries.length > 0) {
      this.#offer();
    }
  }

  /** Everything pending, all or nothing. */
  #offer(): void {
    const changes = [...this.#pending.values()];
    const refusal = orRefusal(() => this.#options.target.change(changes, this.#seen.version));
    if (refusal === undefined) {
      this.#held = this.#seen;
      this.#source = 'store';
      this.#pending.clear();
      this.#refused = undefined;
      this.#lastGood?.record(changes, this.#held);
      return;
    }
    this.#refuse(refusal);
    if (this.#pending.size > MAX_PENDING) {
      this.#behind = true; // from now on it is cheaper to load everything
      this.#pending.clear();
    }
  }

  async #compare(): Promise<void> {
    const { store, unit, clock, random, digestIntervalMs } = this.#options;
    const head = await store.head(unit);
    this.#contact.answered();
    this.#mustCompare = false;
    this.#compareAtMs =
      clock.monotonicMs() + jitter(random, digestIntervalMs ?? DIGEST_INTERVAL_MS);
    this.#desiredVersion = head.version;
    const seen = this.#seen;
    if (head.tail === seen.tail && head.version === seen.version && head.digest === seen.digest) {
      this.#lagAt = undefined;
      if (this.#held.version === head.version && !this.#behind) this.#source = 'store';
      if (this.#behind) this.#mustReset = true;
      else if (this.#pending.size > 0) this.#offer();
      return;
    }
    const ahead = head.version > seen.version && compareIds(head.tail, seen.tail) > 0;
    if (!ahead)
      return this.#reload(`the store stands at version ${head.version}, not ${seen.version}`);
    this.#lagAt = seen.tail; // they should: look again soon
    this.#compareAtMs = clock.monotonicMs() + LAG_CHECK_MS;
  }

  #reload(why: string, unjoined = false): void {
    const known = unjoined && this.#damage !== undefined; // and was told
    if (!known) this.#options.log.info('store-reload', `${why}: reading everything again`);
    this.#mustReset = true;
    this.#unjoined = unjoined;
  }

  /** It is looked at again and again, but the less often the longer it lasts. */
  #tellDamage(damage: string): void {
    this.#contact.answered();
    if (damage !== this.#damage) this.#options.log.error('store-damaged', damage);
    this.#damage = damage;
  }

  /**
   * Not at once after a refusal: a state that keeps changing and stays wrong is not read all day.
   */
  async #resetInTime(signal: AbortSignal, nowMs: number): Promise<void> {
    const leftMs = this.#resetAtMs - nowMs;
    if (leftMs > 0) await this.#options.clock.sleep(Math.ceil(leftMs), signal);
    return this.#reset(signal);
  }

  async #reset(signal: AbortSignal): Promise<void> {
    const { store, unit, target, log } = this.#options;
    const head = await store.head(unit);
    this.#contact.answered();
    if (this.#source === 'none' && (await this.#wasMore(head))) await this.#loadFromDisk();
    this.#desiredVersion = head.version;
    this.#mustReset = false;
    const holds = this.#source === 'store' && isDeepStrictEqual(head, this.#held);
    if (holds && this.#unjoined) throw strayEntries(unit);
    if (this.#isAccident(head)) return;
    const draft = this.#lastGood?.begin(head);
    const load = new Load(store, unit, head, draft, signal);
    load.tornAllowed =
      this.#torn.version === head.version && this.#torn.times >= TORN_ALLOWED_AFTER;
    const refusal = await target
      .reset(load.batches(), head.version, 'store')
      .catch((error: unknown) => (load.failure === undefined ? refusalOf(error) : undefined));
    if (load.failure !== undefined) {
      draft?.discard();
      this.#mustReset = true;
      this.#noteTorn(load, head);
      throw load.failure;
    }
    this.#seen = head;
    this.#pending.clear();
    if (refusal !== undefined) {
      draft?.discard();
      this.#refuse(refusal);
      this.#fallBehind();
      return;
    }
    this.#taken(head, 'store');
    this.#warning = load.torn ? "the store's objects do not add up to its digest" : undefined;
    if (load.torn) log.warn('digest-mismatch', this.#warning ?? '', { version: head.version });
    this.#lastGood?.detach();
    await draft?.finish(load.settledBy);
    log.info('state-taken', `${load.count} objects at version ${head.version}`);
  }

  #taken(position: Position, source: 'store' | 'disk'): void {
    this.#held = position;
    this.#source = source;
    this.#refused = undefined;
    this.#behind = false;
    this.#confirmed = false;
    this.#resetPauses = 0;
    this.#rewrittenMs = this.#options.clock.monotonicMs();
  }

  #fallBehind(): void {
    this.#behind = true;
    const pauseMs = FIRST_RESET_PAUSE_MS * 2 ** Math.min(this.#resetPauses++, 10);
    this.#resetAtMs = this.#options.clock.monotonicMs() + Math.min(pauseMs, MAX_RESET_PAUSE_MS);
  }

  /** Before anything is held: what the last run held, as far as the end of its file tells. */
  async #wasMore(head: Head): Promise<boolean> {
    const { snapshotPath: path } = this.#options;
    const last = path === undefined ? undefined : await peekPosition(path);
    return last !== undefined && accident(last, head) !== undefined;
  }

  #isAccident(head: Head): boolean {
    if (this.#source === 'none' || this.#confirmed) return false;
    const refusal = accident(this.#held, head);
    if (refusal === undefined) return false;
    this.#seen = head;
    this.#pending.clear();
    this.#refuse(refusal, 'state-implausible');
    this.#behind = true; // to look again costs no more than the head
    return true;
  }

  #noteTorn(load: Load, head: Head): void {
    if (!load.torn) return;
    const again = this.#torn.version === head.version;
    this.#torn = { version: head.version, times: again ? this.#torn.times + 1 : 1 };
  }

  async #loadFromDisk(): Promise<void> {
    const { snapshotPath: path, unit, target, log } = this.#options;
    if (path === undefined) return;
    try {
      const snapshot = await readSnapshot(path, unit);
      if (snapshot === undefined) return;
      const { position } = snapshot;
      const refusal = await target.reset(snapshot.objects(), position.version, 'disk');
      if (refusal !== undefined) {
        log.error('snapshot-refused', 'the last good snapshot was refused', { ...refusal, path });
        return;
      }
      const refused = this.#refused; // of the store's state, which still is not held
      const behind = this.#behind;
      this.#taken(position, 'disk');
      this.#behind = behind;
      if (refused !== undefined) this.#refused = refused;
      else if (this.#torn.times === 0) this.#resumeFrom(position);
      if (snapshot.cutOff)
        log.warn('snapshot-refused', 'the last change in it is cut off', { path });
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      log.error('snapshot-refused', describeError(error), { path });
    }
  }

  /** The store may still have every change since: then nothing has to be loaded. */
  #resumeFrom(position: Position): void {
    this.#seen = position;
    this.#desiredVersion = position.version;
    this.#mustReset = false;
    this.#mustCompare = true;
  }

  #rewriteIfDue(signal: AbortSignal): void {
    const file = this.#lastGood;
    if (file === undefined || this.#rewriting !== undefined || this.#source !== 'store') return;
    if (this.#hasDrift) return;
    if (file.attached && !file.outgrown) return;
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs - this.#rewrittenMs < REWRITE_INTERVAL_MS) return;
    this.#rewrittenMs = nowMs;
    this.#rewriting = this.#rewrite(file.begin(this.#held), signal).finally(() => {
      this.#rewriting = undefined;
    });
  }

  /** The target does not hold what was seen of the store. */
  get #hasDrift(): boolean {
    return this.#behind || this.#pending.size > 0 || this.#mustReset;
  }

  /** Beside the following: changes taken meanwhile go into the draft too, and settle it. */
  async #rewrite(draft: SnapshotDraft, signal: AbortSignal): Promise<void> {
    const { store, unit, log } = this.#options;
    try {
      const load = new Load(store, unit, await store.head(unit), draft, signal);
      for await (const _ of load.batches()) if (this.#hasDrift) break;
      if (this.#hasDrift) draft.discard();
      else await draft.finish(load.settledBy);
    } catch (error) {
      draft.discard();
      if (signal.aborted) return;
      log.warn('snapshot-unwritten', describeError(error), { error });
    }
  }

  #refuse({ reasons }: Refusal, event: StoreEvent = 'state-refused'): void {
    this.#refused = reasons;
    const version = this.#desiredVersion;
    this.#options.log.error(event, reasons[0] ?? 'refused', {
      version,
      reasons: reasons.slice(0, 20),
    });
  }

  #emit(): void {
    const status = this.status();
    const text = JSON.stringify({ ...status, lastContactMs: 0 });
    if (text === this.#lastEmitted) return;
    this.#lastEmitted = text;
    this.emit('change', status);
  }
}
