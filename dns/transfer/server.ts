// What the answering core refers to the main thread: transfers out (RFC 5936, RFC 1995), NOTIFY
// (RFC 1996), UPDATE, and whatever is signed (RFC 8945).
import { setImmediate as turn } from 'node:timers/promises';
import { OPCODES, opcodeOf, RCODES, TYPES } from '../../shared/dns/constants.ts';
import { displayName, sameName } from '../../shared/dns/names.ts';
import type { MessageRecord } from '../../shared/dns/types.ts';
import { MIN_SOA_BYTES, serialOf } from '../../shared/dns/zone/soa.ts';
import type { Exchange, Responder } from '../answer/types.ts';
import type { ImageRecord } from '../image/records.ts';
import type { ZoneImage } from '../image/types.ts';
import type { Referred } from '../transports/types.ts';
import { type TsigKey, verifyTsig } from '../tsig/tsig.ts';
import type { TransferCounts, TransferOutcome } from './counts.ts';
import { InnerResponder } from './inner.ts';
import type { Journal } from './journal.ts';
import { defaultRecords, type MadeNames, madeNames } from './made-names.ts';
import { differences, soaOf, wholeZone } from './outgoing.ts';
import { packed } from './packing.ts';
import { mayTransfer, primaryOf } from './permission.ts';
import { inPieces } from './pieces.ts';
import { bareReply, type Request, readRequest, reply, responseFlags, sealed } from './request.ts';
import { isNewerSerial } from './serial.ts';
import type { Primary, TransferZone } from './types.ts';

export type TransferServerOptions = {
  /** Of what is served, or is to be served, by name; undefined: no zone of ours. */
  zoneOf: (zone: string) => TransferZone | undefined;
  /** By name. Looked at anew for each message. */
  keys: ReadonlyMap<string, TsigKey>;
  journal: Pick<Journal, 'since'>;
  /** Answers what was signed, and says which addresses an ALIAS has. Of the main thread. */
  responder: Pick<Responder, 'respond'>;
  /** A primary says that there is a new version; `serial` as it says, unproved. */
  onNotify: (zone: string, primary: Primary, serial: number | undefined) => void;
  /** Told of what should not have happened; the client got SERVFAIL, or a transfer that ends. */
  onException: (error: unknown) => void;
  counts: TransferCounts;
  nowSeconds: () => number;
};

/** What a transfer sends, or the rcode that refuses it. */
type Sent = { records: Iterable<MessageRecord>; outcome: TransferOutcome };

export class TransferServer {
  readonly #options: TransferServerOptions;
  readonly #inner: InnerResponder;
  /** By the memory of images. */
  readonly #searches = new WeakMap<SharedArrayBuffer, Promise<MadeNames>>();

  constructor(options: TransferServerOptions) {
    this.#options = options;
    this.#inner = new InnerResponder(options.responder);
  }

  /** For transports. */
  readonly referred: Referred = (message, exchange) => this.#guarded(message, exchange);

