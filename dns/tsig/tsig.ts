// Transaction signatures (RFC 8945): signing and verifying requests, responses, and streams of
// messages over TCP. It uses node:crypto, so it is not counted among what has no I/O; time is
// handed in.

import { createHmac, type Hmac, timingSafeEqual } from 'node:crypto';
import { copyOf } from '../../shared/bytes.ts';
import { FLAGS, RCODES } from '../../shared/dns/constants.ts';
import { numberBytes, numberOf } from '../../shared/dns/fields-scalar.ts';
import { headerOf, MessageError } from '../../shared/dns/message.ts';
import { displayName, parseName, sameName } from '../../shared/dns/names.ts';
import type { Name } from '../../shared/dns/types.ts';
import { seal, sealBytes, type TsigRecord, times, unseal, variables } from './record.ts';

const ALGORITHMS = {
  'hmac-sha1': { hash: 'sha1', bytes: 20 },
  'hmac-sha224': { hash: 'sha224', bytes: 28 },
  'hmac-sha256': { hash: 'sha256', bytes: 32 },
  'hmac-sha384': { hash: 'sha384', bytes: 48 },
  'hmac-sha512': { hash: 'sha512', bytes: 64 },
} as const;

export type TsigAlgorithm = keyof typeof ALGORITHMS;
export const tsigAlgorithms = Object.keys(ALGORITHMS) as readonly TsigAlgorithm[];

export type TsigKey = {
  name: Name;
  algorithm: TsigAlgorithm;
  secret: Uint8Array;
  /** A shorter MAC is refused (BADTRUNC, §5.2.4). Absent: all of the hash is wanted. */
  minMacBytes?: number;
};

/** §10: what is recommended; a message is good for as long before and after its time. */
const FUDGE_SECONDS = 300;
/** §5.3.1: so many messages of a stream may go without a signature between two that have one. */
export const MAX_UNSIGNED = 99;

const NOTHING = new Uint8Array(0);

function algorithmName(algorithm: string): Name {
  const name = parseName(algorithm);
  if (name === undefined) throw new RangeError(`${algorithm} is no name`);
  return name;
}

/** The hash of a key, begun with the MAC that goes before: a request's, or the last of a stream. */
function begin(key: TsigKey, priorMac: Uint8Array | undefined): Hmac {
  const hmac = createHmac(ALGORITHMS[key.algorithm].hash, key.secret);
  return priorMac === undefined
    ? hmac
    : hmac.update(numberBytes(priorMac.length, 2)).update(priorMac);
}

export type TsigSignerOptions = {
  /** Of the request that is answered. Absent: what is signed is a request. */
  requestMac?: Uint8Array;
  fudgeSeconds?: number;
};

/** Signs one message, or a stream: a response and what follows it over TCP. */
export class TsigSigner {
  readonly #key: TsigKey;
  readonly #fudgeSeconds: number;
  #hmac: Hmac;
  #isFirst = true;
  /** Of the last message that was signed; what verifies its answer needs it. */
  mac: Uint8Array = NOTHING;

  constructor(key: TsigKey, { requestMac, fudgeSeconds = FUDGE_SECONDS }: TsigSignerOptions = {}) {
    this.#key = key;
    this.#fudgeSeconds = fudgeSeconds;
    this.#hmac = begin(key, requestMac);
  }

  /** Bytes that `sign` adds to a message: what has to be left free. */
  get addedBytes(): number {
    const { name, algorithm } = this.#key;
    return sealBytes(name, algorithmName(algorithm), ALGORITHMS[algorithm].bytes);
  }

