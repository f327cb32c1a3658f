// The head of a request: request line, then fields (RFC 9112, 3). Strict: what is in doubt is
// refused. Pure.
import { hostOf } from './authority.ts';
import { BAD } from './bad.ts';
import { createHead, indexOfField, parseFields, type Unfinished } from './fields.ts';
import { digits, isThereAgain, readConnection, readFraming, valueAt } from './framing.ts';
import { CR, isDigit, isText, LF, SPACE, TARGET, TOKEN, ZERO } from './octets.ts';
import { type Bad, FIELD, MAX_HEAD_BYTES, MAX_TARGET_BYTES, type RequestHead } from './types.ts';

/** Before a request (RFC 9112, 2.2: at least one). */
const MAX_LEADING_LINES = 4;
/** Longer than any that is registered. */
const MAX_METHOD_BYTES = 32;
const VERSION_BYTES = 8;
const SLASH = 0x2f;
const QUESTION_MARK = 0x3f;
const ASTERISK = 0x2a;

/** By length; a method that is here costs no new string. */
const METHODS: readonly (readonly string[])[] = [
  ...[[], [], [], ['GET', 'PUT'], ['POST', 'HEAD'], ['PATCH', 'TRACE'], ['DELETE']],
  ['OPTIONS', 'CONNECT'],
];

export function createRequestHead(): RequestHead {
  return {
    ...createHead(),
    method: '',
    pathStart: 0,
    pathEnd: 0,
    host: '',
    authority: '',
    expectContinue: false,
    maxForwards: -1,
  };
}

/**
 * Parses the head that begins at `start`, after a few empty lines; `end`: behind the last byte that
 * has come. With `more` nothing of `into` counts; call again from the same start. A verdict does
 * not change with the bytes that come later.
 */
export function parseRequestHead(
  bytes: Buffer,
  start: number,
  end: number,
  into: RequestHead,
): 'done' | Unfinished {
  let from = start;
  for (; from < end && bytes[from] === CR; from += 2) {
    if (from - start === 2 * MAX_LEADING_LINES) return BAD.leadingLines;
    if (from + 1 === end) return 'more';
    if (bytes[from + 1] !== LF) return BAD.bareCarriageReturn;
  }
  if (from >= end) return 'more';
  into.bytes = bytes;
  into.start = from;
  const stop = Math.min(end, from + MAX_HEAD_BYTES);
  const line = parseRequestLine(bytes, from, stop, into);
  const fields = typeof line === 'number' ? parseFields(bytes, line, stop, into) : line;
  if (typeof fields !== 'number') {
    return fields === 'more' && stop - from === MAX_HEAD_BYTES ? BAD.headTooBig : fields;
  }
  into.end = fields;
  return interpret(into) ?? 'done';
}

/** Sets method, path (still the whole target) and version; the offset behind the line. */
function parseRequestLine(
  bytes: Buffer,
  from: number,
  stop: number,
  into: RequestHead,
): number | Unfinished {
  let p = from;
  while (p < stop && TOKEN[bytes[p] as number] !== 0) {
    if (++p - from > MAX_METHOD_BYTES) return BAD.methodTooLong;
  }
  if (p === stop) return 'more';
  if (p === from || bytes[p] !== SPACE) return p === from ? BAD.method : BAD.requestLine;
  into.method = methodAt(bytes, from, p);
  const target = ++p;
  const bound = Math.min(stop, target + MAX_TARGET_BYTES + 1);
  while (p < bound && TARGET[bytes[p] as number] === 1) p++;
  if (p - target > MAX_TARGET_BYTES) return BAD.targetTooLong;
  if (p === stop) return 'more';
  if (bytes[p] !== SPACE) return isLineEnd(bytes[p] as number) ? BAD.requestLine : BAD.target;
  if (p === target) return BAD.requestLine;
  into.pathStart = target;
  into.pathEnd = p;
  return parseVersion(bytes, p + 1, stop, into);
}

function isLineEnd(code: number): boolean {
  return code === CR || code === LF;
}

const VERSION_PREFIX = 'HTTP/';

function parseVersion(
  bytes: Buffer,
  from: number,
  stop: number,
  into: RequestHead,
): number | Unfinished {
  for (let i = 0; i < VERSION_BYTES; i++) {
    if (from + i === stop) return 'more';
    const code = bytes[from + i] as number;
    const isRight =
      i < 5 ? code === VERSION_PREFIX.charCodeAt(i) : i === 6 ? code === 0x2e : isDigit(code);
    if (!isRight) return BAD.requestLine;
  }
  const p = from + VERSION_BYTES;
  if (p === stop) return 'more';
  if (bytes[p] !== CR) return bytes[p] === LF ? BAD.bareLineFeed : BAD.requestLine;
  if (p + 1 === stop) return 'more';
  if (bytes[p + 1] !== LF) return BAD.bareCarriageReturn;
  if (bytes[from + 5] !== ZERO + 1) return BAD.version;
  into.minor = bytes[from + 7] === ZERO ? 0 : 1;
  return into.method === 'CONNECT' ? BAD.connect : p + 2;
}

