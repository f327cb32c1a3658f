// Heads as they are sent on: written anew from what was parsed, with one framing field, our Via
// (RFC 9110, 7.6.3) and the edits of policy. Pure.
import { joinedValues } from './framing.ts';
import {
  copyFields,
  putBytes,
  putField,
  putFields,
  putLineEnd,
  putText,
  sizeOf,
} from './head-writer.ts';
import { type Omission, omissionFor } from './hop-by-hop.ts';
import { SPACE } from './octets.ts';
import {
  FIELD,
  type Framing,
  type Head,
  type HeadEdits,
  type RequestHead,
  type ResponseHead,
} from './types.ts';
import { targetOf } from './view.ts';

export const NO_EDITS: HeadEdits = { drop: new Set<string>(), add: [] };

/** More than all that is written besides what came and what `add` holds. */
const ROOM_BYTES = 1024;

export type RequestWriting = {
  framing: 'none' | 'length' | 'chunked';
  contentLength: number;
  /** A tunnel is wanted: Connection and Upgrade are sent on. */
  upgrade: boolean;
  /** Received-by of our Via. */
  via: string;
  /** The client spoke HTTP/2, which Via tells. */
  isHttp2?: boolean;
};

/**
 * Writes the head for an HTTP/1.1 server and gives its bytes; -1: `out` is too small (what came,
 * the edits and 1 KiB always fit).
 */
export function writeRequestHead(
  out: Buffer,
  head: RequestHead,
  edits: HeadEdits,
  how: RequestWriting,
): number {
  const { bytes, start, offsets } = head;
  const authority = edits.authority ?? head.authority;
  const edited = sizeOf(edits.add) + authority.length + (edits.target?.length ?? 0);
  if (out.length < head.end - start + edited + ROOM_BYTES) return -1;
  const isAbsolute = head.pathStart !== start + head.method.length + 1;
  const isNewHost =
    isAbsolute || edits.authority !== undefined || head.authority === '' || edits.drop.has('host');
  const isNewLine = isAbsolute || edits.target !== undefined || !saysMinorOne(head);
  const omission = also(omissionFor(head, edits), requestExtras(head, isNewHost));
  let p = 0;
  if (isNewLine) {
    p = putBytes(out, p, bytes, start, start + head.method.length);
    out[p++] = SPACE;
    p = putText(out, p, edits.target ?? targetOf(head));
    p = putText(out, p, ' HTTP/1.1');
    p = putLineEnd(out, p);
  } else if (isNewHost) {
    p = putBytes(out, p, bytes, start, head.count === 0 ? head.end - 2 : (offsets[0] as number));
  }
  if (isNewHost) p = putField(out, p, 'Host', authority);
  p = copyFields(out, p, head, omission, isNewLine || isNewHost ? -1 : start);
  p = putFields(out, p, edits.add);
  if (head.maxForwards > 0) p = putField(out, p, 'Max-Forwards', String(head.maxForwards - 1));
  p = putFraming(out, p, how.framing, how.contentLength);
  p = putRequestConnection(out, p, head, how.upgrade);
  p =
    how.isHttp2 === true
      ? putField(out, p, 'Via', `2.0 ${how.via}`)
      : putVia(out, p, head.minor, how.via);
  return putLineEnd(out, p);
}

/** The line ends in just `HTTP/1.1`, as it is sent on. */
function saysMinorOne(head: RequestHead): boolean {
  return head.bytes[head.pathEnd + 8] === 0x31;
}

/** Fields that this request has written anew, or not at all. */
function requestExtras(head: RequestHead, isNewHost: boolean): number {
  let mask = isNewHost ? 1 << FIELD.HOST : 0;
  if (head.minor === 0) mask |= 1 << FIELD.EXPECT;
  if (head.maxForwards > 0) mask |= 1 << FIELD.MAX_FORWARDS;
  return mask;
}

function also(omission: Omission, mask: number): Omission {
  return mask === 0 ? omission : { mask: omission.mask | mask, others: omission.others };
}

function putFraming(out: Buffer, at: number, framing: Framing, contentLength: number): number {
  if (framing === 'chunked') return putField(out, at, 'Transfer-Encoding', 'chunked');
  if (framing !== 'length') return at;
  return putField(out, at, 'Content-Length', String(contentLength));
}