  async *#guarded(bytes: Uint8Array, exchange: Exchange): AsyncGenerator<Uint8Array, void> {
    let count = 0;
    try {
      for await (const answer of this.#hear(bytes, exchange)) {
        yield answer;
        count++;
      }
    } catch (error) {
      this.#options.counts['out-failed']++;
      this.#options.onException(error);
      const answer = bareReply(bytes, RCODES.SERVFAIL);
      if (count === 0 && answer !== undefined) yield answer;
    }
  }

  async *#hear(bytes: Uint8Array, exchange: Exchange): AsyncGenerator<Uint8Array, void> {
    const { keys, counts } = this.#options;
    const keyOf = (name: Uint8Array) => keys.get(displayName(name));
    const verdict = verifyTsig(bytes, keyOf, exchange.nowSeconds);
    if (verdict.state === 'refused') {
      counts['tsig-refused']++;
      yield verdict.reply;
      return;
    }
    const isSigned = verdict.state === 'good';
    const key = isSigned ? displayName(verdict.key.name) : undefined;
    const signer = isSigned ? verdict.signer : undefined;
    const request =
      verdict.state === 'malformed'
        ? RCODES.FORMERR
        : readRequest(isSigned ? verdict.message : bytes, { exchange, key, signer });
    if (typeof request !== 'number') {
      yield* this.#answer(request);
      return;
    }
    counts.malformed++;
    const answer = bareReply(bytes, request);
    if (answer !== undefined) yield signer?.sign(answer, exchange.nowSeconds) ?? answer;
  }

  async *#answer(request: Request): AsyncGenerator<Uint8Array, void> {
    const { counts } = this.#options;
    const { exchange, question } = request;
    switch (opcodeOf(request.flags)) {
      case OPCODES.NOTIFY:
        yield this.#notified(request);
        return;
      case OPCODES.UPDATE:
        counts['update-refused']++;
        yield this.#rcode(request, RCODES.NOTIMP);
        return;
      default:
        if (question.type === TYPES.AXFR || question.type === TYPES.IXFR) {
          yield* this.#transfer(request);
          return;
        }
    }
    counts['signed-query']++;
    const answer = this.#inner.answer(request.bytes, exchange);
    if (answer !== undefined) yield sealed(request, answer, exchange.nowSeconds);
  }

  #rcode(request: Request, rcode: number): Uint8Array {
    return reply(request, rcode, [], request.exchange.nowSeconds);
  }

  async *#transfer(request: Request): AsyncGenerator<Uint8Array, void> {
    const { counts, nowSeconds } = this.#options;
    const sent = await this.#decide(request);
    if (typeof sent === 'number') {
      counts['out-refused']++;
      yield this.#rcode(request, sent);
      return;
    }
    if (request.exchange.transport === 'udp') {
      counts[sent.outcome]++;
      yield reply(request, RCODES.NOERROR, [...sent.records], nowSeconds());
      return;
    }
    const flags = responseFlags(request.flags, RCODES.NOERROR, true);
    for (const message of packed({ ...request, flags, nowSeconds }, sent.records)) {
      yield message;
      await turn(); // a client that takes at once what it gets holds up nobody else
    }
    counts[sent.outcome]++;
  }

  async #decide(request: Request): Promise<Sent | number> {
    const { exchange, question, key } = request;
    if (exchange.transport === 'https') return RCODES.REFUSED; // it has one message for each
    const isWhole = question.type === TYPES.AXFR;
    if (isWhole && exchange.transport === 'udp') return RCODES.NOTIMP; // RFC 5936 §4.2
    const name = displayName(question.name);
    const zone = this.#options.zoneOf(name);
    if (zone === undefined) return RCODES.NOTAUTH;
    if (!mayTransfer(zone.policy, exchange.client, key)) return RCODES.REFUSED;
    const { image } = zone;
    if (image === undefined || image.memory.byteLength === 0) return RCODES.SERVFAIL;
    if (isWhole) return this.#whole(zone, image, 'axfr-out');
    return this.#incremental(request, name, zone, image);
  }

  async #incremental(
    request: Request,
    name: string,
    zone: TransferZone,
    image: ZoneImage,
  ): Promise<Sent | number> {
    const [soa] = request.message.authorities;
    const isRight = soa?.type === TYPES.SOA && sameName(soa.owner, request.question.name);
    if (!isRight || soa.rdata.length < MIN_SOA_BYTES) return RCODES.FORMERR;
    const serial = serialOf(soa.rdata);
    const isCurrent = !isNewerSerial(image.serial, serial);
    // Over UDP, a newer serial alone says that TCP is wanted (RFC 1995 §2).
    if (isCurrent || request.exchange.transport === 'udp') {
      return { records: [soaOf(image)], outcome: 'ixfr-out-current' };
    }
    const diffs = await this.#options.journal.since(name, serial, image);
    if (diffs === undefined) return this.#whole(zone, image, 'ixfr-out-whole');
    return { records: differences(image, diffs), outcome: 'ixfr-out' };
  }

  async #whole(zone: TransferZone, image: ZoneImage, outcome: TransferOutcome): Promise<Sent> {
    const made = await this.#search(image);
    return { records: wholeZone(image, this.#made(zone, made)), outcome };
  }

  /** Once for all who ask meanwhile: a thousand of them would be a thousand searches. */
  #search(image: ZoneImage): Promise<MadeNames> {
    const { memory } = image;
    const search = this.#searches.get(memory) ?? inPieces(madeNames(image));
    this.#searches.set(memory, search);
    return search;
  }

  *#made(
    { smart: answers }: TransferZone,
    { smart, aliases }: MadeNames,
  ): Generator<ImageRecord, void> {
    for (const name of smart) yield* defaultRecords(name, answers);
    for (const owner of aliases) yield* this.#inner.addresses(owner, this.#options.nowSeconds());
  }

  #notified(request: Request): Uint8Array {
    const { counts, onNotify, zoneOf } = this.#options;
    const { question, exchange, key, message } = request;
    const name = displayName(question.name);
    const zone = zoneOf(name);
    const primary = zone && primaryOf(zone.primaries, exchange.client, key);
    if (question.type !== TYPES.SOA || primary === undefined) {
      counts['notify-refused']++;
      const isOurs = zone !== undefined;
      return this.#rcode(request, isOurs ? RCODES.REFUSED : RCODES.NOTAUTH);
    }
    counts['notify-heard']++;
    const [soa] = message.answers;
    const isSoa = soa?.type === TYPES.SOA && soa.rdata.length >= MIN_SOA_BYTES;
    onNotify(name, primary, isSoa ? serialOf(soa.rdata) : undefined);
    return this.#rcode(request, RCODES.NOERROR);
  }
}
