// Frames that a service itself makes: packets of self-tests and of `explain`, gratuitous ARP.
// Pure.

import { protocolHasPorts } from './protocols.ts';

const ETHERNET_BYTES = 14;
const IPV4_BYTES = 20;
const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_ARP = 0x0806;
const BROADCAST = 0xffff_ffff_ffff;

export type FlowPacket = {
  source: number;
  destination: number;
  protocol: number;
  sourcePort: number; // 0 where the protocol has none
  destinationPort: number;
};

export const TCP_FLAGS = { syn: 0x02, ack: 0x10 } as const;

/**
 * The smallest valid packet of a flow, to the link with this MAC: TCP (a SYN unless told), UDP,
 * ICMP echo, or bare.
 */
export function flowFrame(
  packet: FlowPacket,
  destinationMac: number,
  ttl = 64,
  tcpFlags: number = TCP_FLAGS.syn,
): Uint8Array {
  const l4 = l4Bytes(packet, tcpFlags);
  const frame = new Uint8Array(ETHERNET_BYTES + IPV4_BYTES + l4.length);
  const view = new DataView(frame.buffer);
  writeMac(view, 0, destinationMac);
  writeMac(view, 6, 0x02_00_00_00_00_01);
  view.setUint16(12, ETHERTYPE_IPV4);
  const ipv4 = new DataView(frame.buffer, ETHERNET_BYTES, IPV4_BYTES);
  ipv4.setUint8(0, 0x45);
  ipv4.setUint16(2, IPV4_BYTES + l4.length);
  ipv4.setUint16(6, 0x4000); // DF
  ipv4.setUint8(8, ttl);
  ipv4.setUint8(9, packet.protocol);
  ipv4.setUint32(12, packet.source);
  ipv4.setUint32(16, packet.destination);
  ipv4.setUint16(10, checksum(frame.subarray(ETHERNET_BYTES, ETHERNET_BYTES + IPV4_BYTES)));
  frame.set(l4, ETHERNET_BYTES + IPV4_BYTES);
  writeL4Checksum(frame, packet);
  return frame;
}

/** What a frame says of its flow; undefined when it is no whole IPv4 packet. */
export function readFlow(frame: Uint8Array): (FlowPacket & { ttl: number }) | undefined {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  if (frame.length < ETHERNET_BYTES + IPV4_BYTES) return undefined;
  if (view.getUint16(12) !== ETHERTYPE_IPV4) return undefined;
  const l4 = ETHERNET_BYTES + (view.getUint8(ETHERNET_BYTES) & 15) * 4;
  const protocol = view.getUint8(ETHERNET_BYTES + 9);
  const hasPorts = protocolHasPorts(protocol) && frame.length >= l4 + 4;
  return {
    source: view.getUint32(ETHERNET_BYTES + 12),
    destination: view.getUint32(ETHERNET_BYTES + 16),
    protocol,
    sourcePort: hasPorts ? view.getUint16(l4) : 0,
    destinationPort: hasPorts ? view.getUint16(l4 + 2) : 0,
    ttl: view.getUint8(ETHERNET_BYTES + 8),
  };
}

/** Whether the IPv4 header's, and TCP's, UDP's or ICMP's, checksums are right. */
export function checksumsHold(frame: Uint8Array): boolean {
  const flow = readFlow(frame);
  if (flow === undefined) return false;
  if (checksum(frame.subarray(ETHERNET_BYTES, ETHERNET_BYTES + IPV4_BYTES)) !== 0) return false;
  const l4 = frame.subarray(ETHERNET_BYTES + IPV4_BYTES);
  if (flow.protocol === 1) return checksum(l4) === 0;
  if (flow.protocol !== 6 && flow.protocol !== 17) return true;
  return checksum(withPseudoHeader(frame)) === 0;
}

/** RFC 5227 §3: an announcement, "this address is at this MAC". */
export function gratuitousArp(mac: number, address: number): Uint8Array {
  const frame = new Uint8Array(42);
  const view = new DataView(frame.buffer);
  writeMac(view, 0, BROADCAST);
  writeMac(view, 6, mac);
  view.setUint16(12, ETHERTYPE_ARP);
  view.setUint16(14, 1); // Ethernet
  view.setUint16(16, ETHERTYPE_IPV4);
  view.setUint8(18, 6);
  view.setUint8(19, 4);
  view.setUint16(20, 1); // request
  writeMac(view, 22, mac);
  view.setUint32(28, address);
  view.setUint32(38, address);
  return frame;
}

export function readMac(frame: Uint8Array, at: number): number {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  return view.getUint16(at) * 2 ** 32 + view.getUint32(at + 2);
}

function writeMac(view: DataView, at: number, mac: number): void {
  view.setUint16(at, Math.floor(mac / 2 ** 32));
  view.setUint32(at + 2, mac % 2 ** 32);
}

const L4_BYTES: Record<number, number> = { 1: 8, 6: 20, 17: 8, 33: 12, 132: 12, 136: 8 };

function l4Bytes(
  { protocol, sourcePort, destinationPort }: FlowPacket,
  tcpFlags: number,
): Uint8Array {
  const bytes = new Uint8Array(L4_BYTES[protocol] ?? 8);
  const view = new DataView(bytes.buffer);
  if (protocolHasPorts(protocol)) {
    view.setUint16(0, sourcePort);
    view.setUint16(2, destinationPort);
  }
  if (protocol === 6) view.setUint16(12, 0x5000 | tcpFlags); // 20 bytes of header
  if (protocol === 17) view.setUint16(4, bytes.length);
  if (protocol === 1) {
    view.setUint8(0, 8); // echo request
    view.setUint16(2, checksum(bytes));
  }
  return bytes;
}

function writeL4Checksum(frame: Uint8Array, { protocol }: FlowPacket): void {
  if (protocol !== 6 && protocol !== 17) return;
  const at = ETHERNET_BYTES + IPV4_BYTES + (protocol === 6 ? 16 : 6);
  const sum = checksum(withPseudoHeader(frame));
  new DataView(frame.buffer).setUint16(at, sum === 0 && protocol === 17 ? 0xffff : sum);
}

function withPseudoHeader(frame: Uint8Array): Uint8Array {
  const l4 = frame.subarray(ETHERNET_BYTES + IPV4_BYTES);
  const bytes = new Uint8Array(12 + l4.length);
  bytes.set(frame.subarray(ETHERNET_BYTES + 12, ETHERNET_BYTES + 20));
  bytes[9] = frame[ETHERNET_BYTES + 9] ?? 0;
  new DataView(bytes.buffer).setUint16(10, l4.length);
  bytes.set(l4, 12);
  return bytes;
}

/** RFC 1071. */
function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) {
    sum += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
