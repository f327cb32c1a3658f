// Where a message belongs and who sent it: what every decision starts from. Pure.
import { formatIpv4, type Ipv4 } from '../../shared/net/ipv4.ts';
import { formatPrefix } from '../../shared/net/prefix.ts';
import { clientKey } from '../leases/record.ts';
import { type Client, type Lease, STATE } from '../leases/types.ts';
import type { LeaseTimes, Reservation } from '../plan/types.ts';
import { matchClasses } from './classes.ts';
import { leaseSeconds, leaseTimes } from './lease-time.ts';
import { asksFor, OPTION } from './query.ts';
import { serverIdsFor } from './server-id.ts';
import { levelsOf } from './settings.ts';
import { selectSubnet, subnetIn } from './subnet.ts';
import type { Context, Query, Scope, Silence } from './types.ts';

export function scopeOf(context: Context): Scope | Silence {
  const { plan, prepared, settings, query, trace } = context;
  const { request, ingress } = query;
  const isTrusted = ingress.link !== undefined && settings.trustedLinks.includes(ingress.link.name);
  const selected = selectSubnet({ plan, prepared, query, isTrusted });
  if (typeof selected === 'string') return silence(selected);
  const { subnet, onLink } = selected;
  trace?.(`subnet ${formatPrefix(subnet.prefix)}, by ${selected.how}`);
  const server = serverIdsFor(settings, query, subnet);
  if (server === undefined) return silence('no-server-id');
  const { network } = subnet;
  const reservation = plan.reservationFor(network, identityOf(query));
  if (reservation !== undefined) {
    const { by, address } = reservation;
    trace?.(`reservation by ${by}: ${formatIpv4(address)}`);
  }
  const classes = matchClasses(plan.classes, request);
  for (const { name } of classes.matched) trace?.(`class ${name}`);
  const own = clientOf(query);
  const isByMac = reservation?.by === 'mac';
  const client = isByMac ? { ...own, key: clientKey(undefined, own.htype, own.chaddr) } : own;
  const alias = isByMac && query.clientId !== undefined ? own : undefined;
  return { subnet, network, onLink, server, reservation, client, alias, classes };
}

export function silence(reason: Silence['reason']): Silence {
  return { do: 'silence', reason };
}

export function clientOf({ request: { htype, chaddr }, clientId }: Query): Client {
  return { key: clientKey(clientId, htype, chaddr), htype, chaddr };
}

function identityOf({ request: { chaddr }, clientId, relay }: Query) {
  const circuitId = relay?.circuitId;
  return {
    chaddr,
    ...(clientId === undefined ? {} : { clientId }),
    ...(circuitId === undefined ? {} : { circuitId }),
  };
}

/**
 * The client by the key that the record has. A client that got its address by option 61 keeps it
 * when a reservation by MAC is made later: it is known by both.
 */
export function ownerOf(context: Context, scope: Scope, lease: Lease): Client | undefined {
  const { client, alias } = scope;
  if (context.leases.isOwner(lease, client.key)) return client;
  return alias !== undefined && context.leases.isOwner(lease, alias.key) ? alias : undefined;
}

/** Who holds the address, when it is not this client: nobody can have it before that is over. */
export function occupant(context: Context, scope: Scope, address: Ipv4): Lease | undefined {
  const lease = context.leases.get(address);
  if (lease === undefined) return undefined;
  if (lease.state === STATE.declined) {
    return lease.holdUntil >= context.leases.nowSeconds() ? lease : undefined;
  }
  const isForeign = context.leases.isHeld(lease) && !ownerOf(context, scope, lease);
  return isForeign ? lease : undefined;
}

/** Whether the plan lets this client have the address. */
export function isProper(context: Context, scope: Scope, address: Ipv4): boolean {
  if (address === scope.reservation?.address) return true;
  const subnet = subnetIn(context.plan, scope.network, address);
  return subnet !== undefined && context.prepared.isPooled(subnet, address);
}

/** RFC 8925: the client said that it can do without an address, and the subnet prefers that. */
export function wantsNoAddress(scope: Scope, { request }: Query): boolean {
  return scope.subnet.ipv6OnlySeconds !== undefined && asksFor(request, OPTION.ipv6Only);
}

export function timesFor(scope: Scope, reservation: Reservation | undefined): LeaseTimes {
  return leaseTimes(levelsOf({ ...scope, reservation }), scope.subnet.lease);
}

/** The length of a lease of this address, now. */
export function leaseFor(context: Context, scope: Scope, address: Ipv4): number {
  const { reservation } = scope;
  const times = timesFor(scope, reservation);
  if (address === reservation?.address) return leaseSeconds(times, context.query.request);
  return leaseSeconds(times, context.query.request, context.counts(scope.network));
}
