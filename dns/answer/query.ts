// The guarded decode of a query: header, question, and what comes after it. Rules H1 to H3 and H5
// of docs/answers.md; RFC 1035 §4.1, RFC 6891 §6.1, RFC 9619. Nothing is allocated. Pure.
import {
  HEADER_BYTES,
  MAX_LABEL_BYTES,
  MAX_NAME_BYTES,
  OPCODES,
  RCODES,
  TYPES,
} from '../../shared/dns/constants.ts';
import { LOWER } from '../../shared/dns/names.ts';
import type { AddressBytes } from '../../shared/dns/types.ts';
import { OUTCOME } from './outcomes.ts';
import type { Query, Result } from './query-types.ts';

/** What decode() and its like return for a message with which one goes on. */
export const GO_ON = -1;

const NOTHING = new Uint8Array(0);

/** A query while it is answered, one object a thread; EDNS and whose line decides come later. */
export class Incoming implements Query {
  bytes: Uint8Array = NOTHING;
  nameLength = 0;
  readonly lower = new Uint8Array(MAX_NAME_BYTES);
  type = 0;
  isAnyClass = false;
  dnssecOk = false;
  hasEcs = false;
  lineAddress: AddressBytes = NOTHING;
  lineBits = 0;
  nowSeconds = 0;

  class = 0;
  /** 1, but for a cookie's own query; 0 also while no question could be read. */
  questions = 0;
  /** Behind the question, or behind the header when there is none to give back. */
  questionEnd = HEADER_BYTES;
  /** Where the class field of the OPT record is (its data's 8 bytes further); −1 without one. */
  optAt = -1;
}

/** Fills `incoming` from bytes[0, length). GO_ON, or the outcome with which the message ends. */
export function decode(incoming: Incoming, bytes: Uint8Array, length: number): number {
  incoming.bytes = bytes;
  incoming.questions = 0;
  incoming.questionEnd = HEADER_BYTES;
  incoming.optAt = -1;
  incoming.nameLength = 0;
  incoming.isAnyClass = false;
  incoming.dnssecOk = false;
  incoming.hasEcs = false;
  if (length < HEADER_BYTES) return OUTCOME['dropped-short'];
  const flags = bytes[2] ?? 0;
  if ((flags & 0x80) !== 0) return OUTCOME['dropped-response'];
  const opcode = (flags >>> 3) & 15;
  if (opcode !== OPCODES.QUERY) {
    const isReferred = opcode === OPCODES.NOTIFY || opcode === OPCODES.UPDATE;
    return isReferred ? OUTCOME['referred-opcode'] : OUTCOME['notimp-opcode'];
  }
  const questions = u16(bytes, 4);
  if (questions > 1) return OUTCOME['formerr-questions'];
  if (questions === 1) {
    if (!readQuestion(incoming, bytes, length)) return OUTCOME['formerr-qname'];
    if (incoming.type === TYPES.AXFR || incoming.type === TYPES.IXFR) {
      return OUTCOME['referred-transfer'];
    }
  }
  if (u16(bytes, 6) !== 0 || u16(bytes, 8) !== 0) return OUTCOME['formerr-sections'];
  return readAdditional(incoming, bytes, length, u16(bytes, 10));
}

/** H5: GO_ON, or how a type that is none of data ends. ANY is rule A8's. */
export function judgeType(type: number): number {
  switch (type) {
    case 0:
    case TYPES.OPT:
    case TYPES.TSIG:
      return OUTCOME['formerr-type'];
    case TYPES.TKEY:
    case TYPES.MAILA:
    case TYPES.MAILB:
      return OUTCOME['notimp-type'];
    default:
      return GO_ON;
  }
}

function readQuestion(incoming: Incoming, bytes: Uint8Array, length: number): boolean {
  const lower = incoming.lower;
  const last = Math.min(length - 5, HEADER_BYTES + MAX_NAME_BYTES - 1); // for the root's byte
  let at = HEADER_BYTES;
  for (;;) {
    if (at > last) return false;
    const label = bytes[at] ?? 0;
    if (label > MAX_LABEL_BYTES) return false;
    lower[at - HEADER_BYTES] = label;
    at++;
    if (label === 0) break;
    const end = at + label;
    if (end > last) return false;
    for (; at < end; at++) lower[at - HEADER_BYTES] = LOWER[bytes[at] ?? 0] ?? 0;
  }
  incoming.nameLength = at - HEADER_BYTES;
  incoming.type = u16(bytes, at);
  incoming.class = u16(bytes, at + 2);
  incoming.questions = 1;
  incoming.questionEnd = at + 4;
  return true;
}

