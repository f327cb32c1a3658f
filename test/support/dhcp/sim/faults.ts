// What goes wrong, drawn by the seed: processes that die, stand still or are cut off, a Redis that
// fails over with losses, parts, freezes, restarts, comes back from a backup or with another time,
// plans that change under load.
import { pick, type Random } from '../../../../shared/random.ts';
import type { Data } from '../redis-model-rules.ts';
import type { ModelServer } from '../redis-model-server.ts';
import type { Cluster } from './cluster.ts';
import type { Instance } from './instance.ts';

const INSTANCE_FAULTS = ['crash', 'wipe', 'stop', 'cut', 'freeze', 'jump', 'drain'] as const;
const REDIS_FAULTS = [
  'failover',
  'lossy',
  'power',
  'partition',
  'freeze',
  'gone',
  'flaky',
  'restore',
] as const;
export type FaultName =
  | (typeof INSTANCE_FAULTS)[number]
  | `redis ${(typeof REDIS_FAULTS)[number]}`
  | 'plan';

export const allFaults: readonly FaultName[] = [
  ...INSTANCE_FAULTS,
  ...REDIS_FAULTS.map((name) => `redis ${name}` as const),
  'plan',
];

/** Clocks of Redis' hosts differ from true time by this at most: 20 s between two. */
const SKEW_SECONDS = 10;
const BACKUP_EVERY_MS = 70_000;
/** A witness of what a backup does not have is left alone until everybody has heard of it. */
const WITNESS_MS = 30_000;

export class Faults {
  readonly counts = new Map<FaultName, number>();
  readonly #cluster: Cluster;
  readonly #random: Random;
  readonly #names: readonly FaultName[];
  readonly #witnessUntilMs = new Map<Instance, number>();
  #isOver = false;
  #redisBusy = false;
  #underWay = 0;
  #backup: Data | undefined;
  #ended: ModelServer | undefined;

  constructor(cluster: Cluster, names: readonly FaultName[]) {
    this.#cluster = cluster;
    this.#random = cluster.world.random('faults');
    this.#names = names;
  }

