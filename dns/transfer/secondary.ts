// One zone that is transferred in (RFC 1034 §4.3.5, RFC 1995, RFC 1996): asks its primaries at the
// times that its SOA says, takes what is newer, and expires when nobody has answered for too long.
// Everything it touches is injected.
import type { Clock } from '../../shared/clock.ts';
import type { Name } from '../../shared/dns/types.ts';
import type { ZoneDiff } from '../../shared/dns/zone/diff.ts';
import { RecordList, type RecordMemory } from '../../shared/dns/zone/record-list.ts';
import { MIN_SOA_BYTES, soaIndex } from '../../shared/dns/zone/soa.ts';
import type { Zone, ZoneResult } from '../../shared/dns/zone/types.ts';
import { describeError } from '../../shared/errors.ts';
import { jitter, type Random } from '../../shared/random.ts';
import { compact } from './compact.ts';
import type { Copies } from './copies.ts';
import type { Received } from './incoming.ts';
import { isNewerSerial } from './serial.ts';
import type { Primary } from './types.ts';

/** What is to be served of a zone from now on. */
export type ZoneNews = { records: RecordMemory; serial: number } | 'expired';

export type Upstream = {
  serial(primary: Primary, origin: Name): Promise<number>;
  /** `have`: differences from that serial will do. */
  transfer(primary: Primary, origin: Name, have: number | undefined): Promise<Received>;
};

export type SecondaryOptions = {
  upstream: Upstream;
  copies: Pick<Copies, 'load' | 'save' | 'touch'>;
  /** For refresh and retry, whatever the SOA says. */
  limits: { refreshMinMs: number; refreshMaxMs: number };
  /** applyDiffs(), in another thread maybe. */
  apply: (zone: Zone, diffs: readonly ZoneDiff[]) => Promise<ZoneResult> | ZoneResult;
  clock: Clock;
  random: Random;
  onZone: (zone: string, news: ZoneNews) => void;
  /** Of one attempt, in words; others follow. */
  onFailed: (zone: string, why: string) => void;
};

export type SecondaryStatus = {
  zone: string;
  /** `waiting`: nothing was transferred yet. */
  state: 'waiting' | 'current' | 'expired';
  serial?: number;
  primaries: readonly string[];
  /** From whom the last good word came. */
  heardFrom?: string;
  /** ms since the epoch: the last time that a primary said that the copy is the newest. */
  checkedMs?: number;
  nextMs: number;
  expiresMs?: number;
  /** Since the last success. */
  failures: number;
  error?: string;
};

type Held = { records: RecordMemory; serial: number } & Record<
  'refreshMs' | 'retryMs' | 'expireMs',
  number
>;

/** Between checks that NOTIFY asks for: anybody can send it in a primary's name. */
const LEAST_GAP_MS = 1000;
/** Timers do not take much more; and a clock that jumped is noticed. */
const LONGEST_SLEEP_MS = 3_600_000;
/** Without a SOA that says when to try again. */
const LONGEST_FIRST_RETRY_MS = 900_000;

export class Secondary {
  readonly zone: string;
  readonly #origin: Name;
  readonly #options: SecondaryOptions;
  #primaries: readonly Primary[];
  #held: Held | undefined;
  #isExpired = false;
  /** On the monotonic clock; of what is held. */
  #checkedMs = 0;
  #nextMs: number;
  /** When the last check began. */
  #beganMs = Number.NEGATIVE_INFINITY;
  #isChecking = false;
  #isWhole = false;
  /** Who said NOTIFY: asked first. */
  #notifier: Primary | undefined;
  /** Asked for a check while one was under way. */
  #isDueAgain = false;
  #failures = 0;
  #error: string | undefined;
  #heardFrom: string | undefined;
  #isStopped = false;
  #cancel: () => void = () => {};

  constructor(
    zone: string,
    origin: Name,
    primaries: readonly Primary[],
    options: SecondaryOptions,
  ) {
    this.zone = zone;
    this.#origin = origin;
    this.#primaries = primaries;
    this.#options = options;
    this.#nextMs = options.clock.monotonicMs();
  }

