// Longest match as a person would do it, by bigints and a loop over all prefixes: what the tree of
// lines is held against. Lists of prefixes in short hand.
import { ListBuilder, wordsOfPrefix } from '../../../dns/lines/columns.ts';
import type { LineList, LineSettings } from '../../../dns/lines/types.ts';
import { ipv4ToBytes, parseIpv4 } from '../../../shared/net/ipv4.ts';
import { ipv6ToBytes, parseIpv6 } from '../../../shared/net/ipv6.ts';
import { type Prefix, parsePrefix } from '../../../shared/net/prefix.ts';

export type NamedPrefix = { prefix: Prefix; line: string };

/** `192.0.2.0/24 telecom`. */
export function named(text: string): NamedPrefix {
  const [prefix = '', line = ''] = text.split(' ');
  const parsed = parsePrefix(prefix);
  if (parsed === undefined) throw new Error(`${prefix} is no prefix`);
  return { prefix: parsed, line };
}

export function listOf(entries: readonly NamedPrefix[], file = 'list.txt'): LineList {
  const list = new ListBuilder(file);
  const words = new Uint32Array(4);
  for (const [index, { prefix, line }] of entries.entries()) {
    wordsOfPrefix(prefix, words);
    list.add(prefix.family, words, prefix.bits, list.numberOf(line) ?? 0, index + 1);
  }
  return list.finish();
}

export function settingsOf(entries: readonly NamedPrefix[]): LineSettings[] {
  const byLine = Map.groupBy(entries, ({ line }) => line);
  return [...byLine].map(([name, own]) => ({
    name,
    fallback: [],
    prefixes: own.map(({ prefix }) => prefix),
  }));
}

/** Operator first, then the files; the longest, and of equals the first; else `default`. */
export function naiveLine(
  files: readonly NamedPrefix[],
  operator: readonly NamedPrefix[],
  family: 4 | 6,
  address: bigint,
): string {
  return longest(operator, family, address) ?? longest(files, family, address) ?? 'default';
}

function longest(
  entries: readonly NamedPrefix[],
  family: 4 | 6,
  address: bigint,
): string | undefined {
  let best: NamedPrefix | undefined;
  for (const each of entries) {
    if (each.prefix.family !== family || !matches(each.prefix, address)) continue;
    if (best === undefined || each.prefix.bits > best.prefix.bits) best = each;
  }
  return best?.line;
}

function matches({ family, address, bits }: Prefix, candidate: bigint): boolean {
  const shift = BigInt((family === 4 ? 32 : 128) - bits);
  return BigInt(address) >> shift === candidate >> shift;
}

/** An address of either family as text, to bytes. */
export function bytesOf(text: string): { family: 4 | 6; bytes: Uint8Array } {
  const v4 = parseIpv4(text);
  if (v4 !== undefined) return { family: 4, bytes: ipv4ToBytes(v4) };
  const v6 = parseIpv6(text);
  if (v6 === undefined) throw new Error(`${text} is no address`);
  return { family: 6, bytes: ipv6ToBytes(v6) };
}
