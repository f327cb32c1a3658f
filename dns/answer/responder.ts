// The shell of an answer: hears a message (H1 to H6), settles EDNS, cookies and whose line decides,
// lets resolve() say what is answered, keeps to size and rate, and counts how it ended. Rules:
// docs/answers.md. Pure: clock and randomness come in.
import { CLASSES } from '../../shared/dns/constants.ts';
import type { AliasTable } from './alias-table.ts';
import { Chaos } from './chaos.ts';
import { foldIpv4 } from './client-address.ts';
import { Cookies } from './cookies.ts';
import * as counting from './counters.ts';
import { Ecs } from './ecs.ts';
import { Edns } from './edns.ts';
import { OUTCOME, rcodeOfOutcome, SILENT } from './outcomes.ts';
import * as query from './query.ts';
import type { QuerySampler } from './query-sample.ts';
import type { Resolve, Result } from './query-types.ts';
import { DROP, likeHash, RateLimit, SEND } from './rate-limit.ts';
import { createResolve, noResult } from './resolve.ts';
import { clearResult } from './resolve-begin.ts';
import { type Exchange, REFERRED, type Responder, type ServingState, SILENCE } from './types.ts';
import * as unknown from './unknown-clients.ts';

const { count, FACT } = counting;
const { GO_ON } = query;

export type ResponderOptions = {
  /** Another table than the state's of targets of ALIAS that no served zone has. */
  aliases?: AliasTable;
  /** Another heart than resolve.ts', for tests of the shell. */
  bind?: (state: ServingState) => Resolve;
  /** What clients over TCP and TLS are told that their connection may idle (RFC 7828). */
  keepaliveMs: number;
  /** Any 32 bits that nobody outside knows. */
  seed: number;
  /** Told of what a message should not have made happen; it was answered SERVFAIL, and counted. */
  onException?: (error: unknown) => void;
  /** For the query log. */
  sampler?: QuerySampler;
};

/** What is made of a state, and replaced with it. */
type Bound = { state: ServingState; resolve: Resolve; cookies: Cookies; chaos: Chaos };

export class AnswerResponder implements Responder {
  readonly counters = counting.createCounters();
  /** Shared memory like `counters`; unknown-clients.ts reads it. */
  readonly unknownClients = unknown.createUnknownClients();
  /** The last message, what was answered (unless silence), how it ended (a number of OUTCOME). */
  readonly asked = new query.Incoming();
  readonly result: Result = noResult();
  outcome = 0;
  /** Whether ECS' address was the one whose line decides (L2). */
  isByEcs = false;

  readonly #options: ResponderOptions;
  readonly #edns: Edns;
  readonly #ecs = new Ecs();
  readonly #v4 = new Uint8Array(4);
  readonly #limit: RateLimit;
  readonly #unknown = new unknown.UnknownClientCounter(this.unknownClients);
  #bound: Bound;
  #hasRightCookie = false;
  /** While the query log is on. */
  #sampler: QuerySampler | undefined;

  constructor(state: ServingState, options: ResponderOptions) {
    this.#options = options;
    this.#edns = new Edns(options.keepaliveMs);
    this.#limit = new RateLimit(options.seed);
    this.#bound = this.#bind(state);
  }

  adopt(state: ServingState): void {
    this.#bound = this.#bind(state);
  }

