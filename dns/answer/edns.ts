// EDNS of a query and of its answer (RFC 6891): rules E1 to E5 of docs/answers.md. NSID (RFC 5001),
// padding (RFC 7830, RFC 8467), TCP keepalive (RFC 7828), cookies and client subnet. Pure.
import { EDNS_DO, EDNS_OPTIONS, TYPES } from '../../shared/dns/constants.ts';
import { COOKIE_BYTES } from './cookies.ts';
import { OUTCOME } from './outcomes.ts';
import { GO_ON, type Incoming, u16 } from './query.ts';
import type { Transport } from './types.ts';

/** Owner, type, class, TTL, length of its data. */
const OPT_BYTES = 11;
const OPTION_HEAD_BYTES = 4;
const KEEPALIVE_BYTES = 2;
/** RFC 8467 §4.1: answers are padded to a multiple of it. */
const PADDING_BLOCK = 468;
const LEAST_UDP_BYTES = 512;
/** With a name of 255 bytes and every option an answer without sections still has 512 bytes. */
const MAX_NSID_BYTES = 128;
const COOKIE_CLIENT_BYTES = 8;
/** Over a stream, where the length has 16 bits. */
const MAX_MESSAGE_BYTES = 65_535;

/** What a query's OPT says, and what the answer's has to; filled again for each query. */
export class Edns {
  isPresent = false;
  /** Its sender takes UDP messages of so many bytes; at least 512, which is meant without OPT. */
  clientBytes = LEAST_UDP_BYTES;
  version = 0;
  /** Data of the first option of the kind; −1: none. */
  cookieAt = -1;
  cookieLength = 0;
  ecsAt = -1;
  ecsLength = 0;
  /** Set by who decided it: these go back. */
  hasCookieReply = false;
  hasEcsReply = false;

  #dnssecOk = false;
  #wantsNsid = false;
  #wantsKeepalive = false;
  #isPadded = false;

  #nsid: Uint8Array = new Uint8Array(0);
  #udpBytes = LEAST_UDP_BYTES;
  readonly #keepaliveUnits: number;

  /** `keepaliveMs`: what a TCP client that asks is told that a connection may idle. */
  constructor(keepaliveMs: number) {
    this.#keepaliveUnits = Math.min(0xffff, Math.floor(keepaliveMs / 100));
  }

  configure(nsid: Uint8Array, udpBytes: number): void {
    this.#nsid = nsid.subarray(0, MAX_NSID_BYTES);
    this.#udpBytes = Math.max(LEAST_UDP_BYTES, udpBytes);
  }

  /** How long an answer may be, header and this record included (E2). */
  maxBytes(transport: Transport): number {
    return transport === 'udp' ? Math.min(this.clientBytes, this.#udpBytes) : MAX_MESSAGE_BYTES;
  }

  /** Forgets the query before. */
  clear(): void {
    this.isPresent = false;
    this.clientBytes = LEAST_UDP_BYTES;
    this.hasCookieReply = false;
    this.hasEcsReply = false;
    this.cookieAt = -1;
    this.ecsAt = -1;
  }

  /** Reads the fixed part, which an answer of every rcode goes by; needs `query.optAt`. */
  readHead(query: Incoming): void {
    const { bytes, optAt } = query;
    this.isPresent = true;
    this.clientBytes = Math.max(LEAST_UDP_BYTES, u16(bytes, optAt));
    this.version = bytes[optAt + 3] ?? 0;
    this.#dnssecOk = (u16(bytes, optAt + 4) & EDNS_DO) !== 0;
    this.#wantsNsid = false;
    this.#wantsKeepalive = false;
    this.#isPadded = false;
    query.dnssecOk = this.#dnssecOk;
  }

  /** Reads the options; GO_ON, or the outcome of what is cut off or of a version above 0. */
  readOptions(query: Incoming, transport: Transport): number {
    if (this.version !== 0) return OUTCOME.badvers;
    const { bytes, optAt } = query;
    let at = optAt + 8;
    const end = at + u16(bytes, optAt + 6);
    while (at < end) {
      const data = at + OPTION_HEAD_BYTES;
      if (data > end) return OUTCOME['formerr-opt'];
      const length = u16(bytes, at + 2);
      if (data + length > end) return OUTCOME['formerr-opt'];
      this.#take(u16(bytes, at), data, length, transport);
      at = data + length;
    }
    return GO_ON;
  }

  #take(code: number, at: number, length: number, transport: Transport): void {
    switch (code) {
      case EDNS_OPTIONS.NSID:
        this.#wantsNsid = this.#nsid.length > 0;
        return;
      case EDNS_OPTIONS.COOKIE:
        if (this.cookieAt >= 0) return; // RFC 7873 §5.2: the first counts
        this.cookieAt = at;
        this.cookieLength = length;
        return;
      case EDNS_OPTIONS.ECS:
        if (this.ecsAt >= 0) return;
        this.ecsAt = at;
        this.ecsLength = length;
        return;
      case EDNS_OPTIONS.KEEPALIVE:
        this.#wantsKeepalive = transport === 'tcp' || transport === 'tls';
        return;
      case EDNS_OPTIONS.PADDING:
        this.#isPadded = transport === 'tls' || transport === 'https';
        return;
    }
  }

