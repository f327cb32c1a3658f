// A message as the engine looks at it: the options that steer decisions, read once. Pure.
import { type Ipv4, ipv4, ipv4FromBytes } from '../../shared/net/ipv4.ts';
import type { Ipv4Prefix } from '../../shared/net/prefix.ts';
import type { Ingress } from '../io/types.ts';
import { latinOf } from '../latin.ts';
import { relayInfoOf } from '../wire/relay-info.ts';
import type { Request } from '../wire/types.ts';
import type { Query } from './types.ts';

export const NO_ADDRESS = ipv4(0);
export const BROADCAST = ipv4(0xffffffff);

/** Codes that decisions ask for by name (RFC 2132 unless said otherwise). */
export const OPTION = {
  subnetMask: 1,
  router: 3,
  hostName: 12,
  requestedAddress: 50,
  leaseTime: 51,
  messageType: 53,
  serverId: 54,
  parameterList: 55,
  message: 56,
  maxMessageSize: 57,
  renewalTime: 58,
  rebindingTime: 59,
  vendorClass: 60,
  clientId: 61,
  tftpServerName: 66,
  bootFileName: 67,
  userClass: 77, // RFC 3004
  rapidCommit: 80, // RFC 4039
  clientFqdn: 81, // RFC 4702
  relayInfo: 82, // RFC 3046
  architecture: 93, // RFC 4578
  ipv6Only: 108, // RFC 8925
  subnetSelection: 118, // RFC 3011
} as const;

export function makeQuery(request: Request, ingress: Ingress): Query {
  const { options } = request;
  const clientId = options.get(OPTION.clientId);
  const name = latin(request.chaddr);
  return {
    request,
    ingress,
    name,
    identity: `${request.xid}:${request.messageType}:${name}`,
    clientId: clientId !== undefined && clientId.length >= 2 ? clientId : undefined,
    relay: options.has(OPTION.relayInfo) ? relayInfoOf(request) : undefined,
    requested: addressOption(request, OPTION.requestedAddress),
    serverId: addressOption(request, OPTION.serverId),
    isUnicast: request.giaddr === 0 && wasUnicast(ingress),
  };
}

export function latin(bytes: Uint8Array): string {
  return latinOf(bytes, bytes.length);
}

/** An option of one address; absent when it is anything else. */
export function addressOption({ options }: Request, code: number): Ipv4 | undefined {
  const bytes = options.get(code);
  return bytes?.length === 4 ? ipv4FromBytes(bytes) : undefined;
}

export function asksFor({ options }: Request, code: number): boolean {
  return options.get(OPTION.parameterList)?.includes(code) ?? false;
}

/** All that a socket without a link gets was sent to us, unless it is known to be otherwise. */
function wasUnicast({ link, destination }: Ingress): boolean {
  if (destination === undefined) return link === undefined;
  if (destination === BROADCAST) return false;
  return link === undefined || !link.addresses.some((one) => broadcastOf(one) === destination);
}

export function broadcastOf({ address, bits }: Ipv4Prefix): number {
  return (address | (bits === 0 ? 0xffffffff : 0xffffffff >>> bits)) >>> 0;
}

/** Without the BigInt that prefixContains() goes by: this is asked for each packet. */
export function contains(prefix: Ipv4Prefix, address: Ipv4): boolean {
  return prefix.bits === 0 || (prefix.address ^ address) >>> (32 - prefix.bits) === 0;
}

export function maskOf(bits: number): Ipv4 {
  return ipv4(bits === 0 ? 0 : (0xffffffff << (32 - bits)) >>> 0);
}
