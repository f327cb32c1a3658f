// Frames of HTTP/2 written by hand (RFC 9113, 4.1; RFC 7541, 6), right or wrong, and a client that
// says them.
import { connect, type Socket } from 'node:net';
import { until } from '../../../../lab/ready.ts';

export const TYPE = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const;

export const END_STREAM = 1;
export const ACK = 1;
export const END_HEADERS = 4;
export const PADDED = 8;

export const CODES = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
] as const;

export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** `length`: said in place of the payload's own. */
export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array | string = '',
  length?: number,
): Buffer {
  const content = typeof payload === 'string' ? Buffer.from(payload, 'latin1') : payload;
  const head = Buffer.alloc(9);
  head.writeUIntBE(length ?? content.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, content]);
}

export function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function settings(...pairs: [id: number, value: number][]): Buffer {
  return Buffer.concat(
    pairs.map(([id, value]) => Buffer.concat([Buffer.from([0, id]), word(value)])),
  );
}

export type Pair = readonly [name: string, value: string];

/** Literals without indexing and without Huffman's code (RFC 7541, 6.2.2). */
export function block(fields: readonly Pair[]): Buffer {
  return Buffer.concat(
    fields.flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]),
  );
}

function text(value: string): Buffer {
  return Buffer.concat([integer(value.length, 7), Buffer.from(value, 'latin1')]);
}

/** RFC 7541, 5.1; the bits before the prefix are 0. */
export function integer(value: number, prefix: number): Buffer {
  const most = 2 ** prefix - 1;
  if (value < most) return Buffer.from([value]);
  const bytes = [most];
  let left = value - most;
  for (; left >= 128; left >>>= 7) bytes.push((left & 127) | 128);
  return Buffer.from([...bytes, left]);
}

export const GET: readonly Pair[] = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':authority', 'a.example'],
  [':path', '/'],
];
export const POST: readonly Pair[] = [[':method', 'POST'], ...GET.slice(1)];

export function headers(
  stream: number,
  fields: readonly Pair[],
  flags = END_STREAM | END_HEADERS,
): Buffer {
  return frame(TYPE.HEADERS, flags, stream, block(fields));
}

export type Frame = { type: number; flags: number; stream: number; payload: Buffer };

/** A client by hand: it has said the preface and empty SETTINGS, unless it is told not to. */
export class RawClient {
  readonly socket: Socket;
  readonly frames: Frame[] = [];
  isClosed = false;
  #rest = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes: Buffer) => this.#take(bytes));
    socket.on('error', () => {});
    socket.on('close', () => {
      this.isClosed = true;
    });
  }

  static async connect(port: number, begins = true): Promise<RawClient> {
    const client = new RawClient(connect({ port, host: '127.0.0.1', noDelay: true }));
    await until('the connection stands', () => !client.socket.connecting, { everyMs: 1 });
    if (begins) client.send(PREFACE, frame(TYPE.SETTINGS, 0, 0));
    return client;
  }

  send(...bytes: Buffer[]): void {
    this.socket.write(Buffer.concat(bytes));
  }

  /** The first frame of the type, of that stream if one is named. */
  find(type: number, stream?: number): Frame | undefined {
    return this.frames.find(
      (each) => each.type === type && (stream === undefined || each.stream === stream),
    );
  }

  /** `goaway CODE`, else `status …` of the stream, else its `rst CODE`, else `closed`. */
  outcome(stream: number): string | undefined {
    const goaway = this.find(TYPE.GOAWAY);
    const code = (bytes: Buffer | undefined, at: number) => CODES[bytes?.readUInt32BE(at) ?? -1];
    if (goaway !== undefined) return `goaway ${code(goaway.payload, 4)}`;
    const head = this.find(TYPE.HEADERS, stream);
    if (head !== undefined) return statusOf(head.payload);
    const reset = this.find(TYPE.RST_STREAM, stream);
    if (reset !== undefined) return `rst ${code(reset.payload, 0)}`;
    return this.isClosed ? 'closed' : undefined;
  }

  #take(bytes: Buffer): void {
    let rest = Buffer.concat([this.#rest, bytes]);
    while (rest.length >= 9) {
      const end = 9 + rest.readUIntBE(0, 3);
      if (rest.length < end) break;
      const [type, flags] = [rest.readUInt8(3), rest.readUInt8(4)];
      const stream = rest.readUInt32BE(5) & 0x7fffffff;
      this.frames.push({ type, flags, stream, payload: Buffer.from(rest.subarray(9, end)) });
      rest = rest.subarray(end);
    }
    this.#rest = rest;
  }
}

/** Statuses of the static table, which stand first in a head that nghttp2 wrote. */
function statusOf(payload: Buffer): string {
  const known: Record<number, string> = { 136: '200', 140: '400', 141: '404', 142: '500' };
  // Behind changes of the table's size (RFC 7541, 6.3).
  const first = payload.find((code) => code < 0x20 || code > 0x3f);
  return `status ${known[first ?? 0] ?? 'other'}`;
}