  /** Bytes that write() needs without padding: they are kept free of the answer's sections. */
  reserve(): number {
    if (!this.isPresent) return 0;
    let bytes = OPT_BYTES;
    if (this.#wantsNsid) bytes += OPTION_HEAD_BYTES + this.#nsid.length;
    if (this.hasCookieReply) bytes += OPTION_HEAD_BYTES + COOKIE_BYTES;
    if (this.hasEcsReply) bytes += OPTION_HEAD_BYTES + this.ecsLength;
    if (this.#wantsKeepalive) bytes += OPTION_HEAD_BYTES + KEEPALIVE_BYTES;
    return bytes;
  }

  /**
   * Writes the OPT record at out[at], the end of the message, and returns the new end; the caller
   * counts the record. Nothing without OPT in the query. `limit`: how long the message may become.
   */
  write(
    query: Incoming,
    out: Uint8Array,
    at: number,
    limit: number,
    rcode: number,
    cookie: Uint8Array,
    scope: number,
  ): number {
    out[at] = 0;
    put16(out, at + 1, TYPES.OPT);
    put16(out, at + 3, this.#udpBytes);
    out[at + 5] = rcode >>> 4;
    out[at + 6] = 0;
    put16(out, at + 7, this.#dnssecOk ? EDNS_DO : 0);
    let end = at + OPT_BYTES;
    if (this.#wantsNsid)
      end = putOption(out, end, EDNS_OPTIONS.NSID, this.#nsid, 0, this.#nsid.length);
    if (this.hasCookieReply)
      end = putOption(out, end, EDNS_OPTIONS.COOKIE, cookie, 0, COOKIE_BYTES);
    if (this.hasEcsReply) {
      const scopeAt = end + OPTION_HEAD_BYTES + 3;
      end = putOption(out, end, EDNS_OPTIONS.ECS, query.bytes, this.ecsAt, this.ecsLength);
      out[scopeAt] = scope;
    }
    if (this.#wantsKeepalive) {
      put16(out, end, EDNS_OPTIONS.KEEPALIVE);
      put16(out, end + 2, KEEPALIVE_BYTES);
      put16(out, end + OPTION_HEAD_BYTES, this.#keepaliveUnits);
      end += OPTION_HEAD_BYTES + KEEPALIVE_BYTES;
    }
    if (this.#isPadded) end = putPadding(out, end, limit);
    put16(out, at + 9, end - at - OPT_BYTES);
    return end;
  }

  /** Whether a COOKIE option's length is one that RFC 7873 §4 knows. */
  hasGoodCookieLength(): boolean {
    const length = this.cookieLength;
    return length === COOKIE_CLIENT_BYTES || (length >= 16 && length <= 40);
  }

  /** Whether the client sent a server's cookie too. */
  hasServerCookie(): boolean {
    return this.cookieLength > COOKIE_CLIENT_BYTES;
  }
}

function putOption(
  out: Uint8Array,
  at: number,
  code: number,
  data: Uint8Array,
  from: number,
  length: number,
): number {
  put16(out, at, code);
  put16(out, at + 2, length);
  const start = at + OPTION_HEAD_BYTES;
  for (let index = 0; index < length; index++) out[start + index] = data[from + index] ?? 0;
  return start + length;
}

/** As long as a block leaves, or as the limit does; not at all when its head has no room. */
function putPadding(out: Uint8Array, at: number, limit: number): number {
  const start = at + OPTION_HEAD_BYTES;
  if (start > limit) return at;
  const end = Math.min(limit, Math.ceil(start / PADDING_BLOCK) * PADDING_BLOCK);
  put16(out, at, EDNS_OPTIONS.PADDING);
  put16(out, at + 2, end - start);
  out.fill(0, start, end);
  return end;
}

function put16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}
