// Reads an Ethernet frame as a translation sees it: IPv4 (RFC 791), what lies behind it, and the
// packet that an ICMP error quotes (RFC 792). Offsets count from the frame's first byte.

export const ETHERNET_BYTES = 14;
export const ETHERTYPE_IPV4 = 0x0800;

export const ICMP = 1;
export const TCP = 6;
export const UDP = 17;
export const DCCP = 33;
export const UDP_LITE = 136;

const ICMP_HEADER_BYTES = 8;
const ICMP_REDIRECT = 5;
const ICMP_ERRORS: ReadonlySet<number> = new Set([3, 4, 11, 12]);

/** Shortest header of the protocols whose checksum covers the addresses. */
const HEADER_BYTES: ReadonlyMap<number, number> = new Map([
  [TCP, 20],
  [UDP, 8],
  [DCCP, 12],
  [UDP_LITE, 8],
]);

/** An IPv4 header and the bytes behind it; also one that an ICMP error quotes. */
export interface PacketView {
  frame: Uint8Array;
  offset: number; // of the IPv4 header
  l4: number; // offset of what follows it
  end: number; // offset behind the packet's last byte that is there
  totalLength: number;
  source: number;
  destination: number;
  protocol: number;
  ttl: number;
  id: number;
  hasOptions: boolean;
  isFirst: boolean; // fragment offset 0
  moreFragments: boolean;
}

export function isIpv4(frame: Uint8Array): boolean {
  return frame.length >= ETHERNET_BYTES && read16(frame, 12) === ETHERTYPE_IPV4;
}

/** The frame's packet; undefined when its header is not valid IPv4 (docs/translation.md §1.3). */
export function viewPacket(frame: Uint8Array): PacketView | undefined {
  const view = viewHeader(frame, ETHERNET_BYTES, frame.length);
  if (view === undefined || view.totalLength < view.l4 - view.offset) return undefined;
  const end = view.offset + view.totalLength;
  return end > frame.length ? undefined : { ...view, end };
}

function viewHeader(frame: Uint8Array, offset: number, end: number): PacketView | undefined {
  if (end - offset < 20) return undefined;
  const first = read8(frame, offset);
  const headerBytes = (first & 15) * 4;
  if (first >> 4 !== 4 || headerBytes < 20 || offset + headerBytes > end) return undefined;
  const fragment = read16(frame, offset + 6);
  return {
    frame,
    offset,
    l4: offset + headerBytes,
    end,
    totalLength: read16(frame, offset + 2),
    source: read32(frame, offset + 12),
    destination: read32(frame, offset + 16),
    protocol: read8(frame, offset + 9),
    ttl: read8(frame, offset + 8),
    id: read16(frame, offset + 4),
    hasOptions: headerBytes > 20,
    isFirst: (fragment & 0x1fff) === 0,
    moreFragments: (fragment & 0x2000) !== 0,
  };
}

export type IcmpKind =
  | { kind: 'other' } // a query, a later fragment, or no ICMP at all
  | { kind: 'short' } // less than an ICMP header
  | { kind: 'redirect' }
  | { kind: 'error'; quoted: PacketView | undefined }; // undefined: its header is cut short

export function icmpKind(packet: PacketView): IcmpKind {
  if (packet.protocol !== ICMP || !packet.isFirst) return { kind: 'other' };
  if (packet.end - packet.l4 < ICMP_HEADER_BYTES) return { kind: 'short' };
  const type = read8(packet.frame, packet.l4);
  if (type === ICMP_REDIRECT) return { kind: 'redirect' };
  if (!ICMP_ERRORS.has(type)) return { kind: 'other' };
  const quoted = viewHeader(packet.frame, packet.l4 + ICMP_HEADER_BYTES, packet.end);
  return { kind: 'error', quoted };
}

/** TCP and UDP: the protocols that port forwards know. */
export function hasPorts(packet: PacketView): boolean {
  return packet.protocol === TCP || packet.protocol === UDP;
}

/** A first fragment that does not hold the whole fixed header of its protocol. */
export function isCutShort(packet: PacketView): boolean {
  const needed = HEADER_BYTES.get(packet.protocol) ?? 0;
  return packet.isFirst && packet.end - packet.l4 < needed;
}

/** Both ports; undefined for a later fragment, another protocol, or when they are not there. */
export function portsOf(packet: PacketView): { source: number; destination: number } | undefined {
  if (!hasPorts(packet) || !packet.isFirst || packet.end - packet.l4 < 4) return undefined;
  return {
    source: read16(packet.frame, packet.l4),
    destination: read16(packet.frame, packet.l4 + 2),
  };
}

/** Wire bytes; of a GSO packet those of each segment with its headers. */
export function wireBytes(packet: PacketView, segments: number): number {
  if (segments === 1) return packet.frame.length;
  const headerBytes = ETHERNET_BYTES + packet.l4 - packet.offset + l4HeaderBytes(packet);
  return packet.frame.length + (segments - 1) * headerBytes;
}

export function l4HeaderBytes(packet: PacketView): number {
  if (packet.protocol !== TCP) return HEADER_BYTES.get(packet.protocol) ?? 0;
  return (read8(packet.frame, packet.l4 + 12) >> 4) * 4;
}

export function read8(bytes: Uint8Array, offset: number): number {
  const value = bytes[offset];
  if (value === undefined) throw new RangeError(`no byte at ${offset} of ${bytes.length}`);
  return value;
}

export function read16(bytes: Uint8Array, offset: number): number {
  return read8(bytes, offset) * 256 + read8(bytes, offset + 1);
}

export function read32(bytes: Uint8Array, offset: number): number {
  return read16(bytes, offset) * 65536 + read16(bytes, offset + 2);
}
