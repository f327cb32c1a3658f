// A set of prefixes of both families, asked with addresses as text. Pure.
import { parseIpv4 } from '../../../shared/net/ipv4.ts';
import { parseIpv6 } from '../../../shared/net/ipv6.ts';
import { networkOf, type Prefix } from '../../../shared/net/prefix.ts';

export class PrefixSet {
  readonly #v4: { divisor: number; networks: Set<number> }[] = [];
  readonly #v6: { shift: bigint; networks: Set<bigint> }[] = [];

  constructor(prefixes: readonly Prefix[]) {
    const v4 = new Map<number, Set<number>>();
    const v6 = new Map<number, Set<bigint>>();
    for (const prefix of prefixes) {
      const { family, bits } = prefix;
      if (family === 4) {
        const networks = v4.get(bits) ?? new Set();
        v4.set(bits, networks.add(networkOf(prefix).address / 2 ** (32 - bits)));
      } else {
        const networks = v6.get(bits) ?? new Set();
        v6.set(bits, networks.add(networkOf(prefix).address >> BigInt(128 - bits)));
      }
    }
    for (const [bits, networks] of v4) this.#v4.push({ divisor: 2 ** (32 - bits), networks });
    for (const [bits, networks] of v6) this.#v6.push({ shift: BigInt(128 - bits), networks });
  }

  get isEmpty(): boolean {
    return this.#v4.length === 0 && this.#v6.length === 0;
  }

  /** False for what is no address. */
  has(text: string): boolean {
    if (this.isEmpty) return false;
    const v4 = parseIpv4(text);
    if (v4 !== undefined) {
      return this.#v4.some(({ divisor, networks }) => networks.has(Math.floor(v4 / divisor)));
    }
    const v6 = parseIpv6(text);
    return v6 !== undefined && this.#v6.some(({ shift, networks }) => networks.has(v6 >> shift));
  }
}