function putVia(out: Buffer, at: number, minor: 0 | 1, via: string): number {
  const p = putText(out, at, minor === 1 ? 'Via: 1.1 ' : 'Via: 1.0 ');
  return putLineEnd(out, putText(out, p, via));
}

/** `TE: trailers` is ours to ask again, since trailers are sent on (RFC 9110, 10.1.4). */
function putRequestConnection(out: Buffer, at: number, head: Head, isUpgrade: boolean): number {
  if (!isUpgrade && (head.present & (1 << FIELD.TE)) === 0) return at;
  const takesTrailers = /(?:^|,)[ \t]*trailers[ \t]*(?:,|$)/i.test(
    joinedValues(head, FIELD.TE) ?? '',
  );
  let p = at;
  if (takesTrailers) p = putField(out, p, 'TE', 'trailers');
  if (isUpgrade) p = putField(out, p, 'Upgrade', joinedValues(head, FIELD.UPGRADE) ?? '');
  if (!takesTrailers && !isUpgrade) return p;
  const options = takesTrailers && isUpgrade ? 'TE, upgrade' : isUpgrade ? 'upgrade' : 'TE';
  return putField(out, p, 'Connection', options);
}

export type ResponseWriting = {
  clientMinor: 0 | 1;
  /** The client's connection goes on behind this response; `close` framing ends it anyway. */
  keepAlive: boolean;
  /** As the client gets it: see `framingFor`. */
  framing: Framing;
  /** With `length`; with `none` it is told where it is not -1 (HEAD, 304). */
  contentLength: number;
  /** 101: Connection and Upgrade are sent on. */
  upgrade: boolean;
  via: string;
  /** IMF-fixdate: set where the response has no Date (RFC 9110, 6.6.1). */
  date: string;
  /** One more Set-Cookie's value. */
  cookie?: string | undefined;
};

/** How a body that comes with `framing` goes to a client: one of HTTP/1.0 knows no chunks. */
export function framingFor(framing: Framing, clientMinor: 0 | 1): Framing {
  if (framing === 'none' || framing === 'length') return framing;
  return clientMinor === 1 ? 'chunked' : 'close';
}

/** As writeRequestHead, for the client. The version is always our own, HTTP/1.1. */
export function writeResponseHead(
  out: Buffer,
  head: ResponseHead,
  edits: HeadEdits,
  how: ResponseWriting,
): number {
  const { bytes, start } = head;
  const edited = sizeOf(edits.add) + (how.cookie?.length ?? 0);
  if (out.length < head.end - start + edited + ROOM_BYTES) return -1;
  const isNewLine = bytes[start + 7] !== 0x31 || head.reasonStart !== start + 13;
  let p = 0;
  if (isNewLine) {
    p = putText(out, p, `HTTP/1.1 ${head.status} `);
    p = putBytes(out, p, bytes, head.reasonStart, head.reasonEnd);
    p = putLineEnd(out, p);
  }
  p = copyFields(out, p, head, omissionFor(head, edits), isNewLine ? -1 : start);
  p = putFields(out, p, edits.add);
  if (how.cookie !== undefined) p = putField(out, p, 'Set-Cookie', how.cookie);
  if (head.status >= 200) {
    if ((head.present & (1 << FIELD.DATE)) === 0) p = putField(out, p, 'Date', how.date);
    p = putResponseFraming(out, p, head.status, how);
  } else if (how.upgrade) {
    p = putField(out, p, 'Upgrade', joinedValues(head, FIELD.UPGRADE) ?? '');
    p = putField(out, p, 'Connection', 'upgrade');
  }
  p = putVia(out, p, head.minor, how.via);
  return putLineEnd(out, p);
}

function putResponseFraming(out: Buffer, at: number, status: number, how: ResponseWriting): number {
  const { framing, contentLength } = how;
  const isTold = framing === 'none' && contentLength >= 0 && status !== 204;
  const p = putFraming(out, at, isTold ? 'length' : framing, contentLength);
  if (!how.keepAlive || framing === 'close') return putField(out, p, 'Connection', 'close');
  return how.clientMinor === 0 ? putField(out, p, 'Connection', 'keep-alive') : p;
}
