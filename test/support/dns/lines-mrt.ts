// Writes MRT files of TABLE_DUMP_V2 (RFC 6396 §4.3, RFC 8050) for tests.
import { ipv4ToBytes } from '../../../shared/net/ipv4.ts';
import { ipv6ToBytes } from '../../../shared/net/ipv6.ts';
import { parsePrefix } from '../../../shared/net/prefix.ts';

/** A path: numbers are an AS_SEQUENCE, an array inside is an AS_SET. */
export type AsPath = readonly (number | readonly number[])[];
export type MrtRoute = { prefix: string; paths: readonly AsPath[] };

export function mrtOf(routes: readonly MrtRoute[], hasPathIds = false): Uint8Array {
  const peers = record(1, [...u32(0x0a000001), ...u16(0), ...u16(0)]);
  const ribs = routes.map(({ prefix, paths }, sequence) => {
    const parsed = parsePrefix(prefix);
    if (parsed === undefined) throw new Error(`${prefix} is no prefix`);
    const { family, bits } = parsed;
    const address = parsed.family === 4 ? ipv4ToBytes(parsed.address) : ipv6ToBytes(parsed.address);
    const entries = paths.flatMap((path) => {
      const attributes = [...attribute(1, [0]), ...attribute(2, segments(path), true)];
      const head = [...u16(0), ...u32(1_700_000_000), ...(hasPathIds ? u32(7) : [])];
      return [...head, ...u16(attributes.length), ...attributes];
    });
    const nlri = [bits, ...address.subarray(0, Math.ceil(bits / 8))];
    const subtype = (family === 4 ? 2 : 4) + (hasPathIds ? 6 : 0);
    return record(subtype, [...u32(sequence), ...nlri, ...u16(paths.length), ...entries]);
  });
  return Uint8Array.from([peers, ...ribs].flat());
}

function record(subtype: number, body: readonly number[]): number[] {
  return [...u32(1_700_000_000), ...u16(13), ...u16(subtype), ...u32(body.length), ...body];
}

function attribute(type: number, body: readonly number[], isLong = false): number[] {
  return isLong ? [0x50, type, ...u16(body.length), ...body] : [0x40, type, body.length, ...body];
}

function segments(path: AsPath): number[] {
  return path.flatMap((part) => {
    const numbers = typeof part === 'number' ? [part] : part;
    return [typeof part === 'number' ? 2 : 1, numbers.length, ...numbers.flatMap(u32)];
  });
}

function u16(value: number): number[] {
  return [value >> 8, value & 255];
}

function u32(value: number): number[] {
  return [value >>> 24, (value >> 16) & 255, (value >> 8) & 255, value & 255];
}
