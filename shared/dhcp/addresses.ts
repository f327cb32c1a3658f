// Codecs of IPv4 addresses, of lists and pairs of them, and of routes (RFC 2132 §3 to §8,
// RFC 3442). Pure.
import { join } from '../bytes.ts';
import { formatIpv4, type Ipv4, ipv4FromBytes, ipv4ToBytes, parseIpv4 } from '../net/ipv4.ts';
import {
  type Codec,
  isRecord,
  listOf,
  oneLine,
  type Parsed,
  parseEach,
  quote,
  refuse,
  unknownFields,
} from './codec.ts';

export function readAddress(value: unknown): Ipv4 | undefined {
  return typeof value === 'string' ? parseIpv4(value) : undefined;
}

function parseAddress(value: unknown): Parsed {
  const address = readAddress(value);
  return address === undefined
    ? refuse(`${quote(value)} is not an IPv4 address`)
    : { bytes: ipv4ToBytes(address) };
}

export const address: Codec = {
  what: 'an IPv4 address',
  parse: parseAddress,
  format: (bytes) => (bytes.length === 4 ? formatIpv4(ipv4FromBytes(bytes)) : undefined),
};

/** RFC 950: ones, then zeros. */
export const mask: Codec = {
  what: 'a subnet mask',
  parse(value) {
    const read = readAddress(value);
    if (read === undefined) return refuse(`${quote(value)} is not a subnet mask`);
    return isMask(read)
      ? address.parse(value)
      : refuse(`${quote(value)} has holes: no subnet mask`);
  },
  format: (bytes) =>
    bytes.length === 4 && isMask(ipv4FromBytes(bytes)) ? address.format(bytes) : undefined,
};

function isMask(value: Ipv4): boolean {
  const holes = ~value >>> 0;
  return (holes & (holes + 1)) === 0;
}

export function addresses(least: 0 | 1 = 1): Codec {
  return {
    what: 'a list of IPv4 addresses',
    parse(value) {
      const items = listOf(value);
      return items.length < least ? refuse('the list is empty') : parseEach(items, parseAddress);
    },
    format(bytes) {
      if (bytes.length % 4 !== 0 || bytes.length < least * 4) return undefined;
      return readAddresses(bytes);
    },
  };
}

export function readAddresses(bytes: Uint8Array): string[] {
  return Array.from({ length: Math.floor(bytes.length / 4) }, (_, at) =>
    formatIpv4(ipv4FromBytes(bytes, at * 4)),
  );
}

export type PairRules = {
  first: string;
  second: string;
  /** What is wrong with a pair, if anything. */
  problem?: (first: Ipv4, second: Ipv4) => string | undefined;
};

/** Options 21 and 33: `{ first: a, second: b }`. */
export function addressPairs({ first, second, problem }: PairRules): Codec {
  const keys = [first, second];
  function parsePair(value: unknown): Parsed {
    if (!isRecord(value)) return refuse(`${quote(value)} is not { ${first}: …, ${second}: … }`);
    const unknown = unknownFields(value, keys);
    if (unknown.length > 0) return refuse(...unknown);
    const one = readAddress(value[first]);
    const other = readAddress(value[second]);
    if (one === undefined) return refuse(`${first}: ${quote(value[first])} is not an IPv4 address`);
    if (other === undefined) {
      return refuse(`${second}: ${quote(value[second])} is not an IPv4 address`);
    }
    const reason = problem?.(one, other);
    return reason === undefined ? { bytes: join([one, other].map(ipv4ToBytes)) } : refuse(reason);
  }
  return {
    what: `a list of { ${first}: …, ${second}: … }`,
    parse(value) {
      const items = listOf(value);
      return items.length === 0 ? refuse('the list is empty') : parseEach(items, parsePair);
    },
    format(bytes) {
      if (bytes.length === 0 || bytes.length % 8 !== 0) return undefined;
      const pairs = Array.from({ length: bytes.length / 8 }, (_, at) => {
        return [ipv4FromBytes(bytes, at * 8), ipv4FromBytes(bytes, at * 8 + 4)] as const;
      });
      if (pairs.some(([one, other]) => problem?.(one, other) !== undefined)) return undefined;
      return pairs.map(([one, other]) => ({
        [first]: formatIpv4(one),
        [second]: formatIpv4(other),
      }));
    },
  };
}

/** Option 121 (RFC 3442): `{ to: 10.0.0.0/8, via: 10.1.0.1 }`; via 0.0.0.0 is the link itself. */
export const classlessRoutes: Codec = {
  what: 'a list of { to: 10.0.0.0/8, via: 10.1.0.1 }',
  parse(value) {
    const items = listOf(value);
    return items.length === 0 ? refuse('the list is empty') : parseEach(items, parseRoute);
  },
  format: readRoutes,
  describe(bytes) {
    const text = readRoutes(bytes)?.map(({ to, via }) =>
      via === '0.0.0.0' ? `${to} on the link` : `${to} via ${via}`,
    );
    return text === undefined ? undefined : oneLine(text);
  },
};

function parseRoute(value: unknown): Parsed {
  if (!isRecord(value)) return refuse(`${quote(value)} is not { to: …, via: … }`);
  const unknown = unknownFields(value, ['to', 'via']);
  if (unknown.length > 0) return refuse(...unknown);
  const via = readAddress(value.via);
  if (via === undefined) return refuse(`via: ${quote(value.via)} is not an IPv4 address`);
  const to = value.to === 'default' ? '0.0.0.0/0' : value.to;
  const [network, bitsText, ...more] = typeof to === 'string' ? to.split('/') : [];
  const prefix = network === undefined ? undefined : parseIpv4(network);
  const isBits = bitsText !== undefined && /^(\d|[12]\d|3[0-2])$/.test(bitsText);
  if (prefix === undefined || !isBits || more.length > 0) {
    return refuse(`to: ${quote(to)} is not a network such as 10.0.0.0/8, or default`);
  }
  const bits = Number(bitsText);
  if (bits < 32 && (prefix << bits) >>> 0 !== 0) {
    return refuse(`to: ${quote(to)} has bits beyond its length: they have to be zero`);
  }
  const significant = ipv4ToBytes(prefix).subarray(0, Math.ceil(bits / 8));
  return { bytes: join([Uint8Array.of(bits), significant, ipv4ToBytes(via)]) };
}

function readRoutes(bytes: Uint8Array): { to: string; via: string }[] | undefined {
  const routes: { to: string; via: string }[] = [];
  let at = 0;
  while (at < bytes.length) {
    const bits = bytes[at] ?? 0;
    const octets = Math.ceil(bits / 8);
    if (bits > 32 || at + 1 + octets + 4 > bytes.length) return undefined;
    const network = new Uint8Array(4);
    network.set(bytes.subarray(at + 1, at + 1 + octets));
    const prefix = ipv4FromBytes(network);
    if (bits < 32 && (prefix << bits) >>> 0 !== 0) return undefined;
    const via = ipv4FromBytes(bytes, at + 1 + octets);
    routes.push({ to: `${formatIpv4(prefix)}/${bits}`, via: formatIpv4(via) });
    at += 1 + octets + 4;
  }
  return routes.length === 0 ? undefined : routes;
}
