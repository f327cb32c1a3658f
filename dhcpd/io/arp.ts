// ARP for IPv4 over Ethernet (RFC 826), as far as a probe needs it (RFC 5227 §2.1). Pure.

import { type Ipv4, ipv4FromBytes } from '../../shared/net/ipv4.ts';
import { BROADCAST_MAC } from './frames.ts';

const ARP_AT = 14;
const ARP_BYTES = 28;
const ETHERTYPE_ARP = 0x0806;
const ETHERNET_IPV4 = [0, 1, 8, 0, 6, 4];
const [REQUEST, REPLY] = [1, 2];

/**
 * Who has `target`? With the link's own address as sender where it has one: some hosts do not
 * answer a probe from 0.0.0.0.
 */
export function arpRequest(sourceMac: Uint8Array, source: Ipv4, target: Ipv4): Uint8Array {
  const frame = new Uint8Array(ARP_AT + ARP_BYTES);
  const view = new DataView(frame.buffer);
  frame.set(BROADCAST_MAC, 0);
  frame.set(sourceMac.subarray(0, 6), 6);
  view.setUint16(12, ETHERTYPE_ARP);
  frame.set(ETHERNET_IPV4, ARP_AT);
  view.setUint16(ARP_AT + 6, REQUEST);
  frame.set(sourceMac.subarray(0, 6), ARP_AT + 8);
  view.setUint32(ARP_AT + 14, source);
  view.setUint32(ARP_AT + 24, target);
  return frame;
}

/** Who said "I have it": the sender of a reply. Undefined: the frame is none. */
export function readArpReply(frame: Uint8Array): { mac: Uint8Array; address: Ipv4 } | undefined {
  if (frame.length < ARP_AT + ARP_BYTES) return undefined;
  const type = ((frame[12] ?? 0) << 8) | (frame[13] ?? 0);
  if (type !== ETHERTYPE_ARP || frame[ARP_AT + 7] !== REPLY) return undefined;
  if (ETHERNET_IPV4.some((byte, at) => frame[ARP_AT + at] !== byte)) return undefined;
  return {
    mac: frame.slice(ARP_AT + 8, ARP_AT + 14),
    address: ipv4FromBytes(frame, ARP_AT + 14),
  };
}
