// Instances of health that die, stand still, and lose the board or targets, in simulated time; and
// what each of them saw and promised, for the simulation to hold against the rules.
import { ManualClock } from '../../../shared/clock.ts';
import { Health } from '../../../shared/health/health.ts';
import { type LinkMode, MemoryVoteServer } from '../../../shared/health/memory-votes.ts';
import type { ProbeResult, Prober, Target } from '../../../shared/health/types.ts';
import { silentLog } from '../../../shared/log.ts';
import { type Random, seededRandom } from '../../../shared/random.ts';
import { PausableClock } from './pausable-clock.ts';

export type Answer = 'good' | 'refused' | 'silent' | 'not-probed';
export type Probed = { endedMs: number; verdict: ProbeResult['verdict'] };
export type Flip = { atMs: number; node: string; target: Target; from: string; to: string };

export class Member {
  readonly name: string;
  readonly clock: PausableClock;
  readonly answers = new Map<string, Answer>();
  readonly health: Health;
  link: LinkMode = 'up';
  /** By address, since it began. */
  readonly probed = new Map<string, Probed[]>();
  readonly seen = new Map<string, string>();
  /** By address: until when it said that nothing would change, ms of the simulation. */
  readonly promisedMs = new Map<string, number>();

  constructor(name: string, cluster: Cluster, prior: Member | undefined) {
    this.name = name;
    this.clock = new PausableClock(cluster.clock);
    this.probed = prior?.probed ?? this.probed;
    const board = cluster.server.connect(() => this.link);
    this.health = new Health({
      self: name,
      board: {
        renew: (...given) => board.renew(...given).finally(() => this.clock.running()),
        vote: (...given) => board.vote(...given).finally(() => this.clock.running()),
        votesOf: (...given) => board.votesOf(...given).finally(() => this.clock.running()),
        tail: () => board.tail().finally(() => this.clock.running()),
        follow: (...given) => board.follow(...given).finally(() => this.clock.running()),
        close: () => board.close(),
      },
      prober: proberOf(this, cluster),
      clock: this.clock,
      random: cluster.random,
      log: silentLog,
      concurrency: 64,
      ...(cluster.snapshotPath === undefined ? {} : { snapshotPath: cluster.snapshotPath }),
    });
  }
}

function proberOf(member: Member, { clock, random, answers }: Cluster): Prober {
  return {
    async probe({ address, check }) {
      const startedMs = clock.monotonicMs();
      const answer = member.answers.get(address) ?? answers.get(address) ?? 'good';
      const tookMs = answer === 'silent' ? check.timeoutMs : random.integer(check.timeoutMs);
      await member.clock.sleep(tookMs);
      const endedMs = clock.monotonicMs();
      const verdict = answer === 'good' ? 'good' : answer === 'not-probed' ? answer : 'bad';
      const all = member.probed.get(address) ?? [];
      member.probed.set(address, all);
      all.push({ endedMs, verdict });
      return { verdict, reason: answer, latencyMs: endedMs - startedMs };
    },
    close() {},
  };
}

export class Cluster {
  readonly clock = new ManualClock();
  readonly server = new MemoryVoteServer(this.clock);
  readonly random: Random;
  readonly targets: readonly Target[];
  readonly snapshotPath: string | undefined;
  readonly members: Member[] = [];
  readonly flips: Flip[] = [];
  /** By address, for all; good unless told. */
  readonly answers = new Map<string, Answer>();
  /** Promises that were not kept (V4). */
  readonly broken: string[] = [];
  /** By address: the longest for which members that run saw it otherwise than others (V10). */
  readonly differedMs = new Map<string, number>();
  readonly #differsSinceMs = new Map<string, number>();
  readonly #gone = new Map<string, Member>();

  /** `snapshotPath`: of each member that joins; without, nothing is kept on disk. */
  constructor(seed: number, targets: readonly Target[], snapshotPath?: string) {
    this.random = seededRandom(seed);
    this.targets = targets;
    this.snapshotPath = snapshotPath;
  }

  async join(name: string, link: LinkMode = 'up'): Promise<Member> {
    const member = new Member(name, this, this.#gone.get(name));
    member.link = link;
    this.members.push(member);
    member.health.onChange(() => this.#look(member));
    member.health.setTargets(this.targets);
    const started = member.health.start(new AbortController().signal);
    await this.clock.advance(1);
    await started;
    return member;
  }

  /** As kill -9 does: nobody is told. */
  async kill(member: Member): Promise<void> {
    member.link = 'failing';
    member.clock.resume();
    this.members.splice(this.members.indexOf(member), 1);
    this.#gone.set(member.name, member);
    const stopped = member.health.stop();
    await this.clock.advance(1000);
    await stopped;
  }

  /** Looks at everybody four times a second. */
  async run(forMs: number): Promise<void> {
    for (let leftMs = forMs; leftMs > 0; leftMs -= 250) {
      await this.clock.advance(Math.min(250, leftMs));
      for (const member of this.members) this.#look(member);
      this.#compare();
    }
  }

  async end(): Promise<void> {
    for (const member of [...this.members]) await this.kill(member);
    await this.clock.advance(10_000);
  }

  states({ address, check }: Target): string[] {
    return this.members.map(({ health }) => health.view.ofAddress(address, check).measured);
  }

  /** How many members, by the rules of a vote alone (V2), would say so of it by then. */
  votersFor({ address, check: { rise, fall } }: Target, state: string, untilMs: number): number {
    const votes = this.members.map(({ probed }) => {
      let vote: string | undefined;
      let against = 0;
      for (const { endedMs, verdict } of probed.get(address) ?? []) {
        if (endedMs > untilMs) break;
        if (verdict === 'not-probed') continue;
        const said = verdict === 'good' ? 'up' : 'down';
        against = said === vote ? 0 : against + 1;
        if (vote !== undefined && against < (said === 'up' ? rise : fall)) continue;
        [vote, against] = [said, 0];
      }
      return vote;
    });
    return votes.filter((vote) => vote === state).length;
  }

  #compare(): void {
    const nowMs = this.clock.monotonicMs();
    for (const target of this.targets) {
      const { address } = target;
      const known = this.states(target).filter((state) => state !== 'unknown');
      if (new Set(known).size <= 1) {
        this.#differsSinceMs.delete(address);
        continue;
      }
      const sinceMs = this.#differsSinceMs.get(address) ?? nowMs;
      this.#differsSinceMs.set(address, sinceMs);
      const longest = Math.max(this.differedMs.get(address) ?? 0, nowMs - sinceMs);
      this.differedMs.set(address, longest);
    }
  }

  #look(member: Member): void {
    if (member.clock.isPaused) return;
    for (const target of this.targets) {
      const { address, check } = target;
      const { measured, sinceMs, toFlipMs } = member.health.view.ofAddress(address, check);
      const from = member.seen.get(address) ?? 'unknown';
      member.seen.set(address, measured);
      const nowMs = this.clock.nowMs();
      const promised = member.promisedMs.get(address) ?? 0;
      if (from !== 'unknown' && measured !== from) {
        this.flips.push({ atMs: sinceMs, node: member.name, target, from, to: measured });
        const early = promised - sinceMs;
        if (early > 0) this.broken.push(`${member.name} ${address} to ${measured}: ${early} ms`);
        member.promisedMs.delete(address);
      }
      const until = measured === from ? Math.max(promised, nowMs + toFlipMs) : nowMs + toFlipMs;
      member.promisedMs.set(address, until);
    }
  }
}
