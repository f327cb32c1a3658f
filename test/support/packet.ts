// Builds frames for tests, field by field, right unless told otherwise. Checksums are computed
// over the whole packet, never incrementally: what the translation is measured with must not work
// as it does.
import { crc32c, internetChecksum, pseudoHeader } from './packet/sums.ts';

export { checkChecksums } from './packet/check.ts';
export { describeDifference, describeFrame } from './packet/describe.ts';

export const ICMP = 1;
export const TCP = 6;
export const UDP = 17;
export const DCCP = 33;
export const GRE = 47;
export const ESP = 50;
export const SCTP = 132;
export const UDP_LITE = 136;

/** What lies behind an IPv4 header; some checksums cover the addresses. */
export interface Layer {
  protocol: number;
  bytes(source: number, destination: number): Uint8Array;
}

/** `n` bytes that differ, so that a shifted copy shows. */
export function filler(n: number): Uint8Array {
  return Uint8Array.from({ length: n }, (_, index) => (index * 7 + 0x41) & 0xff);
}

export function concat(...parts: (Uint8Array | number[])[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

export const u16 = (value: number): number[] => [(value >>> 8) & 255, value & 255];
export const u32 = (value: number): number[] => [...u16(value >>> 16), ...u16(value)];

/** A copy whose checksum at `offset` is off by `by`, in one's complement arithmetic. */
export function corrupt16(packet: Uint8Array, offset: number, by: number): Uint8Array {
  const copy = packet.slice();
  const view = new DataView(copy.buffer);
  view.setUint16(offset, (view.getUint16(offset) + by) % 0xffff);
  return copy;
}

/** Dotted quad to a number in host order; tests write no wrong ones. */
export function address(text: string): number {
  return text.split('.').reduce((value, octet) => value * 256 + Number(octet), 0);
}

export function macBytes(text: string): number[] {
  return text.split(':').map((octet) => Number.parseInt(octet, 16));
}

// ---- L4

export function raw(protocol: number, data: Uint8Array): Layer {
  return { protocol, bytes: () => data };
}

function withPseudoChecksum(
  protocol: number,
  header: (checksum: number) => number[],
  data: Uint8Array,
  options: { checksum?: number; coverage?: number; zeroIsNone?: boolean },
): Layer {
  return {
    protocol,
    bytes(source, destination) {
      if (options.checksum !== undefined) return concat(header(options.checksum), data);
      const blank = concat(header(0), data);
      const covered = blank.subarray(0, options.coverage ?? blank.length);
      const pseudo = pseudoHeader(source, destination, protocol, blank.length);
      const sum = internetChecksum(concat(pseudo, covered));
      return concat(header(options.zeroIsNone && sum === 0 ? 0xffff : sum), data);
    },
  };
}

/** `checksum` 0 is UDP's "none"; any other number stands as given. */
export function udp(
  sourcePort: number,
  destinationPort: number,
  data: Uint8Array = filler(12),
  options: { checksum?: number } = {},
): Layer {
  const length = 8 + data.length;
  return withPseudoChecksum(
    UDP,
    (checksum) => [...u16(sourcePort), ...u16(destinationPort), ...u16(length), ...u16(checksum)],
    data,
    { ...options, zeroIsNone: true },
  );
}

/** UDP whose right checksum for these addresses is 0, so that 0xffff must be sent. */
export function udpSummingToZero(
  source: string,
  destination: string,
  sourcePort: number,
  destinationPort: number,
): Layer {
  const trial = udp(sourcePort, destinationPort, Uint8Array.of(0, 0));
  const bytes = trial.bytes(address(source), address(destination));
  return udp(sourcePort, destinationPort, bytes.slice(6, 8)); // the sum added to itself is 0
}

export function udpLite(
  sourcePort: number,
  destinationPort: number,
  data: Uint8Array = filler(13),
  options: { coverage?: number; checksum?: number } = {},
): Layer {
  const coverage = options.coverage ?? 8 + data.length;
  return withPseudoChecksum(
    UDP_LITE,
    (checksum) => [...u16(sourcePort), ...u16(destinationPort), ...u16(coverage), ...u16(checksum)],
    data,
    { ...options, coverage, zeroIsNone: true },
  );
}

/** SYN by default; `options` are TCP option bytes, a multiple of four. */
export function tcp(
  sourcePort: number,
  destinationPort: number,
  data: Uint8Array = new Uint8Array(),
  options: { flags?: number; options?: number[]; checksum?: number } = {},
): Layer {
  const tail = options.options ?? [];
  const words = 5 + tail.length / 4;
  const header = (checksum: number) => [
    ...u16(sourcePort),
    ...u16(destinationPort),
    ...u32(0x01020304),
    ...u32(0),
    words << 4,
    options.flags ?? 2,
    ...u16(0xfaf0),
    ...u16(checksum),
    ...u16(0),
    ...tail,
  ];
  return withPseudoChecksum(TCP, header, data, options);
}

/** A DCCP request without extended sequence numbers; its checksum covers everything. */
export function dccp(sourcePort: number, destinationPort: number): Layer {
  const header = (checksum: number) => [
    ...u16(sourcePort),
    ...u16(destinationPort),
    4,
    0,
    ...u16(checksum),
    ...u32(0x00123456),
    ...u32(0x6c6f6c21),
  ];
  return withPseudoChecksum(DCCP, header, filler(5), {});
}

/** One INIT-like chunk; CRC32c over the packet, least significant byte first (RFC 9260 App. A). */
export function sctp(sourcePort: number, destinationPort: number): Layer {
  const head = [...u16(sourcePort), ...u16(destinationPort), ...u32(0xcafe0001)];
  const chunk = [1, 0, ...u16(20), ...filler(16)];
  const crc = crc32c(concat(head, [0, 0, 0, 0], chunk));
  return raw(SCTP, concat(head, u32(crc).reverse(), chunk));
}

export const gre = (data: Uint8Array = filler(20)): Layer =>
  raw(GRE, concat(u16(0), u16(0x0800), data));

export const esp = (data: Uint8Array = filler(33)): Layer =>
  raw(ESP, concat(u32(0x1001), u32(7), data));

// ---- ICMP (RFC 792)

/** The rest of the header is `rest`, four bytes. */
export function icmp(
  type: number,
  code: number,
  rest: number[],
  data: Uint8Array,
  options: { checksum?: number } = {},
): Layer {
  const sum = options.checksum ?? internetChecksum(concat([type, code, 0, 0], rest, data));
  return raw(ICMP, concat([type, code], u16(sum), rest, data));
}

export const echoRequest = (id = 0x1111, sequence = 1): Layer =>
  icmp(8, 0, [...u16(id), ...u16(sequence)], filler(24));
export const echoReply = (id = 0x1111, sequence = 1): Layer =>
  icmp(0, 0, [...u16(id), ...u16(sequence)], filler(24));

/** An ICMP error about `packet`; `bytes` of its payload are quoted, all by default. */
export function icmpError(
  type: number,
  code: number,
  packet: Uint8Array,
  options: { bytes?: number; rest?: number[]; tail?: Uint8Array } = {},
): Layer {
  const headerBytes = ((packet[0] ?? 0) & 15) * 4;
  const quoted = packet.slice(0, headerBytes + (options.bytes ?? packet.length));
  const data = concat(quoted, options.tail ?? new Uint8Array());
  return icmp(type, code, options.rest ?? [0, 0, 0, 0], data);
}

// ---- IPv4 (RFC 791)

export interface Ipv4Fields {
  ttl?: number;
  tos?: number;
  id?: number;
  df?: boolean;
  moreFragments?: boolean;
  offsetBytes?: number;
  options?: number[]; // a multiple of four bytes
  ihl?: number;
  version?: number;
  totalLength?: number;
  checksum?: number;
}

export function ipv4(
  source: string,
  destination: string,
  layer: Layer,
  fields: Ipv4Fields = {},
): Uint8Array {
  const from = address(source);
  const to = address(destination);
  return ipv4Around(from, to, layer.protocol, layer.bytes(from, to), fields);
}

export function ipv4Around(
  source: number,
  destination: number,
  protocol: number,
  body: Uint8Array,
  fields: Ipv4Fields,
): Uint8Array {
  const options = fields.options ?? [];
  const ihl = fields.ihl ?? 5 + options.length / 4;
  const fragment = (fields.df ? 0x4000 : 0) | (fields.moreFragments ? 0x2000 : 0);
  const header = (checksum: number) => [
    ((fields.version ?? 4) << 4) | ihl,
    fields.tos ?? 0,
    ...u16(fields.totalLength ?? 20 + options.length + body.length),
    ...u16(fields.id ?? 0x1d1d),
    ...u16(fragment | ((fields.offsetBytes ?? 0) / 8)),
    fields.ttl ?? 64,
    protocol,
    ...u16(checksum),
    ...u32(source),
    ...u32(destination),
    ...options,
  ];
  const checksum = fields.checksum ?? internetChecksum(Uint8Array.from(header(0)));
  return concat(header(checksum), body);
}

/**
 * The datagram in pieces: each number of `cuts` is a payload offset (a multiple of 8) where one
 * ends.
 */
export function fragments(
  source: string,
  destination: string,
  layer: Layer,
  cuts: number[],
  fields: Ipv4Fields = {},
): Uint8Array[] {
  const body = layer.bytes(address(source), address(destination));
  const ends = [...cuts, body.length];
  return ends.map((end, index) => {
    const offsetBytes = ends[index - 1] ?? 0;
    const piece = raw(layer.protocol, body.slice(offsetBytes, end));
    const moreFragments = end < body.length;
    return ipv4(source, destination, piece, { ...fields, offsetBytes, moreFragments });
  });
}

// ---- Ethernet

export function ethernet(
  destination: string,
  source: string,
  packet: Uint8Array,
  options: { type?: number; vlan?: number; padding?: number } = {},
): Uint8Array {
  const tag = options.vlan === undefined ? [] : [...u16(0x8100), ...u16(options.vlan)];
  const head = [...macBytes(destination), ...macBytes(source), ...tag];
  const padding = new Array<number>(options.padding ?? 0).fill(0xee);
  return concat(head, u16(options.type ?? 0x0800), packet, padding);
}
