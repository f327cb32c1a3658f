// Buffers that large pieces of bodies come in. Who has written such a piece gives it back: V8
// collects all its heap for every few hundred of them that are new. Pure.

export const LARGE_BUFFER_BYTES = 65_536;
/** What is kept for the next readers, of all connections. */
const MAX_FREE = 64;

const free: Buffer[] = [];
/** How many hold a buffer: its reader, and its pieces that were not given back. */
const holders = new WeakMap<ArrayBufferLike, { count: number; whole: Buffer }>();

/** With one holder, who gets it. */
export function takeLarge(): Buffer {
  const whole = free.pop() ?? Buffer.allocUnsafeSlow(LARGE_BUFFER_BYTES);
  const held = holders.get(whole.buffer);
  if (held === undefined) holders.set(whole.buffer, { count: 1, whole });
  else held.count = 1;
  return whole;
}

/** A copy whose only holder is who gets it; no longer than a buffer. */
export function copyToLarge(bytes: Buffer, start: number, end: number): Buffer {
  const whole = takeLarge();
  return whole.subarray(0, bytes.copy(whole, 0, start, end));
}

/** A piece of a held buffer, with a holder more. */
export function pieceOfLarge(whole: Buffer, start: number, end: number): Buffer {
  const held = holders.get(whole.buffer);
  if (held !== undefined) held.count++;
  return whole.subarray(start, end);
}

/** Once a holder, of what nobody looks at any more; of any other buffer it does nothing. */
export function giveBack({ buffer }: Buffer): void {
  const held = holders.get(buffer);
  if (held === undefined || held.count === 0 || --held.count > 0) return;
  if (free.length < MAX_FREE) free.push(held.whole);
}
