// IPv4 addresses as unsigned numbers in host order; text is the strict dotted quad of RFC 6943
// §3.1.1 (four decimal octets, no leading zero, nothing around them).

declare const brand: unique symbol;
export type Ipv4 = number & { readonly [brand]: 'Ipv4' };

const dottedQuad = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;

/** Brands a number as an address; a number that is none is a programmer's error. */
export function ipv4(value: number): Ipv4 {
  if (!Number.isInteger(value) || value < 0 || value > 0xffffffff) {
    throw new RangeError(`${value} is not an unsigned 32-bit number`);
  }
  return value as Ipv4; // the one place, with its bytes reader, that makes the brand
}

export function parseIpv4(text: string): Ipv4 | undefined {
  const octets = dottedQuad.exec(text);
  if (octets === null) return undefined;
  let value = 0;
  for (const octet of octets.slice(1)) {
    if (octet.length > 1 && octet.startsWith('0')) return undefined;
    if (Number(octet) > 255) return undefined;
    value = value * 256 + Number(octet);
  }
  return ipv4(value);
}

export function formatIpv4(address: Ipv4): string {
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}

/** Eight hex digits, as names of links and tables take them. */
export function hexOfIpv4(address: Ipv4): string {
  return address.toString(16).padStart(8, '0');
}

/** Four bytes in network order. */
export function ipv4ToBytes(address: Ipv4): Uint8Array {
  return Uint8Array.of(address >>> 24, address >>> 16, address >>> 8, address);
}

/** Reads four bytes in network order; throws RangeError when they are not there. */
export function ipv4FromBytes(bytes: Uint8Array, offset = 0): Ipv4 {
  return ipv4(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(offset));
}

/** False for what no host can be: 0/8, 127/8, multicast, class E and the limited broadcast. */
export function isUnicastIpv4(address: Ipv4): boolean {
  const first = address >>> 24;
  return first !== 0 && first !== 127 && first < 224;
}
