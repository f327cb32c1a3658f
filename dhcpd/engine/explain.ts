// `explain`: the same decision as for a packet, for a client that is described, with its steps in
// words. Reads only. Pure.
import { formatIpv4, type Ipv4 } from '../../shared/net/ipv4.ts';
import { formatPrefix } from '../../shared/net/prefix.ts';
import type { Link } from '../io/types.ts';
import { clientKey } from '../leases/record.ts';
import { type Lease, STATE } from '../leases/types.ts';
import { type Reason, reasons } from '../reasons.ts';
import { INFINITE_SECONDS, MESSAGE } from '../wire/types.ts';
import { decide } from './decide.ts';
import { makeQuery, NO_ADDRESS, OPTION } from './query.ts';
import { leaseFor } from './scope.ts';
import type { Context, Decision, Query } from './types.ts';

/** A client as an operator knows it. */
export type Asked = {
  mac: Uint8Array;
  clientId?: Uint8Array;
  /** The relay's address; without it and a link: where the client is known. */
  relay?: Ipv4;
  circuitId?: Uint8Array;
  link?: Link;
  /** An address that it asks to go on with; without it: as for a client that starts. */
  address?: Ipv4;
  /** Further options by code: what classes match on. */
  options?: ReadonlyMap<number, Uint8Array>;
};

export type Verdict = 'offer' | 'ack' | 'nak' | 'silence';

export type Explanation = {
  verdict: Verdict;
  reason: Reason;
  steps: string[];
  address?: Ipv4;
  last?: LastDecision;
};

export type LastDecision = { atMs: number; messageType: number; reason: Reason; address?: Ipv4 };

export function explain(
  contextOf: (query: Query) => Context,
  asked: Asked,
  last: LastDecision | undefined,
): Explanation {
  const steps: string[] = [];
  const context = withServerId(contextOf(describedQuery(asked)));
  const known = recordOf(context, asked);
  if (known !== undefined) steps.push(recordWords(known, context.leases.nowSeconds()));
  const query = placed(context, asked, known, steps);
  const decision = decide({ ...context, query, trace: (step) => steps.push(step) });
  const { verdict, reason, address } = summary(context, query, decision, steps);
  steps.push(`${verdict}: ${reasons[reason]}`);
  if (last !== undefined) steps.push(lastWords(last));
  return {
    verdict,
    reason,
    steps,
    ...(address === undefined ? {} : { address }),
    ...(last === undefined ? {} : { last }),
  };
}

function describedQuery({ mac, clientId, relay, circuitId, link, address, options }: Asked): Query {
  const given = new Map(options);
  if (clientId !== undefined) given.set(OPTION.clientId, clientId);
  if (address !== undefined) given.set(OPTION.requestedAddress, addressBytes(address));
  if (circuitId !== undefined) {
    given.set(OPTION.relayInfo, Uint8Array.of(1, circuitId.length, ...circuitId));
  }
  const giaddr = relay ?? NO_ADDRESS;
  const request = {
    messageType: address === undefined ? MESSAGE.DISCOVER : MESSAGE.REQUEST,
    htype: 1,
    hlen: mac.length,
    hops: 0,
    xid: 0,
    secs: 0,
    flags: 0,
    ciaddr: NO_ADDRESS,
    giaddr,
    chaddr: mac,
    options: given,
    byteLength: 300,
  };
  const ingress = { source: giaddr, sourcePort: 67, receivedMs: 0, ...(link ? { link } : {}) };
  return makeQuery(request, ingress);
}

/** A message by UDP was sent to an address of ours; which one, a description does not say. */
function withServerId(context: Context): Context {
  const { settings, query } = context;
  if (settings.serverId !== undefined || query.ingress.link !== undefined) return context;
  return { ...context, settings: { ...settings, serverId: NO_ADDRESS } };
}

