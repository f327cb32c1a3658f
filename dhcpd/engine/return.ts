// DECLINE and RELEASE (RFC 2131 §4.3.3, §4.3.4): only the owner's word counts; nothing is answered.
// Pure.

import { toHex } from '../../shared/bytes.ts';
import { formatIpv4, type Ipv4 } from '../../shared/net/ipv4.ts';
import type { Lease } from '../leases/types.ts';
import { OPTION } from './query.ts';
import { ownerOf, scopeOf, silence } from './scope.ts';
import { isOurs } from './server-id.ts';
import type { Context, Decision, Scope, Silence } from './types.ts';

/** A reserved address is tried again sooner: the client has no other. */
const RESERVATION_BACKOFF_SECONDS = 600;
/** Beyond this share of a network's addresses DECLINEs no longer take one away for long. */
const DECLINED_SHARE = 0.25;
const SHORT_BACKOFF_SECONDS = 60;

export function decideDecline(context: Context): Decision {
  const { query, leases } = context;
  const address = query.requested;
  const refused = serverProblem(context);
  if (refused !== undefined) return refused;
  if (address === undefined) return silence('no-address-named');
  const scope = scopeOf(context);
  if ('do' in scope) return scope;
  const lease = leases.get(address);
  const owner = lease === undefined ? undefined : heldBy(context, scope, lease);
  const isReservation = address === scope.reservation?.address;
  return {
    do: 'decline',
    client: owner ?? scope.client,
    address,
    seconds: isReservation ? RESERVATION_BACKOFF_SECONDS : quarantineOf(context, scope),
    isOwner: owner !== undefined,
    alarm: declineAlarm(context, address, isReservation),
  };
}

/** Whoever makes up clients must not empty a pool for a day. */
function quarantineOf({ settings, counts }: Context, { network }: Scope): number {
  const { declined, total } = counts(network, true);
  if (declined < total * DECLINED_SHARE) return settings.declineSeconds;
  return Math.min(SHORT_BACKOFF_SECONDS, settings.declineSeconds);
}

export function decideRelease(context: Context): Decision {
  const { query, leases } = context;
  const address = query.request.ciaddr;
  const refused = serverProblem(context);
  if (refused !== undefined) return refused;
  if (address === 0) return silence('no-address-named');
  const scope = scopeOf(context);
  if ('do' in scope) return scope;
  const lease = leases.get(address);
  const client = lease === undefined ? undefined : heldBy(context, scope, lease);
  // Whoever knows another's client identifier has another chaddr still.
  if (lease === undefined || client === undefined || !isChaddrOf(lease, query.request.chaddr)) {
    return silence('not-owner');
  }
  return { do: 'release', client, address };
}

/** RFC 2131 table 5: both MUST name the server; where it is not strict, nobody is this one. */
function serverProblem({ settings, query }: Context): Silence | undefined {
  const { serverId } = query;
  if (serverId !== undefined) {
    return isOurs(settings, query, serverId) ? undefined : silence('other-server');
  }
  const isThere = query.request.options.has(OPTION.serverId);
  return settings.strict || isThere ? silence('no-server-named') : undefined;
}

function heldBy(context: Context, scope: Scope, lease: Lease) {
  return context.leases.isHeld(lease) ? ownerOf(context, scope, lease) : undefined;
}

/** A record has the first 8 bytes. */
function isChaddrOf(lease: Lease, chaddr: Uint8Array): boolean {
  return lease.hlen === chaddr.length && lease.chaddr.every((byte, at) => chaddr[at] === byte);
}

function declineAlarm({ query }: Context, address: Ipv4, isReservation: boolean) {
  const text = formatIpv4(address);
  const mac = toHex(query.request.chaddr, ':');
  return {
    event: isReservation ? 'reservation-declined' : 'address-declined',
    message: `${mac} found ${text} in use by another`,
    fields: { address: text, mac },
  };
}