function methodAt(bytes: Buffer, from: number, end: number): string {
  search: for (const method of METHODS[end - from] ?? []) {
    for (let i = 0; i < method.length; i++) {
      if (bytes[from + i] !== method.charCodeAt(i)) continue search;
    }
    return method;
  }
  return bytes.toString('latin1', from, end);
}

/** What the fields mean, once all are there. */
function interpret(head: RequestHead): Bad | undefined {
  return (
    readFraming(head) ??
    readConnection(head) ??
    readTarget(head) ??
    readExpectation(head) ??
    readMaxForwards(head)
  );
}

function readTarget(head: RequestHead): Bad | undefined {
  const { bytes, pathStart, pathEnd } = head;
  const index = indexOfField(head, FIELD.HOST);
  if (index < 0 && head.minor === 1) return BAD.hostMissing;
  if (index >= 0 && isThereAgain(head, index)) return BAD.hostTwice;
  const first = bytes[pathStart];
  const isAsterisk = first === ASTERISK && pathEnd - pathStart === 1;
  if (first !== SLASH && !isAsterisk) return readAbsolute(head, index);
  if (isAsterisk && head.method !== 'OPTIONS') return BAD.targetForm;
  if (index >= 0) return readHost(head, index);
  head.host = '';
  head.authority = '';
  return undefined;
}

/** Of the field; what the last request on the connection said is not worked out again. */
function readHost(head: RequestHead, index: number): Bad | undefined {
  const start = head.offsets[4 * index + 2] as number;
  const end = head.offsets[4 * index + 3] as number;
  if (start < end && isAuthority(head, start, end)) return undefined;
  const authority = valueAt(head, index);
  const host = hostOf(authority);
  if (host === undefined) return BAD.host;
  head.host = host;
  head.authority = authority;
  return undefined;
}

function isAuthority(head: RequestHead, start: number, end: number): boolean {
  const { authority, bytes } = head;
  if (authority.length !== end - start) return false;
  for (let i = 0; i < authority.length; i++) {
    if (bytes[start + i] !== authority.charCodeAt(i)) return false;
  }
  return true;
}

/** `http://host[:port][/path][?query]`: its authority is the request's, whatever Host says. */
function readAbsolute(head: RequestHead, hostIndex: number): Bad | undefined {
  const { bytes, pathStart, pathEnd } = head;
  const colon = bytes.indexOf(':', pathStart, 'latin1');
  if (colon < 0 || colon + 3 > pathEnd) return BAD.targetForm;
  const isWeb = isText(bytes, pathStart, colon, 'http') || isText(bytes, pathStart, colon, 'https');
  if (!isWeb || bytes[colon + 1] !== SLASH || bytes[colon + 2] !== SLASH) return BAD.targetForm;
  if (hostIndex >= 0 && valueAt(head, hostIndex) !== '') {
    if (hostOf(valueAt(head, hostIndex)) === undefined) return BAD.host;
  }
  let path = colon + 3;
  while (path < pathEnd && bytes[path] !== SLASH && bytes[path] !== QUESTION_MARK) path++;
  const authority = bytes.toString('latin1', colon + 3, path);
  const host = hostOf(authority);
  if (host === undefined) return BAD.authority;
  head.host = host;
  head.authority = authority;
  head.pathStart = path;
  return undefined;
}

function readExpectation(head: RequestHead): Bad | undefined {
  head.expectContinue = false;
  // A server ignores it in HTTP/1.0 (RFC 9110, 10.1.1).
  if ((head.present & (1 << FIELD.EXPECT)) === 0 || head.minor === 0) return undefined;
  const index = indexOfField(head, FIELD.EXPECT);
  const at = 4 * index + 2;
  const [start, end] = [head.offsets[at] as number, head.offsets[at + 1] as number];
  if (isThereAgain(head, index) || !isText(head.bytes, start, end, '100-continue')) {
    return BAD.expect;
  }
  head.expectContinue = true;
  return undefined;
}

/** It means something with two methods only (RFC 9110, 7.6.2). */
function readMaxForwards(head: RequestHead): Bad | undefined {
  head.maxForwards = -1;
  if ((head.present & (1 << FIELD.MAX_FORWARDS)) === 0) return undefined;
  if (head.method !== 'TRACE' && head.method !== 'OPTIONS') return undefined;
  const index = indexOfField(head, FIELD.MAX_FORWARDS);
  head.maxForwards = isThereAgain(head, index) ? -1 : digits(head, index);
  return head.maxForwards < 0 ? BAD.maxForwards : undefined;
}
