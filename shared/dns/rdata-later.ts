// Types with forms of their own: locators and hardware addresses, NSAP, CAA, URI, and gateways that
// are an address or a name by what stands before them. Pure.
import { join, toHex } from '../bytes.ts';
import { formatIpv4, ipv4FromBytes } from '../net/ipv4.ts';
import { formatIpv6, ipv6FromBytes } from '../net/ipv6.ts';
import { type Field, quote, RdataError, type Row, row, upperHex, type Words } from './fields.ts';
import { base64, fromBase64, hexBytes, toBase64 } from './fields-binary.ts';
import {
  formatText,
  ipv4,
  ipv4Bytes,
  ipv6Bytes,
  name,
  nameWord,
  numberBytes,
  numberOf,
  parseNumber,
  textBytes,
  u8,
  u16,
} from './fields-scalar.ts';
import { formatName, nameLength } from './names.ts';
import type { Name } from './types.ts';

const rest = (rdata: Uint8Array, at: number) => rdata.length - at;

/** Pairs of hex digits with hyphens: 00-00-5e-00-53-2a (RFC 7043 §3.2). */
const eui = (bytes: 6 | 8): Field => ({
  parse(words) {
    const text = words.next('address');
    if (text.length === 3 * bytes - 1 && /^[0-9a-f]{2}(-[0-9a-f]{2})*$/i.test(text)) {
      return hexBytes(text.replaceAll('-', ''), 'address');
    }
    throw new RdataError(`${quote(text)} is not ${bytes} pairs of hex digits with "-" between`);
  },
  length: () => bytes,
  format: (part) => toHex(part, '-'),
});

/** Four groups as of an IPv6 address: 14:4fff:ff20:ee64 (RFC 6742 §2.1.2). */
const groups = (what: string): Field => ({
  parse(words) {
    const text = words.next(what);
    if (!/^[0-9a-f]{1,4}(:[0-9a-f]{1,4}){3}$/i.test(text)) {
      throw new RdataError(`${what} ${quote(text)} is not four groups of hex digits with ":"`);
    }
    return join(text.split(':').map((group) => numberBytes(Number.parseInt(group, 16), 2)));
  },
  length: () => 8,
  format: (part) =>
    [0, 2, 4, 6].map((at) => numberOf(part.subarray(at, at + 2)).toString(16)).join(':'),
});

/** 0x and hex digits, dots anywhere between them (RFC 1706 §7). */
const nsap: Field = {
  parse(words) {
    const text = words.next('address');
    const bytes = /^0x/i.test(text) ? hexBytes(text.slice(2).replaceAll('.', ''), 'address') : [];
    if (bytes.length > 0) return Uint8Array.from(bytes);
    throw new RdataError(`address ${quote(text)} is not 0x and hex digits`);
  },
  length: rest,
  format(part) {
    if (part.length === 0) throw new RdataError('the address is missing');
    return `0x${upperHex(part)}`;
  },
};

/** Text up to the end of the data, without a length (RFC 8659 §4.1, RFC 7553 §4.4). */
const longText = (what: string, least: 0 | 1): Field => ({
  parse(words) {
    const bytes = textBytes(words.next(what));
    if (bytes.length < least) throw new RdataError(`the ${what} is empty`);
    return bytes;
  },
  length: rest,
  format(part) {
    if (part.length < least) throw new RdataError(`the ${what} is empty`);
    return formatText(part);
  },
});

/** Letters and digits (RFC 8659 §4.1). */
const tag: Field = {
  parse(words) {
    const text = words.next('tag');
    if (/^[a-z0-9]{1,255}$/i.test(text))
      return join([numberBytes(text.length, 1), textBytes(text)]);
    throw new RdataError(`tag ${quote(text)} is not letters and digits, as issue or iodef`);
  },
  length: (rdata, at) => 1 + (rdata[at] ?? 0),
  format(part) {
    const text = String.fromCharCode(...part.subarray(1));
    if (/^[a-z0-9]+$/i.test(text)) return text;
    throw new RdataError('the tag is not letters and digits');
  },
};

const [NO_GATEWAY, IPV4_GATEWAY, IPV6_GATEWAY, NAME_GATEWAY] = [0, 1, 2, 3];

/** Of the kind that the byte before it says (RFC 4025 §2.3, RFC 8777 §4.2). */
function gatewayBytes(words: Words, kind: number): Uint8Array {
  if (kind === IPV4_GATEWAY) return ipv4Bytes(words.next('gateway'));
  if (kind === IPV6_GATEWAY) return ipv6Bytes(words.next('gateway'));
  if (kind === NAME_GATEWAY) return nameWord(words, 'gateway');
  const text = words.next('gateway');
  if (kind === NO_GATEWAY && text === '.') return new Uint8Array(0);
  throw new RdataError(
    kind === NO_GATEWAY
      ? `gateway ${quote(text)} has to be . for type 0, none`
      : `gateway type ${kind} is not known: 0 none, 1 IPv4, 2 IPv6, 3 a name`,
  );
}

