// One dhcpd of the simulation: the real server over the real lease book, on a modelled machine. It
// starts, dies, stands still and is cut off as the faults say.

import { Prepared } from '../../../../dhcpd/engine/prepared.ts';
import type { Ingress, Link, Outgoing } from '../../../../dhcpd/io/types.ts';
import { createLeaseBook, type RunningLeaseBook } from '../../../../dhcpd/leases/book.ts';
import type { BookSettings } from '../../../../dhcpd/leases/options.ts';
import { instanceId } from '../../../../dhcpd/leases/record.ts';
import type { LeaseBackend, LeaseBook, Pools } from '../../../../dhcpd/leases/types.ts';
import type { Plan } from '../../../../dhcpd/plan/types.ts';
import { DhcpServer } from '../../../../dhcpd/server.ts';
import type { ServerSettings } from '../../../../dhcpd/server-types.ts';
import type { Ipv4 } from '../../../../shared/net/ipv4.ts';
import type { Random } from '../../../../shared/random.ts';
import type { RedisModel } from '../redis-model.ts';
import type { ModelBackend } from '../redis-model-backend.ts';
import { Medium, SimDisk } from './disk.ts';
import { type Cable, gated } from './gate.ts';
import { type Machine, Process } from './process.ts';
import type { World } from './world.ts';

/** How a planted bug gets in. */
export type Bug = {
  backend?: (backend: LeaseBackend) => LeaseBackend;
  book?: (book: LeaseBook) => LeaseBook;
  /** The monotonic clock stands still while the process does. */
  clockSleeps?: boolean;
};

export type InstanceOptions = {
  name: string;
  world: World;
  model: RedisModel;
  random: Random;
  /** On a shared LAN; otherwise it is behind relays, and has the cluster's one address. */
  link?: Link;
  serverId?: Ipv4;
  siblingIds: readonly Ipv4[];
  sharedLan: ServerSettings['sharedLan'];
  bookSettings: BookSettings;
  plan: () => Plan;
  members: () => readonly string[];
  send: (instance: Instance, packet: Outgoing) => void;
  count: (reason: string) => void;
  bug: Bug;
};

export class Instance {
  readonly options: InstanceOptions;
  readonly machine: Machine;
  readonly cable: Cable = { isCut: false };
  process: Process | undefined;
  server: DhcpServer | undefined;
  book: RunningLeaseBook | undefined;
  backend: ModelBackend | undefined;
  isDraining = false;
  #medium = new Medium();
  #disk: SimDisk | undefined;
  #boot = 0;
  /** As this instance has it: the store that it comes from may be away. */
  plan: Plan;
  #members: readonly string[];
  #pools: { plan: Plan; pools: readonly Pools[] } | undefined;

  constructor(options: InstanceOptions) {
    this.options = options;
    const { random } = options;
    this.machine = {
      rate: 1 + (random.next() - 0.5) * 4e-4,
      startMs: random.integer(1e9),
      wallOffsetMs: random.integer(4000) - 2000,
    };
    this.plan = options.plan();
    this.#members = [options.name];
  }

  get name(): string {
    return this.options.name;
  }

  get isUp(): boolean {
    return this.process !== undefined;
  }

  get isServing(): boolean {
    return this.server !== undefined && this.process?.state === 'running';
  }

  /** What comes from the store is news only while that answers. */
  refresh(isReachable: boolean): void {
    if (!isReachable || this.cable.isCut || this.process?.state !== 'running') return;
    this.plan = this.options.plan();
    this.#members = this.options.members();
  }

