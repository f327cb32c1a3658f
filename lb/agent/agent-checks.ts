// The agents of an instance: each asked once an interval, at most so many at a time. What one said
// is kept when it falls silent: that it does not answer says nothing of its target.
import type { Clock } from '../../shared/clock.ts';
import { jitter, type Random } from '../../shared/random.ts';
import { type AgentAnswer, type AskOptions, askAgent } from './ask.ts';
import { type AgentSaid, type AgentWord, mergeSaid, parseAgentLine, wordOf } from './line.ts';

/** `key`: what the owner knows the target by. */
export type Agent = { key: string; address: string; port: number; intervalMs: number };

/** What is told, each once until it is otherwise. */
export interface AgentEvents {
  onWord(agent: Agent, word: AgentWord): void;
  /** Nothing came; what it said before holds. Again only after it has spoken. */
  onSilent(agent: Agent, why: string): void;
  /** Words that were ignored, and are not the same as the last ones. */
  onUnknown(agent: Agent, words: readonly string[]): void;
}

export type AgentChecksOptions = {
  clock: Clock;
  random: Random;
  events: AgentEvents;
  concurrency?: number;
  ask?: (agent: Agent, options: AskOptions) => Promise<AgentAnswer>;
};

const CONCURRENCY = 32;
const MAX_TIMEOUT_MS = 3000;
/** The first question to a new agent. */
const FIRST_WITHIN_MS = 1000;
const JITTER = 0.1;

type Round = {
  agent: Agent;
  said: AgentSaid;
  word: AgentWord | undefined;
  isSilent: boolean;
  unknown: string;
  cancel: () => void;
};

export class AgentChecks {
  readonly #options: AgentChecksOptions;
  readonly #rounds = new Map<string, Round>();
  readonly #waiting = new Set<Round>();
  readonly #stopping = new AbortController();
  #running = 0;

  constructor(options: AgentChecksOptions) {
    this.#options = options;
  }

  get running(): number {
    return this.#running;
  }

  /** All that are asked from now on; what is known of those that stay is kept. */
  want(agents: readonly Agent[]): void {
    if (this.#stopping.signal.aborted) return;
    const wanted = new Map(agents.map((agent) => [agent.key, agent]));
    for (const [key, { agent }] of this.#rounds) {
      const next = wanted.get(key);
      if (next === undefined || !isSamePlace(agent, next)) this.#forget(key);
    }
    for (const [key, agent] of wanted) {
      const known = this.#rounds.get(key);
      if (known === undefined) this.#begin(agent);
      else if (known.agent.intervalMs !== agent.intervalMs) {
        known.agent = agent;
        // Unless it is being asked or waits for that.
        if (known.cancel !== nothing) this.#later(known, this.#within(agent));
      }
    }
  }

  /** Undefined: it has said nothing yet. */
  wordOf(key: string): AgentWord | undefined {
    return this.#rounds.get(key)?.word;
  }

  isSilent(key: string): boolean {
    return this.#rounds.get(key)?.isSilent ?? false;
  }

  stop(): void {
    this.#stopping.abort(new Error('stopped'));
    for (const key of [...this.#rounds.keys()]) this.#forget(key);
  }

  #begin(agent: Agent): void {
    const blank = { said: {}, word: undefined, isSilent: false, unknown: '', cancel: nothing };
    const round: Round = { agent, ...blank };
    this.#rounds.set(agent.key, round);
    this.#later(round, this.#within(agent));
  }

  #within({ intervalMs }: Agent): number {
    return this.#options.random.next() * Math.min(FIRST_WITHIN_MS, intervalMs);
  }

  #forget(key: string): void {
    const round = this.#rounds.get(key);
    if (round === undefined) return;
    round.cancel();
    this.#rounds.delete(key);
    this.#waiting.delete(round);
  }

  #later(round: Round, delayMs: number): void {
    round.cancel();
    round.cancel = this.#options.clock.after(delayMs, () => this.#due(round));
  }

  #due(round: Round): void {
    round.cancel = nothing;
    if (this.#running < (this.#options.concurrency ?? CONCURRENCY)) void this.#run(round);
    else this.#waiting.add(round);
  }

  async #run(round: Round): Promise<void> {
    const { clock, random, ask = askAgent } = this.#options;
    const { agent } = round;
    const timeoutMs = Math.min(MAX_TIMEOUT_MS, agent.intervalMs);
    const startedMs = clock.monotonicMs();
    this.#running++;
    const answer = await ask(agent, { clock, timeoutMs, signal: this.#stopping.signal });
    this.#running--;
    this.#next();
    if (this.#rounds.get(agent.key) !== round) return;
    const elapsedMs = clock.monotonicMs() - startedMs;
    const delayMs = jitter(random, round.agent.intervalMs, JITTER) - elapsedMs;
    this.#later(round, Math.max(0, delayMs));
    this.#take(round, answer);
  }

  #next(): void {
    const [round] = this.#waiting;
    if (round === undefined) return;
    this.#waiting.delete(round);
    void this.#run(round);
  }

  #take(round: Round, answer: AgentAnswer): void {
    const { events } = this.#options;
    if ('silent' in answer) {
      const isNews = !round.isSilent;
      round.isSilent = true;
      if (isNews) events.onSilent(round.agent, answer.silent);
      return;
    }
    const line = parseAgentLine(answer.line);
    const unknown = line.unknown.join(' ');
    const areNews = unknown !== '' && unknown !== round.unknown;
    round.unknown = unknown;
    if (areNews) events.onUnknown(round.agent, line.unknown);
    round.said = mergeSaid(round.said, line);
    const word = wordOf(round.said);
    const isNews = round.isSilent || !isSameWord(round.word, word);
    round.isSilent = false;
    round.word = word;
    if (isNews) events.onWord(round.agent, word);
  }
}

function nothing(): void {}

function isSamePlace(one: Agent, other: Agent): boolean {
  return one.address === other.address && one.port === other.port;
}

function isSameWord(one: AgentWord | undefined, other: AgentWord): boolean {
  return (
    one !== undefined &&
    one.state === other.state &&
    one.weightPercent === other.weightPercent &&
    one.maxRequests === other.maxRequests &&
    one.why === other.why
  );
}
