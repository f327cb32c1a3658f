// One target as an instance knows it: its state, what its probers say, and what the instance itself
// has found when it is one of them. Pure.
import { choose, type Ranking, rank } from './chosen.ts';
import {
  beginning,
  checksToLeave,
  type Hysteresis,
  missed,
  probed,
  restartedFrom,
} from './hysteresis.ts';
import { decide, toFlipMs, type Voice } from './quorum.ts';
import type { Replica } from './replica.ts';
import type { Measured, ProbeResult, Target } from './types.ts';
import type { Vote } from './vote.ts';

export class TargetState {
  readonly id: string;
  readonly target: Target;
  /** Monotonic: since when it is a target here. */
  readonly addedMs: number;
  measured: Measured;
  /** ms since the epoch of the last flip; 0: none. */
  sinceMs: number;
  /** What this instance found itself; undefined: it is no prober of it. */
  own: Hysteresis | undefined;
  lastResult: ProbeResult | undefined;
  /** Those whose votes count and those who probe, in rank order. */
  counted: readonly string[] = [];
  probing: readonly string[] = [];
  #voices: readonly Voice[] = [];
  #earlier: { voices: readonly Voice[]; untilMs: number } = { voices: [], untilMs: 0 };
  #ranked: { by: Ranking; nodes: readonly string[] } | undefined;
  #said: { state: Vote['state']; sinceMs: number } | undefined;

  constructor(
    id: string,
    target: Target,
    addedMs: number,
    known: Pick<TargetState, 'measured' | 'sinceMs'>,
  ) {
    this.id = id;
    this.target = target;
    this.addedMs = addedMs;
    this.measured = known.measured;
    this.sinceMs = known.sinceMs;
  }

  /** Who is asked now: whether others than before. `isSilent`: who says nothing is passed over. */
  chooseProbers(ranking: Ranking, replica: Replica, self: string, isSilent: boolean): boolean {
    if (this.#ranked?.by !== ranking) {
      this.#ranked = { by: ranking, nodes: rank(ranking, this.id) };
    }
    const isPassedOver = (node: string) => {
      const vote = replica.vote(node, this.id);
      return vote === undefined ? isSilent && node !== self : vote.state === 'none';
    };
    const { counted, probing } = choose(this.#ranked.nodes, isPassedOver);
    this.probing = probing;
    if (counted.join() === this.counted.join()) return false;
    this.counted = counted;
    return true;
  }

  /** Other instances may go on for a while by those who were asked before. */
  keepPromises(nowMs: number): void {
    this.#earlier = { voices: this.#voices, untilMs: nowMs + MEMBERS_MS };
  }

  /** What the votes make of it. */
  decideBy(replica: Replica, self: string): Measured {
    this.#voices = this.counted.map((node) => {
      const voice = voiceOf(replica.vote(node, this.id));
      return node === self ? this.#ownVoice(voice) : voice;
    });
    return decide(this.#voices, this.measured);
  }

  /** As the board has it, but for what was told in an earlier life. */
  #ownVoice(told: Voice): Voice {
    const state = this.own?.vote === undefined ? 'pending' : told.state;
    return { ...told, state, held: this.measured };
  }

  /** What the own vote alone makes of it. */
  decideAlone(): Measured {
    const { own } = this;
    if (own === undefined) return this.measured;
    const state = own.vote ?? 'pending';
    this.#voices = [{ state, held: this.measured, checksToFlip: this.#checksToFlip(own) }];
    return own.vote ?? this.measured;
  }

  toFlipMs(nowMs: number): number {
    const { check } = this.target;
    const leastMs = toFlipMs(this.#voices, this.measured, check);
    const { voices, untilMs } = this.#earlier;
    if (nowMs >= untilMs || voices.length === 0) return leastMs;
    return Math.min(leastMs, toFlipMs(voices, this.measured, check));
  }

  /**
   * Begins to probe. Its own vote of an earlier life goes on where it is what is known: another one
   * is of the past, and has to be earned again.
   */
  begin(vote: Vote | undefined): void {
    const { measured } = this;
    const isKnown = measured !== 'unknown' && vote?.state === measured;
    this.own = beginning(measured, isKnown ? measured : undefined);
    if (isKnown) this.#said = vote;
  }

  /** It has been away for so long that its vote has ended. */
  loseVote(): void {
    if (this.own?.vote !== undefined) this.own = beginning(this.measured);
  }

  /** Goes on from the state as it is. */
  restart(): void {
    this.own = restartedFrom(this.own ?? beginning('unknown'), this.measured);
  }

  /** The state is another; who has no vote of its own takes it as what is known. */
  flip(measured: Measured, nowMs: number): void {
    // Up is what an unknown target was taken for.
    const isNews = this.measured !== 'unknown' || measured === 'down';
    this.measured = measured;
    if (isNews) this.sinceMs = nowMs;
    if (this.own !== undefined && this.own.vote === undefined) this.restart();
  }

  /** Whether it makes a difference to others. */
  take(result: ProbeResult): boolean {
    const { check } = this.target;
    const before = this.own ?? beginning(this.measured);
    this.lastResult = result;
    this.own =
      result.verdict === 'not-probed'
        ? missed(before, check)
        : probed(before, result.verdict === 'good', check);
    if (this.own.vote === undefined && before.vote !== undefined) this.restart();
    const { own } = this;
    const isFirstMiss = own.vote === undefined && before.missed === 0 && own.missed > 0;
    if (isFirstMiss || before.vote !== own.vote || before.against !== own.against) return true;
    return own.vote !== undefined && before.missed !== own.missed;
  }

  /** What it says of the target now. */
  voteAt(boardMs: number): Vote {
    const { own = beginning('unknown'), lastResult } = this;
    const state = own.vote ?? (own.missed > 0 ? 'none' : 'pending');
    if (this.#said?.state !== state) this.#said = { state, sinceMs: boardMs };
    return {
      state,
      checksToFlip: this.#checksToFlip(own),
      sinceMs: this.#said.sinceMs,
      held: this.measured,
      reason: lastResult?.reason ?? 'not probed yet',
    };
  }

  #checksToFlip(own: Hysteresis): number {
    return this.measured === 'unknown' ? 1 : checksToLeave(own, this.measured, this.target.check);
  }
}

/** Everybody has heard of it who lives by then. */
export const MEMBERS_MS = 3000;

/** Of who has said nothing yet. */
const SILENT: Voice = { state: 'pending', checksToFlip: 1, held: 'unknown' };

function voiceOf(vote: Vote | undefined): Voice {
  if (vote === undefined || vote.state === 'none') return SILENT;
  return { state: vote.state, checksToFlip: vote.checksToFlip, held: vote.held };
}
