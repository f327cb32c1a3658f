// A datagram read as a DHCP message (RFC 2131 §2, RFC 2132, RFC 3396), or the name of what is wrong
// with it. No input makes it throw, and it costs a few views of the datagram: what is kept longer
// than the datagram has to be copied. Pure.
import type { Ipv4 } from '../../shared/net/ipv4.ts';
import { OPTIONS_AT, readOptionAreas } from './option-area.ts';
import { type Malformed, MESSAGE, type Options, type Request } from './types.ts';

/** Up to the magic cookie; BOOTP's 300 bytes are not asked for. */
export const FIXED_BYTES = 236;
export const COOKIE = 0x63825363;
export const CHADDR_BYTES = 16;
const SNAME_AT = 44;
const FILE_AT = 108;
const MESSAGE_TYPE = 53;
const CLIENT_ID = 61;
/** Longer ones are in parts, which RFC 3396 does not mean for this one: nobody's. */
const CLIENT_ID_BYTES = { min: 2, max: 255 } as const;

const FROM_CLIENTS: ReadonlySet<number> = new Set([
  MESSAGE.DISCOVER,
  MESSAGE.REQUEST,
  MESSAGE.DECLINE,
  MESSAGE.RELEASE,
  MESSAGE.INFORM,
]);
const FROM_SERVERS: ReadonlySet<number> = new Set([MESSAGE.OFFER, MESSAGE.ACK, MESSAGE.NAK]);

export function parseRequest(bytes: Uint8Array): Request | Malformed {
  if (bytes.length < FIXED_BYTES) return 'short';
  if (bytes[0] !== 1) return 'not-request';
  const problem = fixedProblem(bytes);
  if (problem !== undefined) return problem;
  const { options } = readOptionAreas(bytes);
  const clientId = options.get(CLIENT_ID);
  if (clientId !== undefined && !isClientId(clientId)) options.delete(CLIENT_ID);
  const messageType = messageTypeOf(options, FROM_CLIENTS);
  if (typeof messageType === 'string') return messageType;
  if (bytes[2] === 0 && !options.has(CLIENT_ID)) return 'no-identity';
  return {
    messageType,
    htype: bytes[1] ?? 0,
    hlen: bytes[2] ?? 0,
    hops: bytes[3] ?? 0,
    xid: u32(bytes, 4),
    secs: u16(bytes, 8),
    flags: u16(bytes, 10),
    ciaddr: address(bytes, 12),
    giaddr: address(bytes, 24),
    chaddr: hardwareAddress(bytes),
    options,
    byteLength: bytes.length,
  };
}

function isClientId({ length }: Uint8Array): boolean {
  return length >= CLIENT_ID_BYTES.min && length <= CLIENT_ID_BYTES.max;
}

/** What a server said, for those who ask servers: the canary, and tests. */
export type ServerMessage = Omit<Request, 'hops'> & {
  yiaddr: Ipv4;
  siaddr: Ipv4;
  /** Text of the fields; empty where a field is, or holds options. */
  serverName: string;
  bootFile: string;
};

export type MalformedReply = Exclude<Malformed, 'not-request' | 'no-identity'> | 'not-reply';

export function parseReply(bytes: Uint8Array): ServerMessage | MalformedReply {
  if (bytes.length < FIXED_BYTES) return 'short';
  if (bytes[0] !== 2) return 'not-reply';
  const problem = fixedProblem(bytes);
  if (problem !== undefined) return problem;
  const { options, overload } = readOptionAreas(bytes);
  const messageType = messageTypeOf(options, FROM_SERVERS);
  if (typeof messageType === 'string') return messageType;
  return {
    messageType,
    htype: bytes[1] ?? 0,
    hlen: bytes[2] ?? 0,
    xid: u32(bytes, 4),
    secs: u16(bytes, 8),
    flags: u16(bytes, 10),
    ciaddr: address(bytes, 12),
    yiaddr: address(bytes, 16),
    siaddr: address(bytes, 20),
    giaddr: address(bytes, 24),
    chaddr: hardwareAddress(bytes),
    serverName: (overload & 2) === 0 ? textUntilNul(bytes.subarray(SNAME_AT, FILE_AT)) : '',
    bootFile: (overload & 1) === 0 ? textUntilNul(bytes.subarray(FILE_AT, FIXED_BYTES)) : '',
    options,
    byteLength: bytes.length,
  };
}

/** A message without a cookie, or with nothing in its place, is BOOTP's. */
function fixedProblem(bytes: Uint8Array): 'bad-hlen' | 'bootp' | 'bad-cookie' | undefined {
  if ((bytes[2] ?? 0) > CHADDR_BYTES) return 'bad-hlen';
  if (bytes.length < OPTIONS_AT) return 'bootp';
  const cookie = u32(bytes, FIXED_BYTES);
  if (cookie === COOKIE) return undefined;
  return cookie === 0 ? 'bootp' : 'bad-cookie';
}

function messageTypeOf(
  options: Options,
  expected: ReadonlySet<number>,
): number | 'no-message-type' | 'bad-message-type' {
  const bytes = options.get(MESSAGE_TYPE);
  if (bytes === undefined) return 'no-message-type';
  const messageType = bytes[0] ?? 0;
  return bytes.length === 1 && expected.has(messageType) ? messageType : 'bad-message-type';
}

function hardwareAddress(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + 28, bytes[2] ?? 0);
}

/** One character a byte: a name of another encoding is shown wrong, not lost. */
function textUntilNul(field: Uint8Array): string {
  const end = field.indexOf(0);
  return String.fromCharCode(...field.subarray(0, end === -1 ? field.length : end));
}

function u16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

function u32(bytes: Uint8Array, at: number): number {
  return ((u16(bytes, at) << 16) | u16(bytes, at + 2)) >>> 0;
}

function address(bytes: Uint8Array, at: number): Ipv4 {
  return u32(bytes, at) as Ipv4; // of four bytes, so it is one: parsed for each packet
}
