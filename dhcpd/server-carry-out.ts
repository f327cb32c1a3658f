// Does what the engine decided: asks the lease book, probes, and says which reply is to leave, if
// any. A refusal that needs knowledge is silence when there is none (docs/leases.md, R7).
import { formatIpv4, type Ipv4 } from '../shared/net/ipv4.ts';
import { BoundedMap } from './engine/bounded-map.ts';
import { L3_LEASE_SECONDS } from './engine/l3.ts';
import { detailsOf, refusesName } from './engine/names.ts';
import type { Prepared } from './engine/prepared.ts';
import { latin } from './engine/query.ts';
import * as replies from './engine/reply.ts';
import { leaseFor, silence } from './engine/scope.ts';
import type * as engine from './engine/types.ts';
import type {
  BindResult,
  BindWant,
  Client,
  Later,
  LeaseBook,
  LeaseCounts,
  NotBound,
  Offer,
  Offered,
} from './leases/types.ts';
import type { Network } from './plan/types.ts';
import type { Reason } from './reasons.ts';
import type { ServerDependencies } from './server-types.ts';
import { MESSAGE, type Reply } from './wire/types.ts';

const MAX_PROBES = 3;
const MAX_OFFERS = 65_536;
/** A client that takes an offer later than this starts over. */
const OFFER_MEMORY_MS = 600_000;

export type Outcome = {
  reason: Reason;
  address?: Ipv4;
  /** Nothing leaves without it. */
  reply?: Reply;
  way?: { server: engine.ServerIds; onLink: boolean };
  /** R5; monotonic. */
  replyByMs?: number;
};

type Leased = engine.OfferKnown | engine.OfferPool;

export class CarryOut {
  readonly #dependencies: ServerDependencies;
  readonly #book: LeaseBook;
  /** What was offered to whom, beyond the time that the book sets the address aside (rule 50). */
  readonly #offers = new BoundedMap<string, { address: Ipv4; atMs: number }>(MAX_OFFERS);

  constructor(dependencies: ServerDependencies) {
    this.#dependencies = dependencies;
    this.#book = dependencies.book;
  }

  run(context: engine.Context, decision: engine.Decision): Outcome | Promise<Outcome> {
    switch (decision.do) {
      case 'silence':
        this.#alarm(decision.alarm);
        return { reason: decision.reason };
      case 'nak':
        return nakOutcome(context, decision);
      case 'ack':
        return this.#ack(context, decision);
      case 'offer-known':
        return this.#offerKnown(context, decision);
      case 'offer':
        return this.#offerFromPools(context, decision);
      case 'offer-none': {
        const reply = replies.noAddressReply(context, decision.scope);
        return { reason: 'offered-none', reply, way: decision.scope };
      }
      case 'forget-offer':
        this.#book.dropOffer(decision.client);
        this.#offers.delete(latin(decision.client.key));
        return { reason: 'offer-forgotten' };
      case 'release':
        return this.#release(decision);
      case 'decline':
        return this.#decline(decision);
      case 'inform': {
        const reply = replies.informReply(context, decision.scope, decision.address);
        return { reason: 'acked-inform', address: decision.address, reply, way: decision.scope };
      }
      case 'l3':
        return l3Outcome(context, decision);
    }
  }

