// REQUEST in INIT-REBOOT (RFC 2131 §4.3.2): a client that remembers an address asks whether it may
// go on with it. Pure.
import { formatIpv4, type Ipv4 } from '../../shared/net/ipv4.ts';
import { STATE } from '../leases/types.ts';
import { ackOf, isInPlace, moved, nak } from './ack.ts';
import { isProper, occupant, ownerOf, scopeOf, silence } from './scope.ts';
import { subnetIn } from './subnet.ts';
import type { Context, Decision, Scope } from './types.ts';

export function decideReboot(context: Context, address: Ipv4): Decision {
  const { plan, leases, trace } = context;
  const scope = scopeOf(context);
  if ('do' in scope) return scope;
  trace?.(`remembers ${formatIpv4(address)}`);
  // The plan says so, whatever is known of the client.
  if (subnetIn(plan, scope.network, address) === undefined) return nak(scope, 'nak-wrong-network');
  const isReservation = address === scope.reservation?.address;
  // docs/leases.md §5: what a stale replica has may be somebody else's by now.
  if (leases.condition !== 'fresh' && !(isReservation && leases.condition === 'isolated')) {
    return silence('not-fresh');
  }
  const lease = leases.get(address);
  const owner = lease === undefined ? undefined : ownerOf(context, scope, lease);
  if (lease !== undefined && owner !== undefined && lease.state !== STATE.unused) {
    if (!isInPlace(context, scope, address)) return moved(context, scope, owner, address);
    const isHeld = leases.isHeld(lease);
    return ackOf(context, scope, { client: owner, address, isHeld, reason: 'acked-again' });
  }
  if (isReservation) {
    if (occupant(context, scope, address) !== undefined) return nak(scope, 'nak-taken');
    const { client } = scope;
    return ackOf(context, scope, { client, address, isHeld: false, reason: 'acked-new' });
  }
  return decideStranger(context, scope, address);
}

/** The address is not this client's, as far as the records go. */
function decideStranger(context: Context, scope: Scope, address: Ipv4): Decision {
  const { leases } = context;
  if (scope.reservation !== undefined) return nak(scope, 'nak-moved');
  if (occupant(context, scope, address) !== undefined) return nak(scope, 'nak-taken');
  if (!isProper(context, scope, address)) {
    const isReserved = context.plan.reservationAt(address) !== undefined;
    return nak(scope, isReserved ? 'nak-reserved' : 'nak-outside-pools');
  }
  const own = leases.ofClient(scope.client.key, (one) => isProper(context, scope, one));
  if (own !== undefined && leases.isHeld(own)) return nak(scope, 'nak-other-address');
  return decideUnknown(context, scope, address);
}

/**
 * Nothing is known: RFC 2131 wants silence, an authoritative server refuses. Where records were
 * lost, what is not known may be right, or somebody else's: neither refused nor given (R2, R7).
 */
export function decideUnknown(context: Context, scope: Scope, address: Ipv4): Decision {
  const { leases } = context;
  if (leases.condition !== 'fresh') return silence('not-fresh');
  if (leases.lostLately?.(address) === true) return silence('lost-lately');
  // An instance that is cut off may have promised it, and tells when it is back.
  const lease = leases.get(address);
  const isOpen = lease?.state === STATE.reserved && lease.isLongReserve;
  if (isOpen && lease.holdUntil >= leases.nowSeconds()) return silence('not-known');
  return scope.subnet.authoritative ? nak(scope, 'nak-unknown') : silence('not-known');
}