  /** With the copy on disk; then the primaries are asked. */
  async start(): Promise<void> {
    const { copies, clock, onZone } = this.#options;
    try {
      const copy = await copies.load(this.zone);
      if (copy !== undefined && !this.#isStopped) {
        const ageMs = Math.max(0, clock.nowMs() - copy.checkedMs);
        this.#hold(copy, ageMs);
        this.#isExpired = ageMs >= (this.#held?.expireMs ?? 0);
        onZone(this.zone, this.#isExpired ? 'expired' : copy);
      }
    } catch (error) {
      this.#fail(error);
    }
    this.#arm();
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel();
  }

  set primaries(primaries: readonly Primary[]) {
    this.#primaries = primaries;
    this.check();
  }

  /** Now; `isWhole`: a whole transfer whatever the serial is. */
  check({ isWhole = false, notifier }: { isWhole?: boolean; notifier?: Primary } = {}): void {
    this.#isWhole ||= isWhole;
    this.#notifier = notifier ?? this.#notifier;
    if (this.#isChecking) this.#isDueAgain = true;
    else {
      const nowMs = this.#options.clock.monotonicMs();
      const soonestMs = notifier === undefined ? nowMs : this.#beganMs + LEAST_GAP_MS;
      this.#nextMs = Math.min(Math.max(nowMs, soonestMs), Math.max(nowMs, this.#nextMs));
      this.#arm();
    }
  }

  /** NOTIFY; what it says of the serial is not proved, but may spare a question. */
  notified(primary: Primary, serial: number | undefined): void {
    const held = this.#isExpired ? undefined : this.#held;
    if (held !== undefined && serial !== undefined && !isNewerSerial(serial, held.serial)) return;
    this.check({ notifier: primary });
  }

  get status(): SecondaryStatus {
    const held = this.#held;
    return {
      zone: this.zone,
      state: held === undefined ? 'waiting' : this.#isExpired ? 'expired' : 'current',
      primaries: this.#primaries.map(({ from }) => from),
      nextMs: this.#wallMs(this.#nextMs),
      failures: this.#failures,
      ...(this.#error === undefined ? {} : { error: this.#error }),
      ...(this.#heardFrom === undefined ? {} : { heardFrom: this.#heardFrom }),
      ...(held === undefined
        ? {}
        : {
            serial: held.serial,
            checkedMs: this.#wallMs(this.#checkedMs),
            expiresMs: this.#wallMs(this.#checkedMs + held.expireMs),
          }),
    };
  }

  #wallMs(monotonicMs: number): number {
    const { clock } = this.#options;
    return Math.round(clock.nowMs() + monotonicMs - clock.monotonicMs());
  }

  #arm(): void {
    this.#cancel();
    if (this.#isStopped) return;
    const { clock } = this.#options;
    const nowMs = clock.monotonicMs();
    const expiresMs =
      this.#held === undefined || this.#isExpired
        ? Number.POSITIVE_INFINITY
        : this.#checkedMs + this.#held.expireMs;
    const dueMs = Math.min(this.#isChecking ? Number.POSITIVE_INFINITY : this.#nextMs, expiresMs);
    const sleepMs = Math.min(Math.max(0, dueMs - nowMs), LONGEST_SLEEP_MS);
    this.#cancel = clock.after(sleepMs, () => this.#wake());
  }

  #wake(): void {
    const { clock, onZone } = this.#options;
    const nowMs = clock.monotonicMs();
    if (this.#held !== undefined && !this.#isExpired) {
      this.#isExpired = nowMs >= this.#checkedMs + this.#held.expireMs;
      if (this.#isExpired) onZone(this.zone, 'expired');
    }
    if (!this.#isChecking && nowMs >= this.#nextMs) void this.#check();
    this.#arm();
  }

  async #check(): Promise<void> {
    this.#isChecking = true;
    this.#beganMs = this.#options.clock.monotonicMs();
    const notifier = this.#notifier;
    this.#notifier = undefined;
    const isWhole = this.#isWhole;
    this.#isWhole = false;
    const first = this.#primaries.filter((each) => each === notifier);
    const others = this.#primaries.filter((each) => each !== notifier);
    let isDone = false;
    for (const primary of [...first, ...others]) {
      isDone = await this.#attempt(primary, isWhole);
      if (this.#isStopped) return;
      if (isDone) break;
    }
    if (!isDone) {
      this.#failures++;
      this.#isWhole ||= isWhole;
    }
    this.#isChecking = false;
    const { clock, random } = this.#options;
    const nowMs = clock.monotonicMs();
    this.#nextMs = this.#isDueAgain
      ? Math.max(nowMs, this.#beganMs + LEAST_GAP_MS)
      : nowMs + jitter(random, this.#pauseMs(isDone), 0.1);
    this.#isDueAgain = false;
    this.#arm();
  }

  #pauseMs(isDone: boolean): number {
    const { refreshMinMs, refreshMaxMs } = this.#options.limits;
    const wanted = isDone ? this.#held?.refreshMs : this.#held?.retryMs;
    const first = Math.min(refreshMinMs * 2 ** (this.#failures - 1), LONGEST_FIRST_RETRY_MS);
    return Math.max(refreshMinMs, Math.min(refreshMaxMs, wanted ?? first));
  }

  /** Whether what is held is now what the primary has. */
  async #attempt(primary: Primary, isWhole: boolean): Promise<boolean> {
    const { upstream } = this.#options;
    const held = isWhole ? undefined : this.#held;
    try {
      const serial = await upstream.serial(primary, this.#origin);
      if (this.#isStopped) return false;
      if (held !== undefined && serial === held.serial) {
        this.#confirmed(primary);
        return true;
      }
      if (held !== undefined && !isNewerSerial(serial, held.serial)) {
        throw new Error(`${primary.from} has serial ${serial}, older than ${held.serial} here`);
      }
      await this.#fetch(primary, held);
      return true;
    } catch (error) {
      this.#fail(error);
      return false;
    }
  }

  async #fetch(primary: Primary, held: Held | undefined): Promise<void> {
    const { upstream } = this.#options;
    const received = await upstream.transfer(primary, this.#origin, held?.serial);
    const news = await this.#newsOf(primary, received, held);
    if (this.#isStopped) return;
    if (news === undefined) this.#confirmed(primary);
    else this.#take(primary, news);
  }

  /** Undefined: what is held is the newest. */
  async #newsOf(
    primary: Primary,
    received: Received,
    held: Held | undefined,
  ): Promise<{ records: RecordMemory; serial: number } | undefined> {
    const { upstream, apply } = this.#options;
    if (received.kind === 'whole') {
      return { records: compact(received.records).memory, serial: received.serial };
    }
    if (held === undefined) throw new Error(`${primary.from} sent no whole zone`);
    if (received.kind === 'current') {
      if (received.serial === held.serial) return undefined;
      throw new Error(`${primary.from} has serial ${received.serial}, not a newer one`);
    }
    const records = RecordList.of(held.records);
    const zone = { origin: this.#origin, serial: held.serial, records };
    const { zone: changed, problems } = await apply(zone, received.diffs);
    if (changed !== undefined) {
      return { records: compact(changed.records).memory, serial: changed.serial };
    }
    // They are not differences of what is here: all of it, then.
    this.#options.onFailed(this.zone, problems[0]?.message ?? 'the differences do not fit');
    return await this.#newsOf(
      primary,
      await upstream.transfer(primary, this.#origin, undefined),
      undefined,
    );
  }

  #confirmed(primary: Primary): void {
    const { clock, copies, onZone } = this.#options;
    const held = this.#held;
    this.#succeeded(primary);
    this.#checkedMs = clock.monotonicMs();
    if (held !== undefined && this.#isExpired) {
      this.#isExpired = false;
      onZone(this.zone, { records: held.records, serial: held.serial });
    }
    void this.#onDisk(async () => {
      const nowMs = clock.nowMs();
      if (held === undefined || (await copies.touch(this.zone, nowMs))) return;
      await copies.save(this.zone, held, nowMs);
    });
  }

  #take(primary: Primary, news: { records: RecordMemory; serial: number }): void {
    const { clock, copies, onZone } = this.#options;
    this.#hold(news, 0);
    this.#isExpired = false;
    this.#succeeded(primary);
    onZone(this.zone, news);
    void this.#onDisk(() => copies.save(this.zone, news, clock.nowMs()));
  }

  #hold(news: { records: RecordMemory; serial: number }, ageMs: number): void {
    const soa = soaNumbers(news.records, this.#origin);
    this.#held = { ...news, ...soa };
    this.#checkedMs = this.#options.clock.monotonicMs() - ageMs;
  }

  #succeeded(primary: Primary): void {
    this.#heardFrom = primary.from;
    this.#failures = 0;
    this.#error = undefined;
  }

  /** Without its file a zone is served all the same, until the next start. */
  async #onDisk(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (this.#isStopped) return;
    this.#error = describeError(error);
    this.#options.onFailed(this.zone, this.#error);
  }
}

/** Throws for a zone without a whole SOA. */
function soaNumbers(records: RecordMemory, origin: Name) {
  const list = RecordList.of(records);
  const index = soaIndex(list, origin);
  const rdata = index < 0 ? new Uint8Array(0) : list.rdata(index);
  if (rdata.length < MIN_SOA_BYTES) throw new Error('the zone has no SOA');
  const view = new DataView(rdata.buffer, rdata.byteOffset + rdata.length - 20);
  return {
    refreshMs: 1000 * view.getUint32(4),
    retryMs: 1000 * view.getUint32(8),
    expireMs: 1000 * view.getUint32(12),
  };
}
