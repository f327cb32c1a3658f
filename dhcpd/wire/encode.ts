// A reply as bytes: the fixed fields of RFC 2131 table 3, options in the order given, long ones
// split (RFC 3396), `file` and `sname` lent to them when the options field is full (RFC 2132 §9.3),
// option 82 whole and last (RFC 3046 §2.2). Pure.
import { optionBytes, place, writeOption } from './option-room.ts';
import { CHADDR_BYTES, COOKIE } from './parse.ts';
import { BROADCAST_FLAG, MESSAGE, type Reply, type Request } from './types.ts';

/** What every client takes: an IPv4 datagram of 576 bytes (RFC 2131 §2) without its headers. */
export const REPLY_BYTES_MIN = 548;
const HEADERS_BYTES = 28;
const DATAGRAM_BYTES_MIN = 576;
const ETHERNET_BYTES = 1500;
/** Relays and clients of BOOTP's days drop what is shorter (RFC 951 §3, RFC 1542 §2.1). */
const PADDED_BYTES = 300;
const OPTIONS_AT = 240;
const SNAME_AT = 44;
const FILE_AT = 108;
const SNAME_BYTES_MAX = 63;
const FILE_BYTES_MAX = 127;

const SERVER_NAME = 66;
const BOOT_FILE = 67;
const PARAMETER_LIST = 55;
const MAX_MESSAGE_SIZE = 57;
const RELAY_INFO = 82;
/** RFC 2131 table 3, RFC 6842, RFC 3046. */
const ALLOWED_IN_NAK: ReadonlySet<number> = new Set([53, 54, 56, 60, 61]);

export type EncodeOptions = {
  /** Of the whole message, without IP and UDP headers; at least 548 whatever it says. */
  maxBytes: number;
  /** Option 82 as it came. */
  echo82?: Uint8Array;
  /** Takes the codes that found no room. */
  shed?: number[];
};

type Option = readonly [code: number, bytes: Uint8Array];

const NO_OPTIONS: readonly Option[] = [];
const NO_TEXTS: Texts = { moved: NO_OPTIONS };
const SLAB_BYTES = 32_768;

/** Option 57 counts the IP and UDP headers, and promises no more than the link can carry. */
export function maxReplyBytes(request: Request, mtuBytes = ETHERNET_BYTES): number {
  const bytes = request.options.get(MAX_MESSAGE_SIZE);
  const asked = bytes?.length === 2 ? ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0) : 0;
  return Math.max(DATAGRAM_BYTES_MIN, Math.min(asked, mtuBytes)) - HEADERS_BYTES;
}

export function encodeReply(reply: Reply, options: EncodeOptions): Uint8Array {
  const isNak = reply.messageType === MESSAGE.NAK;
  const texts: Texts = isNak ? { moved: NO_OPTIONS } : fixedTexts(reply);
  const { required, options: wanted } = isNak ? allowedInNak(reply) : reply;
  const placed = place({
    // A client that boots from the network is lost without them.
    options:
      texts.moved.length === 0
        ? wanted
        : [...wanted.slice(0, required), ...texts.moved, ...wanted.slice(required)],
    required: required + texts.moved.length,
    mainBytes: Math.max(REPLY_BYTES_MIN, options.maxBytes) - OPTIONS_AT,
    hasFile: !isNak && texts.file === undefined,
    hasServerName: !isNak && texts.sname === undefined,
    last: options.echo82 === undefined ? undefined : [RELAY_INFO, options.echo82],
  });
  options.shed?.push(...placed.shed);
  const bytes = zeros(Math.max(PADDED_BYTES, OPTIONS_AT + placed.mainBytes));
  writeFixed(bytes, reply, isNak);
  writeArea(bytes, OPTIONS_AT, placed.main);
  if (texts.sname !== undefined) bytes.set(texts.sname, SNAME_AT);
  if (texts.file !== undefined) bytes.set(texts.file, FILE_AT);
  if (placed.file.length > 0) writeArea(bytes, FILE_AT, placed.file);
  if (placed.sname.length > 0) writeArea(bytes, SNAME_AT, placed.sname);
  return bytes;
}

let slab = new Uint8Array(0);
let used = 0;

/** Cut from larger pieces, each of which is used once: memory of its own for each reply is slow. */
function zeros(length: number): Uint8Array {
  if (used + length > slab.length) {
    slab = new Uint8Array(Math.max(SLAB_BYTES, length));
    used = 0;
  }
  used += length;
  return slab.subarray(used - length, used);
}

