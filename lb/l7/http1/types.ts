// HTTP/1.1 messages as bytes (RFC 9110, 9112): what the parser says of a head, what a body decoder
// does. No header objects: a head is offsets into the bytes that it came in. Pure.

/** Of names that the proxy looks at; any other is OTHER. In a head's `names`, one a field. */
export const FIELD = {
  OTHER: 0,
  HOST: 1,
  CONTENT_LENGTH: 2,
  TRANSFER_ENCODING: 3,
  CONNECTION: 4,
  KEEP_ALIVE: 5,
  PROXY_CONNECTION: 6,
  TE: 7,
  TRAILER: 8,
  UPGRADE: 9,
  EXPECT: 10,
  VIA: 11,
  X_FORWARDED_FOR: 12,
  X_FORWARDED_PROTO: 13,
  X_FORWARDED_HOST: 14,
  FORWARDED: 15,
  MAX_FORWARDS: 16,
  COOKIE: 17,
  SET_COOKIE: 18,
  DATE: 19,
  PROXY_AUTHENTICATE: 20,
  PROXY_AUTHORIZATION: 21,
  ACCEPT_ENCODING: 22,
  CONTENT_ENCODING: 23,
  CONTENT_TYPE: 24,
  CACHE_CONTROL: 25,
  VARY: 26,
  ETAG: 27,
  SEC_WEBSOCKET_KEY: 28,
  HTTP2_SETTINGS: 29,
  X_FORWARDED_PORT: 30,
  /** A name with an underscore, whatever it is: never sent on, and nobody sees it. */
  UNDERSCORE: 31,
} as const;
export type FieldName = (typeof FIELD)[keyof typeof FIELD];

export const MAX_FIELDS = 100;
/** Of a whole head, with its first line. */
export const MAX_HEAD_BYTES = 16_384;
export const MAX_TARGET_BYTES = 8192;

/** How a message's body ends (RFC 9112, 6.3). `none`: there is no body. `close`: responses only. */
export type Framing = 'none' | 'length' | 'chunked' | 'close';

/**
 * A head that was parsed; one object a connection, filled anew by each parse, and valid as long as
 * `bytes` is. All offsets are into `bytes`; `end` is just behind the empty line.
 */
export type Head = {
  bytes: Buffer;
  start: number;
  end: number;
  /** 0 or 1: HTTP/1.0 or 1.1 (a higher 1.x counts as 1.1). */
  minor: 0 | 1;
  count: number;
  /** FieldName of each field. */
  names: Uint8Array;
  /** Four a field: name's start and end, value's start and end (without blanks around it). */
  offsets: Int32Array;
  /** Bit n: a field named FIELD n is there. */
  present: number;
  framing: Framing;
  /** As told, at most 2^53 - 1; -1: not told. With `none` it is of what HEAD or 304 stands for. */
  contentLength: number;
  /** The connection goes on after this message, as far as its sender is concerned. */
  keepAlive: boolean;
  /** Names that Connection lists besides those that are hop-by-hop anyway: lower case. */
  connectionOptions: readonly string[];
  /** Connection has `upgrade`, and there is an Upgrade field. */
  upgrade: boolean;
};

export type RequestHead = Head & {
  /** As written; case matters. */
  method: string;
  /**
   * Of the target as sent on: origin form, or `*`. Empty, or opening with `?`, where an absolute
   * form has no path: `targetOf` says what is meant.
   */
  pathStart: number;
  pathEnd: number;
  /** Host as it is routed by: lower case, without port and final dot; '' for HTTP/1.0 without. */
  host: string;
  /** As it is sent on: of the absolute form, or the Host field's; with the port. */
  authority: string;
  expectContinue: boolean;
  /** Max-Forwards; -1 without. */
  maxForwards: number;
};

export type ResponseHead = Head & {
  status: number;
  reasonStart: number;
  reasonEnd: number;
};

/**
 * Why a message is refused. `status`: what a client is answered (400, 408, 414, 431, 501, 505 …);
 * from an upstream it is always 502. `reason`: stable, in kebab-case, for log and metrics.
 */
export type Bad = { status: number; reason: string };

/**
 * Takes a body's bytes. `take` returns how many of `bytes` from `from` belong to the message so
 * far; what they mean is told in `sink`. After `done` or `bad` no more may be given.
 */
export interface BodyDecoder {
  /** Pieces of content are views of `bytes`. */
  take(bytes: Buffer, from: number, sink: (piece: Buffer) => void): number;
  readonly done: boolean;
  readonly bad: Bad | undefined;
  /**
   * Of `chunked`: the trailer section's fields that may be sent on, whole lines with CRLF, without
   * the empty line.
   */
  readonly trailers: Buffer | undefined;
}

/**
 * How a head is changed on its way. Names are lower case, without hop-by-hop fields, which are
 * dropped anyway, and framing fields, which are always written anew.
 */
export type HeadEdits = {
  drop: ReadonlySet<string>;
  /** Behind the others, as written; checked: no CR, LF, NUL. */
  add: readonly (readonly [name: string, value: string])[];
  /** Requests: in place of what came. */
  target?: string;
  authority?: string;
};

/** What routing looks at: the same for HTTP/1.1 heads and HTTP/2 header lists. */
export interface RequestView {
  readonly method: string;
  /** Lower case, without port and final dot. */
  readonly host: string;
  /** Origin form with the query, as it came; `*` of OPTIONS. */
  readonly target: string;
  /** Values of that name (lower case) joined by `, `; undefined: not there. */
  header(name: string): string | undefined;
}
