// What one client would be answered, and by what: the same decision as for a message, by a
// responder of its own, which limits nothing and whose counts nobody reads. Pure.
import { CLASSES, EDNS_DO, EDNS_OPTIONS, TYPES } from '../../shared/dns/constants.ts';
import type { AddressBytes, Name } from '../../shared/dns/types.ts';
import { OUTCOME_NAMES, type OutcomeName } from './outcomes.ts';
import type { Result } from './query-types.ts';
import { AnswerResponder, type ResponderOptions } from './responder.ts';
import type { ServingState } from './types.ts';

export type ExplainQuestion = {
  name: Name;
  type: number;
  /** Who asks, 4 or 16 bytes. */
  client: AddressBytes;
  /** As the resolver would send it: `bits` of the address, whose others are cleared. */
  ecs?: { address: AddressBytes; bits: number };
  dnssecOk?: boolean;
  /** Wall clock: what is left of TTLs. */
  nowSeconds?: number;
};

export type ExplainedAnswer = {
  /** As over TCP: whole. */
  message: Uint8Array;
  outcome: OutcomeName;
  /** A copy; `line` and `zone` are numbers of the state's. */
  result: Result;
  /** The address that decided, folded (L1), how many bits of it were known, and whose it was. */
  lineAddress: AddressBytes;
  lineBits: number;
  decidedBy: 'ecs' | 'client';
  /** SCOPE as it would be sent; undefined without `ecs`. */
  ecsScope: number | undefined;
};

export function explainAnswer(
  state: ServingState,
  question: ExplainQuestion,
  heart: Pick<ResponderOptions, 'aliases' | 'bind'> = {},
): ExplainedAnswer {
  const { settings } = state;
  const cookies = { ...settings.cookies, required: false };
  const rateLimit = { ...settings.rateLimit, perSecond: 0 };
  const quiet = {
    ...state,
    settings: { ...settings, cookies, rateLimit, nsid: new Uint8Array(0) },
  };
  const responder = new AnswerResponder(quiet, { ...heart, keepaliveMs: 0, seed: 0 });
  const query = queryOf(question);
  const out = new Uint8Array(65_535);
  const { client, ecs, nowSeconds = 0 } = question;
  const who = { transport: 'tcp', client, clientPort: 1, nowSeconds, nowMs: 0 } as const;
  const length = responder.respond(query, query.length, who, out);
  const message = out.slice(0, Math.max(0, length));
  const { asked, result, outcome } = responder;
  const isEchoed = settings.ecs && asked.hasEcs && ecs !== undefined;
  return {
    message,
    outcome: OUTCOME_NAMES[outcome] ?? 'other-rcode',
    result: { ...result },
    lineAddress: asked.lineAddress.slice(),
    lineBits: asked.lineBits,
    decidedBy: responder.isByEcs ? 'ecs' : 'client',
    // The option is the record's last, and SCOPE stands before ADDRESS.
    ecsScope: isEchoed ? message.at(-1 - Math.ceil(ecs.bits / 8)) : undefined,
  };
}

/** A question with OPT, and ECS in it when the question has one. */
function queryOf({ name, type, ecs, dnssecOk = false }: ExplainQuestion): Uint8Array {
  const u16 = (value: number) => [value >>> 8, value & 255];
  const header = [...u16(0), ...u16(0), ...u16(1), ...u16(0), ...u16(0), ...u16(1)];
  const option = ecs === undefined ? [] : ecsOption(ecs.address, ecs.bits);
  const flags = u16(dnssecOk ? EDNS_DO : 0);
  const opt = [0, ...u16(TYPES.OPT), ...u16(0xffff), 0, 0, ...flags, ...u16(option.length)];
  return Uint8Array.of(...header, ...name, ...u16(type), ...u16(CLASSES.IN), ...opt, ...option);
}

function ecsOption(address: AddressBytes, bits: number): number[] {
  const bytes = Array.from(address.subarray(0, Math.ceil(bits / 8)), (byte, index) => {
    return byte & (0xff00 >>> Math.min(8, bits - 8 * index)) & 0xff;
  });
  const family = address.length === 4 ? 1 : 2;
  return [0, EDNS_OPTIONS.ECS, 0, 4 + bytes.length, 0, family, bits, 0, ...bytes];
}
