// Where a reply goes (RFC 2131 §4.1; RFC 8357 for the relay's port). Pure.
import type { Ipv4 } from '../../shared/net/ipv4.ts';
import type { Outgoing } from '../io/types.ts';
import { BROADCAST_FLAG, MESSAGE, type Reply, type Request } from '../wire/types.ts';
import { BROADCAST, OPTION } from './query.ts';
import type { Query, ServerIds } from './types.ts';

export const SERVER_PORT = 67;
export const CLIENT_PORT = 68;
const ETHERNET = 1;
const EVERYBODY = Uint8Array.of(255, 255, 255, 255, 255, 255);

export type Way = { server: ServerIds; onLink: boolean };

export function outgoing(query: Query, reply: Reply, way: Way, bytes: Uint8Array): Outgoing {
  const { request, ingress, relay } = query;
  const source = way.server.own;
  if (request.giaddr !== 0 && !isInformed(request, reply)) {
    const port = relay?.usesSourcePort ? ingress.sourcePort : SERVER_PORT;
    return { by: 'udp', bytes, source, address: request.giaddr, port };
  }
  const address = destination(query, reply);
  const { link } = ingress;
  const isReachable = address === BROADCAST || hasEthernet(request);
  if (!way.onLink || link === undefined || !isReachable) {
    return { by: 'udp', bytes, source, address, port: CLIENT_PORT };
  }
  const mac = address === BROADCAST ? EVERYBODY : request.chaddr;
  return { by: 'link', link: link.name, mac, bytes, source, address, port: CLIENT_PORT };
}

function destination({ request }: Query, reply: Reply): Ipv4 {
  if (reply.messageType === MESSAGE.NAK) return BROADCAST;
  if (reply.ciaddr !== 0) return reply.ciaddr;
  if ((request.flags & BROADCAST_FLAG) !== 0 || reply.yiaddr === 0) return BROADCAST;
  return hasEthernet(request) ? reply.yiaddr : BROADCAST;
}

/** A frame can be sent to no other hardware address; and there may be none (RFC 4390). */
function hasEthernet({ htype, chaddr }: Request): boolean {
  return htype === ETHERNET && chaddr.length === 6;
}

/** Option 82 as it came (RFC 3046 §2.2); not for a client that is answered past its relay. */
export function echoOf({ request }: Query, reply: Reply): { echo82?: Uint8Array } {
  const echo82 = request.options.get(OPTION.relayInfo);
  return echo82 === undefined || (request.giaddr !== 0 && isInformed(request, reply))
    ? {}
    : { echo82 };
}

/** RFC 2131 §4.3.5: straight to the client, whatever the way of the INFORM was. */
function isInformed(request: Request, reply: Reply): boolean {
  return request.messageType === MESSAGE.INFORM && reply.ciaddr !== 0;
}
