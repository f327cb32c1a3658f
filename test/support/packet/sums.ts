// Checksums computed over all the bytes: the Internet checksum (RFC 1071) and CRC32c (RFC 9260
// App. A).

/** The checksum of the bytes, as it is written: big endian, an odd byte padded with 0. */
export function internetChecksum(bytes: Uint8Array): number {
  return 0xffff - onesSum(bytes);
}

/** 0xffff when the bytes hold a right checksum. */
export function onesSum(bytes: Uint8Array): number {
  let sum = 0;
  for (const [index, byte] of bytes.entries()) sum += index % 2 === 0 ? byte * 256 : byte;
  return sum === 0 ? 0 : ((sum - 1) % 0xffff) + 1;
}

export function pseudoHeader(
  source: number,
  destination: number,
  protocol: number,
  length: number,
): Uint8Array {
  const bytes = new Uint8Array(12);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, source);
  view.setUint32(4, destination);
  view.setUint16(8, protocol);
  view.setUint16(10, length);
  return bytes;
}

export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
