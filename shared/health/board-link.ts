// An instance's tie to the board: it renews its lease, follows what others vote, reads again what
// it has missed, and tells its own votes. What is heard goes into the replica (docs/health.md, V2,
// V10).
import type { Clock } from '../clock.ts';
import { jitter, type Random } from '../random.ts';
import type { VoteBoard } from './board.ts';
import type { Contact } from './mode.ts';
import { LEASE_MS, type Replica } from './replica.ts';
import { Teller } from './teller.ts';

const RENEW_MS = 2000;
const AGAIN_MS = 1000;
const FOLLOW_MS = 1000;
/** Votes that turn together are told together. */
const GATHER_MS = 20;
/** What a call may take, and clocks differ in. */
const MARGIN_MS = 1000;

export type BoardLinkOptions = {
  self: string;
  board: VoteBoard;
  replica: Replica;
  contact: Contact;
  clock: Clock;
  random: Random;
  /** The board was read for the first time. */
  onJoined: () => void;
  /** The lease may have ended meanwhile; it is renewed with the next votes. */
  onAway: () => void;
  /** Ids about which somebody says something else than before; `others`: other probers live. */
  onHeard: (ids: ReadonlySet<string>, others: boolean) => void;
  onFailed: (error: unknown) => void;
};

const NOTHING: ReadonlySet<string> = new Set();

export class BoardLink {
  readonly teller: Teller;
  /** Whether own votes may be told: not before it is known what there is to probe. */
  mayTell = false;
  readonly #options: BoardLinkOptions;
  readonly #stopping = new AbortController();
  #hasJoined = false;
  /** Whether the last exchange went well. */
  #isWell = false;
  /** The board's clock against the monotonic one. */
  #offsetMs = 0;
  #place: string | undefined;
  #isGathering = false;
  #loops: Promise<unknown> = Promise.resolve();

  constructor(options: BoardLinkOptions) {
    this.#options = options;
    this.teller = new Teller(options.board, options.self);
  }

  /** The board's time, as far as it is known. */
  get nowMs(): number {
    return this.#offsetMs + this.#options.clock.monotonicMs();
  }

  /** Resolves when the board was tried once. */
  async start(): Promise<void> {
    this.#offsetMs = this.#options.clock.nowMs() - this.#options.clock.monotonicMs();
    await this.#meet();
    if (this.#stopping.signal.aborted) return;
    this.#loops = Promise.allSettled([this.#renewing(), this.#following()]);
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error('stopped'));
    await this.#loops;
    this.#options.board.close();
  }

  tell(id: string, text: string | undefined): void {
    this.teller.set(id, text);
    if (this.#isGathering || !this.teller.isBehind) return;
    this.#isGathering = true;
    const { clock } = this.#options;
    clock.after(GATHER_MS, () => this.#gathered(), this.#stopping.signal);
  }

  #gathered(): void {
    this.#isGathering = false;
    // While the board fails, what is to be told waits for the next meeting.
    if (!this.#isWell || !this.mayTell) return;
    this.teller.flush().catch((error) => {
      this.#isWell = false;
      this.#options.onFailed(error);
    });
  }

  async #renewing(): Promise<void> {
    const { clock, random } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const pauseMs = this.#isWell ? jitter(random, RENEW_MS, 0.1) : jitter(random, AGAIN_MS);
      await clock.sleep(pauseMs, signal).catch(() => {}); // stopped
      if (!signal.aborted) await this.#meet();
    }
  }

  /** One renewal, and what it shows to be missing. */
  async #meet(): Promise<void> {
    const { self, board, replica, contact, clock, onAway, onHeard, onFailed, onJoined } =
      this.#options;
    try {
      const told = this.teller.generation;
      // Whose lease has ended tells first what it votes now, and that renews it.
      const isAway = clock.monotonicMs() - contact.lastMs > LEASE_MS - MARGIN_MS;
      const { nowMs, leases } = await board.renew(self, this.#hasJoined && !isAway);
      this.#offsetMs = nowMs - clock.monotonicMs();
      const { others, hasLost } = replica.list(leases);
      const held = replica.generationOf(self);
      const ids = await this.#readStale();
      const isFirst = !this.#hasJoined;
      const isForgotten = !isFirst && this.teller.compare(held, told);
      if (isFirst) this.teller.begin(replica.generationOf(self), replica.textsOf(self), nowMs);
      this.#hasJoined = true;
      if (isAway && !isFirst) onAway();
      contact.heard(clock.monotonicMs(), hasLost || isForgotten);
      if (isFirst) onJoined();
      else onHeard(ids, others);
      if (this.mayTell) await this.teller.flush();
      this.#isWell = true;
    } catch (error) {
      this.#isWell = false;
      contact.failed();
      onFailed(error);
    }
  }

  /** What the stream has not brought was missed: it is followed from its end again, too. */
  async #readStale(): Promise<ReadonlySet<string>> {
    const { board, replica } = this.#options;
    const stale = replica.stale();
    if (stale.length === 0) return NOTHING;
    const ids = new Set<string>();
    for (const node of stale) {
      const { generation, votes } = await board.votesOf(node);
      for (const id of replica.replace(node, generation, votes)) ids.add(id);
    }
    this.#place = undefined;
    return ids;
  }

  async #following(): Promise<void> {
    const { board, clock, random } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        const from = this.#place ?? (await board.tail());
        this.#place = from;
        const { lastId, entries } = await board.follow(from, FOLLOW_MS, signal);
        if (this.#place === from) this.#place = lastId;
        for (const entry of entries) await this.#hear(entry);
      } catch {
        // The renewals tell of it; what is missed now shows in the generations.
        this.#place = undefined;
        await clock.sleep(jitter(random, AGAIN_MS), signal).catch(() => {}); // stopped
      }
    }
  }

  async #hear(entry: Parameters<Replica['take']>[0]): Promise<void> {
    const { board, replica, onHeard } = this.#options;
    let ids: ReadonlySet<string> | undefined = replica.take(entry);
    if (ids === undefined) {
      const { generation, votes } = await board.votesOf(entry.node);
      ids = replica.replace(entry.node, generation, votes);
    }
    if (ids.size > 0) onHeard(ids, false);
  }
}
