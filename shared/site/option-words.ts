// The names and values of options as they are written in a site file.
import { formatIpv4, ipv4FromBytes, ipv4ToBytes, parseIpv4 } from '../net/ipv4.ts';
import { bytesOf, type Hex, hexOf, isHex } from './bytes.ts';
import type { EntryValue } from './entry.ts';

const NAMES: Record<string, number> = { routers: 3, 'domain-name-servers': 6 };

export function codeOf(key: string): number | undefined {
  if (/^[1-9]\d{0,2}$/.test(key)) return Number(key) < 255 ? Number(key) : undefined;
  return NAMES[key];
}
export function nameOf(code: number): string | undefined {
  return Object.entries(NAMES).find(([, each]) => each === code)?.[0];
}
export function readValue(_code: number, value: unknown): { hex: Hex } | { problem: string } {
  if (typeof value === 'object' && value !== null && 'hex' in value) {
    return isHex(String(value.hex)) ? { hex: String(value.hex) } : { problem: 'is not in hex' };
  }
  if (!Array.isArray(value)) return { problem: 'is not a list' };
  const list = value.map((each) => parseIpv4(String(each)));
  if (list.some((each) => each === undefined)) return { problem: 'is not an address' };
  return { hex: list.map((each) => (each === undefined ? '' : hexOf(ipv4ToBytes(each)))).join('') };
}
export function writeValue(code: number, hex: Hex): EntryValue {
  const bytes = bytesOf(hex);
  if (nameOf(code) === undefined || bytes.length % 4 !== 0) return { hex };
  return Array.from({ length: bytes.length / 4 }, (_, at) =>
    formatIpv4(ipv4FromBytes(bytes, at * 4)),
  );
}