/** Behind the relay a NAK has to be broadcast, whatever the client asked (RFC 2131 §4.3.2). */
function writeFixed(bytes: Uint8Array, reply: Reply, isNak: boolean): void {
  const { request } = reply;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  bytes[0] = 2;
  bytes[1] = request.htype;
  bytes[2] = request.hlen;
  view.setUint32(4, request.xid);
  view.setUint16(10, request.flags | (isNak && request.giaddr !== 0 ? BROADCAST_FLAG : 0));
  if (!isNak) {
    view.setUint32(12, reply.ciaddr);
    view.setUint32(16, reply.yiaddr);
    view.setUint32(20, reply.siaddr);
  }
  view.setUint32(24, request.giaddr);
  bytes.set(request.chaddr.subarray(0, CHADDR_BYTES), 28);
  view.setUint32(236, COOKIE);
}

function writeArea(bytes: Uint8Array, start: number, options: readonly Option[]): void {
  let at = start;
  for (const [code, value] of options) at = writeOption(bytes, at, code, value);
  bytes[at] = 255;
}

type Texts = { sname?: Uint8Array; file?: Uint8Array; moved: readonly Option[] };

/** RFC 2132 §9.4, §9.5: in their fields, or as options where a field is too small or not wanted. */
function fixedTexts(reply: Reply): Texts {
  if (reply.serverName === undefined && reply.bootFile === undefined) return NO_TEXTS;
  const moved: Option[] = [];
  const texts: Texts = { moved };
  const sname = textOf(reply, SERVER_NAME, reply.serverName);
  if (sname !== undefined && isForField(reply, SERVER_NAME, sname, SNAME_BYTES_MAX)) {
    texts.sname = sname;
  } else if (sname !== undefined) moved.push([SERVER_NAME, sname]);
  const file = textOf(reply, BOOT_FILE, reply.bootFile);
  if (file !== undefined && isForField(reply, BOOT_FILE, file, FILE_BYTES_MAX)) {
    texts.file = file;
  } else if (file !== undefined) moved.push([BOOT_FILE, file]);
  return texts;
}

/** An option that is in the reply already says it all: twice would be joined (RFC 3396). */
function textOf({ options }: Reply, code: number, text: string | undefined) {
  if (text === undefined || text === '' || options.some(([each]) => each === code))
    return undefined;
  return new TextEncoder().encode(text);
}

function isForField({ request }: Reply, code: number, text: Uint8Array, bytesMax: number): boolean {
  return text.length <= bytesMax && !request.options.get(PARAMETER_LIST)?.includes(code);
}

function allowedInNak({ options, required }: Reply): Pick<Reply, 'options' | 'required'> {
  const isAllowed = ([code]: Option): boolean => ALLOWED_IN_NAK.has(code);
  const first = options.slice(0, required).filter(isAllowed);
  return {
    options: [...first, ...options.slice(required).filter(isAllowed)],
    required: first.length,
  };
}

/** A client's message; the canary sends it, and tests. */
export type ClientMessage = Pick<Request, 'messageType' | 'xid' | 'chaddr'> &
  Partial<Pick<Request, 'htype' | 'hops' | 'secs' | 'flags' | 'ciaddr' | 'giaddr'>> & {
    /** Without 53, which comes first. */
    options: readonly Option[];
  };

export function encodeRequest(fields: ClientMessage): Uint8Array {
  const options: Option[] = [[53, Uint8Array.of(fields.messageType)], ...fields.options];
  const optionsBytes = options.reduce((sum, [, value]) => sum + optionBytes(value), 1);
  const bytes = new Uint8Array(Math.max(PADDED_BYTES, OPTIONS_AT + optionsBytes));
  const view = new DataView(bytes.buffer);
  bytes[0] = 1;
  bytes[1] = fields.htype ?? 1;
  bytes[2] = Math.min(fields.chaddr.length, CHADDR_BYTES);
  bytes[3] = fields.hops ?? 0;
  view.setUint32(4, fields.xid);
  view.setUint16(8, fields.secs ?? 0);
  view.setUint16(10, fields.flags ?? 0);
  view.setUint32(12, fields.ciaddr ?? 0);
  view.setUint32(24, fields.giaddr ?? 0);
  bytes.set(fields.chaddr.subarray(0, CHADDR_BYTES), 28);
  view.setUint32(236, COOKIE);
  writeArea(bytes, OPTIONS_AT, options);
  return bytes;
}
