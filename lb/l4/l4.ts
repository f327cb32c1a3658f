// L4 for the service: what it wants becomes the kernel's, programs are on their links. When to do
// what is the service's: it owns timers, state, addresses and drain.

import { join } from 'node:path';
import type { Bpf } from '../../shared/bpf/types.ts';
import { Hooks } from '../../shared/links/hook.ts';
import type { Host } from '../../shared/links/host.ts';
import { type LinkPlan, Links, type LinksEvent } from '../../shared/links/links.ts';
import type { Log } from '../../shared/log.ts';
import type { Random } from '../../shared/random.ts';
import { isRefusal, type Refusal } from '../../shared/site/refusal.ts';
import type { L4Capacity } from './capacity.ts';
import { Datapath } from './datapath.ts';
import { explain, INGRESS_PROGRAM, type L4Explanation, type L4Question } from './explain.ts';
import type { Counter, Meter } from './layout.ts';
import type { Repairs } from './mirror.ts';
import { type L4Plan, type PlanInput, Planner } from './plan.ts';
import { selfTest } from './selftest.ts';

export const OBJECT_PATH = join(import.meta.dirname, 'bpf', 'lb.bpf.o');
/** Behind natter's, and the filters that an operator puts at the usual low priorities. */
export const FILTER_PRIORITY = 158;

/** What the service declares among its events. */
export type L4Event = LinksEvent | 'maps-replaced';

export type L4Options = {
  bpf: Bpf;
  /** Of the compiled programs; OBJECT_PATH but in tests. */
  objectPath?: string;
  pinDirectory: string;
  capacity: L4Capacity;
  links: LinkPlan;
  host: Host;
  random: Random;
  log: Log<L4Event>;
  /** Lets the event loop turn between two slices of work. */
  turn: () => Promise<void>;
};

export type ServerStats = { id: string; pool: string; meter: Meter };
export type TargetStats = { pool: string; id: string; weight: number; meter: Meter };

export class L4 {
  readonly datapath: Datapath;
  readonly links: Links;
  readonly #options: L4Options;
  readonly #planner: Planner;
  #plan: L4Plan | undefined;
  /** Whose objects the plan has. */
  #good: PlanInput | undefined;
  /** What writes to the maps, one after the other. */
  #writing: Promise<unknown> = Promise.resolve();

  constructor(options: L4Options) {
    const { bpf, objectPath = OBJECT_PATH, pinDirectory, capacity, host, log } = options;
    const onReplaced = (what: string) => log.info('maps-replaced', what, {});
    this.#options = options;
    this.datapath = new Datapath({ bpf, objectPath, pinDirectory, capacity, onReplaced });
    this.#planner = new Planner(capacity, this.datapath.recover());
    this.links = new Links({
      hooks: new Hooks(bpf, pinDirectory, FILTER_PRIORITY),
      programs: {
        ingress: INGRESS_PROGRAM,
        egress: 'lb_egress',
        find: (name) => this.datapath.program(name),
      },
      roles: this.datapath.map('links'),
      host,
      log,
      plan: options.links,
    });
  }

  /** What the kernel holds; undefined until the first plan was taken. */
  get plan(): L4Plan | undefined {
    return this.#plan;
  }

  /**
   * Makes the kernel serve this: call it after each change of objects or health, and at the plan's
   * `untilMs`. Objects that are refused leave the last good ones, which go on with the new health.
   * Rejects with what the kernel refuses; then, and whenever in doubt, the same may be asked for
   * again.
   */
  want(input: PlanInput): Promise<Refusal | undefined> {
    return this.#inTurn(async () => {
      const plan = this.#planner.plan(input);
      if (!isRefusal(plan)) {
        await this.#take(plan);
        this.#good = input;
        return undefined;
      }
      if (this.#good === undefined) return plan;
      const { servers, pools } = this.#good;
      const goOn = this.#planner.plan({ ...input, servers, pools });
      if (!isRefusal(goOn)) await this.#take(goOn);
      return plan;
    });
  }

  /**
   * Attaches where the programs are not this run's. Call `links.look` before; does nothing without
   * a plan: the programs of an earlier run, if any, go on over what they have.
   */
  attach(): void {
    if (this.#plan === undefined) return;
    this.datapath.attachOver(() => this.links.attach());
  }

  /** Compares the maps with the plan and puts them right. */
  audit(): Promise<Repairs> {
    return this.#inTurn(() => this.#run(this.datapath.audit()));
  }

  /** Takes the programs from their links; maps stay. */
  detach(): void {
    this.links.detach();
  }

  /** What is wrong; undefined: all is well, as far as there is something to test. */
  selfTest(): string | undefined {
    if (this.#plan === undefined || this.links.missing.length > 0) return undefined;
    const { datapath, links } = this;
    const { random } = this.#options;
    return selfTest({ datapath, plan: this.#plan, links: links.states, random });
  }

  /** `link`: by which the packet comes. Only with a plan. EDGE_LB_LINK. */
  explain(question: L4Question, link?: string): L4Explanation {
    const { datapath, links } = this;
    if (this.#plan === undefined) throw new Error('explain without a plan');
    return explain({ datapath, plan: this.#plan, links: links.states }, question, link);
  }

  serverStats(): ServerStats[] {
    const servers = this.#plan?.servers ?? [];
    return servers.map(({ id, slot, pool }) => {
      return { id, pool: pool.name, meter: this.datapath.serverMeter(slot) };
    });
  }

  targetStats(): TargetStats[] {
    const pools = this.#plan?.pools ?? [];
    return pools.flatMap(({ name, targets }) =>
      targets.map(({ id, slot, weight }) => {
        return { pool: name, id, weight, meter: this.datapath.targetMeter(slot) };
      }),
    );
  }

  counters(): Map<string, Counter> {
    return this.datapath.counters();
  }

  /** Programs and maps stay. */
  async close(): Promise<void> {
    await this.#writing;
    this.datapath.close();
  }

  async #take(plan: L4Plan): Promise<void> {
    await this.#run(this.datapath.apply(plan));
    this.#plan = plan;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#writing.then(work);
    this.#writing = done.catch(() => {}); // who asked is told
    return done;
  }

  async #run<T>(steps: Generator<undefined, T>): Promise<T> {
    for (let step = steps.next(); ; step = steps.next()) {
      if (step.done === true) return step.value;
      await this.#options.turn();
    }
  }
}