  #offerKnown(context: engine.Context, decision: engine.OfferKnown) {
    const { scope, client, address, isReservation } = decision;
    this.#alarm(decision.alarm);
    if (decision.isRapid) return this.#rapid(context, decision, address, client);
    this.#remember(client, address);
    const seconds = leaseFor(context, scope, address);
    const reply = replies.offerReply(context, scope, { address, seconds });
    const reason: Reason = isReservation ? 'offered-reservation' : 'offered-own';
    return { reason, address, reply, way: scope };
  }

  #offerFromPools(context: engine.Context, decision: engine.OfferPool): Later<Outcome> {
    this.#alarm(decision.alarm);
    const offer = this.#nextOffer(decision);
    const isNow = !(offer instanceof Promise) && !this.#needsProbe(offer);
    return isNow
      ? this.#offered(context, decision, offer)
      : this.#offerLater(context, decision, offer);
  }

  async #offerLater(
    context: engine.Context,
    decision: engine.OfferPool,
    first: Later<Offer | undefined>,
  ): Promise<Outcome> {
    return this.#offered(context, decision, await this.#probed(context, decision, first));
  }

  #needsProbe(offer: Offer | undefined): offer is Offer {
    return offer?.recycled === true && this.#dependencies.prober !== undefined;
  }

  #offered(
    context: engine.Context,
    decision: engine.OfferPool,
    offer: Offer | undefined | 'all-in-use',
  ): Later<Outcome> {
    const { scope } = decision;
    if (offer === undefined) return this.#none(context, decision);
    if (offer === 'all-in-use') return { reason: offer };
    const { address } = offer;
    if (decision.isRapid) return this.#rapid(context, decision, address, scope.client);
    this.#remember(scope.client, address);
    const seconds = leaseFor(context, scope, address);
    const reply = replies.offerReply(context, scope, { address, seconds });
    return { reason: 'offered', address, reply, way: scope };
  }

  async #probed(
    context: engine.Context,
    decision: engine.OfferPool,
    first: Later<Offer | undefined>,
  ) {
    const { prober, settings } = this.#dependencies;
    const { client, onLink } = decision.scope;
    for (let probes = 0; probes < MAX_PROBES; probes += 1) {
      const offer = await (probes === 0 ? first : this.#nextOffer(decision));
      if (offer === undefined || !offer.recycled || prober === undefined) return offer;
      const link = onLink ? context.query.ingress.link?.name : undefined;
      if ((await prober.probe(offer.address, link)) !== 'in-use') return offer;
      const address = formatIpv4(offer.address);
      this.#dependencies.notice(
        'address-in-use',
        `${address} is free, but somebody answers there`,
        {
          address,
        },
      );
      await this.#book.quarantine(offer.address, settings.declineSeconds);
      this.#book.dropOffer(client);
    }
    return 'all-in-use' as const;
  }

  #nextOffer(decision: engine.OfferPool, from = 0): Later<Offer | undefined> {
    const { scope, pools, preferred } = decision;
    for (let at = from; at < pools.length; at++) {
      const each = pools[at];
      if (each === undefined) break;
      const near = preferred.filter((address) => isIn(each.ranges, address));
      const want = { client: scope.client, pools: each, preferred: near };
      const offer = this.#book.offer(want);
      if (offer instanceof Promise)
        return offer.then((found) => found ?? this.#nextOffer(decision, at + 1));
      if (offer !== undefined) return offer;
    }
    return undefined;
  }

  #none(context: engine.Context, { scope }: engine.OfferPool): Outcome {
    // Counted now: what context has may be a second old.
    const { free } = countNetwork(this.#book, context.prepared, scope.network);
    if (this.#book.condition !== 'fresh' || free > 0) {
      return { reason: 'no-address-now' };
    }
    const { id } = scope.network;
    this.#dependencies.notice('pool-exhausted', `${id}: no address is free`, { network: id });
    return { reason: 'pool-exhausted' };
  }

  /** RFC 4039: the ACK is the answer to the DISCOVER. */
  async #rapid(context: engine.Context, { scope }: Leased, address: Ipv4, client: Client) {
    const leaseSeconds = leaseFor(context, scope, address);
    const offered = address !== scope.reservation?.address;
    const want = wantOf(context, scope, { client, address, leaseSeconds, offered });
    const result = await this.#book.bind(want);
    if (result.outcome !== 'bound') return { reason: unboundReason(result) };
    const { toldSeconds: seconds, replyByMs } = result;
    const reply = replies.ackReply(context, scope, { address, seconds }, true);
    return { reason: 'acked-rapid' as const, address, reply, way: scope, replyByMs };
  }

  #ack(context: engine.Context, decision: engine.Ack): Later<Outcome> {
    const { scope, client, address, leaseSeconds, via, reason } = decision;
    if (via === 'plan' || via === 'cached') {
      const reply = replies.ackReply(context, scope, { address, seconds: leaseSeconds }, false);
      return { reason, address, reply, way: scope };
    }
    if (decision.unlessOffered === undefined) return this.#bind(context, decision, false);
    const offered = this.#book.wasOffered(client, address);
    return offered instanceof Promise
      ? offered.then((each) => this.#bindOffered(context, decision, each))
      : this.#bindOffered(context, decision, offered);
  }

  #bindOffered(context: engine.Context, decision: engine.Ack, offered: Offered): Later<Outcome> {
    const { client, address, unlessOffered } = decision;
    const mayBind = offered === 'yes' || offered === 'own';
    // Expired, but maybe still free: then the book gives it (rule 50).
    if (mayBind || unlessOffered === undefined || this.#remembers(client, address)) {
      return this.#bind(context, decision, offered === 'yes');
    }
    const isKnown = offered === 'no' || unlessOffered.do === 'silence';
    return this.#refuse(context, isKnown ? unlessOffered : silence('maybe-offered'));
  }

  async #bind(context: engine.Context, decision: engine.Ack, offered: boolean): Promise<Outcome> {
    const { scope, client, address, leaseSeconds, via, reason } = decision;
    const want = wantOf(context, scope, { client, address, leaseSeconds, offered });
    const result = await (via === 'renew' ? this.#book.renew(want) : this.#book.bind(want));
    if (result.outcome === 'unknown') return { reason: unboundReason(result) };
    if (result.outcome !== 'bound') {
      return this.#refuse(context, refusalOf(decision, result));
    }
    const { toldSeconds: seconds, replyByMs } = result;
    const reply = replies.ackReply(context, scope, { address, seconds }, false);
    return { reason, address, reply, way: scope, replyByMs };
  }

  async #release({ client, address }: { client: Client; address: Ipv4 }): Promise<Outcome> {
    const isDone = await this.#book.release(client, address);
    return { reason: isDone ? 'released' : 'not-owner', address };
  }

  async #decline(decision: engine.Decision & { do: 'decline' }): Promise<Outcome> {
    const { client, address, seconds, isOwner, alarm } = decision;
    const isItsOwn =
      isOwner || ['yes', 'own'].includes(await this.#book.wasOffered(client, address));
    if (!isItsOwn) return { reason: 'not-owner', address };
    if (!(await this.#book.decline(client, address, seconds))) {
      return { reason: 'not-owner', address };
    }
    this.#offers.delete(latin(client.key));
    this.#alarm(alarm);
    return { reason: 'declined', address };
  }

  #refuse(context: engine.Context, refusal: engine.Nak | engine.Silence): Outcome {
    if (refusal.do === 'silence') return { reason: refusal.reason };
    if (this.#book.condition !== 'fresh') return { reason: 'not-fresh' };
    return nakOutcome(context, refusal);
  }

  #remember(client: Client, address: Ipv4): void {
    const atMs = this.#dependencies.clock.monotonicMs();
    this.#offers.set(latin(client.key), { address, atMs });
  }

  #remembers(client: Client, address: Ipv4): boolean {
    const offer = this.#offers.get(latin(client.key));
    if (offer?.address !== address) return false;
    return this.#dependencies.clock.monotonicMs() - offer.atMs <= OFFER_MEMORY_MS;
  }

  #alarm(alarm: engine.Alarm | undefined): void {
    if (alarm !== undefined) this.#dependencies.notice(alarm.event, alarm.message, alarm.fields);
  }
}

