// Messages as values, for transfers, tools and tests (RFC 1035 §4.1); answering has its own way.
// Encoding compresses names, decoding uncompresses them. Pure.
import { HEADER_BYTES } from './constants.ts';
import { MessageWriter } from './message-writer.ts';
import { nameFrom, type ReadName } from './names.ts';
import { rdataFrom } from './rdata.ts';
import { typeName } from './type-names.ts';
import type { Message, MessageRecord, Question } from './types.ts';

/** Bytes that are no message. */
export class MessageError extends Error {
  override readonly name = 'MessageError';
}

/** Throws RangeError when it is longer than 65,535 bytes, RdataError for data that is none. */
export function encodeMessage(message: Message): Uint8Array {
  const writer = new MessageWriter(message);
  for (const question of message.questions) fits(writer.question(question));
  for (const record of message.answers) fits(writer.record('answers', record));
  for (const record of message.authorities) fits(writer.record('authorities', record));
  for (const record of message.additionals) fits(writer.record('additionals', record));
  return writer.bytes();
}

function fits(added: boolean): void {
  if (!added) throw new RangeError('a message has at most 65535 bytes');
}

/** Throws MessageError for anything that is not exactly one message. */
export function decodeMessage(bytes: Uint8Array): Message {
  const header = headerOf(bytes);
  const { counts } = header;
  const reader = { bytes, view: viewOf(bytes), at: HEADER_BYTES };
  const message = {
    id: header.id,
    flags: header.flags,
    questions: times(counts[0], () => readQuestion(reader)),
    answers: times(counts[1], () => readRecord(reader)),
    authorities: times(counts[2], () => readRecord(reader)),
    additionals: times(counts[3], () => readRecord(reader)),
  };
  if (reader.at === bytes.length) return message;
  throw new MessageError(`${bytes.length - reader.at} bytes follow the last record`);
}

export type Header = {
  id: number;
  flags: number;
  /** Questions, answers, authorities, additionals. */
  counts: readonly [number, number, number, number];
};

/** Throws MessageError for fewer than 12 bytes. */
export function headerOf(bytes: Uint8Array): Header {
  if (bytes.length < HEADER_BYTES) {
    throw new MessageError(`${bytes.length} bytes are no message: a header has ${HEADER_BYTES}`);
  }
  const view = viewOf(bytes);
  return {
    id: view.getUint16(0),
    flags: view.getUint16(2),
    counts: [view.getUint16(4), view.getUint16(6), view.getUint16(8), view.getUint16(10)],
  };
}

/** A record in a message's bytes, its owner and header counted; `section` as in Header.counts. */
export type RecordSpan = { section: 1 | 2 | 3; type: number; start: number; end: number };

/** All records in their order, and where they begin. Throws MessageError. */
export function recordSpans(bytes: Uint8Array): { questionsEnd: number; spans: RecordSpan[] } {
  const { counts } = headerOf(bytes);
  const reader = { bytes, view: viewOf(bytes), at: HEADER_BYTES };
  for (let left = counts[0]; left > 0; left--) readQuestion(reader);
  const questionsEnd = reader.at;
  const spans: RecordSpan[] = [];
  for (const section of [1, 2, 3] as const) {
    for (let left = counts[section]; left > 0; left--) {
      const start = reader.at;
      readName(reader);
      const at = advance(reader, 10);
      advance(reader, reader.view.getUint16(at + 8));
      spans.push({ section, type: reader.view.getUint16(at), start, end: reader.at });
    }
  }
  return { questionsEnd, spans };
}

/** The record that begins at `start`. Throws MessageError. */
export function recordAt(bytes: Uint8Array, start: number): MessageRecord {
  return readRecord({ bytes, view: viewOf(bytes), at: start });
}

type Reader = { bytes: Uint8Array; view: DataView; at: number };

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function times<T>(count: number, read: () => T): T[] {
  const list: T[] = [];
  // A count is no promise: what it counts is made only as it is found.
  while (list.length < count) list.push(read());
  return list;
}

function readName(reader: Reader): ReadName['name'] {
  const read = nameFrom(reader.bytes, reader.at);
  if (read === undefined) throw new MessageError(`there is no name at byte ${reader.at}`);
  reader.at = read.next;
  return read.name;
}

function readQuestion(reader: Reader): Question {
  const name = readName(reader);
  const at = advance(reader, 4);
  return { name, type: reader.view.getUint16(at), class: reader.view.getUint16(at + 2) };
}

function readRecord(reader: Reader): MessageRecord {
  const owner = readName(reader);
  const at = advance(reader, 10);
  const type = reader.view.getUint16(at);
  const from = advance(reader, reader.view.getUint16(at + 8));
  const rdata = rdataFrom(type, reader.bytes, from, reader.at);
  if (rdata === undefined) {
    throw new MessageError(`the data at byte ${from} is not of type ${typeName(type)}`);
  }
  const { view } = reader;
  return { owner, type, class: view.getUint16(at + 2), ttlSeconds: view.getUint32(at + 4), rdata };
}

/** Where it was before. */
function advance(reader: Reader, bytes: number): number {
  const at = reader.at;
  reader.at += bytes;
  if (reader.at > reader.bytes.length) throw new MessageError('the message is cut off');
  return at;
}
