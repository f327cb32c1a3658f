// Queries with a client subnet (RFC 7871), as a resolver sends them: 24 bits of an IPv4 address, 56
// of an IPv6 one. Pure.
import { EDNS_OPTIONS } from '../../../shared/dns/constants.ts';
import { parsePrefix } from '../../../shared/net/prefix.ts';
import type { Random } from '../../../shared/random.ts';
import { encodeQuestion } from './question.ts';

/** A prefix that a line has; clients are drawn from it. `bytes`: its address. */
export interface Client {
  family: 4 | 6;
  bytes: Uint8Array;
  bits: number;
}

const SOURCE = { 4: 24, 6: 56 } as const;

/** Of `prefix line` a line. */
export function clientsOf(text: string): Client[] {
  return text
    .trimEnd()
    .split('\n')
    .map((row) => {
      const prefix = parsePrefix(row.slice(0, row.indexOf(' ')));
      if (prefix === undefined) throw new Error(`${row} has no prefix`);
      const { family, bits } = prefix;
      const hex = prefix.address.toString(16).padStart(family === 4 ? 8 : 32, '0');
      return { family, bits, bytes: Uint8Array.from(Buffer.from(hex, 'hex')) };
    });
}

/** Random between the prefix' length and what is told. */
function subnetOf({ family, bytes, bits }: Client, random: Random): Uint8Array {
  const subnet = bytes.slice(0, SOURCE[family] / 8);
  for (let bit = bits; bit < SOURCE[family]; bit++) {
    const at = bit >> 3;
    subnet[at] = (subnet[at] ?? 0) | (random.integer(2) << (7 - (bit & 7)));
  }
  return subnet;
}

export function ecsQuery(name: string, client: Client, random: Random): Uint8Array {
  const { family } = client;
  const head = [0, family === 4 ? 1 : 2, SOURCE[family], 0];
  const data = Uint8Array.of(...head, ...subnetOf(client, random));
  return encodeQuestion(name, 0, { code: EDNS_OPTIONS.ECS, data });
}
