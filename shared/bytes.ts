// What is done with bytes of any meaning: put together, compared, written as hex. Pure.

/** One behind the other; a part that is the only one is not copied. */
export function join(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts;
  if (first !== undefined && parts.length === 1) return first;
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Of [from, to). What sockets hand out are Buffers, whose own slice() is no copy. */
export function copyOf(bytes: Uint8Array, from: number, to: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes.subarray(from, to));
}

/** Below 0, 0, above 0: byte by byte; what ends first is the lesser (RFC 4034 §6.3's order too). */
export function compareBytes(one: Uint8Array, other: Uint8Array): number {
  const common = Math.min(one.length, other.length);
  for (let at = 0; at < common; at++) {
    const order = (one[at] ?? 0) - (other[at] ?? 0);
    if (order !== 0) return order;
  }
  return one.length - other.length;
}

/** Looked up: some of it runs with every binding of a client. */
const DIGITS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Lower-case digits; `between` the bytes, as ":" in a MAC. */
export function toHex(bytes: Uint8Array, between = ''): string {
  let text = '';
  for (let at = 0; at < bytes.length; at++) {
    text += (at === 0 ? '' : between) + DIGITS[bytes[at] ?? 0];
  }
  return text;
}

/** Pairs of digits, of either case; undefined when it is anything else. */
export function fromHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(text)) return undefined;
  return Uint8Array.from({ length: text.length / 2 }, (_, at) =>
    Number.parseInt(text.slice(2 * at, 2 * at + 2), 16),
  );
}
