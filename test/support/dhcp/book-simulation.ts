// Clients, three lease books and a modelled Redis whose faults a seed decides. The checker holds
// every promise: who was told which address until when, by the one true clock.
import type { BindResult, LeaseBackend } from '../../../dhcpd/leases/types.ts';
import type { Ipv4 } from '../../../shared/net/ipv4.ts';
import { pick } from '../../../shared/random.ts';
import { BookRig, clientOf, poolOf, type RiggedBook } from './book-rig.ts';

const LEASE_SECONDS = 120;
const CLIENTS = 60;

export type Violation = { address: Ipv4; text: string };
type Held = { client: number; untilMs: number; by: string };
type Member = { instance: number; rigged: RiggedBook; isUp: boolean; downUntilMs: number };

export class BookSimulation {
  readonly violations: Violation[] = [];
  readonly counts = { offered: 0, bound: 0, renewed: 0, released: 0, faults: 0, silent: 0 };
  readonly #rig: BookRig;
  readonly #wrap: ((backend: LeaseBackend) => LeaseBackend) | undefined;
  readonly #faults: 'all' | 'failovers';
  readonly #members: Member[] = [];
  /** All promises that are not over. */
  readonly #held = new Map<Ipv4, Held[]>();
  /** What each client believes to have. */
  readonly #own = new Map<number, { address: Ipv4; untilMs: number }>();
  #mending: (() => void) | undefined;

