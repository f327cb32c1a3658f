// The binary header (proxy-protocol.txt, 2.2): signature, version and command, family, length,
// addresses in network byte order, then TLVs, of which only the checksum is looked at. Pure.
import { formatIpv4, ipv4 } from '../../../shared/net/ipv4.ts';
import { formatIpv6, ipv6FromBytes } from '../../../shared/net/ipv6.ts';
import { crc32c } from './crc32c.ts';
import { MAX_PROXY_BYTES, type ProxyVerdict } from './types.ts';

export const SIGNATURE = Buffer.from([
  0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a,
]);
export const FIXED_BYTES = 16;
export const COMMAND = { LOCAL: 0x20, PROXY: 0x21 } as const;
export const FAMILY = { UNSPEC: 0x00, TCP4: 0x11, TCP6: 0x21 } as const;
/** Two addresses and two ports. */
export const ADDRESS_BYTES = { TCP4: 12, TCP6: 36 } as const;

const TLV_HEAD_BYTES = 3;
const TLV_CRC32C = 0x03;

/** A header whose signature was seen. */
export function readVersion2(bytes: Buffer, start: number, end: number): ProxyVerdict {
  if (end - start < FIXED_BYTES) return 'more';
  const command = bytes[start + 12];
  if (command !== COMMAND.LOCAL && command !== COMMAND.PROXY) return { refused: 'command' };
  const length = FIXED_BYTES + bytes.readUInt16BE(start + 14);
  if (length > MAX_PROXY_BYTES) return { refused: 'header-too-long' };
  if (end - start < length) return 'more';
  const header = bytes.subarray(start, start + length);
  // LOCAL: whatever is there is skipped.
  if (command === COMMAND.LOCAL) return { bytes: length };
  const family = header[13];
  if (family === FAMILY.UNSPEC) return { bytes: length };
  if (family !== FAMILY.TCP4 && family !== FAMILY.TCP6) return { refused: 'family' };
  const isIpv4 = family === FAMILY.TCP4;
  const tlvs = FIXED_BYTES + (isIpv4 ? ADDRESS_BYTES.TCP4 : ADDRESS_BYTES.TCP6);
  if (length < tlvs) return { refused: 'too-short' };
  const refused = refuseTlvs(header, tlvs);
  if (refused !== undefined) return { refused };
  return { bytes: length, ...(isIpv4 ? ipv4Endpoints(header) : ipv6Endpoints(header)) };
}

function ipv4Endpoints(header: Buffer) {
  const address = (at: number) => formatIpv4(ipv4(header.readUInt32BE(at)));
  return {
    source: { address: address(16), port: header.readUInt16BE(24) },
    destination: { address: address(20), port: header.readUInt16BE(26) },
  };
}

function ipv6Endpoints(header: Buffer) {
  const address = (at: number) => formatIpv6(ipv6FromBytes(header.subarray(at, at + 16)));
  return {
    source: { address: address(16), port: header.readUInt16BE(48) },
    destination: { address: address(32), port: header.readUInt16BE(50) },
  };
}

/** They must fill the header, and a checksum must be right. */
function refuseTlvs(header: Buffer, from: number): string | undefined {
  let p = from;
  while (p < header.length) {
    if (p + TLV_HEAD_BYTES > header.length) return 'tlv';
    const value = p + TLV_HEAD_BYTES;
    const end = value + header.readUInt16BE(p + 1);
    if (end > header.length) return 'tlv';
    if (header[p] === TLV_CRC32C && !isChecksum(header, value, end)) return 'checksum';
    p = end;
  }
  return undefined;
}

/** Over the whole header with zeros in place of the checksum. */
function isChecksum(header: Buffer, at: number, end: number): boolean {
  if (end - at !== 4) return false;
  const computed = crc32c(header.subarray(0, at), new Uint8Array(4), header.subarray(end));
  return header.readUInt32BE(at) === computed;
}
