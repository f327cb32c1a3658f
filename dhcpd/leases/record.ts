// The 64 bytes of a record and of a block's header (docs/leases.md §3), the key of a client (RFC
// 2131 §2, RFC 6842) and how it is packed, and which block an address lies in. Pure.
import { type Ipv4, ipv4 } from '../../shared/net/ipv4.ts';
import { sha256 } from './sha256.ts';
import { type Lease, STATE } from './types.ts';

export const RECORD_BYTES = 64;
export const HEADER_BYTES = 64;
export const BLOCK_ADDRESSES = 256;
export const BLOCK_BYTES = HEADER_BYTES + BLOCK_ADDRESSES * RECORD_BYTES;
export const LINEAGE_CHARACTERS = 16;
export const LAYOUT_VERSION = 1;
/** A hold, or a lease, without an end. */
export const NO_END = 0xffffffff;
/** A packed key: length and at most 19 bytes. */
export const PACKED_KEY_BYTES = 20;
const MAX_KEY_BYTES = PACKED_KEY_BYTES - 1;
const LONG_KEY = 0xff;
const MAX_CHADDR_BYTES = 8;

/** Where the fields of a record are. */
export const FIELD = {
  state: 0,
  flags: 1,
  htype: 2,
  hlen: 3,
  generation: 4,
  holdUntil: 8,
  toldUntil: 12,
  boundAt: 16,
  instance: 20,
  chaddr: 24,
  key: 32,
  leaseSeconds: 52,
  version: 56,
} as const;

export const FLAG = { details: 1, longReserve: 2 } as const;

const HEADER = { version: 16, quarantineUntil: 24, layout: 28 } as const;

export type Header = {
  /** '': a block that does not exist. */
  lineage: string;
  version: number;
  quarantineUntil: number;
  layout: number;
};

/** What a writer has to say; all else is zero. */
export type RecordFields = Partial<Omit<Lease, 'address' | 'key' | 'hasLongKey'>> & {
  /** As packKey() gives it; absent: none. */
  packedKey?: Uint8Array;
};

export function encodeRecord(fields: RecordFields): Uint8Array {
  const bytes = new Uint8Array(RECORD_BYTES);
  const view = new DataView(bytes.buffer);
  const chaddr = fields.chaddr ?? new Uint8Array(0);
  bytes[FIELD.state] = fields.state ?? STATE.unused;
  bytes[FIELD.flags] =
    (fields.hasDetails ? FLAG.details : 0) | (fields.isLongReserve ? FLAG.longReserve : 0);
  bytes[FIELD.htype] = fields.htype ?? 0;
  bytes[FIELD.hlen] = fields.hlen ?? chaddr.length;
  view.setUint32(FIELD.generation, fields.generation ?? 0);
  view.setUint32(FIELD.holdUntil, fields.holdUntil ?? 0);
  view.setUint32(FIELD.toldUntil, fields.toldUntil ?? 0);
  view.setUint32(FIELD.boundAt, fields.boundAt ?? 0);
  view.setUint32(FIELD.instance, fields.instance ?? 0);
  bytes.set(chaddr.subarray(0, MAX_CHADDR_BYTES), FIELD.chaddr);
  if (fields.packedKey !== undefined) bytes.set(fields.packedKey, FIELD.key);
  view.setUint32(FIELD.leaseSeconds, fields.leaseSeconds ?? 0);
  const version = fields.version ?? 0;
  view.setUint32(FIELD.version, version / 2 ** 32);
  view.setUint32(FIELD.version + 4, version);
  return bytes;
}