function gatewayLength(kind: number, rdata: Uint8Array, at: number): number {
  if (kind === NAME_GATEWAY) {
    const length = nameLength(rdata, at);
    if (length < 0) throw new RdataError('the gateway is a name that is none');
    return length;
  }
  const length = [0, 4, 16][kind];
  if (length === undefined) throw new RdataError(`gateway type ${kind} is not known`);
  return length;
}

function gatewayText(kind: number, part: Uint8Array): string {
  if (kind === NO_GATEWAY) return '.';
  if (kind === IPV4_GATEWAY) return formatIpv4(ipv4FromBytes(part));
  return kind === IPV6_GATEWAY ? formatIpv6(ipv6FromBytes(part)) : formatName(part);
}

/** The gateway's type, the key's algorithm, the gateway. */
const ipsecGateway: Field = {
  parse(words) {
    const kind = parseNumber(words.next('gateway type'), 'gateway type', 255);
    const keyAlgorithm = parseNumber(words.next('algorithm'), 'algorithm', 255);
    return join([Uint8Array.of(kind, keyAlgorithm), gatewayBytes(words, kind)]);
  },
  length: (rdata, at) => 2 + gatewayLength(rdata[at] ?? 0, rdata, at + 2),
  format: (part) => `${part[0]} ${part[1]} ${gatewayText(part[0] ?? 0, part.subarray(2))}`,
  names: (part) => (part[0] === NAME_GATEWAY ? [2] : []),
};

/** One byte for both "discovery is optional" and the relay's type, and the relay. */
const relay: Field = {
  parse(words) {
    const isOptional = parseNumber(words.next('discovery-optional bit'), 'D bit', 1);
    const kind = parseNumber(words.next('relay type'), 'relay type', 127);
    return join([Uint8Array.of(isOptional * 128 + kind), gatewayBytes(words, kind)]);
  },
  length: (rdata, at) => 1 + gatewayLength((rdata[at] ?? 0) & 127, rdata, at + 1),
  format(part) {
    const [first = 0] = part;
    return `${first >>> 7} ${first & 127} ${gatewayText(first & 127, part.subarray(1))}`;
  },
  names: (part) => (((part[0] ?? 0) & 127) === NAME_GATEWAY ? [1] : []),
};

/** Both lengths come before the algorithm and the key's tag and the key (RFC 8005 §5). */
const hostIdentity: Field = {
  parse(words) {
    const kind = parseNumber(words.next('algorithm'), 'algorithm', 255);
    const hit = hexBytes(words.next('host identity tag'), 'host identity tag');
    const text = words.next('public key');
    const key = fromBase64(text);
    if (key === undefined) throw new RdataError(`public key ${quote(text)} is not base64`);
    if (hit.length === 0 || hit.length > 255) throw new RdataError('the tag has 1 to 255 bytes');
    if (key.length === 0) throw new RdataError('the public key is missing');
    return join([Uint8Array.of(hit.length, kind), numberBytes(key.length, 2), hit, key]);
  },
  length: (rdata, at) => 4 + (rdata[at] ?? 0) + numberOf(rdata.subarray(at + 2, at + 4)),
  format(part) {
    const keyAt = 4 + (part[0] ?? 0);
    if (keyAt === 4 || keyAt === part.length) throw new RdataError('the tag or key is empty');
    return `${part[1]} ${upperHex(part.subarray(4, keyAt))} ${toBase64(part.subarray(keyAt))}`;
  },
};

const servers: Field = {
  parse(words) {
    const names: Name[] = [];
    while (words.left > 0) names.push(nameWord(words, 'rendezvous server'));
    return join(names);
  },
  length: rest,
  format: (part) =>
    serverOffsets(part)
      .map((at) => formatName(part.subarray(at)))
      .join(' '),
  names: serverOffsets,
};

function serverOffsets(part: Uint8Array): number[] {
  const offsets: number[] = [];
  for (let at = 0; at < part.length; ) {
    const length = nameLength(part, at);
    if (length < 0) throw new RdataError('a rendezvous server is a name that is none');
    offsets.push(at);
    at += length;
  }
  return offsets;
}

export const laterTypes: readonly Row[] = [
  row('NSAP', 1706, [nsap]),
  row('IPSECKEY', 4025, [u8('precedence'), ipsecGateway, base64('public key', 0)]),
  row('HIP', 8005, [hostIdentity, servers]),
  row('NID', 6742, [u16('preference'), groups('node identifier')]),
  row('L32', 6742, [u16('preference'), ipv4('locator')]),
  row('L64', 6742, [u16('preference'), groups('locator')]),
  row('LP', 6742, [u16('preference'), name('locator pointer')]),
  row('EUI48', 7043, [eui(6)]),
  row('EUI64', 7043, [eui(8)]),
  row('URI', 7553, [u16('priority'), u16('weight'), longText('target', 1)]),
  row('CAA', 8659, [u8('flags'), tag, longText('value', 0)]),
  row('AMTRELAY', 8777, [u8('precedence'), relay]),
];