  constructor(
    seed: number,
    wrap?: (backend: LeaseBackend) => LeaseBackend,
    faults: 'all' | 'failovers' = 'all',
  ) {
    this.#wrap = wrap;
    this.#faults = faults;
    this.#rig = new BookRig({
      seed,
      pools: [poolOf('10.0.0.10', '10.0.0.69')],
      settings: {
        maxLeaseSeconds: LEASE_SECONDS,
        affinitySeconds: 20,
        reuseSeconds: 60,
        outage: { reserve: 2, budgetSeconds: 240 },
      },
      model: {
        replicas: 1,
        waitFor: 1,
        delayMs: [0, 5],
        replicationMs: [0, 40],
        timeoutMs: 400,
        lostCalls: 0.002,
        lostReplies: 0.002,
      },
    });
    this.#rig.members = 3;
  }

  async run(steps: number): Promise<void> {
    const { random, clock } = this.#rig;
    for (const instance of [1, 2, 3]) this.#members.push(this.#start(instance));
    await clock.advance(3000);
    for (let step = 0; step < steps; step++) {
      for (let i = random.integer(4); i > 0; i--) this.#client(random.integer(CLIENTS));
      if (random.next() < 0.03) this.#fault();
      this.#revive();
      const isLong = random.next() < 0.05;
      await clock.advance(isLong ? random.integer(60_000) : random.integer(400));
      if (this.violations.length > 0) break;
    }
    for (const { rigged } of this.#members) rigged.crash();
    await clock.advance(5000);
  }

  #start(instance: number, before?: Member): Member {
    const { wrap, disk } = { wrap: this.#wrap, disk: before?.rigged.disk };
    const more = {
      ...(wrap === undefined ? {} : { wrap }),
      ...(disk === undefined ? {} : { disk }),
    };
    const rigged = this.#rig.book(instance, more);
    rigged.book.start(new AbortController().signal).catch(() => {}); // it crashed before
    return { instance, rigged, isUp: true, downUntilMs: 0 };
  }

  #client(number: number): void {
    const up = this.#members.filter(({ isUp }) => isUp);
    if (up.length === 0) return;
    const member = pick(this.#rig.random, up);
    const own = this.#own.get(number);
    const isOver = own === undefined || own.untilMs <= this.#nowMs;
    const dice = this.#rig.random.next();
    if (isOver || dice < 0.1) void this.#discover(number, member, own?.address);
    else if (dice < 0.8) void this.#renew(number, member, own.address);
    else if (dice < 0.9) void this.#release(number, member, own.address);
  }

  get #nowMs(): number {
    return this.#rig.clock.monotonicMs();
  }

  async #discover(client: number, member: Member, before: Ipv4 | undefined): Promise<void> {
    const [pools] = this.#rig.pools;
    const { book } = member.rigged;
    if (pools === undefined || book.condition === 'starting') return;
    const preferred = before === undefined ? [] : [before];
    const offer = await book.offer({ client: clientOf(client), pools, preferred });
    if (offer === undefined || !member.isUp) return;
    this.counts.offered++;
    const others = this.#members.filter(({ isUp }) => isUp);
    const second = this.#rig.random.next() < 0.8 ? member : pick(this.#rig.random, others);
    const { address } = offer;
    const is = await second.rigged.book.wasOffered(clientOf(client), address);
    const offered = is === 'yes';
    const want = { client: clientOf(client), address, leaseSeconds: LEASE_SECONDS, offered };
    const result = await second.rigged.book.bind(want);
    if (second.isUp) this.#acked(client, address, result, `bind by ${second.instance}`);
  }

  async #renew(client: number, member: Member, address: Ipv4): Promise<void> {
    const { book } = member.rigged;
    const lease = book.get(address);
    if (lease === undefined || !book.isOwner(lease, clientOf(client).key)) return;
    const want = {
      client: clientOf(client),
      address,
      leaseSeconds: LEASE_SECONDS,
      offered: false,
    };
    const result = await book.renew(want);
    // A client that released or moved on meanwhile takes no ACK of the address before.
    if (!member.isUp || this.#own.get(client)?.address !== address) return;
    if (result.outcome === 'bound') this.counts.renewed++;
    this.#acked(client, address, result, `renewal by ${member.instance}`);
  }

  async #release(client: number, member: Member, address: Ipv4): Promise<void> {
    this.#own.delete(client);
    const held = this.#held.get(address) ?? [];
    this.#held.set(
      address,
      held.filter((each) => each.client !== client),
    );
    if (await member.rigged.book.release(clientOf(client), address)) this.counts.released++;
  }

  #acked(client: number, address: Ipv4, result: BindResult, by: string): void {
    if (result.outcome !== 'bound') {
      this.counts.silent++;
      return;
    }
    // The wire and a slow process: anything up to the last moment that R5 allows.
    const nowMs = this.#nowMs;
    if (nowMs > result.replyByMs) return;
    const untilMs = result.replyByMs + result.toldSeconds * 1000;
    this.counts.bound++;
    const held = (this.#held.get(address) ?? []).filter((each) => each.untilMs > nowMs);
    for (const other of held) {
      if (other.client === client) continue;
      const first = `${other.client} until ${other.untilMs} by ${other.by}`;
      const text = `${first}; ${client} by ${by} at ${nowMs}`;
      this.violations.push({ address, text });
    }
    held.push({ client, untilMs, by: `${by} at ${nowMs}` });
    this.#held.set(address, held);
    this.#own.set(client, { address, untilMs });
  }

  #fault(): void {
    const { random, model, clock } = this.#rig;
    this.counts.faults++;
    const dice = this.#faults === 'all' ? random.next() : 0.3 + 0.4 * random.next();
    if (dice < 0.35) {
      this.#crash(pick(random, this.#members));
      return;
    }
    if (this.#mending !== undefined) return;
    const mend = (afterMs: number, work: () => void) => {
      this.#mending = work;
      clock.after(afterMs, () => {
        this.#mending = undefined;
        work();
      });
    };
    if (dice < 0.5 && this.#faults === 'all') {
      model.freeze();
      mend(random.integer(12_000), () => model.thaw());
    } else if (dice < 0.65 && this.#faults === 'all') {
      model.kill();
      mend(random.integer(30_000), () => model.restart());
    } else if (dice < 0.85) this.#failover(mend);
    else this.#partition(mend);
  }

  #crash(member: Member): void {
    if (!member.isUp) return;
    member.rigged.crash();
    member.rigged.backend.close();
    member.isUp = false;
    member.downUntilMs = this.#nowMs + this.#rig.random.integer(20_000);
  }

  /** With or without writes that reached nobody else. */
  #failover(mend: (afterMs: number, work: () => void) => void): void {
    const { random, model, clock } = this.#rig;
    const old = model.primary;
    model.stopReplication();
    // At times a whole rack goes: then nobody is left who could teach what was lost.
    const isRack = this.#faults === 'failovers' || random.next() < 0.2;
    clock.after(random.integer(3000), () => {
      model.kill();
      model.failover();
      if (isRack) for (const member of this.#members) this.#crash(member);
    });
    mend(10_000 + random.integer(20_000), () => model.rejoin(old));
  }

  #partition(mend: (afterMs: number, work: () => void) => void): void {
    const { random, model, clock } = this.#rig;
    const backends = this.#members.filter(({ isUp }) => isUp).map(({ rigged }) => rigged.backend);
    const cutOff = backends.filter(() => random.next() < 0.4);
    model.partition(cutOff);
    clock.after(random.integer(5000), () => model.failover());
    mend(8000 + random.integer(20_000), () => model.heal());
  }

  #revive(): void {
    for (const [i, member] of this.#members.entries()) {
      if (member.isUp || member.downUntilMs > this.#nowMs) continue;
      this.#members[i] = this.#start(member.instance, member);
    }
  }
}