  start(): void {
    if (this.process !== undefined) return;
    const { world, model, bug, random, bookSettings, name } = this.options;
    const process = new Process(world, this.machine, bug.clockSleeps);
    this.process = process;
    this.backend = model.connect();
    const gate = gated(this.backend, process, this.cable, world);
    this.#disk = new SimDisk(this.#medium, process, random);
    const boot = this.#boot;
    const book = createLeaseBook({
      backend: bug.backend?.(gate) ?? gate,
      clock: process.clock,
      random,
      instance: instanceId(name),
      members: () => this.#members.length,
      pools: () => this.#poolsNow(),
      settings: bookSettings,
      disk: this.#disk,
      uptime: () => ({ boot: `${name}-${boot}`, ms: process.clock.monotonicMs() }),
      notice: (event, message) => world.say(`${name} ${event}: ${message}`),
    });
    this.book = book;
    world.say(`${name} starts`);
    book.start(this.#abort().signal).then(
      () => this.#serve(process, book),
      (error) => world.say(`${name} could not start: ${error}`),
    );
  }

  /** As kill -9 does; calls that are on their way to Redis may run. */
  crash(loses: 'nothing' | 'state'): void {
    const { process, backend } = this;
    if (process === undefined) return;
    this.options.world.say(`${this.name} crashes, and loses ${loses}`);
    process.kill();
    this.#disk?.crash();
    if (loses === 'state') {
      this.#medium = new Medium();
      this.#boot += 1;
    }
    this.options.world.after(this.options.random.integer(2) * 300, () => backend?.close());
    this.#gone();
  }

  async stop(): Promise<void> {
    const { process, server, book, backend } = this;
    this.options.world.say(`${this.name} stops`);
    await server?.stop();
    await book?.stop();
    if (process !== this.process) return;
    process?.kill();
    backend?.close();
    this.options.world.say(`${this.name} has stopped`);
    this.#gone();
  }

  drain(isDraining: boolean): void {
    this.isDraining = isDraining;
    this.options.world.say(`${this.name} ${isDraining ? 'drains' : 'drains no more'}`);
    if (isDraining) this.server?.drain();
    else this.server?.undrain();
  }

  receive(bytes: Uint8Array, ingress: Omit<Ingress, 'receivedMs' | 'link'>): void {
    const { process } = this;
    const { link } = this.options;
    process?.packet(() => {
      const receivedMs = process.clock.monotonicMs();
      const at = link === undefined ? {} : { link };
      this.server?.receive(bytes, { ...ingress, ...at, receivedMs });
    });
  }

  #serve(process: Process, book: RunningLeaseBook): void {
    const { world, send, count, bug, serverId, siblingIds, sharedLan } = this.options;
    if (this.process !== process) return;
    // The plan is read at the start, and as old as the state directory without Redis.
    this.refresh(book.condition === 'fresh');
    world.say(`${this.name} serves: ${book.condition}`);
    this.server = new DhcpServer({
      settings: {
        node: this.name,
        ...(serverId === undefined ? {} : { serverId }),
        siblingIds,
        strict: true,
        trustedLinks: [],
        offerSeconds: this.options.bookSettings.offerSeconds,
        declineSeconds: 90,
        cacheShare: 0.25,
        staleAfterMs: 4000,
        maxPending: 64,
        limits: { perRelay: 0, perClient: 0, declinesPerRelay: 0 },
        sharedLan,
      },
      plan: () => this.plan,
      book: bug.book?.(book) ?? book,
      transport: {
        send: (packet) => {
          if (process.state === 'running') send(this, packet);
        },
      },
      clock: process.clock,
      members: () => ({ names: this.#members, own: this.name }),
      count,
      notice: (event, message) => {
        if (event === 'request-failed') world.say(`${this.name} ${event}: ${message}`);
      },
    });
    if (this.isDraining) this.server.drain();
  }

  #poolsNow(): readonly Pools[] {
    if (this.#pools?.plan !== this.plan) {
      const { plan } = this;
      const prepared = new Prepared(plan, []);
      this.#pools = { plan, pools: plan.subnets.map((subnet) => prepared.pools(subnet)) };
    }
    return this.#pools.pools;
  }

  #ended: AbortController | undefined;

  #abort(): AbortController {
    this.#ended = new AbortController();
    return this.#ended;
  }

  #gone(): void {
    this.process = undefined;
    this.server = undefined;
    this.book = undefined;
    this.backend = undefined;
    this.isDraining = false;
  }
}
