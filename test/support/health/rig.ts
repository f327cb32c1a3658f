// Instances of health in simulated time: a board in memory, and targets that each instance reaches or
// does not.
import { ManualClock } from '../../../shared/clock.ts';
import { Health } from '../../../shared/health/health.ts';
import { type LinkMode, MemoryVoteServer } from '../../../shared/health/memory-votes.ts';
import type { ProbeResult, Prober, Target } from '../../../shared/health/types.ts';
import { type Log, silentLog } from '../../../shared/log.ts';
import { type Random, seededRandom } from '../../../shared/random.ts';

/** How a target answers an instance. */
export type Answer = 'good' | 'refused' | 'silent' | 'not-probed';

export type Instance = {
  name: string;
  health: Health;
  /** Of its connection to the board. */
  link: LinkMode;
  /** By address; what is not in it is of the rig's. */
  answers: Map<string, Answer>;
  /** When it probed which address, and what came of it; in simulated time. */
  probes: { address: string; startedMs: number; endedMs: number; answer: Answer }[];
  abort: AbortController;
};

export function targetAt(address: string, check: Partial<Target['check']> = {}): Target {
  const usual = { type: 'tcp', port: 80, intervalMs: 5000, timeoutMs: 2000, rise: 2, fall: 3 };
  return { address, check: { ...usual, ...check } as Target['check'] }; // a kind of check
}

export class HealthRig {
  readonly clock = new ManualClock();
  readonly server = new MemoryVoteServer(this.clock);
  readonly random: Random;
  readonly instances: Instance[] = [];
  /** By address, for all instances; good unless told. */
  readonly answers = new Map<string, Answer>();
  targets: readonly Target[] = [];

  constructor(seed = 1) {
    this.random = seededRandom(seed);
  }

  async add(name: string, options: { snapshotPath?: string; log?: Log } = {}): Promise<Instance> {
    const instance = this.#make(name, options);
    this.instances.push(instance);
    instance.health.setTargets(this.targets);
    const started = instance.health.start(instance.abort.signal);
    await this.clock.advance(1);
    await started;
    return instance;
  }

  /** Without a word to anybody. */
  async kill(instance: Instance): Promise<void> {
    instance.link = 'failing';
    this.instances.splice(this.instances.indexOf(instance), 1);
    const stopped = instance.health.stop();
    await this.clock.advance(1000);
    await stopped;
  }

  async end(): Promise<void> {
    const stopped = this.instances.map(({ health }) => health.stop());
    await this.clock.advance(20_000);
    await Promise.all(stopped);
  }

  states(target: Target): string[] {
    const { address, check } = target;
    return this.instances.map(({ health }) => health.view.ofAddress(address, check).measured);
  }

  #make(name: string, { snapshotPath, log = silentLog }: { snapshotPath?: string; log?: Log }) {
    const instance: Omit<Instance, 'health'> = {
      name,
      link: 'up',
      answers: new Map(),
      probes: [],
      abort: new AbortController(),
    };
    const health = new Health({
      self: name,
      board: this.server.connect(() => instance.link),
      prober: this.#prober(instance),
      clock: this.clock,
      random: this.random,
      log,
      concurrency: 64,
      ...(snapshotPath === undefined ? {} : { snapshotPath }),
    });
    return Object.assign(instance, { health });
  }

  /** Answers come after a while that is drawn; who is silent takes the whole timeout. */
  #prober(instance: Omit<Instance, 'health'>): Prober {
    return {
      probe: async ({ address, check }): Promise<ProbeResult> => {
        const startedMs = this.clock.monotonicMs();
        const answer = instance.answers.get(address) ?? this.answers.get(address) ?? 'good';
        const tookMs = answer === 'silent' ? check.timeoutMs : this.random.integer(check.timeoutMs);
        await this.clock.sleep(tookMs);
        const endedMs = this.clock.monotonicMs();
        instance.probes.push({ address, startedMs, endedMs, answer });
        return resultOf(answer, endedMs - startedMs);
      },
      close() {},
    };
  }
}

function resultOf(answer: Answer, latencyMs: number): ProbeResult {
  if (answer === 'good') return { verdict: 'good', reason: 'ok', latencyMs };
  if (answer === 'not-probed') return { verdict: 'not-probed', reason: 'no route', latencyMs };
  return { verdict: 'bad', reason: answer === 'silent' ? 'timeout' : answer, latencyMs };
}
