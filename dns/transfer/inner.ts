// The main thread's responder, asked by transfers: for the answer to a query whose signature was
// taken off, and for the addresses that an ALIAS stands for. Pure.
import { CLASSES, TYPES } from '../../shared/dns/constants.ts';
import { decodeMessage, encodeMessage } from '../../shared/dns/message.ts';
import { sameName } from '../../shared/dns/names.ts';
import type { Name } from '../../shared/dns/types.ts';
import type { Exchange, Responder } from '../answer/types.ts';
import type { ImageRecord } from '../image/records.ts';

const MAX_BYTES = 0xffff;
/** Of no line but default, unless a list has it. */
const NOBODY = new Uint8Array(4);
const ANY_PORT = 53;

export class InnerResponder {
  readonly #responder: Pick<Responder, 'respond'>;
  readonly #out = new Uint8Array(MAX_BYTES);

  constructor(responder: Pick<Responder, 'respond'>) {
    this.#responder = responder;
  }

  /** Undefined: it is not answered. */
  answer(query: Uint8Array, exchange: Exchange): Uint8Array | undefined {
    const length = this.#responder.respond(query, query.length, exchange, this.#out);
    return length > 0 ? this.#out.slice(0, length) : undefined;
  }

  /** A and AAAA of a name as they are answered now; none when they are not known. */
  addresses(owner: Name, nowSeconds: number): ImageRecord[] {
    return [TYPES.A, TYPES.AAAA].flatMap((type) => this.#records(owner, type, nowSeconds));
  }

  #records(owner: Name, type: number, nowSeconds: number): ImageRecord[] {
    const questions = [{ name: owner, type, class: CLASSES.IN }];
    const nothing = { answers: [], authorities: [], additionals: [] };
    const query = encodeMessage({ id: 0, flags: 0, questions, ...nothing });
    const client = { transport: 'tcp', client: NOBODY, clientPort: ANY_PORT } as const;
    const answer = this.answer(query, { ...client, nowSeconds, nowMs: 0 });
    if (answer === undefined) return [];
    return decodeMessage(answer)
      .answers.filter((each) => each.type === type && sameName(each.owner, owner))
      .map(({ ttlSeconds, rdata }) => ({ owner, type, ttlSeconds, rdata }));
  }
}
