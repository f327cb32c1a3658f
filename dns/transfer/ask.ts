// What a secondary asks of a primary: how new its zone is (RFC 1034 §4.3.5), and the zone, as
// differences or whole; signed and verified where there is a key (RFC 8945 §5.3).
import { join } from '../../shared/bytes.ts';
import type { Clock } from '../../shared/clock.ts';
import {
  CLASSES,
  FLAGS,
  opcodeOf,
  RCODES,
  rcodeName,
  rcodeOf,
  TYPES,
} from '../../shared/dns/constants.ts';
import { numberBytes } from '../../shared/dns/fields-scalar.ts';
import { decodeMessage, encodeMessage, MessageError } from '../../shared/dns/message.ts';
import { displayName, ROOT, sameName } from '../../shared/dns/names.ts';
import type { Message, MessageRecord, Name } from '../../shared/dns/types.ts';
import { MIN_SOA_BYTES, serialOf } from '../../shared/dns/zone/soa.ts';
import { OperationalError } from '../../shared/errors.ts';
import { type Endpoint, formatEndpoint } from '../../shared/net/ports.ts';
import type { Random } from '../../shared/random.ts';
import { type TsigKey, TsigSigner, TsigVerifier } from '../tsig/tsig.ts';
import { Incoming, type Received, TransferRefusal } from './incoming.ts';
import { askTcp, askUdp, type TcpBounds } from './network.ts';

export type Asking = {
  from: Endpoint;
  zone: Name;
  key?: TsigKey;
  clock: Clock;
  random: Random;
  signal: AbortSignal;
  bounds?: TcpBounds;
};

/** Bytes: a zone of some ten million records. */
export const TRANSFER_BOUNDS: TcpBounds = {
  connectMs: 5000,
  idleMs: 30_000,
  totalMs: 1_800_000,
  maxBytes: 1024 * 1024 * 1024,
};

const UDP_WAITS_MS = [1000, 2000];

/** The serial that a primary has, over UDP, or TCP when UDP brings nothing whole. */
export async function askSerial(asking: Asking): Promise<number> {
  return await named(asking, async () => {
    const request = new Request(asking, TYPES.SOA);
    const { from: to, clock, signal, bounds = TRANSFER_BOUNDS } = asking;
    const { bytes: message } = request;
    const overUdp = await orNothing(
      askUdp({
        ...{ to, message, clock, signal, waitsMs: UDP_WAITS_MS },
        accept: (bytes) => request.accept(bytes),
      }),
    );
    if (overUdp !== undefined && (overUdp.flags & FLAGS.TC) === 0) return request.serialOf(overUdp);
    let answer: Message | undefined;
    const take = (bytes: Uint8Array) => {
      answer = request.accept(bytes);
      return true;
    };
    await askTcp({ to, message, take, bounds, clock, signal });
    return request.serialOf(answer ?? fail('answers another question'));
  });
}

/** Undefined when nothing came; what came and was refused stays so. */
async function orNothing<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof TransferRefusal) throw error;
    return undefined;
  }
}

/**
 * The zone: whole; or, with `have`, what has changed since that serial, which a primary may answer
 * whole, too. One that does not know IXFR is asked again. Rejects with an OperationalError that
 * names the primary; nothing that came counts then.
 */
export async function transferIn(asking: Asking, have?: number): Promise<Received> {
  return await named(asking, async () => {
    if (have === undefined) return await transfer(asking, TYPES.AXFR, undefined);
    try {
      return await transfer(asking, TYPES.IXFR, have);
    } catch (error) {
      if (!(error instanceof TransferRefusal)) throw error;
      return await transfer(asking, TYPES.AXFR, undefined);
    }
  });
}

async function transfer(asking: Asking, type: number, have: number | undefined): Promise<Received> {
  const { from: to, zone: origin, clock, signal, bounds = TRANSFER_BOUNDS } = asking;
  const request = new Request(asking, type, have);
  const incoming = new Incoming({ origin, have, maxBytes: bounds.maxBytes });
  const take = (bytes: Uint8Array) => {
    for (const record of request.next(bytes)) incoming.take(record);
    return incoming.result !== undefined;
  };
  await askTcp({ to, message: request.bytes, take, bounds, clock, signal });
  if (!request.isComplete) fail('ends without a signature');
  return incoming.result ?? fail('has ended early');
}

function fail(why: string): never {
  throw new TransferRefusal(why);
}