/** All pools of a network; the book knows them one by one. */
export function countNetwork(book: LeaseBook, prepared: Prepared, network: Network): LeaseCounts {
  const sum = { bound: 0, free: 0, total: 0, declined: 0 };
  for (const subnet of network.subnets) {
    const counts = book.counts(prepared.pools(subnet));
    sum.bound += counts.bound;
    sum.free += counts.free;
    sum.total += counts.total;
    sum.declined += counts.declined;
  }
  return sum;
}

function refusalOf({ refused }: engine.Ack, { outcome, lease }: NotBound) {
  if (outcome === 'quarantine') return refused.quarantine;
  if (outcome !== 'reserved') return refused.taken;
  // An instance that is cut off may have promised it to this very client (docs/leases.md §7).
  return lease.isLongReserve ? silence('not-known') : refused.reserved;
}

function nakOutcome({ query }: engine.Context, { reason, server, onLink }: engine.Nak): Outcome {
  return { reason, reply: replies.nakReply(query, server, reason), way: { server, onLink } };
}

/** With what is to be kept of the client beside the record. */
function wantOf(
  { query }: engine.Context,
  scope: engine.Scope,
  want: Omit<BindWant, 'details' | 'noName' | 'planned'>,
): BindWant {
  const details = detailsOf(query, scope);
  return {
    ...want,
    ...(want.address === scope.reservation?.address ? { planned: true } : {}),
    ...(details === undefined ? {} : { details }),
    ...(refusesName(query) ? { noName: true } : {}),
  };
}

function l3Outcome({ query }: engine.Context, decision: engine.Decision & { do: 'l3' }): Outcome {
  const { type, answer, server, onLink } = decision;
  const { address } = answer;
  const lease = { address, seconds: type === 'inform' ? 0 : L3_LEASE_SECONDS };
  const messageType = type === 'offer' ? MESSAGE.OFFER : MESSAGE.ACK;
  const reply = replies.l3Reply(query, server, messageType, lease, answer);
  const reasons = { offer: 'l3-offered', ack: 'l3-acked', inform: 'acked-inform' } as const;
  return { reason: reasons[type], address, reply, way: { server, onLink } };
}

function unboundReason(result: Exclude<BindResult, { outcome: 'bound' }>): Reason {
  if (result.outcome === 'unknown') return `bind-${result.why}`;
  return result.outcome === 'quarantine' ? 'bind-quarantine' : 'bind-taken';
}

function isIn(ranges: readonly { first: Ipv4; last: Ipv4 }[], address: Ipv4): boolean {
  return ranges.some(({ first, last }) => first <= address && address <= last);
}