  /** `message` with TSIG at its end. The first and the last of a stream have to be signed. */
  sign(message: Uint8Array, nowSeconds: number): Uint8Array {
    const parts = { timeSeconds: nowSeconds, fudgeSeconds: this.#fudgeSeconds };
    return this.#seal(message, { ...parts, error: 0, other: NOTHING });
  }

  /** A response that says BADTIME or BADTRUNC: signed, with the client's own time (§5.2.3). */
  signError(
    message: Uint8Array,
    request: TsigRecord,
    error: number,
    other: Uint8Array,
  ): Uint8Array {
    const { timeSeconds, fudgeSeconds } = request;
    return this.#seal(message, { timeSeconds, fudgeSeconds, error, other });
  }

  /** A message of a stream that goes unsigned: the next signature is for it, too. */
  pass(message: Uint8Array): void {
    this.#hmac.update(message);
  }

  #seal(
    message: Uint8Array,
    parts: Pick<TsigRecord, 'timeSeconds' | 'fudgeSeconds' | 'error' | 'other'>,
  ): Uint8Array {
    const tsig: TsigRecord = {
      ...parts,
      keyName: this.#key.name,
      algorithm: algorithmName(this.#key.algorithm),
      mac: NOTHING,
      originalId: headerOf(message).id,
    };
    this.#hmac.update(message).update(this.#isFirst ? variables(tsig) : times(tsig));
    this.mac = this.#hmac.digest();
    this.#isFirst = false;
    this.#hmac = begin(this.#key, this.mac);
    return seal(message, { ...tsig, mac: this.mac });
  }
}

/** Whether a MAC is of a length that there may be (§5.2.2.1); else the message is malformed. */
function isMacLength(length: number, algorithm: TsigAlgorithm): boolean {
  const { bytes } = ALGORITHMS[algorithm];
  return length <= bytes && length >= Math.max(10, bytes / 2);
}

function sameMac(mac: Uint8Array, digest: Uint8Array): boolean {
  return timingSafeEqual(mac, digest.subarray(0, mac.length));
}

/** What is wrong with time or length of a MAC that is right; 0: nothing (§5.2.3, §5.2.4). */
function policyError(tsig: TsigRecord, key: TsigKey, nowSeconds: number): number {
  if (Math.abs(nowSeconds - tsig.timeSeconds) > tsig.fudgeSeconds) return RCODES.BADTIME;
  const least = key.minMacBytes ?? ALGORITHMS[key.algorithm].bytes;
  return tsig.mac.length < least ? RCODES.BADTRUNC : 0;
}

export type TsigVerdict =
  /** No TSIG: whether that is enough is the caller's to say. */
  | { state: 'unsigned' }
  /** No message, or a TSIG that is none: FORMERR, unsigned. */
  | { state: 'malformed' }
  /** `reply` says so: a whole response, ready to be sent. `keyName` is what the client claims. */
  | { state: 'refused'; error: number; keyName: Name; reply: Uint8Array }
  /** `message` is without TSIG, its ID as received; `signer` is for the response. */
  | { state: 'good'; key: TsigKey; message: Uint8Array; signer: TsigSigner };

/** A server's check of a request (§5.2). `keyOf`: the key of a name, if there is one. */
export function verifyTsig(
  bytes: Uint8Array,
  keyOf: (name: Name) => TsigKey | undefined,
  nowSeconds: number,
): TsigVerdict {
  const unsealed = tryUnseal(bytes);
  if (unsealed === undefined) return { state: 'malformed' };
  const { message, tsig } = unsealed;
  if (tsig === undefined) return { state: 'unsigned' };
  const bare = bareReply(bytes, unsealed.questionsEnd);
  const refuse = (error: number, reply: Uint8Array): TsigVerdict => {
    return { state: 'refused', error, keyName: tsig.keyName, reply };
  };
  const key = keyOf(tsig.keyName);
  if (key === undefined || !isOf(tsig, key)) {
    return refuse(RCODES.BADKEY, unsignedError(bare, tsig, RCODES.BADKEY));
  }
  if (!isMacLength(tsig.mac.length, key.algorithm)) return { state: 'malformed' };
  const digest = begin(key, undefined).update(message).update(variables(tsig)).digest();
  if (!sameMac(tsig.mac, digest)) {
    return refuse(RCODES.BADSIG, unsignedError(bare, tsig, RCODES.BADSIG));
  }
  const signer = new TsigSigner(key, { requestMac: tsig.mac });
  const error = policyError(tsig, key, nowSeconds);
  if (error !== 0) {
    const other = error === RCODES.BADTIME ? numberBytes(nowSeconds, 6) : NOTHING;
    return refuse(error, signer.signError(bare, tsig, error, other));
  }
  message.set(bytes.subarray(0, 2));
  return { state: 'good', key, message, signer };
}

function tryUnseal(bytes: Uint8Array) {
  try {
    return unseal(bytes);
  } catch (error) {
    if (error instanceof MessageError) return undefined;
    throw error;
  }
}

function isOf(tsig: TsigRecord, key: TsigKey): boolean {
  return sameName(tsig.keyName, key.name) && sameName(tsig.algorithm, algorithmName(key.algorithm));
}

/** NOTAUTH with the request's question. */
function bareReply(request: Uint8Array, questionsEnd: number): Uint8Array {
  const reply = copyOf(request, 0, questionsEnd);
  const view = new DataView(reply.buffer);
  const kept = view.getUint16(2) & (0x7800 | FLAGS.RD);
  view.setUint16(2, FLAGS.QR | kept | RCODES.NOTAUTH);
  for (const count of [6, 8, 10]) view.setUint16(count, 0);
  return reply;
}

/** Whoever cannot prove a key gets nothing that is signed (§5.3.2). */
function unsignedError(reply: Uint8Array, request: TsigRecord, error: number): Uint8Array {
  const { id } = headerOf(reply);
  return seal(reply, { ...request, mac: NOTHING, originalId: id, error, other: NOTHING });
}

export type TsigCheck =
  /** `message` is without TSIG. */
  | { isGood: true; message: Uint8Array }
  /** `reason` follows "TSIG: ". `error`: what the server says (BADKEY …), 0: what is found here. */
  | { isGood: false; reason: string; error: number };

/** A client's check of what answers its request: one response, or a stream (§5.3, §5.4). */
export class TsigVerifier {
  readonly #key: TsigKey;
  #hmac: Hmac;
  #isFirst = true;
  #unsigned = 0;
  #failure: TsigCheck | undefined;

