// What a TLS ClientHello asks for, read before TLS is (RFC 8446, 4.1.2 and 5.1; RFC 6066, 3; RFC
// 7301): the name that a connection is routed by, and its protocols. Pure.

export type ClientHello = {
  /** Lower case, without final dot; undefined: no server_name. */
  serverName: string | undefined;
  /** In the client's order; GREASE among them. */
  protocols: readonly string[];
};

export type HelloVerdict = 'more' | 'bad' | ClientHello;

/** Of the handshake message, and of the records that carry it. */
export const MAX_HELLO_BYTES = 16_384;

/** Nobody cuts it finer; each costs a copy. */
const MAX_RECORDS = 64;
const RECORD_HEAD_BYTES = 5;
const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const MESSAGE_HEAD_BYTES = 4;
const EXTENSION = { SERVER_NAME: 0, PROTOCOLS: 16 } as const;
const HOST_NAME = 0;
const NAME = /^(?=.{1,254}$)[0-9a-z_-]+(\.[0-9a-z_-]+)*\.?$/;

/**
 * The hello that opens `bytes` from `start` on; `end`: behind the last byte that has come. It may
 * be spread over several records. `bad`: no TLS, not well formed, or more than 16 KiB.
 */
export function parseClientHello(bytes: Buffer, start: number, end: number): HelloVerdict {
  const pieces: Buffer[] = [];
  let gathered = 0;
  for (let p = start; ; ) {
    if (pieces.length === MAX_RECORDS || isBadRecord(bytes, p, end)) return 'bad';
    if (end - p < RECORD_HEAD_BYTES) return 'more';
    const length = bytes.readUInt16BE(p + 3);
    const from = p + RECORD_HEAD_BYTES;
    p = from + length;
    pieces.push(bytes.subarray(from, Math.min(p, end)));
    gathered += Math.min(p, end) - from;
    const needed = messageBytes(pieces, gathered);
    if (needed === 'bad') return 'bad';
    if (gathered >= needed) return parseMessage(join(pieces).subarray(MESSAGE_HEAD_BYTES, needed));
    if (p > end) return 'more';
    if (p - start > MAX_HELLO_BYTES) return 'bad';
  }
}

function join(pieces: readonly Buffer[]): Buffer {
  return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
}

/** By as much of its head as is there: a handshake record of SSL 3 or TLS that is not empty. */
function isBadRecord(bytes: Buffer, at: number, end: number): boolean {
  if (end > at && bytes[at] !== HANDSHAKE) return true;
  if (end > at + 1 && bytes[at + 1] !== 3) return true;
  if (end < at + RECORD_HEAD_BYTES) return false;
  const length = bytes.readUInt16BE(at + 3);
  return length === 0 || length > MAX_HELLO_BYTES;
}

/** Of the whole message with its head, as far as can be told: infinite while that is not there. */
function messageBytes(pieces: readonly Buffer[], gathered: number): number | 'bad' {
  if (gathered === 0) return Number.POSITIVE_INFINITY;
  const head = join(pieces);
  if (head[0] !== CLIENT_HELLO) return 'bad';
  if (gathered < MESSAGE_HEAD_BYTES) return Number.POSITIVE_INFINITY;
  const needed = MESSAGE_HEAD_BYTES + head.readUIntBE(1, 3);
  return needed > MAX_HELLO_BYTES ? 'bad' : needed;
}

/** Reads vectors; once one did not fit, `isWhole` is false and all that follows is empty. */
class Reader {
  isWhole = true;
  #at = 0;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  take(length: number): Buffer {
    const end = this.#at + length;
    if (!this.isWhole || end > this.#bytes.length) {
      this.isWhole = false;
      this.#at = this.#bytes.length;
      return Buffer.alloc(0);
    }
    const piece = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return piece;
  }

  number(bytes: 1 | 2): number {
    const piece = this.take(bytes);
    return piece.length === 0 ? 0 : piece.readUIntBE(0, bytes);
  }

  /** A vector with its length before it. */
  vector(lengthBytes: 1 | 2): Buffer {
    return this.take(this.number(lengthBytes));
  }
}

function parseMessage(body: Buffer): HelloVerdict {
  const reader = new Reader(body);
  const majorVersion = reader.number(2) >>> 8;
  reader.take(32);
  const sessionId = reader.vector(1);
  const suites = reader.vector(2);
  const compressions = reader.vector(1);
  const isFormed =
    majorVersion === 3 &&
    sessionId.length <= 32 &&
    suites.length >= 2 &&
    suites.length % 2 === 0 &&
    compressions.length >= 1;
  if (!reader.isWhole || !isFormed) return 'bad';
  if (reader.isAtEnd) return { serverName: undefined, protocols: [] };
  const extensions = reader.vector(2);
  if (!reader.isWhole || !reader.isAtEnd) return 'bad';
  return parseExtensions(new Reader(extensions));
}

function parseExtensions(reader: Reader): HelloVerdict {
  const seen = new Set<number>();
  const hello: ClientHello = { serverName: undefined, protocols: [] };
  while (!reader.isAtEnd) {
    const type = reader.number(2);
    const data = new Reader(reader.vector(2));
    if (!reader.isWhole || seen.has(type)) return 'bad';
    seen.add(type);
    if (type === EXTENSION.SERVER_NAME) {
      const name = parseServerName(data);
      if (name === undefined) return 'bad';
      hello.serverName = name;
    } else if (type === EXTENSION.PROTOCOLS) {
      const protocols = parseProtocols(data);
      if (protocols === undefined) return 'bad';
      hello.protocols = protocols;
    }
  }
  return hello;
}

/** One name of type host_name: no other type was ever made, nor may one come twice. */
function parseServerName(data: Reader): string | undefined {
  const names = new Reader(data.vector(2));
  if (!data.isWhole || !data.isAtEnd || names.number(1) !== HOST_NAME) return undefined;
  const name = names.vector(2).toString('latin1').toLowerCase();
  if (!names.isWhole || !names.isAtEnd || !NAME.test(name)) return undefined;
  return name.endsWith('.') ? name.slice(0, -1) : name;
}

function parseProtocols(data: Reader): string[] | undefined {
  const list = new Reader(data.vector(2));
  if (!data.isWhole || !data.isAtEnd || list.isAtEnd) return undefined;
  const protocols: string[] = [];
  while (!list.isAtEnd) {
    const protocol = list.vector(1).toString('latin1');
    if (!list.isWhole || protocol === '') return undefined;
    protocols.push(protocol);
  }
  return protocols;
}