  start(): void {
    if (this.#names.length === 0) return;
    this.#next();
    this.#backUp();
  }

  /** No more of them; what is broken is repaired. */
  end(): void {
    this.#isOver = true;
    const { model, instances } = this.#cluster;
    for (const instance of instances) {
      instance.cable.isCut = false;
      instance.process?.thaw();
      instance.start();
      instance.drain(false);
    }
    if (!model.primary.isUp) model.restart();
    this.#rejoin();
    model.thaw();
    model.settings = { ...model.settings, lostCalls: 0, lostReplies: 0 };
    model.heal();
    model.resumeReplication();
  }

  #next(): void {
    this.#later(2000 + this.#random.integer(18_000), () => {
      this.#draw();
      this.#next();
    });
  }

  #draw(): void {
    const name = pick(this.#random, this.#names);
    const { world } = this.#cluster;
    world.steps += 1;
    const done = name.startsWith('redis ') ? this.#redis(name) : this.#one(name);
    if (done) this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
  }

  // Instances

  #one(name: FaultName): boolean {
    if (name === 'plan') return this.#changePlan();
    const instance = pick(this.#random, this.#cluster.instances);
    if (!instance.isUp || this.#isWitness(instance)) return false;
    switch (name) {
      case 'crash':
      case 'wipe':
        instance.crash(name === 'wipe' ? 'state' : 'nothing');
        return this.#for(500 + this.#random.integer(40_000), () => instance.start());
      case 'stop':
        void instance.stop();
        return this.#for(3000 + this.#random.integer(30_000), () => instance.start());
      case 'cut':
        this.#say(`${instance.name} is cut off from Redis`);
        instance.cable.isCut = true;
        return this.#for(this.#span(500, 90_000), () => {
          this.#say(`${instance.name} reaches Redis again`);
          instance.cable.isCut = false;
          if (this.#random.next() < 0.5) instance.backend?.lose();
        });
      case 'freeze':
        return this.#freeze(instance);
      case 'jump':
        instance.machine.wallOffsetMs += this.#random.integer(7_200_000) - 3_600_000;
        this.#say(`the wall clock of ${instance.name} jumps`);
        return true;
      default:
        instance.drain(!instance.isDraining);
        return true;
    }
  }

  #powerCycle(instance: Instance): void {
    if (!instance.isUp) return;
    instance.crash('state');
    this.#for(500 + this.#random.integer(3000), () => instance.start());
  }

  #freeze(instance: Instance): boolean {
    const { process } = instance;
    this.#say(`${instance.name} stands still`);
    process?.freeze();
    return this.#for(this.#span(300, 65_000), () => {
      this.#say(`${instance.name} goes on`);
      process?.thaw();
    });
  }

  #changePlan(): boolean {
    const { world } = this.#cluster;
    this.#cluster.planVersion = this.#cluster.planVersion === 1 ? 2 : 1;
    this.#cluster.lastPlanMs = world.nowMs;
    this.#say(`plan ${this.#cluster.planVersion}`);
    return true;
  }

  // Redis

  #redis(name: FaultName): boolean {
    const hasReplica = this.#cluster.scene.replicas > 0;
    if (this.#redisBusy) return false;
    switch (name) {
      case 'redis failover':
        return hasReplica ? this.#failover(0) : this.#gone(1000);
      case 'redis lossy':
        return hasReplica ? this.#failover(this.#span(200, 10_000)) : this.#gone(500);
      case 'redis power':
        return hasReplica && this.#failover(this.#span(200, 10_000), true);
      case 'redis partition':
        return hasReplica && this.#partition();
      case 'redis freeze':
        return this.#freezeRedis();
      case 'redis flaky':
        return this.#flaky();
      case 'redis gone':
        return this.#gone(this.#span(2000, 150_000));
      default:
        return this.#restore();
    }
  }

  /** For a while the replica is told nothing, so that what is written then is lost. */
  #failover(behindMs: number, takesInstances = false): boolean {
    const { model } = this.#cluster;
    const old = model.primary;
    this.#say(`the primary stops to replicate, and dies ${behindMs} ms later`);
    if (behindMs > 0) model.stopReplication();
    this.#busy(behindMs + 20_000);
    return this.#for(behindMs, () => {
      model.kill();
      // Whoever heard of what is lost is gone as well: one power supply, one rack.
      if (takesInstances) for (const each of this.#cluster.instances) this.#powerCycle(each);
      this.#for(500 + this.#random.integer(8000), () => {
        model.failover();
        this.#skew();
        this.#say('a replica is the primary now');
        this.#ended = old;
        this.#for(1000 + this.#random.integer(10_000), () => this.#rejoin());
      });
    });
  }

  /** What was the primary comes back, as a replica. */
  #rejoin(): void {
    const { model } = this.#cluster;
    if (this.#ended !== undefined) model.rejoin(this.#ended);
    this.#ended = undefined;
    model.resumeReplication();
  }

  #partition(): boolean {
    const { model, instances } = this.#cluster;
    const near = instances.filter(() => this.#random.next() < 0.5);
    const backends = near.flatMap(({ backend }) => (backend === undefined ? [] : [backend]));
    this.#say(`the old primary is alone with ${near.map(({ name }) => name)}`);
    model.partition(backends);
    this.#busy(60_000);
    return this.#for(500 + this.#random.integer(8000), () => {
      model.failover();
      this.#skew();
      this.#say('on the other side a replica is the primary now');
      this.#for(1000 + this.#random.integer(40_000), () => {
        this.#say('the partition ends');
        model.heal();
      });
    });
  }

  #freezeRedis(): boolean {
    const { model } = this.#cluster;
    this.#say('Redis stands still');
    model.freeze();
    this.#busy(25_000);
    return this.#for(this.#span(200, 20_000), () => {
      this.#say('Redis goes on');
      model.thaw();
    });
  }

  /** Some calls and replies are lost: nobody knows what ran. */
  #flaky(): boolean {
    const { model } = this.#cluster;
    const { settings } = model;
    this.#say('calls to Redis are lost');
    model.settings = { ...settings, lostCalls: 0.1, lostReplies: 0.1 };
    const forMs = this.#span(500, 20_000);
    this.#busy(forMs);
    return this.#for(forMs, () => {
      model.settings = settings;
    });
  }

  #gone(forMs: number): boolean {
    const { model } = this.#cluster;
    this.#say('Redis is gone');
    model.kill();
    this.#busy(forMs + 20_000);
    return this.#for(forMs, () => {
      model.restart();
      this.#skew();
      this.#say('Redis is back');
    });
  }

  /**
   * Promises that are in no backup, in no living instance's memory and in no state directory are
   * gone: so somebody who follows is left alone for a while.
   */
  #restore(): boolean {
    const { model, instances, world } = this.#cluster;
    const backup = this.#backup;
    const witness = instances.find((each) => {
      const { logLagMs = Number.POSITIVE_INFINITY } = each.book?.status() ?? {};
      return each.isServing && each.book?.condition === 'fresh' && logLagMs < 1500;
    });
    if (backup === undefined || witness === undefined || !this.#cluster.isRedisUp) return false;
    this.#witnessUntilMs.set(witness, world.nowMs + WITNESS_MS);
    this.#say(`Redis ends, and a backup is put back; ${witness.name} knows`);
    model.kill();
    this.#busy(WITNESS_MS);
    return this.#for(500 + this.#random.integer(3000), () => {
      model.restart(backup);
      this.#skew();
      this.#say('the backup is in service');
    });
  }

  #backUp(): void {
    this.#later(BACKUP_EVERY_MS, () => {
      if (this.#cluster.isRedisUp) this.#backup = this.#cluster.model.backup();
      this.#backUp();
    });
  }

  #skew(): void {
    const { primary } = this.#cluster.model;
    if (this.#random.next() < 0.3) return;
    primary.skewSeconds = this.#random.integer(2 * SKEW_SECONDS + 1) - SKEW_SECONDS;
    this.#say(`Redis' clock is ${primary.skewSeconds} s off`);
  }

  // Tools

  #isWitness(instance: Instance): boolean {
    const untilMs = this.#witnessUntilMs.get(instance) ?? Number.NEGATIVE_INFINITY;
    return this.#cluster.world.nowMs < untilMs;
  }

  #busy(forMs: number): void {
    this.#redisBusy = true;
    this.#cluster.world.after(forMs, () => {
      this.#redisBusy = false;
    });
  }

  /** Short ones as often as long ones. */
  #span(leastMs: number, mostMs: number): number {
    return Math.round(leastMs * (mostMs / leastMs) ** this.#random.next());
  }

  /** Undoes what was begun, unless it is all over by then. */
  #for(ms: number, undo: () => void): boolean {
    this.#underWay += 1;
    this.#cluster.world.after(ms, () => {
      this.#underWay -= 1;
      this.#mark();
      if (!this.#isOver) undo();
    });
    this.#mark();
    return true;
  }

  #later(ms: number, act: () => void): void {
    this.#cluster.world.after(ms, () => {
      if (!this.#isOver) act();
    });
  }

  /** Calm begins when the last one has ended. */
  #mark(): void {
    this.#cluster.lastFaultMs =
      this.#underWay > 0 ? Number.POSITIVE_INFINITY : this.#cluster.world.nowMs;
  }

  #say(what: string): void {
    this.#cluster.world.say(`*** ${what}`);
  }
}