  /** `requestMac`: the `mac` of the signer of the request. */
  constructor(key: TsigKey, requestMac: Uint8Array) {
    this.#key = key;
    this.#hmac = begin(key, requestMac);
  }

  /** Whether the last message was signed: only then may a stream end. */
  get isComplete(): boolean {
    return !this.#isFirst && this.#unsigned === 0 && this.#failure === undefined;
  }

  /** Each message of the stream, in order. After one that is not good nothing else is. */
  verify(bytes: Uint8Array, nowSeconds: number): TsigCheck {
    if (this.#failure !== undefined) return this.#failure;
    const check = this.#check(bytes, nowSeconds);
    if (!check.isGood) this.#failure = check;
    return check;
  }

  #check(bytes: Uint8Array, nowSeconds: number): TsigCheck {
    const unsealed = tryUnseal(bytes);
    if (unsealed === undefined) return bad('the message is malformed');
    const { message, tsig } = unsealed;
    if (tsig === undefined) return this.#passed(message);
    if (!isOf(tsig, this.#key)) return bad('another key, or another algorithm');
    if (tsig.mac.length === 0) return unprovedError(tsig);
    if (!isMacLength(tsig.mac.length, this.#key.algorithm)) {
      return bad(`a signature of ${tsig.mac.length} bytes`);
    }
    this.#hmac.update(message).update(this.#isFirst ? variables(tsig) : times(tsig));
    if (!sameMac(tsig.mac, this.#hmac.digest())) return bad('the signature is wrong');
    this.#hmac = begin(this.#key, tsig.mac);
    this.#isFirst = false;
    this.#unsigned = 0;
    if (tsig.error !== 0) return saidError(tsig);
    const error = policyError(tsig, this.#key, nowSeconds);
    if (error === RCODES.BADTIME) {
      return bad(`its time is ${Math.abs(nowSeconds - tsig.timeSeconds)} s from the time here`);
    }
    if (error !== 0) return bad(`a signature of ${tsig.mac.length} bytes is too short`);
    message.set(bytes.subarray(0, 2));
    return { isGood: true, message };
  }

  #passed(message: Uint8Array): TsigCheck {
    if (this.#isFirst) return bad('the response is not signed');
    if (++this.#unsigned > MAX_UNSIGNED) return bad(`${this.#unsigned} messages without signature`);
    this.#hmac.update(message);
    return { isGood: true, message };
  }
}

function bad(reason: string): TsigCheck {
  return { isGood: false, reason, error: 0 };
}

const ERROR_WORDS = new Map<number, string>([
  [RCODES.BADSIG, 'BADSIG: the secret is another one'],
  [RCODES.BADKEY, 'BADKEY: it does not know the key, or not with this algorithm'],
  [RCODES.BADTIME, 'BADTIME: its clock and the one here differ'],
  [RCODES.BADTRUNC, 'BADTRUNC: it wants a longer signature'],
]);

function saidError({ error, other }: TsigRecord): TsigCheck {
  const words = ERROR_WORDS.get(error) ?? `error ${error}`;
  const clock = error === RCODES.BADTIME && other.length === 6 ? ` (${numberOf(other)})` : '';
  return { isGood: false, reason: `the server says ${words}${clock}`, error };
}

/** Anybody can have sent it; it says why nothing else came. */
function unprovedError(tsig: TsigRecord): TsigCheck {
  if (tsig.error === RCODES.BADSIG || tsig.error === RCODES.BADKEY) return saidError(tsig);
  return bad(`no signature of ${displayName(tsig.keyName)}`);
}
