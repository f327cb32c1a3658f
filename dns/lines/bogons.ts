// Space that no client on the Internet has: a list that names it is worth a look. Pure.
import { parsePrefix } from '../../shared/net/prefix.ts';
import { type Family, maskOf, wordsOfPrefix } from './columns.ts';

/** IANA's registries of special-purpose addresses, and what docs/answers.md L1 looks up as IPv4. */
const SPACES: readonly [string, string][] = [
  ['0.0.0.0/8', 'this network, RFC 791'],
  ['10.0.0.0/8', 'private, RFC 1918'],
  ['100.64.0.0/10', 'shared by carrier NAT, RFC 6598'],
  ['127.0.0.0/8', 'loopback'],
  ['169.254.0.0/16', 'link-local, RFC 3927'],
  ['172.16.0.0/12', 'private, RFC 1918'],
  ['192.0.0.0/24', 'protocol assignments, RFC 6890'],
  ['192.0.2.0/24', 'documentation, RFC 5737'],
  ['192.168.0.0/16', 'private, RFC 1918'],
  ['198.18.0.0/15', 'benchmarks, RFC 2544'],
  ['198.51.100.0/24', 'documentation, RFC 5737'],
  ['203.0.113.0/24', 'documentation, RFC 5737'],
  ['224.0.0.0/4', 'multicast'],
  ['240.0.0.0/4', 'reserved, RFC 1112'],
  ['64:ff9b::/96', 'NAT64: looked up as IPv4'],
  ['64:ff9b:1::/48', 'local NAT64, RFC 8215'],
  ['100::/64', 'discard, RFC 6666'],
  ['2001::/32', 'Teredo: looked up as IPv4'],
  ['2001:2::/48', 'benchmarks, RFC 5180'],
  ['2001:db8::/32', 'documentation, RFC 3849'],
  ['2002::/16', '6to4: looked up as IPv4'],
  ['3fff::/20', 'documentation, RFC 9637'],
  ['fc00::/7', 'unique local, RFC 4193'],
  ['fe80::/10', 'link-local, RFC 4291'],
  ['ff00::/8', 'multicast'],
];

type Space = { words: Uint32Array; bits: number; name: string };

const byFamily: Record<Family, Space[]> = { 4: [], 6: [] };
for (const [text, name] of SPACES) {
  const prefix = parsePrefix(text);
  if (prefix === undefined) throw new Error(`${text} is no prefix`);
  const words = new Uint32Array(4);
  wordsOfPrefix(prefix, words);
  byFamily[prefix.family].push({ words, bits: prefix.bits, name });
}

/** The space that the whole prefix lies in; undefined: ordinary unicast. */
export function bogonSpace(
  family: Family,
  words: Uint32Array,
  at: number,
  bits: number,
): string | undefined {
  for (const space of byFamily[family]) {
    if (space.bits <= bits && startsWith(words, at, space)) return space.name;
  }
  return undefined;
}

function startsWith(words: Uint32Array, at: number, space: Space): boolean {
  for (let word = 0; 32 * word < space.bits; word++) {
    const mask = maskOf(space.bits - 32 * word);
    if ((((words[at + word] ?? 0) ^ (space.words[word] ?? 0)) & mask) !== 0) return false;
  }
  return true;
}
