// DISCOVER (RFC 2131 §4.3.1): the address the plan reserves, the one the client holds, the one it
// had or asks for, any. Rapid commit (RFC 4039) binds at once; a client that can do without IPv4
// gets none where that is preferred (RFC 8925). Pure.

import { toHex } from '../../shared/bytes.ts';
import { formatIpv4, type Ipv4 } from '../../shared/net/ipv4.ts';
import type { Subnet } from '../plan/types.ts';
import { OPTION } from './query.ts';
import { isProper, occupant, scopeOf, silence, wantsNoAddress } from './scope.ts';
import { subnetIn } from './subnet.ts';
import type { Alarm, Context, Decision, Scope } from './types.ts';

export function decideDiscover(context: Context): Decision {
  const { query, trace } = context;
  const { options } = query.request;
  // RFC 2131 table 5: MUST NOT. A server that answered would be one that was not asked.
  if (options.has(OPTION.serverId)) return silence('discover-with-server-id');
  const scope = scopeOf(context);
  if ('do' in scope) return scope;
  if (context.isDraining) return silence('draining');
  if (wantsNoAddress(scope, query)) return { do: 'offer-none', scope };
  const isRapid = scope.subnet.rapidCommit && options.has(OPTION.rapidCommit);
  const { reservation, client } = scope;
  if (reservation === undefined) return fromPools(context, scope, isRapid);
  const { address } = reservation;
  const busy = occupant(context, scope, address);
  if (busy === undefined) {
    const lease = context.leases.get(address);
    const isAlias = lease !== undefined && !context.leases.isOwner(lease, client.key);
    const held = isAlias && context.leases.isHeld(lease) ? (scope.alias ?? client) : client;
    return { do: 'offer-known', scope, client: held, address, isReservation: true, isRapid };
  }
  trace?.(
    `its reservation ${formatIpv4(address)} is held by ${toHex(busy.chaddr, ':')} or declined`,
  );
  return { ...fromPools(context, scope, isRapid), alarm: takenAlarm(context, address) };
}

function fromPools(context: Context, scope: Scope, isRapid: boolean) {
  const { leases, prepared, plan, query, trace } = context;
  const { network, client } = scope;
  const own = leases.ofClient(client.key, (address) => isProper(context, scope, address));
  if (own !== undefined && own.address !== scope.reservation?.address && leases.isHeld(own)) {
    trace?.(`holds ${formatIpv4(own.address)} already`);
    const { address } = own;
    return { do: 'offer-known', scope, client, address, isReservation: false, isRapid } as const;
  }
  const preferred: Ipv4[] = [];
  if (own !== undefined && own.address !== scope.reservation?.address) {
    trace?.(`had ${formatIpv4(own.address)} before`);
    preferred.push(own.address);
  }
  const { requested } = query;
  if (requested !== undefined && isFree(context, scope, requested)) {
    trace?.(`asks for ${formatIpv4(requested)}`);
    if (!preferred.includes(requested)) preferred.push(requested);
  }
  const subnets = new Set<Subnet>();
  for (const address of preferred) {
    const subnet = subnetIn(plan, network, address);
    if (subnet !== undefined) subnets.add(subnet);
  }
  subnets.add(scope.subnet);
  for (const subnet of network.subnets) subnets.add(subnet);
  const pools = [...subnets].map((subnet) => prepared.pools(subnet));
  return { do: 'offer', scope, pools, preferred, isRapid } as const;
}

/** Never refused aloud: another address is offered (rule 21). */
function isFree(context: Context, scope: Scope, address: Ipv4): boolean {
  return isProper(context, scope, address) && occupant(context, scope, address) === undefined;
}

function takenAlarm({ query }: Context, address: Ipv4): Alarm {
  const mac = toHex(query.request.chaddr, ':');
  const text = formatIpv4(address);
  return {
    event: 'reservation-taken',
    message: `${text} is reserved for ${mac}, but held by another client or declined`,
    fields: { address: text, mac },
  };
}
