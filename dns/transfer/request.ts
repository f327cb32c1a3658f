// A referred request once its signature is checked, and the single messages that answer one. No
// I/O; signatures are node:crypto's.
import { CLASSES, FLAGS, HEADER_BYTES, RCODES } from '../../shared/dns/constants.ts';
import { ednsOf, ednsRecord } from '../../shared/dns/edns.ts';
import { decodeMessage, encodeMessage, MessageError } from '../../shared/dns/message.ts';
import type { Message, MessageRecord, Question } from '../../shared/dns/types.ts';
import type { Exchange } from '../answer/types.ts';
import type { TsigSigner } from '../tsig/tsig.ts';

const OPCODE_BITS = 0x7800;
const LEAST_UDP_BYTES = 512;

export type Request = {
  /** Without TSIG. */
  bytes: Uint8Array;
  id: number;
  flags: number;
  /** The only one, of class IN. */
  question: Question;
  message: Message;
  hasOpt: boolean;
  /** The longest message that answers it over UDP. */
  udpBytes: number;
  exchange: Exchange;
  /** Name of the key by which it is signed, rightly, and what signs the response. */
  key: string | undefined;
  signer: TsigSigner | undefined;
};

/** Or the rcode with which it is refused. */
export function readRequest(
  bytes: Uint8Array,
  rest: Pick<Request, 'exchange' | 'key' | 'signer'>,
): Request | number {
  try {
    const message = decodeMessage(bytes);
    const [question] = message.questions;
    if (question === undefined || message.questions.length > 1) return RCODES.FORMERR;
    const edns = ednsOf(message);
    if (question.class !== CLASSES.IN) return RCODES.REFUSED;
    return {
      ...rest,
      bytes,
      id: message.id,
      flags: message.flags,
      question,
      message,
      hasOpt: edns !== undefined,
      udpBytes: Math.max(LEAST_UDP_BYTES, edns?.udpBytes ?? 0),
    };
  } catch (error) {
    if (error instanceof MessageError) return RCODES.FORMERR;
    throw error;
  }
}

/** Of a response to it. */
export function responseFlags(flags: number, rcode: number, isAuthoritative = false): number {
  return FLAGS.QR | (flags & (OPCODE_BITS | FLAGS.RD)) | (isAuthoritative ? FLAGS.AA : 0) | rcode;
}

/** The header alone: for what could not be read. Undefined: not even that is there. */
export function bareReply(bytes: Uint8Array, rcode: number): Uint8Array | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  const reply = new Uint8Array(HEADER_BYTES);
  reply.set(bytes.subarray(0, 2));
  const flags = ((bytes[2] ?? 0) << 8) | (bytes[3] ?? 0);
  new DataView(reply.buffer).setUint16(2, responseFlags(flags, rcode));
  return reply;
}

/** One message, with AA unless it is an error; signed when the request was. */
export function reply(
  request: Request,
  rcode: number,
  answers: readonly MessageRecord[],
  nowSeconds: number,
): Uint8Array {
  const bytes = encodeMessage({
    id: request.id,
    flags: responseFlags(request.flags, rcode, rcode === RCODES.NOERROR),
    questions: [request.question],
    answers: [...answers],
    authorities: [],
    additionals: request.hasOpt ? [ednsRecord()] : [],
  });
  return sealed(request, bytes, nowSeconds);
}

/** A response as it leaves; over UDP cut to its question where its signature makes it too long. */
export function sealed(request: Request, bytes: Uint8Array, nowSeconds: number): Uint8Array {
  const { signer, exchange, udpBytes, question } = request;
  const length = bytes.length + (signer?.addedBytes ?? 0);
  let whole = bytes;
  if (exchange.transport === 'udp' && length > udpBytes) {
    const { id, flags } = decodeMessage(bytes);
    const nothing = { answers: [], authorities: [], additionals: [] };
    whole = encodeMessage({ id, flags: flags | FLAGS.TC, questions: [question], ...nothing });
  }
  return signer === undefined ? whole : signer.sign(whole, nowSeconds);
}
