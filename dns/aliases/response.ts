// What a resolver's response says of the addresses of a name: its CNAMEs followed within it, and
// what a negative one means (RFC 1034 §4.3, RFC 2308 §2 and §5). Pure.
import {
  CLASSES,
  FLAGS,
  opcodeOf,
  RCODES,
  rcodeName,
  rcodeOf,
  TYPES,
} from '../../shared/dns/constants.ts';
import { decodeMessage, MessageError } from '../../shared/dns/message.ts';
import { formatName, sameName } from '../../shared/dns/names.ts';
import type { AddressBytes, Message, Name } from '../../shared/dns/types.ts';
import { MIN_SOA_BYTES, minimumOf } from '../../shared/dns/zone/soa.ts';

export type AddressQuestion = { id: number; target: Name; type: number };
/** No addresses: it has none of that type. */
export type AddressAnswer = { addresses: AddressBytes[]; ttlSeconds: number };

/** A resolver that answers, but does not say what was asked. */
export class ResolverRefusal extends Error {
  override readonly name = 'ResolverRefusal';
}

const MAX_LINKS = 16;
/** Of one name and type; the others are left away. */
const MAX_ADDRESSES = 256;
/** Of a negative answer that says nothing of it. */
const NEGATIVE_TTL_SECONDS = 60;

/** Undefined: it is not the answer to this question, wait on. Throws ResolverRefusal. */
export function readResponse(
  bytes: Uint8Array,
  question: AddressQuestion,
): AddressAnswer | 'truncated' | undefined {
  const message = decoded(bytes);
  if (message === undefined || !isAnswerTo(message, question)) return undefined;
  const rcode = rcodeOf(message.flags);
  if (rcode !== RCODES.NOERROR && rcode !== RCODES.NXDOMAIN) fail(`says ${rcodeName(rcode)}`);
  if ((message.flags & FLAGS.TC) !== 0) return 'truncated';
  return answerIn(message, question);
}

/** Anybody may send what is no message. */
function decoded(bytes: Uint8Array): Message | undefined {
  try {
    return decodeMessage(bytes);
  } catch (error) {
    if (error instanceof MessageError) return undefined;
    throw error;
  }
}

function isAnswerTo({ id, flags, questions }: Message, asked: AddressQuestion): boolean {
  const [question] = questions;
  if (id !== asked.id || (flags & FLAGS.QR) === 0 || opcodeOf(flags) !== 0) return false;
  if (question === undefined || questions.length > 1) return false;
  const { name, type, class: its } = question;
  return sameName(name, asked.target) && type === asked.type && its === CLASSES.IN;
}

function answerIn(message: Message, { target, type }: AddressQuestion): AddressAnswer {
  const isFamily = (rdata: Uint8Array) => rdata.length === (type === TYPES.A ? 4 : 16);
  let name = target;
  let ttlSeconds = Number.POSITIVE_INFINITY;
  for (let links = 0; links <= MAX_LINKS; links++) {
    const own = message.answers.filter((each) => {
      return each.class === CLASSES.IN && sameName(each.owner, name);
    });
    const found = own.filter((each) => each.type === type && isFamily(each.rdata));
    const cname = own.find((each) => each.type === TYPES.CNAME);
    if (found.length > 0) {
      const ttls = found.map((each) => ttlOf(each.ttlSeconds));
      const addresses = found.slice(0, MAX_ADDRESSES).map(({ rdata }) => rdata);
      return { addresses, ttlSeconds: Math.min(ttlSeconds, ...ttls) };
    }
    if (cname === undefined) {
      return { addresses: [], ttlSeconds: Math.min(ttlSeconds, negativeTtl(message)) };
    }
    ttlSeconds = Math.min(ttlSeconds, ttlOf(cname.ttlSeconds));
    name = cname.rdata;
  }
  fail(`has a chain without an end from ${formatName(target)}`);
}

/** Of one that has no such record: a referral is none, nor what nobody recursed for. */
function negativeTtl({ flags, authorities }: Message): number {
  const soa = authorities.find(({ type }) => type === TYPES.SOA);
  if (soa !== undefined && soa.rdata.length >= MIN_SOA_BYTES) {
    return Math.min(ttlOf(soa.ttlSeconds), minimumOf(soa.rdata));
  }
  const isReferral = authorities.some(({ type }) => type === TYPES.NS);
  if (isReferral || (flags & FLAGS.RA) === 0) fail('does not recurse');
  return NEGATIVE_TTL_SECONDS;
}

/** With the highest bit it is 0 (RFC 2181 §8). */
function ttlOf(ttlSeconds: number): number {
  return ttlSeconds > 0x7fff_ffff ? 0 : ttlSeconds;
}

function fail(why: string): never {
  throw new ResolverRefusal(why);
}
