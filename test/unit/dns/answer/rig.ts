// A responder over a made-up heart, for tests of the shell: what names of example.com answer is
// said here, and lines are those of a small tree.

import { OUTCOMES } from '../../../../dns/answer/counters.ts';
import { OUTCOME_NAMES, type OutcomeName } from '../../../../dns/answer/outcomes.ts';
import type { Query, Resolve, Result } from '../../../../dns/answer/query-types.ts';
import { AnswerResponder } from '../../../../dns/answer/responder.ts';
import type { AnswerSettings, Exchange, ServingState } from '../../../../dns/answer/types.ts';
import { compileLines } from '../../../../dns/lines/compile.ts';
import { lineOf, lookup, scopeOf } from '../../../../dns/lines/lookup.ts';
import type { LineTree } from '../../../../dns/lines/types.ts';
import { formatName } from '../../../../shared/dns/names.ts';
import { type Prefix, parsePrefix } from '../../../../shared/net/prefix.ts';
import { bytesOf, hexOf } from './packets.ts';

export const KEEPALIVE_MS = 12_300;

/** Lines a (1) and b (2); who is in neither is of `default` (0). */
export function treeOf(a: readonly string[], b: readonly string[]): LineTree {
  const prefixes = (texts: readonly string[]) => texts.map((text) => parsePrefix(text) as Prefix);
  const lines = [
    { name: 'a', fallback: [], prefixes: prefixes(a) },
    { name: 'b', fallback: [], prefixes: prefixes(b) },
  ];
  return compileLines([], lines, ['default', 'a', 'b']).tree;
}

/** The nested nets of the notes, of conformance case 79. */
export const NESTED = treeOf(['11.0.0.0/8', '2001:db8::/32'], ['11.1.2.0/24', '10.9.0.0/16']);

export const settings: AnswerSettings = {
  nodeId: 'node-1',
  nsid: new Uint8Array(0),
  udpBytes: 1232,
  ecs: true,
  cookies: {
    enabled: true,
    secrets: [bytesOf('e5e973e5a6b2a43f48e7dc849e37bfcf')],
    required: false,
  },
  rateLimit: { perSecond: 0, slip: 2, exempt: [] },
  chaos: { 'id.server': 'node-1', 'version.server': '0.4' },
};

export function stateOf(changed: Partial<AnswerSettings> = {}, lines = NESTED): ServingState {
  return { generation: 1, zones: [], lines, smart: [], settings: { ...settings, ...changed } };
}

export function exchangeOf(changed: Partial<Exchange> = {}): Exchange {
  const client = Uint8Array.of(198, 51, 100, 100);
  const now = { nowSeconds: 1559731985, nowMs: 5_000_000 };
  return { transport: 'udp', client, clientPort: 40000, ...now, ...changed };
}

/** C0 0C, type, IN, TTL 60, and the data; the data's length is its own. */
export function recordHex(type: number, dataHex: string): string {
  const length = (dataHex.length / 2).toString(16).padStart(4, '0');
  return `c00c${type.toString(16).padStart(4, '0')}00010000003c${length}${dataHex}`;
}

export const WWW = recordHex(1, 'c0000201');
export const SOA = recordHex(6, '00');
export const NS = recordHex(2, '00');
/** Longer than UDP's answers, and two of them than 512. */
const BIG = recordHex(16, '01'.repeat(400));

/** `smart` answers 10.0.0.LINE; `bits` is how many bits of the client's address were known. */
export function fakeResolve(state: ServingState): Resolve {
  return (query, out, from, limit, result) => {
    const name = formatName(query.lower.subarray(0, query.nameLength));
    result.zone = name.endsWith('example.com.') ? 0 : -1;
    result.isAuthoritative = result.zone === 0;
    result.end = from;
    if (result.zone < 0) {
      result.rcode = 5;
      return;
    }
    const put = (hex: string): void => {
      const bytes = bytesOf(hex);
      if (result.end + bytes.length > limit) {
        result.isTruncated = true;
        return;
      }
      out.set(bytes, result.end);
      result.end += bytes.length;
    };
    answerOf(state, name, query, result, put);
  };
}

function answerOf(
  state: ServingState,
  name: string,
  query: Query,
  result: Result,
  put: (hex: string) => void,
): void {
  const label = name.split('.')[0];
  if (label === 'crash') throw new Error('as the test wants');
  if (label === 'smart') {
    const { lineAddress } = query;
    const found = lookup(state.lines, lineAddress.length === 4 ? 4 : 6, lineAddress);
    result.line = lineOf(found);
    result.scope = scopeOf(found);
    result.answers = 1;
    put(recordHex(1, `0a0000${hexOf(Uint8Array.of(result.line))}`));
  } else if (label === 'www' && [1, 255].includes(query.type)) {
    result.answers = 1;
    put(WWW);
  } else if (label === 'big') {
    result.answers = 4;
    for (let index = 0; index < 4; index++) put(BIG);
  } else if (label === 'cut') {
    result.isAuthoritative = false;
    result.authorities = 1;
    put(NS);
  } else {
    result.rcode = label === 'www' ? 0 : 3;
    result.likeAt = query.nameLength - 13; // example.com
    result.authorities = 1;
    put(SOA);
  }
}

export function responderOf(state = stateOf()): AnswerResponder {
  return new AnswerResponder(state, { bind: fakeResolve, keepaliveMs: KEEPALIVE_MS, seed: 7 });
}

const out = new Uint8Array(65_535);

/** The answer's bytes as hex; '' for silence, 'referred' for the control plane. */
export function ask(
  responder: AnswerResponder,
  message: string,
  exchange = exchangeOf(),
  target = out,
): string {
  const bytes = bytesOf(message);
  const length = responder.respond(bytes, bytes.length, exchange, target);
  return length < 0 ? 'referred' : hexOf(target.subarray(0, length));
}

/** Which outcomes were counted so far, as often as they were. */
export function outcomes({ counters }: AnswerResponder): OutcomeName[] {
  return OUTCOME_NAMES.flatMap((name, index) =>
    new Array<OutcomeName>(counters[OUTCOMES + index] ?? 0).fill(name),
  );
}
