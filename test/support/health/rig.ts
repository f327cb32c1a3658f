// Instances of health in simulated time: a board in memory, and targets that each instance reaches or
// does not. Instances can be cut off from the board, killed, and made to stand still.
import { type Clock, ManualClock } from '../../../shared/clock.ts';
import { Health } from '../../../shared/health/health.ts';
import { type LinkMode, MemoryVoteServer } from '../../../shared/health/memory-votes.ts';
import type { ProbeResult, Prober, Target } from '../../../shared/health/types.ts';
import { type Log, silentLog } from '../../../shared/log.ts';
import { type Random, seededRandom } from '../../../shared/random.ts';

/** How a target answers an instance. */
export type Answer = 'good' | 'refused' | 'silent' | 'not-probed';

export type Probed = { address: string; startedMs: number; endedMs: number; answer: Answer };

export type Instance = {
  name: string;
  health: Health;
  clock: StoppableClock;
  /** Of its connection to the board. */
  link: LinkMode;
  /** By address; what is not in it is of the rig's. */
  answers: Map<string, Answer>;
  /** In the order in which they ended, in simulated time; those of earlier lives, too. */
  probes: Probed[];
  abort: AbortController;
};

export function targetAt(address: string, check: Partial<Target['check']> = {}): Target {
  const usual = { type: 'tcp', port: 80, intervalMs: 5000, timeoutMs: 2000, rise: 2, fall: 3 };
  return { address, check: { ...usual, ...check } as Target['check'] }; // a kind of check
}

export type RigOptions = { snapshotPath?: string; log?: Log };

export class HealthRig {
  readonly clock = new ManualClock();
  readonly server = new MemoryVoteServer(this.clock);
  readonly random: Random;
  readonly instances: Instance[] = [];
  /** By address, for all instances; good unless told. */
  readonly answers = new Map<string, Answer>();
  targets: readonly Target[] = [];
  readonly #probes = new Map<string, Probed[]>();

  constructor(seed = 1) {
    this.random = seededRandom(seed);
  }

  async add(name: string, options: RigOptions = {}): Promise<Instance> {
    const instance = this.#make(name, options);
    this.instances.push(instance);
    instance.health.setTargets(this.targets);
    const started = instance.health.start(instance.abort.signal);
    await this.clock.advance(1000);
    await started;
    return instance;
  }

  /** Without a word to anybody. */
  async kill(instance: Instance): Promise<void> {
    instance.clock.go();
    instance.link = 'failing';
    this.instances.splice(this.instances.indexOf(instance), 1);
    const stopped = instance.health.stop();
    await this.clock.advance(1000);
    await stopped;
  }

  async end(): Promise<void> {
    for (const { clock } of this.instances) clock.go();
    const stopped = this.instances.map(({ health }) => health.stop());
    await this.clock.advance(20_000);
    await Promise.all(stopped);
  }

  stateIn({ health }: Instance, { address, check }: Target) {
    return health.view.ofAddress(address, check);
  }

  states(target: Target): string[] {
    return this.instances.map((each) => this.stateIn(each, target).measured);
  }

  #make(name: string, { snapshotPath, log = silentLog }: RigOptions): Instance {
    const clock = new StoppableClock(this.clock);
    const probes = this.#probes.get(name) ?? [];
    this.#probes.set(name, probes);
    const instance: Omit<Instance, 'health'> = {
      name,
      clock,
      link: 'up',
      answers: new Map(),
      probes,
      abort: new AbortController(),
    };
    const health = new Health({
      self: name,
      board: this.server.connect(() => (clock.stands ? 'frozen' : instance.link)),
      prober: this.#prober(instance),
      clock,
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
        const says = instance.answers.get(address) ?? this.answers.get(address) ?? 'good';
        const tookMs = says === 'silent' ? check.timeoutMs : this.random.integer(check.timeoutMs);
        await instance.clock.sleep(tookMs);
        const endedMs = this.clock.monotonicMs();
        // As the real probes do: who stood still knows nothing.
        const answer = endedMs - startedMs > check.timeoutMs + 250 ? 'not-probed' : says;
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

/** As of a process that gets SIGSTOP: time passes, and what came due happens when it goes on. */
export class StoppableClock implements Clock {
  stands = false;
  readonly #clock: Clock;
  #held: (() => void)[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  nowMs(): number {
    return this.#clock.nowMs();
  }

  monotonicMs(): number {
    return this.#clock.monotonicMs();
  }

  after(delayMs: number, callback: () => void, signal?: AbortSignal): () => void {
    let isCancelled = false;
    const run = () => {
      if (!isCancelled && !signal?.aborted) callback();
    };
    const fire = () => {
      if (this.stands) this.#held.push(run);
      else run();
    };
    const cancel = this.#clock.after(delayMs, fire, signal);
    return () => {
      isCancelled = true;
      cancel();
    };
  }

  async sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    await this.#clock.sleep(delayMs, signal);
    if (this.stands) await new Promise<void>((resolve) => this.#held.push(resolve));
  }

  go(): void {
    this.stands = false;
    const held = this.#held;
    this.#held = [];
    for (const run of held) run();
  }
}
