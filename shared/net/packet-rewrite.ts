// Writes addresses and ports into a packet and keeps every checksum that covers them, each by the
// incremental update of RFC 1624 eqn. 3: a checksum that was wrong stays wrong by as much.
import {
  DCCP,
  ETHERNET_BYTES,
  type PacketView,
  read16,
  TCP,
  UDP,
  UDP_LITE,
} from './packet-view.ts';

export interface Endpoints {
  source?: number;
  destination?: number;
  sourcePort?: number;
  destinationPort?: number;
}

/** What a translation changes: of the packet itself, and of the one that it quotes. */
export interface Edit extends Endpoints {
  quoted?: Endpoints;
}

/**
 * A checksum field. `within` are those that cover the field itself, as ICMP's covers a quoted
 * one.
 */
interface Checksum {
  offset: number;
  zeroIsNone: boolean; // UDP (RFC 768): 0 on the wire means "none", a computed 0 is sent as 0xffff
  within: readonly Checksum[];
}

/** The frame after the edit; the frame given is left as it was. */
export function rewrite(
  packet: PacketView,
  quoted: PacketView | undefined,
  edit: Edit,
): Uint8Array {
  const frame = packet.frame.slice();
  editPacket(frame, packet, edit, []);
  if (edit.quoted !== undefined && quoted !== undefined) {
    const icmp: Checksum = { offset: packet.l4 + 2, zeroIsNone: false, within: [] };
    editPacket(frame, quoted, edit.quoted, [icmp]);
  }
  return frame;
}

/** The frame on its way out of a router: TTL less one, link addresses as the route says. */
export function forwardFrame(
  frame: Uint8Array,
  route: { sourceMac: number; destinationMac: number },
): Uint8Array {
  const forwarded = takeHop(frame);
  write48(forwarded, 0, route.destinationMac);
  write48(forwarded, 6, route.sourceMac);
  return forwarded;
}

/** The frame with its TTL less one. */
export function takeHop(frame: Uint8Array): Uint8Array {
  const forwarded = frame.slice();
  const ttlAndProtocol = read16(forwarded, ETHERNET_BYTES + 8);
  patch16(forwarded, ETHERNET_BYTES + 8, ttlAndProtocol - 0x100, [
    headerChecksum(ETHERNET_BYTES, []),
  ]);
  return forwarded;
}

function editPacket(
  frame: Uint8Array,
  packet: PacketView,
  edit: Endpoints,
  within: readonly Checksum[],
): void {
  const transport = transportChecksum(packet, within);
  const ofAddress = [headerChecksum(packet.offset, within), ...transport, ...within];
  const ofPort = [...transport, ...within];
  patch32(frame, packet.offset + 12, edit.source, ofAddress);
  patch32(frame, packet.offset + 16, edit.destination, ofAddress);
  if (edit.sourcePort !== undefined) patch16(frame, packet.l4, edit.sourcePort, ofPort);
  if (edit.destinationPort !== undefined)
    patch16(frame, packet.l4 + 2, edit.destinationPort, ofPort);
}

function headerChecksum(offset: number, within: readonly Checksum[]): Checksum {
  return { offset: offset + 10, zeroIsNone: false, within };
}

/**
 * The checksum with a pseudo header, when the protocol has one and it lies wholly in the packet.
 */
function transportChecksum(packet: PacketView, within: readonly Checksum[]): Checksum[] {
  const at = CHECKSUM_AT.get(packet.protocol);
  if (at === undefined || !packet.isFirst || packet.l4 + at + 2 > packet.end) return [];
  const zeroIsNone = packet.protocol === UDP || packet.protocol === UDP_LITE;
  return [{ offset: packet.l4 + at, zeroIsNone, within }];
}

const CHECKSUM_AT: ReadonlyMap<number, number> = new Map([
  [TCP, 16],
  [UDP, 6],
  [DCCP, 6],
  [UDP_LITE, 6],
]);

function patch32(
  frame: Uint8Array,
  offset: number,
  value: number | undefined,
  covering: readonly Checksum[],
): void {
  if (value === undefined) return;
  patch16(frame, offset, value >>> 16, covering);
  patch16(frame, offset + 2, value & 0xffff, covering);
}

/** Writes a 16-bit word and brings every checksum that covers it along, innermost first. */
function patch16(
  frame: Uint8Array,
  offset: number,
  value: number,
  covering: readonly Checksum[],
): void {
  const old = read16(frame, offset);
  frame[offset] = value >> 8;
  frame[offset + 1] = value & 0xff;
  for (const checksum of covering) {
    const before = read16(frame, checksum.offset);
    if (checksum.zeroIsNone && before === 0) continue;
    const after = updatedChecksum(before, old, value);
    const sent = checksum.zeroIsNone && after === 0 ? 0xffff : after;
    patch16(frame, checksum.offset, sent, checksum.within);
  }
}

/** RFC 1624 eqn. 3: HC' = ~(~HC + ~m + m'). */
export function updatedChecksum(checksum: number, old: number, value: number): number {
  let sum = (~checksum & 0xffff) + (~old & 0xffff) + value;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

function write48(frame: Uint8Array, offset: number, value: number): void {
  for (let index = 5, rest = value; index >= 0; index -= 1) {
    frame[offset + index] = rest % 256;
    rest = Math.floor(rest / 256);
  }
}
