// Asks recursive resolvers for the addresses of a name: over UDP from a port of its own with a
// random id (RFC 5452 §9), over TCP what does not fit; the next one when one is silent or fails.
import type { Clock } from '../../shared/clock.ts';
import { CLASSES, FLAGS } from '../../shared/dns/constants.ts';
import { encodeMessage } from '../../shared/dns/message.ts';
import type { Name } from '../../shared/dns/types.ts';
import { describeError } from '../../shared/errors.ts';
import { type Endpoint, formatEndpoint } from '../../shared/net/ports.ts';
import type { Random } from '../../shared/random.ts';
import { askTcp, askUdp, type TcpBounds } from '../transfer/network.ts';
import { type AddressAnswer, type AddressQuestion, readResponse } from './response.ts';

const WAITS_MS = [500, 1000];
const TCP_BOUNDS: TcpBounds = {
  connectMs: 1500,
  idleMs: 1500,
  totalMs: 3000,
  maxBytes: 0xffff + 2,
};

export type ResolversOptions = { clock: Clock; random: Random; signal: AbortSignal };

/** `from`: which one said it. */
export type Resolved = AddressAnswer & { from: string };

export class Resolvers {
  readonly #options: ResolversOptions;
  /** The one that answered last is asked first. */
  #first: Endpoint | undefined;

  constructor(options: ResolversOptions) {
    this.#options = options;
  }

  /** Rejects with what each of them did instead. */
  async ask(resolvers: readonly Endpoint[], target: Name, type: number): Promise<Resolved> {
    const problems: string[] = [];
    for (const to of this.#inTurn(resolvers)) {
      try {
        const answer = await this.#askOne(to, target, type);
        this.#first = to;
        return { ...answer, from: formatEndpoint(to) };
      } catch (error) {
        this.#options.signal.throwIfAborted();
        problems.push(`${formatEndpoint(to)}: ${describeError(error)}`);
      }
    }
    throw new Error(problems.join('; '));
  }

  #inTurn(resolvers: readonly Endpoint[]): readonly Endpoint[] {
    const at = this.#first === undefined ? 0 : resolvers.indexOf(this.#first);
    if (at <= 0) return resolvers;
    return [...resolvers.slice(at), ...resolvers.slice(0, at)];
  }

  async #askOne(to: Endpoint, target: Name, type: number): Promise<AddressAnswer> {
    const { clock, random, signal } = this.#options;
    const question: AddressQuestion = { id: random.integer(0x10000), target, type };
    const message = encodeMessage({
      id: question.id,
      flags: FLAGS.RD,
      questions: [{ name: target, type, class: CLASSES.IN }],
      answers: [],
      authorities: [],
      additionals: [],
    });
    const answer = await askUdp({
      ...{ to, message, clock, signal, waitsMs: WAITS_MS },
      accept: (bytes) => readResponse(bytes, question),
    });
    if (answer !== 'truncated') return answer;
    let whole: AddressAnswer | undefined;
    const take = (bytes: Uint8Array): boolean => {
      const read = readResponse(bytes, question);
      if (read === undefined || read === 'truncated') throw new Error('answers another question');
      whole = read;
      return true;
    };
    await askTcp({ to, message, take, bounds: TCP_BOUNDS, clock, signal });
    if (whole === undefined) throw new Error('has sent no answer');
    return whole;
  }
}
