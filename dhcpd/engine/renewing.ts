// REQUEST in RENEWING (unicast) and REBINDING (broadcast, or by a relay): ciaddr says what the
// client uses (RFC 2131 §4.3.2). Pure.
import { formatIpv4, type Ipv4 } from '../../shared/net/ipv4.ts';
import { type Lease, STATE } from '../leases/types.ts';
import { INFINITE_SECONDS } from '../wire/types.ts';
import { ackOf, isInPlace, moved, nak } from './ack.ts';
import { decideUnknown } from './reboot.ts';
import { isProper, occupant, ownerOf, scopeOf, silence } from './scope.ts';
import { subnetIn } from './subnet.ts';
import type { Ack, Context, Decision, Scope } from './types.ts';

export function decideRenewing(context: Context): Decision {
  const { plan, leases, query, trace } = context;
  const address = query.request.ciaddr;
  const scope = scopeOf(context);
  if ('do' in scope) return scope;
  trace?.(`${query.isUnicast ? 'renews' : 'rebinds'} ${formatIpv4(address)}`);
  if (subnetIn(plan, scope.network, address) === undefined) return nak(scope, 'nak-wrong-network');
  const lease = leases.get(address);
  const owner = lease === undefined ? undefined : ownerOf(context, scope, lease);
  if (lease === undefined || owner === undefined || lease.state === STATE.unused) {
    return decideStranger(context, scope, address);
  }
  const isHeld = leases.isHeld(lease);
  if (!isInPlace(context, scope, address)) return moved(context, scope, owner, address);
  const ack = ackOf(context, scope, { client: owner, address, isHeld, reason: 'acked-renewal' });
  return isHeld && ack.via === 'renew' ? { ...ack, ...cached(context, lease, ack) } : ack;
}

/**
 * A renewal that comes early is told the rest of what was promised; nothing is written (rule 68).
 */
function cached(context: Context, lease: Lease, ack: Ack): Partial<Ack> {
  const { leases, settings } = context;
  const { leaseSeconds, toldUntil } = lease;
  if (leases.condition !== 'fresh' || toldUntil === INFINITE_SECONDS) return {};
  const rest = toldUntil - leases.nowSeconds();
  const age = leaseSeconds - rest;
  // More than was told, or a plan that has other times by now: written anew.
  if (age < 0 || age >= leaseSeconds * settings.cacheShare) return {};
  if (ack.leaseSeconds < rest || rest <= 0) return {};
  return { via: 'cached', leaseSeconds: rest, reason: 'acked-cached' };
}

function decideStranger(context: Context, scope: Scope, address: Ipv4): Decision {
  const { leases, query } = context;
  if (address === scope.reservation?.address && occupant(context, scope, address) === undefined) {
    const { client } = scope;
    return ackOf(context, scope, { client, address, isHeld: false, reason: 'acked-new' });
  }
  if (leases.condition !== 'fresh') return silence('not-fresh');
  const own = leases.ofClient(scope.client.key, (one) => isProper(context, scope, one));
  if (own !== undefined && leases.isHeld(own)) return nak(scope, 'nak-other-address');
  // A broadcast reaches other servers as well, one of which may know the client.
  if (!query.isUnicast) return silence('not-known');
  if (occupant(context, scope, address) !== undefined) return nak(scope, 'nak-taken');
  return decideUnknown(context, scope, address);
}
