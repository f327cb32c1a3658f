// Tells secondaries of new versions (RFC 1996): each target until it acknowledges, or a bound; of
// versions that come quickly one after the other the last.
import type { Clock } from '../../shared/clock.ts';
import {
  CLASSES,
  FLAGS,
  OPCODES,
  opcodeOf,
  RCODES,
  rcodeName,
  rcodeOf,
  TYPES,
} from '../../shared/dns/constants.ts';
import { decodeMessage, encodeMessage } from '../../shared/dns/message.ts';
import type { MessageRecord } from '../../shared/dns/types.ts';
import { describeError } from '../../shared/errors.ts';
import { parseEndpoint } from '../../shared/net/ports.ts';
import { jitter, type Random } from '../../shared/random.ts';
import type { ZoneImage } from '../image/types.ts';
import { type TsigKey, TsigSigner, TsigVerifier } from '../tsig/tsig.ts';
import type { TransferCounts } from './counts.ts';
import { askUdp, type UdpQuestion } from './network.ts';
import { soaOf } from './outgoing.ts';
import { Slots } from './slots.ts';

/** host:port, and the key by which it is told. */
export type NotifyTarget = { to: string; key?: string };

export type NotifierOptions = {
  /** By name. Looked at anew for each message. */
  keys: ReadonlyMap<string, TsigKey>;
  counts: TransferCounts;
  clock: Clock;
  random: Random;
  /** Nobody acknowledged for as long as there was any use, or it was refused. */
  onFailed: (zone: string, target: string, why: string) => void;
  /** Other than the network, for tests. */
  ask?: <Answer>(question: UdpQuestion<Answer>) => Promise<Answer>;
};

/** What changes meanwhile is told together. */
const GATHER_MS = 250;
/** For an acknowledgement, and then before it is tried again (RFC 1996 §3.6: 60 s, 5 times). */
const WAITS_MS = [1000, 2000, 5000, 15_000, 30_000, 60_000];
const AT_A_TIME = 100;

type Job = { zone: string; target: NotifyTarget; soa: MessageRecord };

export class Notifier {
  readonly #options: NotifierOptions;
  /** By zone and target, what they are still to be told. */
  readonly #jobs = new Map<string, Job>();
  readonly #slots = new Slots(AT_A_TIME);
  readonly #stopping = new AbortController();

  constructor(options: NotifierOptions) {
    this.#options = options;
  }

  /** Targets that have not acknowledged yet. */
  get pending(): number {
    return this.#jobs.size;
  }

  /** A version is served. */
  changed(zone: string, image: ZoneImage, targets: readonly NotifyTarget[]): void {
    if (image.memory.byteLength === 0 || this.#stopping.signal.aborted) return;
    const soa = soaOf(image);
    for (const target of targets) {
      const id = `${zone} ${target.to} ${target.key ?? ''}`;
      const waiting = this.#jobs.get(id);
      if (waiting !== undefined) waiting.soa = soa;
      else void this.#begin(id, { zone, target, soa });
    }
  }

  stop(): void {
    this.#stopping.abort(new Error('the server stops'));
  }

  async #begin(id: string, job: Job): Promise<void> {
    this.#jobs.set(id, job);
    const { counts, onFailed } = this.#options;
    try {
      await this.#run(job);
      counts['notify-acknowledged']++;
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      counts['notify-failed']++;
      onFailed(job.zone, job.target.to, describeError(error));
    } finally {
      this.#jobs.delete(id);
    }
  }

  /** Until the newest is acknowledged; rejects when it is not. */
  async #run(job: Job): Promise<void> {
    await this.#pause(GATHER_MS);
    for (let tries = 0; ; tries++) {
      const { soa } = job;
      const waitMs = WAITS_MS[Math.min(tries, WAITS_MS.length - 1)] ?? 0;
      try {
        await this.#slots.run(() => this.#tell(job, soa, waitMs));
        if (job.soa === soa) return;
        tries = -1;
      } catch (error) {
        if (job.soa !== soa) tries = -1;
        else if (error instanceof Refused || tries + 1 >= WAITS_MS.length) throw error;
        await this.#pause(waitMs);
      }
    }
  }

  #pause(aroundMs: number): Promise<void> {
    const { clock, random } = this.#options;
    return clock.sleep(jitter(random, aroundMs), this.#stopping.signal);
  }

  async #tell({ target }: Job, soa: MessageRecord, waitMs: number): Promise<void> {
    const { counts, clock, random, ask = askUdp } = this.#options;
    const to = parseEndpoint(target.to);
    if (to === undefined) throw new Refused(`${target.to} is no host:port`);
    const key = this.#keyOf(target);
    const bare = encodeMessage({
      id: random.integer(0x10000),
      flags: FLAGS.AA | (OPCODES.NOTIFY << 11),
      questions: [{ name: soa.owner, type: TYPES.SOA, class: CLASSES.IN }],
      answers: [soa],
      authorities: [],
      additionals: [],
    });
    const nowSeconds = () => Math.floor(clock.nowMs() / 1000);
    const signer = key && new TsigSigner(key);
    const message = signer?.sign(bare, nowSeconds()) ?? bare;
    const accept = (bytes: Uint8Array): true | undefined => {
      if (bytes[0] !== bare[0] || bytes[1] !== bare[1]) return undefined;
      const check = key && signer && new TsigVerifier(key, signer.mac).verify(bytes, nowSeconds());
      if (check?.isGood === false) throw new Refused(`TSIG: ${check.reason}`);
      const { flags } = decodeMessage(check?.message ?? bytes);
      if ((flags & FLAGS.QR) === 0 || opcodeOf(flags) !== OPCODES.NOTIFY) return undefined;
      if (rcodeOf(flags) === RCODES.NOERROR) return true;
      throw new Refused(`it answers ${rcodeName(rcodeOf(flags))}`);
    };
    counts['notify-sent']++;
    const { signal } = this.#stopping;
    await ask({ to, message, waitsMs: [waitMs], accept, clock, signal });
  }

  #keyOf({ key }: NotifyTarget): TsigKey | undefined {
    if (key === undefined) return undefined;
    const known = this.#options.keys.get(key);
    if (known === undefined) throw new Refused(`the settings have no key ${key}`);
    return known;
  }
}

/** To try again is no use. */
class Refused extends Error {}
