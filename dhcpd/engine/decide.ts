// From a message to what is to be done about it: RFC 2131 §4.3, state by state. Pure.

import { MESSAGE } from '../wire/types.ts';
import { decideDiscover } from './discover.ts';
import { decideInform } from './inform.ts';
import { decideL3 } from './l3.ts';
import { OPTION } from './query.ts';
import { decideReboot } from './reboot.ts';
import { decideRenewing } from './renewing.ts';
import { decideDecline, decideRelease } from './return.ts';
import { scopeOf, silence } from './scope.ts';
import { decideSelecting } from './selecting.ts';
import type { Context, Decision } from './types.ts';

export function decide(context: Context): Decision {
  const computed = decideL3(context);
  if (computed !== undefined) return computed;
  const { messageType } = context.query.request;
  // INFORM needs no lease, all else nobody can judge yet.
  if (context.leases.condition === 'starting' && messageType !== MESSAGE.INFORM) {
    return silence('starting');
  }
  switch (messageType) {
    case MESSAGE.DISCOVER:
      return decideDiscover(context);
    case MESSAGE.REQUEST:
      return decideRequest(context);
    case MESSAGE.DECLINE:
      return decideDecline(context);
    case MESSAGE.RELEASE:
      return decideRelease(context);
    default:
      return decideInform(context);
  }
}

/** RFC 2131 §4.3.2 tells the states apart by which of the three are there. */
function decideRequest(context: Context): Decision {
  const { request, requested } = context.query;
  if (request.options.has(OPTION.serverId)) return decideSelecting(context);
  if (request.ciaddr !== 0) return decideRenewing(context);
  if (requested !== undefined) return decideReboot(context, requested);
  const scope = scopeOf(context);
  return 'do' in scope ? scope : silence('no-address-named');
}
