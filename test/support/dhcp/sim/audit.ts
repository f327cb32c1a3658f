// What is right in each reply by itself, and between replies of one transaction. Writes what ACKs
// promise into the ledger.
import type { ServerMessage } from '../../../../dhcpd/wire/parse.ts';
import { MESSAGE } from '../../../../dhcpd/wire/types.ts';
import { formatIpv4, type Ipv4 } from '../../../../shared/net/ipv4.ts';
import { addressOf, hex, SimClient } from './client.ts';
import type { Cluster } from './cluster.ts';
import type { Hostile } from './hostile.ts';
import type { Instance } from './instance.ts';
import { MAX_LEASE_FACTOR } from './scene.ts';

/** What differs between OFFER and ACK by its nature: 51, 53, 58, 59. */
const TIMES = new Set([51, 53, 54, 58, 59]);
/** After a fault, or a change of plan, the stricter rules are suspended. */
const CALM_AFTER_MS = 40_000;
const PLAN_SETTLES_MS = 10_000;
/** As long as offers are shared. */
const SHARED_MS = 8000;

type Transaction = { xid: number; offered: Map<Ipv4, string>; firstMs: number; options?: string };

export class Audit {
  readonly #cluster: Cluster;
  readonly #transactions = new Map<string, Transaction>();
  acks = 0;
  naks = 0;
  offers = 0;
  /** NAKs to clients that held what they asked for, by what was going on. */
  readonly nakked: string[] = [];

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** Nothing was broken for a while. */
  get isCalm(): boolean {
    return this.#cluster.world.nowMs - this.#cluster.lastFaultMs > CALM_AFTER_MS;
  }

  asked(client: SimClient, type: string): void {
    if (type !== 'DISCOVER') return;
    const { name } = client.identity;
    if (this.#transactions.get(name)?.xid === client.xid) return;
    this.#transactions.set(name, { xid: client.xid, offered: new Map(), firstMs: -1 });
  }

  sent(instance: Instance, message: ServerMessage, owner: SimClient | Hostile | undefined): void {
    if (message.messageType === MESSAGE.ACK) this.#ack(instance, message, owner);
    if (!(owner instanceof SimClient)) return;
    if (message.messageType === MESSAGE.OFFER) this.#offer(instance, message, owner);
    if (message.messageType === MESSAGE.NAK) this.#nak(instance, owner);
  }

  #ack(instance: Instance, message: ServerMessage, owner: SimClient | Hostile | undefined): void {
    const { ledger, world, scene } = this.#cluster;
    const { yiaddr } = message;
    const seconds = addressOf(message.options.get(51)) as number;
    this.acks += 1;
    // What the plan has moved elsewhere may go on for a short while (rule 62).
    if (seconds > scene.leaseSeconds / 2) this.#isInPlan(yiaddr, instance);
    if (seconds < 1 || seconds > MAX_LEASE_FACTOR * scene.leaseSeconds) {
      ledger.fault(`${instance.name} told ${seconds} s, which the plan does not know`);
    }
    const untilMs = world.nowMs + seconds * 1000;
    const by = `${instance.name} ${hex(message.xid)}`;
    if (owner instanceof SimClient) {
      if (!owner.isWaiting || owner.askedFor !== yiaddr) return;
      this.#sameAsOffer(instance, message, owner);
      ledger.promise(owner.identity.name, yiaddr, untilMs, 'sent', by);
    } else if (owner !== undefined) {
      ledger.promise(owner.identityOf(message.xid), yiaddr, untilMs, 'sent', by);
    }
  }

  #offer(instance: Instance, message: ServerMessage, owner: SimClient): void {
    this.offers += 1;
    this.#isInPlan(message.yiaddr, instance);
    const open = this.#transactions.get(owner.identity.name);
    if (open === undefined || open.xid !== message.xid) return;
    const { nowMs } = this.#cluster.world;
    if (open.firstMs < 0) open.firstMs = nowMs;
    open.offered.set(message.yiaddr, instance.name);
    open.options = optionsOf(message);
    const isShared = nowMs - open.firstMs < SHARED_MS;
    if (open.offered.size > 1 && isShared && this.isCalm) {
      const all = [...open.offered].map(([address, by]) => `${formatIpv4(address)} by ${by}`);
      this.#cluster.ledger.fault(`one DISCOVER of ${owner.identity.name}: ${all.join(', ')}`);
    }
  }

  /** Rule 66; a change of plan between the two is the only reason for a difference. */
  #sameAsOffer(instance: Instance, message: ServerMessage, owner: SimClient): void {
    const open = this.#transactions.get(owner.identity.name);
    if (owner.state !== 'requesting' || open?.xid !== message.xid) return;
    const { world, lastPlanMs, ledger } = this.#cluster;
    if (world.nowMs - lastPlanMs < PLAN_SETTLES_MS || !this.isCalm) return;
    const now = optionsOf(message);
    if (open.options !== undefined && open.options !== now) {
      ledger.fault(`${instance.name}: OFFER had ${open.options}, ACK has ${now}`);
    }
  }

  #nak(instance: Instance, owner: SimClient): void {
    this.naks += 1;
    const { world, ledger } = this.#cluster;
    const { lease, state } = owner;
    const { name } = owner.identity;
    if (!owner.isWaiting || state === 'requesting' || lease === undefined) return;
    // What the plan alone promised stands in no record.
    if (owner.identity.isReserved === true) return;
    if (lease.untilMs <= world.nowMs || owner.askedFor !== lease.address) return;
    if (!this.#mayHave(instance, lease.address)) return;
    ledger.fault(`${instance.name} refuses ${name} ${formatIpv4(lease.address)}, which it holds`);
  }

  #mayHave(instance: Instance, address: Ipv4): boolean {
    const isSettled = this.#cluster.world.nowMs - this.#cluster.lastPlanMs > PLAN_SETTLES_MS;
    const plans = isSettled ? [instance.plan] : Object.values(this.#cluster.plans);
    return plans.every((plan) => isPooled(plan, address));
  }

  #isInPlan(address: Ipv4, instance: Instance): void {
    const { plans, lastPlanMs, world, ledger } = this.#cluster;
    const isSettled = world.nowMs - lastPlanMs > PLAN_SETTLES_MS;
    const possible = isSettled ? [instance.plan] : Object.values(plans);
    const isRight = possible.some((plan) => {
      return isPooled(plan, address) || plan.reservationAt(address) !== undefined;
    });
    if (!isRight) ledger.fault(`${instance.name} gave ${formatIpv4(address)}, not in the plan`);
  }
}

function isPooled(plan: Instance['plan'], address: Ipv4): boolean {
  const subnet = plan.subnetOf(address);
  const isListed = subnet?.pools.some(({ first, last }) => first <= address && address <= last);
  return isListed === true && plan.reservationAt(address) === undefined;
}

function optionsOf(message: ServerMessage): string {
  return [...message.options]
    .filter(([code]) => !TIMES.has(code))
    .sort(([a], [b]) => a - b)
    .map(([code, bytes]) => `${code}=${Buffer.from(bytes).toString('hex')}`)
    .join(' ');
}
