// Which target is meant: an address under a check's settings (docs/health.md, V1). Other settings
// are another target. Pure.
import type { Target } from './types.ts';

/**
 * 16 hex digits, the same on every machine. `address` counts as it is written: site objects have
 * one way to write each.
 */
export function targetId({ address, check }: Target): string {
  // The list of keys orders them, and leaves out what is undefined.
  const text = `${address} ${JSON.stringify(check, Object.keys(check).sort())}`;
  return hex(hashText(text, 0x243f6a88)) + hex(hashText(text, 0x85a308d3));
}

/** MurmurHash3's mixing over UTF-16 units: an unsigned 32-bit number. Not for secrets. */
export function hashText(text: string, seed = 0): number {
  let hash = seed;
  for (let at = 0; at < text.length; at++) {
    const unit = Math.imul(text.charCodeAt(at), 0xcc9e2d51);
    hash ^= Math.imul((unit << 15) | (unit >>> 17), 0x1b873593);
    hash = Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64;
  }
  return mix(hash ^ text.length);
}

/** Spreads what differs in a few bits over all 32. */
export function mix(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0');
}
