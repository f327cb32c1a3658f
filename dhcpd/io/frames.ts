// DHCP's frames on a served link: Ethernet II, IPv4 (RFC 791), UDP (RFC 768), read and built. Pure.

import { type Ipv4, ipv4FromBytes } from '../../shared/net/ipv4.ts';

export const BROADCAST_MAC: Uint8Array = new Uint8Array(6).fill(0xff);

const ETHERNET_BYTES = 14;
const VLAN_TAG_BYTES = 4;
const IPV4_BYTES = 20;
const UDP_BYTES = 8;
const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_VLAN = 0x8100;
const PROTOCOL_UDP = 17;
const MORE_FRAGMENTS_OR_OFFSET = 0x3fff;
const TTL = 64;

/** Why a frame was not taken; each is a counter. */
export type FrameProblem =
  | 'frame-tagged'
  | 'frame-not-udp'
  | 'frame-truncated'
  | 'frame-fragment'
  | 'frame-bad-checksum';

export type Datagram = {
  sourceMac: Uint8Array;
  destinationMac: Uint8Array;
  source: Ipv4;
  destination: Ipv4;
  sourcePort: number;
  destinationPort: number;
  payload: Uint8Array;
};

/** Its parts lie in `frame`: copy what has to outlive it. */
export function readFrame(frame: Uint8Array): Datagram | FrameProblem {
  if (frame.length < ETHERNET_BYTES) return 'frame-truncated';
  const at = networkLayerAt(frame);
  if (typeof at === 'string') return at;
  const packet = readIpv4(frame.subarray(at));
  if (typeof packet === 'string') return packet;
  return { destinationMac: frame.subarray(0, 6), sourceMac: frame.subarray(6, 12), ...packet };
}

/**
 * A tag with VLAN 0 is a priority alone (IEEE 802.1Q §6.9); any other one belongs to an interface
 * of its own.
 */
function networkLayerAt(frame: Uint8Array): number | FrameProblem {
  const type = u16(frame, 12);
  if (type === ETHERTYPE_IPV4) return ETHERNET_BYTES;
  if (type !== ETHERTYPE_VLAN) return 'frame-not-udp';
  if (frame.length < ETHERNET_BYTES + VLAN_TAG_BYTES) return 'frame-truncated';
  if ((u16(frame, 14) & 0x0fff) !== 0) return 'frame-tagged';
  return u16(frame, 16) === ETHERTYPE_IPV4 ? ETHERNET_BYTES + VLAN_TAG_BYTES : 'frame-not-udp';
}

type Ipv4Datagram = Omit<Datagram, 'sourceMac' | 'destinationMac'>;

function readIpv4(packet: Uint8Array): Ipv4Datagram | FrameProblem {
  if (packet.length < IPV4_BYTES) return 'frame-truncated';
  const headerBytes = ((packet[0] ?? 0) & 0x0f) * 4;
  const totalBytes = u16(packet, 2);
  if ((packet[0] ?? 0) >> 4 !== 4 || packet[9] !== PROTOCOL_UDP) return 'frame-not-udp';
  if (headerBytes < IPV4_BYTES || totalBytes < headerBytes + UDP_BYTES) return 'frame-truncated';
  if (packet.length < totalBytes) return 'frame-truncated'; // behind it lies Ethernet's padding
  if ((u16(packet, 6) & MORE_FRAGMENTS_OR_OFFSET) !== 0) return 'frame-fragment';
  if (sumOf(packet, 0, headerBytes) !== 0xffff) return 'frame-bad-checksum';
  const udpBytes = u16(packet, headerBytes + 4);
  if (udpBytes < UDP_BYTES || headerBytes + udpBytes > totalBytes) return 'frame-truncated';
  const udp = packet.subarray(headerBytes, headerBytes + udpBytes);
  if (!isUdpChecksumGood(packet, udp)) return 'frame-bad-checksum';
  return {
    source: ipv4FromBytes(packet, 12),
    destination: ipv4FromBytes(packet, 16),
    sourcePort: u16(udp, 0),
    destinationPort: u16(udp, 2),
    payload: udp.subarray(UDP_BYTES),
  };
}

/**
 * 0: none was made. What a sender on the same machine leaves to the card to finish (checksum
 * offload; on veth it never is) holds the sum of the pseudo header alone.
 */
function isUdpChecksumGood(packet: Uint8Array, udp: Uint8Array): boolean {
  const given = u16(udp, 6);
  if (given === 0) return true;
  const pseudo = pseudoSum(packet, udp.length);
  return given === fold(pseudo) || fold(pseudo + rawSum(udp, 0, udp.length)) === 0xffff;
}

/** With every checksum made, so that it does not matter what the link would do about them. */
export function buildFrame(parts: Datagram): Uint8Array {
  const udpBytes = UDP_BYTES + parts.payload.length;
  const frame = new Uint8Array(ETHERNET_BYTES + IPV4_BYTES + udpBytes);
  const view = new DataView(frame.buffer);
  frame.set(parts.destinationMac.subarray(0, 6), 0);
  frame.set(parts.sourceMac.subarray(0, 6), 6);
  view.setUint16(12, ETHERTYPE_IPV4);
  view.setUint8(14, 0x45);
  view.setUint8(15, 0x10); // low delay, as clients and relays send it
  view.setUint16(16, IPV4_BYTES + udpBytes);
  view.setUint8(22, TTL);
  view.setUint8(23, PROTOCOL_UDP);
  view.setUint32(26, parts.source);
  view.setUint32(30, parts.destination);
  view.setUint16(24, ~sumOf(frame, ETHERNET_BYTES, IPV4_BYTES) & 0xffff);
  view.setUint16(34, parts.sourcePort);
  view.setUint16(36, parts.destinationPort);
  view.setUint16(38, udpBytes);
  frame.set(parts.payload, ETHERNET_BYTES + IPV4_BYTES + UDP_BYTES);
  const packet = frame.subarray(ETHERNET_BYTES);
  const sum = fold(pseudoSum(packet, udpBytes) + rawSum(packet, IPV4_BYTES, udpBytes));
  view.setUint16(40, ~sum & 0xffff || 0xffff); // 0 would say that there is none
  return frame;
}

/** Source, destination, protocol and length (RFC 768). */
function pseudoSum(packet: Uint8Array, udpBytes: number): number {
  return rawSum(packet, 12, 8) + PROTOCOL_UDP + udpBytes;
}

function sumOf(bytes: Uint8Array, from: number, length: number): number {
  return fold(rawSum(bytes, from, length));
}

function rawSum(bytes: Uint8Array, from: number, length: number): number {
  let sum = 0;
  const end = from + length;
  for (let at = from; at + 1 < end; at += 2) sum += u16(bytes, at);
  if (length % 2 === 1) sum += (bytes[end - 1] ?? 0) << 8;
  return sum;
}

/** Ones' complement: at most 65,535 words of 16 bits are added, so two folds do. */
function fold(sum: number): number {
  const once = (sum & 0xffff) + Math.floor(sum / 0x1_0000);
  return (once & 0xffff) + (once >>> 16);
}

function u16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}
