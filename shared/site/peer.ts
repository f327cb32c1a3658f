// Another name server: an address or a name, and a port; and an address of either family. Pure.
import { formatIpv4, parseIpv4 } from '../net/ipv4.ts';
import { formatIpv6, isMappedIpv4, parseIpv6 } from '../net/ipv6.ts';
import { formatEndpoint, parseEndpoint } from '../net/ports.ts';

export type Family = 4 | 6;

/** In its one spelling; an IPv4 address in an IPv6 one is refused. */
export function parseAddress(text: string): string | undefined {
  const ipv4 = parseIpv4(text);
  if (ipv4 !== undefined) return formatIpv4(ipv4);
  const ipv6 = parseIpv6(text);
  return ipv6 === undefined || isMappedIpv4(ipv6) ? undefined : formatIpv6(ipv6);
}

export function familyOf(address: string): Family {
  return address.includes(':') ? 6 : 4;
}

/** `192.0.2.53:53`, `[2001:db8::53]:53`, `ns1.example.com:53`, in its one spelling. */
export function parsePeer(text: string): string | undefined {
  const endpoint = parseEndpoint(text);
  if (endpoint === undefined) return undefined;
  const host = parseAddress(endpoint.host) ?? endpoint.host.toLowerCase();
  return formatEndpoint({ host, port: endpoint.port });
}
