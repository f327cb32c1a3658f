// TSIG's record (RFC 8945 §4.2): its data, putting it at the end of a message, taking it off. Pure.
import { copyOf, join } from '../../shared/bytes.ts';
import { CLASSES, TYPES } from '../../shared/dns/constants.ts';
import { numberBytes, numberOf } from '../../shared/dns/fields-scalar.ts';
import { MessageError, recordAt, recordSpans } from '../../shared/dns/message.ts';
import { lowerName, nameLength } from '../../shared/dns/names.ts';
import type { Name } from '../../shared/dns/types.ts';

export type TsigRecord = {
  keyName: Name;
  /** As a name: hmac-sha256. */
  algorithm: Name;
  timeSeconds: number;
  fudgeSeconds: number;
  mac: Uint8Array;
  originalId: number;
  error: number;
  other: Uint8Array;
};

/** Class ANY, TTL 0. */
const FIXED = join([numberBytes(CLASSES.ANY, 2), numberBytes(0, 4)]);

/** Taken off: the message as it was before it was signed, and the record that was its last. */
export type Unsealed = { message: Uint8Array; tsig: TsigRecord | undefined; questionsEnd: number };

/**
 * Takes the record off; the ID is the one that it was signed with. Throws MessageError for what is
 * no message, and for a TSIG that is malformed or not the last record (§5.1).
 */
export function unseal(bytes: Uint8Array): Unsealed {
  const { questionsEnd, spans } = recordSpans(bytes);
  const last = spans.at(-1);
  if ((last?.end ?? questionsEnd) !== bytes.length) {
    throw new MessageError('bytes follow the last record');
  }
  const signed = spans.filter(({ type }) => type === TYPES.TSIG);
  if (last === undefined || signed.length === 0) {
    return { message: bytes, tsig: undefined, questionsEnd };
  }
  if (signed.length > 1 || last.type !== TYPES.TSIG || last.section !== 3) {
    throw new MessageError('TSIG is not the last record, once, of the additional section');
  }
  const tsig = decode(recordAt(bytes, last.start));
  const message = copyOf(bytes, 0, last.start);
  const view = new DataView(message.buffer);
  view.setUint16(0, tsig.originalId);
  view.setUint16(10, view.getUint16(10) - 1);
  return { message, tsig, questionsEnd };
}

/** The message with the record behind it; the message is not changed. */
export function seal(message: Uint8Array, tsig: TsigRecord): Uint8Array {
  const rdata = encode(tsig);
  const sealed = join([
    message,
    tsig.keyName,
    numberBytes(TYPES.TSIG, 2),
    FIXED,
    numberBytes(rdata.length, 2),
    rdata,
  ]);
  const view = new DataView(sealed.buffer);
  view.setUint16(10, view.getUint16(10) + 1);
  return sealed;
}

/** Bytes that `seal` adds. */
export function sealBytes(keyName: Name, algorithm: Name, macBytes: number): number {
  return keyName.length + 10 + algorithm.length + 16 + macBytes;
}

function encode(tsig: TsigRecord): Uint8Array {
  return join([
    tsig.algorithm,
    times(tsig),
    numberBytes(tsig.mac.length, 2),
    tsig.mac,
    numberBytes(tsig.originalId, 2),
    errorAndOther(tsig),
  ]);
}

type Raw = { owner: Name; class: number; ttlSeconds: number; rdata: Uint8Array };

function decode({ owner, class: of, ttlSeconds, rdata }: Raw): TsigRecord {
  const length = nameLength(rdata, 0);
  const number = (at: number, width: number) => numberOf(rdata.subarray(at, at + width));
  const macAt = length + 10;
  const macEnd = macAt + number(macAt - 2, 2);
  const otherAt = macEnd + 6;
  const isWhole = length > 0 && otherAt + number(otherAt - 2, 2) === rdata.length;
  if (!isWhole || of !== CLASSES.ANY || ttlSeconds !== 0)
    throw new MessageError('TSIG is malformed');
  return {
    keyName: owner,
    algorithm: rdata.subarray(0, length),
    timeSeconds: number(length, 6),
    fudgeSeconds: number(length + 6, 2),
    mac: rdata.subarray(macAt, macEnd),
    originalId: number(macEnd, 2),
    error: number(macEnd + 2, 2),
    other: rdata.subarray(otherAt),
  };
}

/** What is signed besides the message: all of the record but the MAC and the ID (§4.3.3). */
export function variables(tsig: TsigRecord): Uint8Array {
  const { keyName, algorithm } = tsig;
  return join([lowerName(keyName), FIXED, lowerName(algorithm), times(tsig), errorAndOther(tsig)]);
}

/** Time and fudge: what is signed with later messages of a stream (§5.3.1). */
export function times({ timeSeconds, fudgeSeconds }: TsigRecord): Uint8Array {
  return join([numberBytes(timeSeconds, 6), numberBytes(fudgeSeconds, 2)]);
}

function errorAndOther({ error, other }: TsigRecord): Uint8Array {
  return join([numberBytes(error, 2), numberBytes(other.length, 2), other]);
}
