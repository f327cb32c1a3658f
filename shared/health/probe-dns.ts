// DNS: one question over UDP from a port and with an id that nobody knows before (RFC 5452), again
// over TCP when the answer was cut off (RFC 7766). Good: NOERROR with an answer to this question.
import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import {
  CLASSES,
  FLAGS,
  HEADER_BYTES,
  opcodeOf,
  RCODES,
  rcodeName,
  rcodeOf,
} from '../dns/constants.ts';
import { decodeMessage, encodeMessage, headerOf, MessageError } from '../dns/message.ts';
import { parseName, sameName } from '../dns/names.ts';
import type { Message, Question } from '../dns/types.ts';
import type { Random } from '../random.ts';
import {
  attempt,
  bad,
  type Deadline,
  good,
  notProbed,
  type Place,
  settleBy,
  type Verdict,
} from './probe-attempt.ts';
import type { CheckSettings, ProbeResult } from './types.ts';

type Asked = Pick<Extract<CheckSettings, { type: 'dns' }>, 'name' | 'recordType'>;
type Sent = { id: number; question: Question; bytes: Uint8Array };
type Settle = (verdict: Verdict) => void;

export function probeDns(
  place: Place,
  { name: text, recordType: type }: Asked,
  random: Random,
  deadline: Deadline,
): Promise<ProbeResult> {
  return attempt(deadline, (settle) => {
    const name = parseName(text);
    if (name === undefined) {
      settle(notProbed('the name is no domain name'));
      return () => {};
    }
    const sent = questionOf({ name, type, class: CLASSES.IN }, random);
    let release = () => {};
    const toTcp = () => {
      release();
      release = askTcp(place, sent, settle);
    };
    release = askUdp(place, sent, settle, toTcp);
    return () => release();
  });
}

function questionOf(question: Question, random: Random): Sent {
  const id = random.integer(0x1_0000);
  const message = { id, flags: FLAGS.RD, answers: [], authorities: [], additionals: [] };
  return { id, question, bytes: encodeMessage({ ...message, questions: [question] }) };
}

/** What is no answer to this question is not looked at: anybody may have sent it. */
function askUdp(place: Place, sent: Sent, settle: Settle, toTcp: () => void): () => void {
  const { address, port } = place;
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  let isOpen = true;
  socket.on('error', (error) => isOpen && settleBy(error, address, settle));
  socket.on('message', (bytes) => {
    const verdict = isOpen ? judge(bytes, sent, 'udp') : undefined;
    if (verdict === 'cut off') toTcp();
    else if (verdict !== undefined) settle(verdict);
  });
  // Connected, so that a refusal is heard, and nobody else can answer.
  socket.once('connect', () => isOpen && socket.send(sent.bytes));
  socket.connect(port, address);
  return () => {
    isOpen = false;
    socket.close();
  };
}

function askTcp({ address, port }: Place, sent: Sent, settle: Settle): () => void {
  const socket = connect({ host: address, port, noDelay: true });
  const head = Buffer.alloc(2);
  head.writeUInt16BE(sent.bytes.length);
  let got: Buffer = Buffer.alloc(0);
  socket.on('error', (error) => settleBy(error, address, settle));
  socket.on('connect', () => socket.write(Buffer.concat([head, sent.bytes])));
  socket.on('data', (chunk) => {
    got = Buffer.concat([got, chunk]);
    const end = got.length < 2 ? Number.POSITIVE_INFINITY : 2 + got.readUInt16BE(0);
    if (got.length < end) return;
    const verdict = judge(got.subarray(2, end), sent, 'tcp');
    settle(typeof verdict === 'object' ? verdict : bad('answers another question over TCP'));
  });
  socket.on('end', () => settle(bad('closed by the target')));
  return () => socket.destroy();
}

/** Undefined: it is none of the answers to what was sent. */
function judge(bytes: Uint8Array, sent: Sent, by: 'udp' | 'tcp'): Verdict | 'cut off' | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  const { id, flags } = headerOf(bytes);
  if (id !== sent.id || (flags & FLAGS.QR) === 0 || opcodeOf(flags) !== 0) return undefined;
  // A server that could not read the question may leave it out.
  const rcode = rcodeOf(flags);
  if (rcode !== RCODES.NOERROR) return bad(rcodeName(rcode));
  if ((flags & FLAGS.TC) !== 0) return by === 'udp' ? 'cut off' : bad('cut off over TCP');
  try {
    const message = decodeMessage(bytes);
    if (!isAbout(message, sent.question)) return undefined;
    return message.answers.length > 0 ? good('NOERROR') : bad('NOERROR without an answer');
  } catch (error) {
    if (!(error instanceof MessageError)) throw error;
    return bad('answers no DNS message');
  }
}

function isAbout({ questions }: Message, { name, type, class: of }: Question): boolean {
  const [asked] = questions;
  if (asked === undefined || questions.length > 1) return false;
  return asked.type === type && asked.class === of && sameName(asked.name, name);
}
