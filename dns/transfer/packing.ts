// Records as the messages of a transfer (RFC 5936 §2.2): the question and OPT in the first one, as
// many records in each as fit where names compress, each signed when the request was. No I/O;
// signatures are node:crypto's.
import { join } from '../../shared/bytes.ts';
import { HEADER_BYTES } from '../../shared/dns/constants.ts';
import { ednsRecord } from '../../shared/dns/edns.ts';
import { encodeMessage } from '../../shared/dns/message.ts';
import { MessageWriter } from '../../shared/dns/message-writer.ts';
import type { MessageRecord, Question } from '../../shared/dns/types.ts';
import type { TsigSigner } from '../tsig/tsig.ts';

/** Pointers reach no further, so that larger messages would be no smaller by the record. */
const FULL_BYTES = 0x4000;
const MAX_BYTES = 0xffff;

export type Packing = {
  id: number;
  flags: number;
  question: Question;
  hasOpt: boolean;
  /** Of the response; none: nothing is signed. */
  signer: TsigSigner | undefined;
  nowSeconds: () => number;
};

/** Throws a RangeError for a record that fits into no message, besides what writers throw. */
export function* packed(
  packing: Packing,
  records: Iterable<MessageRecord>,
): Generator<Uint8Array, void> {
  let isFirst = true;
  let writer = begin(packing, isFirst, FULL_BYTES);
  let count = 0;
  for (const record of records) {
    if (writer.record('answers', record)) {
      count++;
      continue;
    }
    if (count > 0) {
      yield end(packing, isFirst, writer);
      isFirst = false;
    }
    count = 1;
    writer = begin(packing, isFirst, FULL_BYTES);
    if (writer.record('answers', record)) continue;
    writer = begin(packing, isFirst, MAX_BYTES);
    if (!writer.record('answers', record)) throw new RangeError('a record fits into no message');
  }
  yield end(packing, isFirst, writer);
}

/** OPT alone, as the additional section that it is. */
const OPT = encodeMessage({
  ...{ id: 0, flags: 0, questions: [], answers: [], authorities: [] },
  additionals: [ednsRecord()],
}).subarray(HEADER_BYTES);

/** `bytes` has no additional section yet. */
function withOpt(bytes: Uint8Array): Uint8Array {
  const whole = join([bytes, OPT]);
  whole[11] = 1;
  return whole;
}

function begin(packing: Packing, isFirst: boolean, maxBytes: number): MessageWriter {
  const { id, flags, question, hasOpt, signer } = packing;
  const reserved = (signer?.addedBytes ?? 0) + (hasOpt && isFirst ? OPT.length : 0);
  const writer = new MessageWriter({ id, flags }, maxBytes - reserved);
  if (isFirst) writer.question(question);
  return writer;
}

function end(packing: Packing, isFirst: boolean, writer: MessageWriter): Uint8Array {
  const { hasOpt, signer, nowSeconds } = packing;
  const bytes = hasOpt && isFirst ? withOpt(writer.bytes()) : writer.bytes();
  return signer === undefined ? bytes : signer.sign(bytes, nowSeconds());
}
