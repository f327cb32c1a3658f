// Which address this server goes by (option 54), and which ones mean it: the cluster's, any
// member's, a link's, and what a relay put in its place (RFC 5107). Pure.
import type { Ipv4 } from '../../shared/net/ipv4.ts';
import type { Subnet } from '../plan/types.ts';
import type { ServerSettings } from '../server-types.ts';
import { BROADCAST, contains } from './query.ts';
import type { Query, ServerIds } from './types.ts';

/** Undefined: there is no address that the client could answer to. */
export function serverIdsFor(
  settings: ServerSettings,
  query: Query,
  subnet?: Subnet,
): ServerIds | undefined {
  const own = settings.serverId ?? linkAddress(query, subnet) ?? sentTo(query);
  if (own === undefined) return undefined;
  return { own, told: query.relay?.serverOverride ?? own };
}

/** Whether an option 54 means us (RFC 2131 §4.1: any address of the server). */
export function isOurs(settings: ServerSettings, query: Query, serverId: Ipv4): boolean {
  const { ingress, relay } = query;
  return (
    serverId === settings.serverId ||
    settings.siblingIds.includes(serverId) ||
    serverId === relay?.serverOverride ||
    (ingress.link?.addresses.some(({ address }) => address === serverId) ?? false) ||
    serverId === sentTo(query)
  );
}

function linkAddress({ ingress: { link } }: Query, subnet: Subnet | undefined): Ipv4 | undefined {
  const addresses = link?.addresses.map(({ address }) => address) ?? [];
  const near = addresses.find(
    (address) => subnet !== undefined && contains(subnet.prefix, address),
  );
  return near ?? addresses[0];
}

function sentTo({ ingress: { destination }, isUnicast, request }: Query): Ipv4 | undefined {
  if (destination === undefined || destination === BROADCAST) return undefined;
  return isUnicast || request.giaddr !== 0 ? destination : undefined;
}
