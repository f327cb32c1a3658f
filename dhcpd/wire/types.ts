// What a DHCP message is once read (RFC 2131 §2), and the numbers everybody needs. Pure.
import type { Ipv4 } from '../../shared/net/ipv4.ts';

/** Option 53 (RFC 2132 §9.6). */
export const MESSAGE = {
  DISCOVER: 1,
  OFFER: 2,
  REQUEST: 3,
  DECLINE: 4,
  ACK: 5,
  NAK: 6,
  RELEASE: 7,
  INFORM: 8,
} as const;

export const BROADCAST_FLAG = 0x8000;
export const INFINITE_SECONDS = 0xffffffff;

/** Options by code; of one that comes several times the parts are joined (RFC 3396). */
export type Options = ReadonlyMap<number, Uint8Array>;

/** A message from a client, well formed as far as a server has to care. */
export type Request = {
  messageType: number;
  htype: number;
  /** 0 to 16. */
  hlen: number;
  hops: number;
  xid: number;
  secs: number;
  flags: number;
  ciaddr: Ipv4;
  giaddr: Ipv4;
  /** `hlen` bytes. */
  chaddr: Uint8Array;
  options: Options;
  /** Of the whole message, as it came. */
  byteLength: number;
};

/** Why a message was not read; each is a counter. */
export type Malformed =
  | 'short'
  | 'bootp'
  | 'not-request'
  | 'bad-cookie'
  | 'bad-hlen'
  | 'no-identity'
  | 'no-message-type'
  | 'bad-message-type';

/** A reply before it is bytes. `fields` of RFC 2131 table 3 that are not here are zero. */
export type Reply = {
  messageType: number;
  request: Request;
  ciaddr: Ipv4;
  yiaddr: Ipv4;
  siaddr: Ipv4;
  /** Text of the fixed fields, at most 63 and 127 bytes; longer or asked for: as options 66, 67. */
  serverName?: string;
  bootFile?: string;
  /**
   * In the order in which they are sent; without 52, 82, 255. Options that do not fit are left out
   * from the end, but not the first `required`.
   */
  options: readonly (readonly [code: number, bytes: Uint8Array])[];
  required: number;
};