/** Reads a record; what lies beyond the end of a short string is zero. */
export function decodeRecord(source: Uint8Array, offset: number, address: Ipv4): Lease {
  const whole = offset + RECORD_BYTES <= source.length;
  // Not subarray(): slice() of a Buffer is a view, and the parts of a lease have to be copies.
  const bytes = whole
    ? new Uint8Array(source.buffer, source.byteOffset + offset, RECORD_BYTES)
    : padded(source, offset);
  const view = new DataView(bytes.buffer, bytes.byteOffset, RECORD_BYTES);
  const flags = view.getUint8(FIELD.flags);
  const hlen = view.getUint8(FIELD.hlen);
  const length = view.getUint8(FIELD.key);
  const keyBytes = Math.min(length, MAX_KEY_BYTES);
  return {
    address,
    state: view.getUint8(FIELD.state),
    htype: view.getUint8(FIELD.htype),
    hlen,
    generation: view.getUint32(FIELD.generation),
    holdUntil: view.getUint32(FIELD.holdUntil),
    toldUntil: view.getUint32(FIELD.toldUntil),
    boundAt: view.getUint32(FIELD.boundAt),
    instance: view.getUint32(FIELD.instance),
    chaddr: bytes.slice(FIELD.chaddr, FIELD.chaddr + Math.min(hlen, MAX_CHADDR_BYTES)),
    key: bytes.slice(FIELD.key + 1, FIELD.key + 1 + keyBytes),
    hasLongKey: length === LONG_KEY,
    hasDetails: (flags & FLAG.details) !== 0,
    isLongReserve: (flags & FLAG.longReserve) !== 0,
    leaseSeconds: view.getUint32(FIELD.leaseSeconds),
    version: view.getUint32(FIELD.version) * 2 ** 32 + view.getUint32(FIELD.version + 4),
  };
}

export function encodeHeader(header: Header): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < LINEAGE_CHARACTERS; i++) bytes[i] = header.lineage.charCodeAt(i) || 0;
  view.setBigUint64(HEADER.version, BigInt(header.version));
  view.setUint32(HEADER.quarantineUntil, header.quarantineUntil);
  view.setUint32(HEADER.layout, header.layout);
  return bytes;
}

/** Of a block's string; an empty one has no lineage and version 0. */
export function decodeHeader(block: Uint8Array): Header {
  const bytes = block.length < HEADER_BYTES ? padded(block, 0) : block;
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  const lineage = bytes.subarray(0, LINEAGE_CHARACTERS);
  return {
    lineage: lineage[0] === 0 ? '' : String.fromCharCode(...lineage),
    version: Number(view.getBigUint64(HEADER.version)),
    quarantineUntil: view.getUint32(HEADER.quarantineUntil),
    layout: view.getUint32(HEADER.layout),
  };
}

function padded(source: Uint8Array, offset: number): Uint8Array {
  const bytes = new Uint8Array(RECORD_BYTES);
  bytes.set(source.subarray(offset, offset + RECORD_BYTES));
  return bytes;
}

/** Option 61 when it is at least two bytes long, else the hardware address. */
export function clientKey(
  clientId: Uint8Array | undefined,
  htype: number,
  chaddr: Uint8Array,
): Uint8Array {
  const isById = clientId !== undefined && clientId.length >= 2;
  const key = new Uint8Array(isById ? 1 + clientId.length : 2 + chaddr.length);
  key[0] = isById ? 1 : 0;
  if (!isById) key[1] = htype;
  key.set(isById ? clientId : chaddr, isById ? 1 : 2);
  return key;
}

/** A client's key (at least one byte) as records have it: 20 bytes. */
export function packKey(key: Uint8Array): Uint8Array {
  const packed = new Uint8Array(PACKED_KEY_BYTES);
  const isLong = key.length > MAX_KEY_BYTES;
  packed[0] = isLong ? LONG_KEY : key.length;
  packed.set(isLong ? sha256(key).subarray(0, MAX_KEY_BYTES) : key, 1);
  return packed;
}

/** The packed key of a record that was read; all zeros: it has none. */
export function packedKeyOf(lease: Pick<Lease, 'key' | 'hasLongKey'>): Uint8Array {
  const packed = new Uint8Array(PACKED_KEY_BYTES);
  packed[0] = lease.hasLongKey ? LONG_KEY : lease.key.length;
  packed.set(lease.key, 1);
  return packed;
}

export function samePackedKey(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < PACKED_KEY_BYTES; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** The address without its last octet: the number of its block. */
export function blockOf(address: Ipv4): number {
  return address >>> 8;
}

/** Where the address's record begins in its block's string. */
export function recordOffset(address: Ipv4): number {
  return HEADER_BYTES + RECORD_BYTES * (address & 255);
}

export function addressIn(block: number, lastOctet: number): Ipv4 {
  return ipv4(block * BLOCK_ADDRESSES + lastOctet);
}

/** The six hex digits that name a block in keys and in the registry. */
export function blockId(block: number): string {
  return block.toString(16).padStart(6, '0');
}

/** A node's name as records have it: CRC-32 (ISO-HDLC) of its UTF-8 bytes; never 0. */
export function instanceId(node: string): number {
  let crc = 0xffffffff;
  for (const byte of new TextEncoder().encode(node)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0 || 1;
}