function readAdditional(
  incoming: Incoming,
  bytes: Uint8Array,
  length: number,
  records: number,
): number {
  let at = incoming.questionEnd;
  let isSigned = false;
  for (let count = 0; count < records; count++) {
    const owner = at;
    at = skipName(bytes, at, length);
    if (at < 0 || at + 10 > length) return OUTCOME['formerr-record'];
    const type = u16(bytes, at);
    const end = at + 10 + u16(bytes, at + 8);
    if (end > length) return OUTCOME['formerr-record'];
    if (type === TYPES.OPT) {
      if (incoming.optAt >= 0 || bytes[owner] !== 0) return OUTCOME['formerr-opt'];
      incoming.optAt = at + 2;
    }
    if (type === TYPES.TSIG) isSigned = true;
    at = end;
  }
  if (at !== length) return OUTCOME['formerr-trailing'];
  return isSigned ? OUTCOME['referred-tsig'] : GO_ON;
}

/** Behind the name at `at`, whose pointer is not followed; −1 for what is no name. */
function skipName(bytes: Uint8Array, start: number, length: number): number {
  for (let at = start; at < length; ) {
    const label = bytes[at] ?? 0;
    if (label === 0) return at + 1;
    if (label >= 0xc0) return at + 2;
    if (label > MAX_LABEL_BYTES || at - start > MAX_NAME_BYTES) return -1;
    at += 1 + label;
  }
  return -1;
}

export function u16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

/**
 * The header of what goes back (H6): id, opcode, RD and CD as asked, QR; the counts are 0, the
 * question is what `incoming` has. Returns where the answer section begins.
 */
export function writeHead(incoming: Incoming, out: Uint8Array): number {
  const { bytes, questionEnd } = incoming;
  out[0] = bytes[0] ?? 0;
  out[1] = bytes[1] ?? 0;
  out[2] = 0x80 | ((bytes[2] ?? 0) & 0x79);
  out[3] = (bytes[3] ?? 0) & 0x10;
  out[4] = 0;
  out[5] = incoming.questions;
  for (let at = 6; at < HEADER_BYTES; at++) out[at] = 0;
  for (let at = HEADER_BYTES; at < questionEnd; at++) out[at] = bytes[at] ?? 0;
  return questionEnd;
}

const AA = 0x04;
const TC = 0x02;

/** Adds to a head what became of the query; the rcode's upper bits are OPT's. */
export function writeFlags(
  out: Uint8Array,
  rcode: number,
  isAuthoritative: boolean,
  isTruncated: boolean,
): void {
  out[2] = (out[2] ?? 0) | (isAuthoritative ? AA : 0) | (isTruncated ? TC : 0);
  out[3] = (out[3] ?? 0) | (rcode & 15);
}

/** The header's counts of records, OPT's among them. */
export function writeCounts(
  out: Uint8Array,
  answers: number,
  authorities: number,
  additionals: number,
): void {
  out[6] = answers >>> 8;
  out[7] = answers;
  out[8] = authorities >>> 8;
  out[9] = authorities;
  out[10] = additionals >>> 8;
  out[11] = additionals;
}

/** Which outcome an rcode is that resolve() gave without being cut short. */
export function outcomeOfData(result: Result, isAnyClass: boolean): number {
  switch (result.rcode) {
    case RCODES.NOERROR:
      if (result.answers > 0) return OUTCOME.answered;
      // A referral is no answer of the zone's own (A4); of class ANY none has AA.
      if (result.isAuthoritative || isAnyClass) return OUTCOME['no-data'];
      return OUTCOME[result.authorities > 0 ? 'delegated' : 'no-data'];
    case RCODES.NXDOMAIN:
      return OUTCOME.nxdomain;
    case RCODES.REFUSED:
      return OUTCOME['refused-zone'];
    case RCODES.SERVFAIL:
      return OUTCOME.servfail;
    case RCODES.YXDOMAIN:
      return OUTCOME.yxdomain;
    default:
      return OUTCOME['other-rcode'];
  }
}