  #bind(state: ServingState): Bound {
    const { settings } = state;
    const { bind, aliases } = this.#options;
    const resolve = bind === undefined ? createResolve(state, aliases) : bind(state);
    const cookies = new Cookies(settings.cookies.secrets);
    const chaos = new Chaos(settings.chaos);
    this.#limit.configure(settings.rateLimit);
    this.#edns.configure(settings.nsid, settings.udpBytes);
    const { sampler } = this.#options;
    sampler?.configure(settings.queryLog);
    this.#sampler = sampler?.isOn === true ? sampler : undefined;
    return { state, resolve, cookies, chaos };
  }

  respond(message: Uint8Array, length: number, exchange: Exchange, out: Uint8Array): number {
    const bytes = this.#respond(message, length, exchange, out);
    if (this.#sampler !== undefined) this.#sample(this.#sampler, exchange, bytes);
    return bytes;
  }

  #sample(sampler: QuerySampler, exchange: Exchange, bytes: number): void {
    const { asked, result, outcome } = this;
    const { lines } = this.#bound.state.lines;
    const ecsAt = asked.hasEcs ? this.#edns.ecsAt : -1;
    sampler.see({ asked, result, outcome, exchange, bytes, ecsAt, lines });
  }

  #respond(message: Uint8Array, length: number, exchange: Exchange, out: Uint8Array): number {
    count(this.counters, counting.RECEIVED + counting.transportNumber(exchange.transport));
    this.#hasRightCookie = false;
    this.#edns.clear();
    try {
      const verdict = this.#hear(message, length, exchange);
      if (verdict !== GO_ON) return this.#end(verdict, exchange, out);
      return this.#answer(exchange, out);
    } catch (error) {
      this.#options.onException?.(error);
      return this.#end(OUTCOME['servfail-exception'], exchange, out);
    }
  }

  /** All that is settled before data are asked for: GO_ON, or how the message ends. */
  #hear(message: Uint8Array, length: number, exchange: Exchange): number {
    if (exchange.clientPort === 0) return OUTCOME['dropped-port-zero'];
    const { asked } = this;
    const verdict = query.decode(asked, message, length);
    if (asked.optAt >= 0) {
      // Even what is wrong with the rest is answered with OPT.
      this.#edns.readHead(asked);
      count(this.counters, FACT.EDNS);
      if (asked.dnssecOk) count(this.counters, FACT.DNSSEC_OK);
    }
    if (verdict !== GO_ON) return verdict;
    if (asked.optAt >= 0) {
      const outcome = this.#hearOptions(exchange);
      if (outcome !== GO_ON) return outcome;
    }
    if (asked.questions === 0) return this.#cookieOnly();
    const { cookies } = this.#bound.state.settings;
    if (cookies.required && !this.#hasRightCookie && exchange.transport === 'udp') {
      return OUTCOME[this.#edns.hasCookieReply ? 'badcookie' : 'cookie-wanted'];
    }
    if (asked.class === CLASSES.CH) return GO_ON;
    asked.isAnyClass = asked.class === CLASSES.ANY;
    if (asked.class !== CLASSES.IN && !asked.isAnyClass) return OUTCOME['refused-class'];
    return query.judgeType(asked.type);
  }

  #hearOptions(exchange: Exchange): number {
    const edns = this.#edns;
    const { state, cookies } = this.#bound;
    const { bytes } = this.asked;
    const verdict = edns.readOptions(this.asked, exchange.transport);
    if (verdict !== GO_ON) return verdict;
    if (edns.cookieAt >= 0 && state.settings.cookies.enabled) {
      if (!edns.hasGoodCookieLength()) return OUTCOME['formerr-cookie'];
      const { client, nowSeconds } = exchange;
      const { cookieAt, cookieLength } = edns;
      this.#hasRightCookie = cookies.judge(bytes, cookieAt, cookieLength, client, nowSeconds);
      edns.hasCookieReply = true;
      if (this.#hasRightCookie) count(this.counters, FACT.COOKIE_RIGHT);
      else if (edns.hasServerCookie()) count(this.counters, FACT.COOKIE_WRONG);
    }
    if (edns.ecsAt >= 0 && state.settings.ecs) {
      count(this.counters, FACT.ECS);
      if (!this.#ecs.read(bytes, edns.ecsAt, edns.ecsLength, state.lines)) {
        return OUTCOME['formerr-ecs'];
      }
      if (!this.#ecs.isBelieved) count(this.counters, FACT.ECS_NOT_BELIEVED);
      edns.hasEcsReply = true;
      this.asked.hasEcs = true;
    }
    return GO_ON;
  }

  /** Without a question only a cookie can be asked for (RFC 7873 §5.4). */
  #cookieOnly(): number {
    if (!this.#edns.hasCookieReply) return OUTCOME['formerr-questions'];
    const isWrong = this.#edns.hasServerCookie() && !this.#hasRightCookie;
    return OUTCOME[isWrong ? 'badcookie' : 'cookie-given'];
  }

  #answer(exchange: Exchange, out: Uint8Array): number {
    const { asked, result } = this;
    const { resolve, chaos } = this.#bound;
    const from = query.writeHead(asked, out);
    const limit = this.#edns.maxBytes(exchange.transport) - this.#edns.reserve();
    clearResult(result, from);
    if (asked.class === CLASSES.CH) {
      const end = chaos.write(asked, out, from, limit);
      if (end < 0) return this.#end(OUTCOME['refused-class'], exchange, out);
      result.isAuthoritative = true;
      result.answers = 1;
      result.end = end;
      return this.#send(OUTCOME.chaos, exchange, out);
    }
    this.#findClient(exchange);
    asked.nowSeconds = exchange.nowSeconds;
    resolve(asked, out, from, limit, result);
    const outcome = query.outcomeOfData(result, asked.isAnyClass);
    if (asked.isAnyClass) result.isAuthoritative = false;
    if (result.isTruncated) {
      result.answers = result.authorities = result.additionals = 0;
      result.end = from;
      return this.#send(OUTCOME.truncated, exchange, out);
    }
    return this.#send(outcome, exchange, out);
  }

  /** L1, L2. */
  #findClient({ client }: Exchange): void {
    const { asked } = this;
    this.isByEcs = asked.hasEcs && this.#ecs.isBelieved;
    if (this.isByEcs) {
      asked.lineAddress = this.#ecs.address;
      asked.lineBits = this.#ecs.bits;
      return;
    }
    const isFolded = client.length === 16 && foldIpv4(client, 128, this.#v4) >= 0;
    asked.lineAddress = isFolded ? this.#v4 : client;
    asked.lineBits = 8 * asked.lineAddress.length;
  }

  /** An end that no data is in. */
  #end(outcome: number, exchange: Exchange, out: Uint8Array): number {
    const rcode = rcodeOfOutcome(outcome);
    if (rcode < 0) {
      this.#conclude(outcome);
      return rcode === SILENT ? SILENCE : REFERRED;
    }
    clearResult(this.result, query.writeHead(this.asked, out));
    this.result.rcode = rcode;
    this.result.isTruncated = outcome === OUTCOME['cookie-wanted'];
    return this.#send(outcome, exchange, out);
  }

  /** Completes out[0, result.end), unless the client has had too many like it (R1). */
  #send(outcome: number, exchange: Exchange, out: Uint8Array): number {
    const { result, counters } = this;
    const edns = this.#edns;
    let how = outcome;
    if (this.#limit.isOn && exchange.transport === 'udp' && !this.#hasRightCookie) {
      const verdict = this.#take(exchange);
      if (verdict === DROP) {
        this.#conclude(OUTCOME['rate-limited']);
        return SILENCE;
      }
      if (verdict !== SEND) {
        how = OUTCOME.slipped;
        clearResult(result, this.asked.questionEnd);
        result.isTruncated = true;
      }
    }
    const { rcode } = result;
    query.writeFlags(out, rcode, result.isAuthoritative, result.isTruncated);
    const additionals = result.additionals + (edns.isPresent ? 1 : 0);
    query.writeCounts(out, result.answers, result.authorities, additionals);
    this.#conclude(how);
    count(counters, counting.responseSlot(counting.transportNumber(exchange.transport), rcode));
    if (result.line >= 0) {
      count(counters, counting.lineSlot(result.line));
      if (result.line === 0) this.#unknown.saw(this.asked.lineAddress);
    }
    if (!edns.isPresent) return result.end;
    const scope = edns.hasEcsReply ? this.#ecs.answeredScope(result.scope) : 0;
    const limit = edns.maxBytes(exchange.transport);
    const { reply } = this.#bound.cookies;
    return edns.write(this.asked, out, result.end, limit, rcode, reply, scope);
  }

  /** Each message comes here once. */
  #conclude(outcome: number): void {
    this.outcome = outcome;
    count(this.counters, counting.OUTCOMES + outcome);
  }

  #take({ client, nowMs }: Exchange): number {
    const account = this.#limit.accountOf(client, likeHash(this.asked, this.result));
    const forgotten = this.#limit.forgotten;
    const verdict = this.#limit.take(account, client, nowMs);
    if (this.#limit.forgotten !== forgotten) count(this.counters, FACT.RATE_LIMIT_FORGOTTEN);
    return verdict;
  }
}
