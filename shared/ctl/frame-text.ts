// One line for a captured Ethernet frame: addresses, ports or ICMP type (RFC 791, 792, 793, 768).

import { formatIpv4, ipv4FromBytes } from '../net/ipv4.ts';
import { protocolName } from './flow.ts';

const ETHERNET_BYTES = 14;
const TYPE_IPV4 = 0x0800;
const FRAGMENT_OFFSET_MASK = 0x1fff;

const ICMP_NAMES: Record<number, string> = {
  0: 'echo reply',
  3: 'unreachable',
  4: 'source quench',
  5: 'redirect',
  8: 'echo request',
  11: 'time exceeded',
  12: 'parameter problem',
};

function tcpFlags(bits: number): string {
  const names = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG'];
  return names.filter((_, bit) => bits & (1 << bit)).join(' ');
}

/** The frame may be cut short; what is missing is left out. */
export function frameText(frame: Uint8Array): string {
  if (frame.length < ETHERNET_BYTES) return 'a frame cut short';
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  const type = view.getUint16(12);
  if (type !== TYPE_IPV4) return `EtherType 0x${type.toString(16).padStart(4, '0')}`;
  if (frame.length < ETHERNET_BYTES + 20) return 'IPv4, cut short';
  const source = formatIpv4(ipv4FromBytes(frame, ETHERNET_BYTES + 12));
  const destination = formatIpv4(ipv4FromBytes(frame, ETHERNET_BYTES + 16));
  const protocol = frame[ETHERNET_BYTES + 9] ?? 0;
  const l4 = ETHERNET_BYTES + ((frame[ETHERNET_BYTES] ?? 0) & 15) * 4;
  const ttl = `ttl ${frame[ETHERNET_BYTES + 8]}`;
  const offset = view.getUint16(ETHERNET_BYTES + 6) & FRAGMENT_OFFSET_MASK;
  const name = protocolName(protocol);
  if (offset > 0) return `${source} > ${destination} ${name} fragment at ${offset * 8} ${ttl}`;
  if ((protocol === 6 || protocol === 17 || protocol === 132) && frame.length >= l4 + 4) {
    const from = `${source}:${view.getUint16(l4)}`;
    const to = `${destination}:${view.getUint16(l4 + 2)}`;
    const flags = protocol === 6 && frame.length > l4 + 13 ? tcpFlags(frame[l4 + 13] ?? 0) : '';
    return [from, '>', to, name, flags, ttl].filter((word) => word !== '').join(' ');
  }
  if (protocol === 1 && frame.length >= l4 + 2) {
    const icmp = frame[l4] ?? 0;
    const what = ICMP_NAMES[icmp] ?? `type ${icmp}`;
    const code = frame[l4 + 1] ? ` code ${frame[l4 + 1]}` : '';
    return `${source} > ${destination} icmp ${what}${code} ${ttl}`;
  }
  return `${source} > ${destination} ${name} ${ttl}`;
}