/** One request, and what may answer it. */
class Request {
  readonly bytes: Uint8Array;
  readonly #asking: Asking;
  readonly #id: number;
  readonly #type: number;
  readonly #mac: Uint8Array;
  readonly #verifier: TsigVerifier | undefined;
  #isFirst = true;

  constructor(asking: Asking, type: number, have?: number) {
    const { zone: name, key, random } = asking;
    this.#asking = asking;
    this.#type = type;
    this.#id = random.integer(0x10000);
    const bare = encodeMessage({
      id: this.#id,
      flags: 0,
      questions: [{ name, type, class: CLASSES.IN }],
      answers: [],
      authorities: have === undefined ? [] : [soaWith(name, have)],
      additionals: [],
    });
    const signer = key && new TsigSigner(key);
    this.bytes = signer?.sign(bare, this.#nowSeconds()) ?? bare;
    this.#mac = signer?.mac ?? new Uint8Array(0);
    this.#verifier = key && new TsigVerifier(key, this.#mac);
  }

  /** Of a stream: whether its last message was signed, where that is wanted. */
  get isComplete(): boolean {
    return this.#verifier?.isComplete ?? true;
  }

  /** Of one message over UDP; undefined when it is another's. Throws when it is a refusal. */
  accept(bytes: Uint8Array): Message | undefined {
    if (bytes.length < 2 || (((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0)) !== this.#id)
      return undefined;
    const { key } = this.#asking;
    const message = this.#decode(bytes, key && new TsigVerifier(key, this.#mac));
    const [question] = message.questions;
    const isOurs = question?.type === this.#type && sameName(question.name, this.#asking.zone);
    if (isOurs) return message;
    return undefined;
  }

  /** Answers of the next message of the stream. */
  next(bytes: Uint8Array): MessageRecord[] {
    const message = this.#decode(bytes, this.#verifier);
    const [question] = message.questions;
    if (message.id !== this.#id) fail('has a message with another ID');
    if (question === undefined ? false : !this.#isAsked(question)) {
      fail('has a message with another question');
    }
    if ((message.flags & FLAGS.TC) !== 0) fail('has a message that is cut off');
    if (this.#isFirst && message.answers.length === 0) fail('begins with nothing');
    this.#isFirst = false;
    return message.answers;
  }

  #isAsked({ name, type }: { name: Name; type: number }): boolean {
    return type === this.#type && sameName(name, this.#asking.zone);
  }

  /** The zone's own SOA, said with authority. */
  serialOf({ flags, answers }: Message): number {
    const { zone } = this.#asking;
    const soa = answers.find(({ type, owner }) => type === TYPES.SOA && sameName(owner, zone));
    if (soa === undefined || soa.rdata.length < MIN_SOA_BYTES) fail('has no SOA of the zone');
    if ((flags & FLAGS.AA) === 0) fail('has no authority for the zone');
    return serialOf(soa.rdata);
  }

  #decode(bytes: Uint8Array, verifier: TsigVerifier | undefined): Message {
    const check = verifier?.verify(bytes, this.#nowSeconds());
    if (check?.isGood === false) fail(`TSIG: ${check.reason}`);
    const message = decoded(check?.message ?? bytes);
    const { flags } = message;
    if ((flags & FLAGS.QR) === 0 || opcodeOf(flags) !== 0) fail('is no response');
    const rcode = rcodeOf(flags);
    if (rcode !== RCODES.NOERROR) fail(`is refused with ${rcodeName(rcode)}`);
    return message;
  }

  #nowSeconds(): number {
    return Math.floor(this.#asking.clock.nowMs() / 1000);
  }
}

function decoded(bytes: Uint8Array): Message {
  try {
    return decodeMessage(bytes);
  } catch (error) {
    if (error instanceof MessageError) return fail(`has a malformed message: ${error.message}`);
    throw error;
  }
}

/** Of which only the serial counts (RFC 1995 §3). */
function soaWith(owner: Name, serial: number): MessageRecord {
  const rdata = join([ROOT, ROOT, numberBytes(serial, 4), new Uint8Array(16)]);
  return { owner, type: TYPES.SOA, class: CLASSES.IN, ttlSeconds: 0, rdata };
}

async function named<T>({ from, zone }: Asking, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (cause) {
    const what = `${displayName(zone)} from ${formatEndpoint(from)}`;
    const remedy =
      cause instanceof Error && 'syscall' in cause
        ? 'is the primary there, and open to this host: route, firewall, port'
        : 'look at what the primary logs: its policy, its key, its clock';
    throw new OperationalError('EDGE_DNS_TRANSFER', what, { cause, remedy });
  }
}
