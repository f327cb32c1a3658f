// Which subnet a message belongs to: link selection of the relay (RFC 3527), subnet selection
// (RFC 3011), giaddr, ciaddr of what came through a router (RFC 2131 §4.3.2), the link. What fits
// nothing is dropped: a guess would hand out an address that does not work there. Pure.
import { formatIpv4, type Ipv4 } from '../../shared/net/ipv4.ts';
import type { Plan, Subnet } from '../plan/types.ts';
import type { Reason } from '../reasons.ts';
import type { Prepared } from './prepared.ts';
import { addressOption, broadcastOf, OPTION } from './query.ts';
import type { Query } from './types.ts';

export type Selected = {
  subnet: Subnet;
  /** The client is on the link that the message came by. */
  onLink: boolean;
  how: string;
};

/** 224.0.0.0 and up: multicast, reserved, broadcast. */
const FIRST_OF_MANY = 224;

type Where = { plan: Plan; prepared: Prepared; query: Query; isTrusted: boolean };

export function selectSubnet(where: Where): Selected | Reason {
  const { query } = where;
  const { request, relay } = query;
  // RFC 3046 §2.1: a client on the link itself has no business with this option.
  if (relay !== undefined && request.giaddr === 0 && !where.isTrusted) return 'agent-untrusted';
  if (request.giaddr !== 0 && !isRelay(where)) return 'relay-unanswerable';
  const linked = relay?.linkSelection;
  if (linked !== undefined) return named(where, linked, 'link selection of the relay');
  const asked = addressOption(request, OPTION.subnetSelection);
  if (asked !== undefined) return named(where, asked, 'subnet selection option');
  if (request.giaddr !== 0) return named(where, request.giaddr, 'relay');
  return query.isUnicast ? byClient(where) : byLink(where);
}

function named(where: Where, address: Ipv4, what: string): Selected | Reason {
  const subnet = where.plan.subnetOfRelay(address);
  if (subnet === undefined) return 'unknown-network';
  return { subnet, onLink: isOnLink(where, subnet), how: `${what} ${formatIpv4(address)}` };
}

/** What was sent to us alone may have come through a router; a broadcast did not. */
function isOnLink({ prepared, query }: Where, subnet: Subnet): boolean {
  const { link } = query.ingress;
  if (link === undefined || query.request.giaddr !== 0) return false;
  return !query.isUnicast || prepared.subnetOfLink(link)?.network === subnet.network;
}

/** This machine's own relays and tests go by loopback; from outside nobody can. */
function isRelay({ plan, query: { request, ingress } }: Where): boolean {
  const { giaddr } = request;
  return isHost(plan, giaddr) || (isLoopback(giaddr) && isLoopback(ingress.source));
}

/** What is sent to any other address goes to many, to nobody, or to ourselves. */
export function isHost(plan: Plan, address: Ipv4): boolean {
  const first = address >>> 24;
  if (first === 0 || isLoopback(address) || first >= FIRST_OF_MANY) return false;
  const prefix = plan.subnetOf(address)?.prefix;
  if (prefix === undefined || prefix.bits >= 31) return true;
  return address !== prefix.address && address !== broadcastOf(prefix);
}

function isLoopback(address: Ipv4): boolean {
  return address >>> 24 === 127;
}

function byClient(where: Where): Selected | Reason {
  const { plan, query } = where;
  const { request, ingress } = query;
  const address = request.ciaddr !== 0 ? request.ciaddr : ingress.source;
  // Who has no address cannot have come through a router.
  if (address === 0) return byLink(where);
  const subnet = plan.subnetOf(address);
  if (subnet === undefined) return 'unknown-network';
  return {
    subnet,
    onLink: isOnLink(where, subnet),
    how: `address of the client ${formatIpv4(address)}`,
  };
}

function byLink({ prepared, query }: Where): Selected | Reason {
  const { link } = query.ingress;
  const subnet = link === undefined ? undefined : prepared.subnetOfLink(link);
  if (link === undefined || subnet === undefined) return 'unknown-network';
  return { subnet, onLink: true, how: `link ${link.name}` };
}

/** The subnet of the network that an address lies in. */
export function subnetIn(plan: Plan, network: Subnet['network'], address: Ipv4) {
  const subnet = plan.subnetOf(address);
  return subnet?.network === network ? subnet : undefined;
}