/** Its record, wherever. */
function recordOf({ leases }: Context, { mac, clientId }: Asked): Lease | undefined {
  const own = leases.ofClient(clientKey(clientId, 1, mac), () => true);
  return own ?? leases.ofClient(clientKey(undefined, 1, mac), () => true);
}

/** Without relay and link the client is looked for where it is reserved or known. */
function placed(context: Context, asked: Asked, known: Lease | undefined, steps: string[]): Query {
  const { query, plan } = context;
  if (asked.relay !== undefined || asked.link !== undefined) return query;
  const { clientId, circuitId } = asked;
  const identity = {
    chaddr: asked.mac,
    ...(clientId === undefined ? {} : { clientId }),
    ...(circuitId === undefined ? {} : { circuitId }),
  };
  const networks = new Set(plan.subnets.map(({ network }) => network));
  const reserved = [...networks].map((network) => plan.reservationFor(network, identity));
  const source = reserved.find((one) => one !== undefined)?.address ?? known?.address;
  if (source === undefined) {
    steps.push('neither relay nor link was named, and it is not known anywhere');
    return query;
  }
  return { ...query, ingress: { ...query.ingress, source } };
}

function recordWords({ address, state, toldUntil, holdUntil }: Lease, now: number): string {
  const what = Object.entries(STATE).find(([, code]) => code === state)?.[0] ?? 'unknown';
  const told = state === STATE.bound ? `, told it until ${until(toldUntil, now)}` : '';
  return `record: ${formatIpv4(address)}, ${what}${told}, held until ${until(holdUntil, now)}`;
}

function until(seconds: number, now: number): string {
  if (seconds === INFINITE_SECONDS) return 'for ever';
  const rest = seconds - now;
  return rest >= 0 ? `${rest} s from now` : `${-rest} s ago`;
}

function lastWords({ messageType, reason, address }: LastDecision): string {
  const name = Object.entries(MESSAGE).find(([, type]) => type === messageType)?.[0];
  const text = address === undefined ? '' : `, ${formatIpv4(address)}`;
  return `last time: ${name ?? messageType}: ${reasons[reason]}${text}`;
}

type Summary = { verdict: Verdict; reason: Reason; address?: Ipv4 };

function summary(context: Context, query: Query, decision: Decision, steps: string[]): Summary {
  switch (decision.do) {
    case 'offer-known': {
      const { scope, address, isReservation } = decision;
      const seconds = leaseFor({ ...context, query }, scope, address);
      steps.push(`${formatIpv4(address)} for ${seconds} s`);
      return {
        verdict: 'offer',
        reason: isReservation ? 'offered-reservation' : 'offered-own',
        address,
      };
    }
    case 'offer': {
      const counts = context.counts(decision.scope.network);
      steps.push(`${counts.free} of ${counts.total} addresses are free`);
      const [address] = decision.preferred;
      if (counts.free === 0 && address === undefined) {
        return { verdict: 'silence', reason: 'pool-exhausted' };
      }
      const [first] = decision.scope.network.subnets;
      const where = formatPrefix((decision.scope.subnet ?? first).prefix);
      steps.push(address === undefined ? `any free address of ${where}` : formatIpv4(address));
      return { verdict: 'offer', reason: 'offered', ...(address === undefined ? {} : { address }) };
    }
    case 'offer-none':
      return { verdict: 'offer', reason: 'offered-none' };
    case 'l3':
      return { verdict: 'offer', reason: 'l3-offered', address: decision.answer.address };
    case 'ack':
      return { verdict: 'ack', reason: decision.reason, address: decision.address };
    case 'nak':
      return { verdict: 'nak', reason: decision.reason };
    case 'silence':
      return { verdict: 'silence', reason: decision.reason };
    default:
      throw new Error(`${decision.do}: neither a DISCOVER nor a REQUEST of a rebooting client`);
  }
}

function addressBytes(address: Ipv4): Uint8Array {
  return Uint8Array.of(address >>> 24, address >>> 16, address >>> 8, address);
}
