// Case 96: whatever comes, the thread lives, and what it sends is an answer to what was asked.
import { describe, expect, test } from 'vitest';
import { OUTCOMES, RECEIVED } from '../../../../dns/answer/counters.ts';
import { OUTCOME, OUTCOME_NAMES } from '../../../../dns/answer/outcomes.ts';
import type { AnswerResponder } from '../../../../dns/answer/responder.ts';
import { type Exchange, REFERRED, SILENCE } from '../../../../dns/answer/types.ts';
import { pick, type Random, seededRandom } from '../../../../shared/random.ts';
import { bytesOf, ecsHex, hexOf, optHex, optionHex, queryHex, questionHex } from './packets.ts';
import { exchangeOf, responderOf, settings, stateOf } from './rig.ts';

const MESSAGES = 400_000;
const UDP_BYTES = 1232;

const cookie = optionHex(10, '2464c4abcf10c957010000005cf79f111f8130c3eee29480');
const ecs = ecsHex(1, 24, '0b0102');
const six = ecsHex(2, 56, '20020b01020500');
const questions = ['www', 'smart', 'big', 'no', 'cut'].map((label) =>
  questionHex(`${label}.example.com`),
);
const seeds = [
  ...questions.flatMap((question) => [
    queryHex({ question }),
    queryHex({ question }, optHex()),
    queryHex({ question }, optHex({ flags: 0x8000, options: ecs + cookie })),
    queryHex({ question }, optHex({ options: optionHex(3) + six + optionHex(12, '0000') })),
  ]),
  queryHex({ question: questionHex('id.server', 16, 3) }, optHex({ options: optionHex(11) })),
  queryHex({ question: questionHex('example.com', 252) }),
  queryHex({ question: questionHex('www.example.org') }, optHex({ version: 1 })),
  queryHex({ counts: '0000 0000 0000 0001', question: '' }, optHex({ options: cookie })),
].map(bytesOf);

/** Bytes that mean something where they stand. */
const TELLING = [0, 1, 3, 4, 8, 10, 24, 41, 63, 64, 128, 192, 255];

/** A few changes to one of the seeds, in `target`; its length. */
function mutate(random: Random, target: Uint8Array): number {
  const seed = pick(random, seeds);
  target.set(seed);
  let length = seed.length;
  for (let changes = random.integer(4); changes >= 0; changes--) {
    const at = random.integer(length + 1);
    switch (random.integer(6)) {
      case 0:
        length = at;
        break;
      case 1:
        length = Math.min(target.length, length + random.integer(20));
        break;
      case 2: {
        const other = pick(random, seeds);
        target.set(other.subarray(Math.min(at, other.length)), at);
        break;
      }
      case 3:
        target[at] = random.integer(256);
        break;
      default:
        target[at] = pick(random, TELLING);
    }
  }
  return length;
}

/** Where the question ends in a message that begins with one; else 12. */
function questionEnd(bytes: Uint8Array): number {
  if (bytes[5] === 0) return 12;
  let at = 12;
  while ((bytes[at] ?? 0) !== 0) at += 1 + (bytes[at] ?? 0);
  return at + 5;
}

function problemOf(query: Uint8Array, answer: Uint8Array, exchange: Exchange): string | undefined {
  const limit = exchange.transport === 'udp' ? UDP_BYTES : 65_535;
  if (answer.length < 12 || answer.length > limit) return `${answer.length} bytes`;
  if (answer[0] !== query[0] || answer[1] !== query[1]) return 'another id';
  const [flags = 0, low = 0] = answer.subarray(2);
  if ((flags & 0x80) === 0) return 'no QR';
  if (((flags ^ (query[2] ?? 0)) & 0x79) !== 0) return 'another opcode or RD';
  if ((low & 0xe0) !== 0) return 'RA, Z or AD';
  if (answer[4] !== 0 || (answer[5] ?? 0) > 1) return 'questions';
  const end = questionEnd(answer);
  if (end > answer.length) return 'no whole question';
  if (hexOf(answer.subarray(12, end)) !== hexOf(query.subarray(12, end))) return 'another question';
  const hasOpt = answer[11] === 1;
  if (exchange.transport === 'udp' && !hasOpt && answer.length > 512) return 'over 512 without OPT';
  if ((flags & 2) !== 0 && answer[7] !== 0) return 'TC with an answer';
  return undefined;
}

function total({ counters }: AnswerResponder, from: number, count: number): number {
  return counters.subarray(from, from + count).reduce((sum, each) => sum + each, 0);
}

describe('any message', () => {
  test.each([
    { what: 'as settings are', state: stateOf() },
    {
      what: 'with all that settings can ask for',
      state: stateOf({
        nsid: new Uint8Array(128).fill(7),
        cookies: { ...settings.cookies, required: true },
        rateLimit: { perSecond: 1000, slip: 2, exempt: [] },
      }),
    },
  ])('$what', ({ state }) => {
    const random = seededRandom(20);
    const [responder, twin] = [responderOf(state), responderOf(state)];
    const query = new Uint8Array(600);
    const [out, twinOut] = [new Uint8Array(65_535), new Uint8Array(65_535)];
    const exchange = exchangeOf();
    for (let count = 0; count < MESSAGES / 2; count++) {
      const length = mutate(random, query);
      exchange.transport = pick(random, ['udp', 'udp', 'udp', 'tcp', 'tls', 'https']);
      exchange.nowMs += 0.1;
      const answered = responder.respond(query, length, exchange, out);
      if (count % 16 === 0) {
        // Nothing behind the message's end is read: there is nothing in this copy.
        const alone = twin.respond(query.slice(0, length), length, exchange, twinOut);
        if (settings.rateLimit === state.settings.rateLimit) expect(alone).toBe(answered);
      }
      if (answered === SILENCE || answered === REFERRED) continue;
      const answer = out.subarray(0, answered);
      const problem = problemOf(query, answer, exchange);
      if (problem !== undefined) {
        expect.fail(`${problem}: ${hexOf(query.subarray(0, length))} → ${hexOf(answer)}`);
      }
    }
    expect(responder.counters[OUTCOMES + OUTCOME['servfail-exception']]).toBe(0);
    // Each has had exactly one end.
    expect(total(responder, OUTCOMES, OUTCOME_NAMES.length)).toBe(MESSAGES / 2);
    expect(total(responder, RECEIVED, 4)).toBe(MESSAGES / 2);
  });
});
