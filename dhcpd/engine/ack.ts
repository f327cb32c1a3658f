// What the states of a REQUEST have in common: which way an ACK is made, when the plan wants a
// client elsewhere, and refusals (RFC 2131 §4.3.2). Pure.
import { formatIpv4, type Ipv4 } from '../../shared/net/ipv4.ts';
import type { Client } from '../leases/types.ts';
import type { Reason } from '../reasons.ts';
import { planSeconds } from './lease-time.ts';
import { isProper, leaseFor, occupant, silence, timesFor } from './scope.ts';
import type { Ack, Context, Nak, Scope } from './types.ts';

export function nak({ server, onLink }: Scope, reason: Reason): Nak {
  return { do: 'nak', reason, server, onLink };
}

/** To a client that the record names, or that may become the owner. */
export function ackOf(
  context: Context,
  scope: Scope,
  want: { client: Client; address: Ipv4; isHeld: boolean; reason: Reason },
): Ack {
  const { client, address, isHeld, reason } = want;
  return {
    do: 'ack',
    scope,
    client,
    address,
    leaseSeconds: leaseFor(context, scope, address),
    via: isHeld ? 'renew' : 'bind',
    // A quarantine tells that records were lost, not that this client is wrong (R7).
    refused: {
      taken: nak(scope, 'nak-taken'),
      reserved: nak(scope, 'nak-taken'),
      quarantine: silence('bind-quarantine'),
    },
    reason,
    ...fromPlan(context, scope, address),
  };
}

/**
 * What the plan reserves for this client nobody else gets: while the store is away the plan is
 * enough (docs/leases.md §7). Short, so that a record follows when it is back.
 */
function fromPlan(context: Context, scope: Scope, address: Ipv4): Partial<Ack> {
  const { reservation } = scope;
  if (context.leases.condition !== 'isolated' || reservation?.address !== address) return {};
  if (occupant(context, scope, address) !== undefined) return {};
  const seconds = planSeconds(timesFor(scope, reservation));
  return { via: 'plan', leaseSeconds: seconds, reason: 'acked-from-plan' };
}

/**
 * A client that holds what the plan does not want it to hold any more. It is refused only when it
 * can have another address at once: else it would ask again and again (rule 62).
 */
export function moved(context: Context, scope: Scope, client: Client, address: Ipv4): Ack | Nak {
  const { leases, trace } = context;
  const place = newPlace(context, scope);
  trace?.(
    `the plan does not give it ${formatIpv4(address)} any more; ${place ?? 'nothing'} is free`,
  );
  if (place !== undefined && leases.condition === 'fresh') return nak(scope, 'nak-moved');
  const ack = ackOf(context, scope, { client, address, isHeld: true, reason: 'acked-short' });
  const { min } = timesFor(scope, scope.reservation);
  return { ...ack, leaseSeconds: Math.min(ack.leaseSeconds, min) };
}

/** What the client would be given instead, in words. */
function newPlace(context: Context, scope: Scope): string | undefined {
  const { reservation } = scope;
  if (reservation !== undefined && occupant(context, scope, reservation.address) === undefined) {
    return `its reservation ${formatIpv4(reservation.address)}`;
  }
  // With a reservation that is taken, the address it has is as good as another.
  if (reservation !== undefined) return undefined;
  return context.counts(scope.network).free > 0 ? 'an address of the pools' : undefined;
}

/** Whether the client may go on with what it holds. */
export function isInPlace(context: Context, scope: Scope, address: Ipv4): boolean {
  const { reservation } = scope;
  return isProper(context, scope, address) && (reservation?.address ?? address) === address;
}
