// INFORM (RFC 2131 §4.3.5): options for a host that has its address from elsewhere. Pure.
import { scopeOf, silence } from './scope.ts';
import { isHost, subnetIn } from './subnet.ts';
import type { Context, Decision } from './types.ts';

export function decideInform(context: Context): Decision {
  const { plan, query } = context;
  const { request, ingress } = query;
  const scope = scopeOf(context);
  if ('do' in scope) return scope;
  // Some leave ciaddr empty and are known by where the packet came from.
  const isDirect = request.giaddr === 0;
  const address = request.ciaddr !== 0 || !isDirect ? request.ciaddr : ingress.source;
  if (address === 0) return silence('no-address-named');
  // It is answered there: a forged one must not reach who never asked.
  const subnet = subnetIn(plan, scope.network, address);
  if (subnet === undefined || !isHost(plan, address)) return silence('inform-elsewhere');
  return { do: 'inform', scope: { ...scope, subnet }, address };
}
