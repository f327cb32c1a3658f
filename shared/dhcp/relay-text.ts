// Option 82 (RFC 3046) in words: each sub-option of the IANA's list by its name. Pure.

import { toHex } from '../bytes.ts';
import { formatIpv4, ipv4FromBytes } from '../net/ipv4.ts';
import type { Codec } from './codec.ts';
import { hex } from './hex.ts';
import { text } from './scalars.ts';

const NAMES: Readonly<Record<number, string>> = {
  1: 'circuit-id',
  2: 'remote-id',
  4: 'docsis-device-class',
  5: 'link-selection',
  6: 'subscriber-id',
  7: 'radius-attributes',
  8: 'authentication',
  9: 'vendor-specific',
  10: 'flags',
  11: 'server-identifier-override',
  12: 'relay-id',
  13: 'access-technology',
  14: 'access-network-name',
  15: 'access-point-name',
  16: 'access-point-bssid',
  17: 'operator-id',
  18: 'operator-realm',
  19: 'source-port',
  151: 'virtual-subnet',
  152: 'virtual-subnet-control',
};
const ADDRESSES: ReadonlySet<number> = new Set([5, 11]);

/** Only a relay says it, so it is never parsed from words. */
export const relayAgent: Codec = { ...hex, describe: relayText };

/** Undefined: a sub-option runs past the end, or there is none. */
export function relayText(bytes: Uint8Array): string | undefined {
  const said: string[] = [];
  let at = 0;
  while (at < bytes.length) {
    const end = at + 2 + (bytes[at + 1] ?? 0);
    if (at + 1 >= bytes.length || end > bytes.length) return undefined;
    said.push(subOptionText(bytes[at] ?? 0, bytes.subarray(at + 2, end)));
    at = end;
  }
  return said.length === 0 ? undefined : said.join(', ');
}

function subOptionText(code: number, value: Uint8Array): string {
  const name = NAMES[code] ?? `sub-option ${code}`;
  if (value.length === 0) return name;
  if (ADDRESSES.has(code) && value.length === 4)
    return `${name} ${formatIpv4(ipv4FromBytes(value))}`;
  const words = text.format(value);
  return `${name} ${words === undefined ? toHex(value) : JSON.stringify(words)}`;
}
