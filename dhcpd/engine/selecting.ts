// REQUEST in SELECTING (RFC 2131 §4.3.2): the client answers an OFFER and names its server. Pure.
import { formatIpv4 } from '../../shared/net/ipv4.ts';
import { ackOf, nak } from './ack.ts';
import { decideRenewing } from './renewing.ts';
import { clientOf, isProper, ownerOf, scopeOf, silence } from './scope.ts';
import { isOurs } from './server-id.ts';
import { subnetIn } from './subnet.ts';
import type { Context, Decision, Nak, Silence } from './types.ts';

export function decideSelecting(context: Context): Decision {
  const { plan, leases, query, settings, trace } = context;
  const { requested, serverId, request } = query;
  if (serverId === undefined) return silence('other-server');
  if (!isOurs(settings, query, serverId)) {
    trace?.(`it names another server: ${formatIpv4(serverId)}`);
    const scope = scopeOf(context);
    return { do: 'forget-offer', client: 'do' in scope ? clientOf(query) : scope.client };
  }
  // Some clients name the server in a renewal, too.
  if (requested === undefined && request.ciaddr !== 0) return decideRenewing(context);
  const scope = scopeOf(context);
  if ('do' in scope) return scope;
  if (requested === undefined) return nak(scope, 'nak-no-address');
  trace?.(`takes the offer of ${formatIpv4(requested)}`);
  if (subnetIn(plan, scope.network, requested) === undefined) {
    return nak(scope, 'nak-wrong-network');
  }
  if (!isProper(context, scope, requested)) {
    const isReserved = plan.reservationAt(requested) !== undefined;
    return nak(scope, isReserved ? 'nak-reserved' : 'nak-outside-pools');
  }
  const lease = leases.get(requested);
  const owner = lease === undefined ? undefined : ownerOf(context, scope, lease);
  const isHeld = lease !== undefined && owner !== undefined && leases.isHeld(lease);
  const client = owner ?? scope.client;
  const reason = isHeld ? 'acked-again' : 'acked-new';
  // What is known of it may be a write whose ACK never left: this may be the first one (R4).
  const isRenewal = isHeld && leases.condition === 'isolated';
  const want = { client, address: requested, isHeld: isRenewal, reason } as const;
  const ack = ackOf(context, scope, want);
  // With an offer of the same address it would start over again and again: silence.
  if (requested === scope.reservation?.address) return ack;
  // It is not in use yet: nothing is broken when it starts over.
  // A sibling that has set it aside may have offered it to this very client.
  const reserved = silence('maybe-offered');
  const refused = { ...ack.refused, reserved, quarantine: nak(scope, 'nak-quarantine') };
  if (isHeld) return { ...ack, refused };
  return { ...ack, refused, unlessOffered: unlessOffered(context, nak(scope, 'nak-not-offered')) };
}

/** Another instance may have offered it, which only a fresh replica would know. */
function unlessOffered({ leases }: Context, refusal: Nak): Nak | Silence {
  return leases.condition === 'fresh' ? refusal : silence('not-fresh');
}
