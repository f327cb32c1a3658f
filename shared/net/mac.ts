// 48-bit link-layer addresses as numbers (they fit a double exactly); text is six hex pairs and
// colons.

declare const brand: unique symbol;
export type Mac = number & { readonly [brand]: 'Mac' };

/** Brands a number as an address; a number that is none is a programmer's error. */
export function mac(value: number): Mac {
  if (!Number.isInteger(value) || value < 0 || value > 0xffffffffffff) {
    throw new RangeError(`${value} is not an unsigned 48-bit number`);
  }
  return value as Mac; // the one place that makes the brand
}

export function parseMac(text: string): Mac | undefined {
  if (!/^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}$/.test(text)) return undefined;
  return mac(Number.parseInt(text.replaceAll(':', ''), 16));
}

export function formatMac(address: Mac): string {
  const digits = address.toString(16).padStart(12, '0');
  return digits.replace(/..(?=.)/g, '$&:');
}

/** Six bytes in wire order. */
export function macToBytes(address: Mac): Uint8Array {
  const high = Math.floor(address / 0x100000000);
  return Uint8Array.of(high >>> 8, high, address >>> 24, address >>> 16, address >>> 8, address);
}

/** Reads six bytes in wire order; throws RangeError when they are not there. */
export function macFromBytes(bytes: Uint8Array, offset = 0): Mac {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return mac(view.getUint16(offset) * 0x100000000 + view.getUint32(offset + 2));
}
