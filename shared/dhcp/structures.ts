// Codecs of options that have a structure of their own: one RFC each, named beside it. Pure.
import { join } from '../bytes.ts';
import { formatIpv6, ipv6FromBytes, ipv6ToBytes, parseIpv6 } from '../net/ipv6.ts';
import { address, addresses, readAddresses } from './addresses.ts';
import {
  type Codec,
  isRecord,
  isRefused,
  lengthPrefixed,
  listOf,
  type Parsed,
  parseEach,
  quote,
  refuse,
  unknownFields,
  withLength,
} from './codec.ts';
import { domainNames } from './domains.ts';
import { decodeText, text, u8, u16, u32 } from './scalars.ts';

type Field = { codec: Codec; bytes: number };

/** `{ name: value, … }`: each field of a fixed width but the last, which takes the rest. */
function structure(fields: Readonly<Record<string, Field>>): Codec {
  const names = Object.keys(fields);
  const what = `{ ${names.map((name) => `${name}: …`).join(', ')} }`;
  return {
    what,
    parse(value) {
      if (!isRecord(value)) return refuse(`${quote(value)} is not ${what}`);
      const unknown = unknownFields(value, names);
      if (unknown.length > 0) return refuse(...unknown);
      return parseEach(names, (name) => {
        const key = String(name);
        const parsed = fields[key]?.codec.parse(value[key]) ?? refuse();
        return isRefused(parsed)
          ? refuse(...parsed.reasons.map((each) => `${key}: ${each}`))
          : parsed;
      });
    },
    format(bytes) {
      const read: Record<string, unknown> = {};
      let at = 0;
      for (const [name, field] of Object.entries(fields)) {
        const end = Math.min(at + field.bytes, bytes.length);
        read[name] = field.codec.format(bytes.subarray(at, end));
        if (read[name] === undefined) return undefined;
        at = end;
      }
      return at === bytes.length ? read : undefined;
    },
  };
}

const rest = Number.POSITIVE_INFINITY;
const mandatory: Codec = {
  what: 'true or false',
  parse: (value) => u8({ max: 1 }).parse(typeof value === 'boolean' ? Number(value) : value),
  format: (bytes) => (bytes.length === 1 && (bytes[0] ?? 2) < 2 ? bytes[0] === 1 : undefined),
};

/** Option 78 (RFC 2610 §3). */
export const slpAgents = structure({
  mandatory: { codec: mandatory, bytes: 1 },
  addresses: { codec: addresses(), bytes: rest },
});

/** Option 79 (RFC 2610 §4). */
export const slpScope = structure({
  mandatory: { codec: mandatory, bytes: 1 },
  scopes: { codec: text, bytes: rest },
});

/** Option 146 (RFC 6731 §4.3): which DNS server for which domains. */
export const rdnssSelection = structure({
  preference: { codec: u8({ names: { medium: 0, high: 1, low: 3 } }), bytes: 1 },
  primary: { codec: address, bytes: 4 },
  secondary: { codec: address, bytes: 4 },
  domains: { codec: domainNames, bytes: rest },
});

/** Option 159 (RFC 7618 §9). */
export const portParameters = structure({
  offset: { codec: u8({ max: 15 }), bytes: 1 },
  psidLength: { codec: u8({ max: 16 }), bytes: 1 },
  psid: { codec: u16(), bytes: 2 },
});

/** Option 83 (RFC 4174 §2): bits of each as a number. */
export const isns = structure({
  functions: { codec: u16(), bytes: 2 },
  domainAccess: { codec: u16(), bytes: 2 },
  administration: { codec: u16(), bytes: 2 },
  security: { codec: u32(), bytes: 4 },
  servers: { codec: addresses(), bytes: rest },
});

/** Option 109 (RFC 8539). */
export const ipv6: Codec = {
  what: 'an IPv6 address',
  parse(value) {
    const read = typeof value === 'string' ? parseIpv6(value) : undefined;
    return read === undefined
      ? refuse(`${quote(value)} is not an IPv6 address`)
      : { bytes: ipv6ToBytes(read) };
  },
  format: (bytes) => (bytes.length === 16 ? formatIpv6(ipv6FromBytes(bytes)) : undefined),
};

/** Option 212 (RFC 5969 §7.1.1). */
export const sixRd = structure({
  ipv4MaskLength: { codec: u8({ max: 32 }), bytes: 1 },
  prefixLength: { codec: u8({ max: 128 }), bytes: 1 },
  prefix: { codec: ipv6, bytes: 16 },
  relays: { codec: addresses(), bytes: rest },
});

/** Option 158 (RFC 7291 §4): servers, each of one address or several. */
export const pcpServers: Codec = {
  what: 'a list of servers, each an IPv4 address or a list of them',
  parse(value) {
    const items = listOf(value);
    if (items.length === 0) return refuse('the list is empty');
    return parseEach(items, (item): Parsed => {
      const parsed = addresses().parse(item);
      if (isRefused(parsed)) return parsed;
      const bytes = withLength(parsed.bytes);
      return bytes === undefined ? refuse('a server has more than 63 addresses') : { bytes };
    });
  },
  format(bytes) {
    const parts = lengthPrefixed(bytes);
    if (parts === undefined || parts.length === 0) return undefined;
    if (parts.some((part) => part.length === 0 || part.length % 4 !== 0)) return undefined;
    return parts.map((part) => (part.length === 4 ? readAddresses(part)[0] : readAddresses(part)));
  },
};

/** Option 143 (RFC 8572 §8.3): URIs, each behind its length in two bytes. */
export const uris: Codec = {
  what: 'a list of URIs',
  parse(value) {
    const items = listOf(value);
    if (items.length === 0) return refuse('the list is empty');
    return parseEach(items, (item) => {
      const parsed = text.parse(item);
      if (isRefused(parsed)) return parsed;
      const { length } = parsed.bytes;
      return { bytes: join([Uint8Array.of(length >> 8, length), parsed.bytes]) };
    });
  },
  format(bytes) {
    const read: unknown[] = [];
    let at = 0;
    while (at < bytes.length) {
      const end = at + 2 + ((bytes[at] ?? 0) << 8) + (bytes[at + 1] ?? 0);
      if (at + 2 > bytes.length || end > bytes.length) return undefined;
      read.push(text.format(bytes.subarray(at + 2, end)));
      at = end;
    }
    return read.length === 0 || read.includes(undefined) ? undefined : read;
  },
};

/** Option 117 (RFC 2937): name services by the code of the option that lists their servers. */
export const nameServices = {
  local: 0,
  dns: 6,
  nis: 41,
  netbios: 44,
  'nis+': 65,
} as const;

/** The domain name of option 81 (RFC 4702 §2.3): labels, or plain text in old clients. */
export function fqdnText(bytes: Uint8Array): string | undefined {
  if (bytes.length < 3) return undefined;
  const flags = bytes[0] ?? 0;
  const name = bytes.subarray(3);
  const letters = ['S', 'O', 'E', 'N'].filter((_, bit) => (flags & (1 << bit)) !== 0).join('');
  const isEncoded = (flags & 4) !== 0;
  const ended =
    isEncoded && name.length > 0 && name.at(-1) !== 0 ? join([name, Uint8Array.of(0)]) : name;
  const read = isEncoded ? domainNames.format(ended) : decodeText(name);
  const shown = name.length === 0 ? '""' : JSON.stringify(Array.isArray(read) ? read[0] : read);
  return shown === undefined ? undefined : `${shown} flags ${letters === '' ? 'none' : letters}`;
}
