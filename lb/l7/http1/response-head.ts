// The head of a response: status line, then fields (RFC 9112, 4), and how its body ends (6.3).
// Strict: what is in doubt is refused. Pure.
import { BAD } from './bad.ts';
import { createHead, parseFields, type Unfinished } from './fields.ts';
import { readConnection, readFraming } from './framing.ts';
import { CR, isDigit, LF, SPACE, TEXT, ZERO } from './octets.ts';
import { type Bad, MAX_HEAD_BYTES, type ResponseHead } from './types.ts';

const VERSION_PREFIX = 'HTTP/1.';
const STATUS_AT = 9;
const REASON_AT = 12;

export function createResponseHead(): ResponseHead {
  return { ...createHead(), status: 0, reasonStart: 0, reasonEnd: 0 };
}

/**
 * Parses the head that begins at `start`; `end`: behind the last byte that has come. `of`: the
 * request that it answers. With `more` nothing of `into` counts; call again from the same start.
 */
export function parseResponseHead(
  bytes: Buffer,
  start: number,
  end: number,
  into: ResponseHead,
  of: { method: string },
): 'done' | Unfinished {
  into.bytes = bytes;
  into.start = start;
  const stop = Math.min(end, start + MAX_HEAD_BYTES);
  const line = parseStatusLine(bytes, start, stop, into);
  const fields = typeof line === 'number' ? parseFields(bytes, line, stop, into) : line;
  if (typeof fields !== 'number') {
    return fields === 'more' && stop - start === MAX_HEAD_BYTES ? BAD.headTooBig : fields;
  }
  into.end = fields;
  return readFraming(into) ?? readConnection(into) ?? settle(into, of.method);
}

function parseStatusLine(
  bytes: Buffer,
  from: number,
  stop: number,
  into: ResponseHead,
): number | Unfinished {
  for (let i = 0; i < REASON_AT; i++) {
    if (from + i >= stop) return 'more';
    if (!isRightAt(i, bytes[from + i] as number)) return BAD.statusLine;
  }
  let p = from + REASON_AT;
  if (p === stop) return 'more';
  // The blank before a reason that is not there is often left out.
  if (bytes[p] === SPACE) p++;
  else if (bytes[p] !== CR) return BAD.statusLine;
  into.reasonStart = p;
  while (p < stop && TEXT[bytes[p] as number] === 1) p++;
  if (p === stop) return 'more';
  if (bytes[p] !== CR) return bytes[p] === LF ? BAD.bareLineFeed : BAD.statusLine;
  if (p + 1 === stop) return 'more';
  if (bytes[p + 1] !== LF) return BAD.bareCarriageReturn;
  into.reasonEnd = p;
  into.minor = bytes[from + 7] === ZERO ? 0 : 1;
  const at = from + STATUS_AT;
  into.status = digit(bytes, at) * 100 + digit(bytes, at + 1) * 10 + digit(bytes, at + 2);
  return p + 2;
}

/** `HTTP/1.` DIGIT SP, then a status of 100 to 599 (RFC 9110, 15). */
function isRightAt(index: number, code: number): boolean {
  if (index < 7) return code === VERSION_PREFIX.charCodeAt(index);
  if (index === 8) return code === SPACE;
  return isDigit(code) && (index !== STATUS_AT || (code > ZERO && code <= ZERO + 5));
}

function digit(bytes: Buffer, at: number): number {
  return (bytes[at] as number) - ZERO;
}

/** RFC 9112, 6.3: what the request and the status say of the body. */
function settle(head: ResponseHead, method: string): 'done' | Bad {
  if (head.status < 200 || head.status === 204) {
    // Neither may have a framing field (RFC 9112, 6.1; RFC 9110, 8.6): none is sent on.
    head.framing = 'none';
    head.contentLength = -1;
  } else if (method === 'HEAD' || head.status === 304) {
    head.framing = 'none';
  } else if (head.framing === 'none') {
    head.framing = 'close';
    head.keepAlive = false;
  }
  return 'done';
}
