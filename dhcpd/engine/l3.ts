// A VM on its own /30 network: the address is in its MAC (dhcpd/l3/answer.ts), so there is no lease
// and nothing to ask the book. Answered while draining, too: nobody else can. Pure.
import { formatIpv4, type Ipv4, ipv4ToBytes } from '../../shared/net/ipv4.ts';
import { answerL3, type L3Answer } from '../l3/answer.ts';
import { MESSAGE } from '../wire/types.ts';
import { maskOf, OPTION } from './query.ts';
import { silence } from './scope.ts';
import { isOurs, serverIdsFor } from './server-id.ts';
import type { CodedOption } from './settings.ts';
import type { Context, Decision, ServerIds } from './types.ts';

export const L3_LEASE_SECONDS = 86_400;
const INTERFACE_MTU = 26;
const DOMAIN_SERVERS = 6;

/** Undefined: an ordinary client. */
export function decideL3(context: Context): Decision | undefined {
  const { plan, settings, query, trace } = context;
  if (plan.l3nets.length === 0) return undefined;
  const { request, ingress } = query;
  const linkAddresses = ingress.link?.addresses.map(({ address }) => address);
  const answer = answerL3(plan, settings.node, request.chaddr, {
    giaddr: request.giaddr,
    ...(linkAddresses === undefined ? {} : { linkAddresses }),
  });
  // The prefix of a computed MAC may be anybody's who draws his at random.
  if (answer === undefined || answer.outcome === 'l3-refused') {
    if (answer === undefined || answer.reason === 'l3-no-net') return undefined;
    return silence(answer.reason);
  }
  trace?.(`its MAC says ${formatIpv4(answer.address)}, on the /30 of this host`);
  const onLink = ingress.link !== undefined && request.giaddr === 0;
  const { gateway } = answer.link;
  const server = onLink ? { own: gateway, told: gateway } : serverIdsFor(settings, query);
  if (server === undefined) return silence('no-server-id');
  return decideByType(context, answer, { onLink, server });
}

type Way = { onLink: boolean; server: ServerIds };

function decideByType(context: Context, answer: L3Answer, way: Way): Decision {
  const { request, serverId } = context.query;
  switch (request.messageType) {
    case MESSAGE.DISCOVER:
      if (request.options.has(OPTION.serverId)) return silence('discover-with-server-id');
      return { do: 'l3', type: 'offer', answer, ...way };
    case MESSAGE.REQUEST:
      if (serverId !== undefined && !isOurs(context.settings, context.query, serverId)) {
        return silence('other-server');
      }
      if (askedFor(context) === answer.address) return { do: 'l3', type: 'ack', answer, ...way };
      return { do: 'nak', reason: 'nak-l3', server: way.server, onLink: way.onLink };
    case MESSAGE.INFORM:
      if (request.ciaddr !== answer.address) return silence('inform-elsewhere');
      return { do: 'l3', type: 'inform', answer, ...way };
    default:
      return silence('l3-ignored');
  }
}

function askedFor({ query: { request, requested } }: Context): Ipv4 | undefined {
  return request.ciaddr !== 0 ? request.ciaddr : requested;
}

export function l3Options({ link, net }: L3Answer): { mask: Uint8Array; options: CodedOption[] } {
  const dns = net.dns.flatMap((address) => [...ipv4ToBytes(address)]);
  const options: CodedOption[] = [[OPTION.router, ipv4ToBytes(link.gateway)]];
  if (dns.length > 0) options.push([DOMAIN_SERVERS, Uint8Array.from(dns)]);
  if (net.mtu !== undefined) options.push([INTERFACE_MTU, Uint8Array.of(net.mtu >> 8, net.mtu)]);
  return { mask: ipv4ToBytes(maskOf(30)), options };
}
