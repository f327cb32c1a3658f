// host[:port] as Host, an absolute target and :authority have it (RFC 9110, 4.2 and 7.2; RFC 3986,
// 3.2). Narrower than the RFC: a host is made of what DNS names and addresses are made of. Pure.
import { formatIpv6, parseIpv6 } from '../../../shared/net/ipv6.ts';

const MAX_HOST_LENGTH = 255;
const NAME = /^[0-9a-z_~-]+(?:\.[0-9a-z_~-]+)*\.?$/;
const PORT = /^(?::[0-9]{0,5})?$/;

/**
 * The host as it is routed by: lower case, without port and final dot, an IPv6 address in brackets
 * in its shortest form. Undefined: no authority (empty, user information, a zone, a port above
 * 65535 …).
 */
export function hostOf(authority: string): string | undefined {
  const isBracketed = authority.startsWith('[');
  const colon = authority.indexOf(':', isBracketed ? authority.indexOf(']') + 1 : 0);
  const end = colon < 0 ? authority.length : colon;
  const port = authority.slice(end);
  if (!PORT.test(port) || Number(port.slice(1)) > 65_535 || end > MAX_HOST_LENGTH) return undefined;
  const host = authority.slice(0, end).toLowerCase();
  if (isBracketed) return bracketed(host);
  if (!NAME.test(host)) return undefined;
  return host.endsWith('.') ? host.slice(0, -1) : host;
}

function bracketed(host: string): string | undefined {
  if (!host.endsWith(']')) return undefined;
  const address = parseIpv6(host.slice(1, -1));
  return address === undefined ? undefined : `[${formatIpv6(address)}]`;
}
