// What a thread that answers counts: slots in shared memory, which the main thread reads for the
// metrics while they grow. Each message moves one of `received` and one of `outcome`. Pure.
import { rcodeName } from '../../shared/dns/constants.ts';
import { OUTCOME_NAMES } from './outcomes.ts';
import type { Transport } from './types.ts';

const TRANSPORTS: readonly Transport[] = ['udp', 'tcp', 'tls', 'https'];
const RCODE_COUNT = 24;
/** Lines with a slot of their own; those with a higher number share one. */
const LINE_SLOTS = 1024;

/** Where each group of slots begins. */
export const RECEIVED = 0;
export const RESPONSES = RECEIVED + TRANSPORTS.length;
export const OUTCOMES = RESPONSES + TRANSPORTS.length * RCODE_COUNT;
export const FACTS = OUTCOMES + OUTCOME_NAMES.length;

/** Facts beside the outcome, of which a message may have several. */
export const FACT_NAMES = [
  'edns',
  'dnssec-ok',
  'ecs',
  'ecs-not-believed',
  'cookie-right',
  'cookie-wrong',
  'rate-limit-forgotten',
] as const;
export const FACT = {
  EDNS: FACTS,
  DNSSEC_OK: FACTS + 1,
  ECS: FACTS + 2,
  ECS_NOT_BELIEVED: FACTS + 3,
  COOKIE_RIGHT: FACTS + 4,
  COOKIE_WRONG: FACTS + 5,
  /** R2: a client's account was lost while it still had something to pay for. */
  RATE_LIMIT_FORGOTTEN: FACTS + 6,
} as const;

export const LINES = FACTS + FACT_NAMES.length;
export const SLOTS = LINES + LINE_SLOTS + 1;

export type Counters = Float64Array<SharedArrayBuffer>;

export function createCounters(): Counters {
  return new Float64Array(new SharedArrayBuffer(8 * SLOTS));
}

export function count(counters: Counters, slot: number): void {
  counters[slot] = (counters[slot] ?? 0) + 1;
}

export function transportNumber(transport: Transport): number {
  if (transport === 'udp') return 0;
  return transport === 'tcp' ? 1 : transport === 'tls' ? 2 : 3;
}

export function responseSlot(transport: number, rcode: number): number {
  return RESPONSES + transport * RCODE_COUNT + Math.min(rcode, RCODE_COUNT - 1);
}

export function lineSlot(line: number): number {
  return LINES + Math.min(line, LINE_SLOTS);
}

/** One total as the metrics have it. */
export type Total = { value: number; labels: Readonly<Record<string, string>> };

/** Totals by family; of responses, lines only those that are not 0. */
export type Totals = Readonly<Record<keyof typeof COUNTER_FAMILIES, readonly Total[]>>;

/** Name, help and labels of each family: what the daemon's metrics are declared from. */
export const COUNTER_FAMILIES = {
  received: {
    name: 'edge_dns_messages_received_total',
    help: 'Messages that came, by the way on which they did.',
    labels: ['transport'],
  },
  responses: {
    name: 'edge_dns_responses_total',
    help: 'Answers by rcode and the way on which they left.',
    labels: ['transport', 'rcode'],
  },
  outcomes: {
    name: 'edge_dns_outcomes_total',
    help: 'Messages by what became of them: each has exactly one outcome.',
    labels: ['outcome'],
  },
  facts: {
    name: 'edge_dns_query_facts_total',
    help: 'What queries had with them; one may have several.',
    labels: ['fact'],
  },
  lines: {
    name: 'edge_dns_line_answers_total',
    help: 'Answers by the line that they were for, where the line mattered.',
    labels: ['line'],
  },
} as const;

/** Adds up the counters of all threads. `lines`: names by number, of the state in force. */
export function totalsOf(threads: readonly Counters[], lines: readonly string[]): Totals {
  const sum = (slot: number) => threads.reduce((total, each) => total + (each[slot] ?? 0), 0);
  const named = (names: readonly string[], label: string, from: number) =>
    names.map((name, index) => ({ value: sum(from + index), labels: { [label]: name } }));
  const responses = TRANSPORTS.flatMap((transport, number) =>
    Array.from({ length: RCODE_COUNT }, (_, rcode) => ({
      value: sum(responseSlot(number, rcode)),
      labels: { transport, rcode: rcodeName(rcode) },
    })),
  );
  const lineNames = Array.from({ length: LINE_SLOTS + 1 }, (_, line) =>
    line === LINE_SLOTS ? 'beyond' : (lines[line] ?? `${line}`),
  );
  return {
    received: named(TRANSPORTS, 'transport', RECEIVED),
    responses: responses.filter(({ value }) => value > 0),
    outcomes: named(OUTCOME_NAMES, 'outcome', OUTCOMES),
    facts: named(FACT_NAMES, 'fact', FACTS),
    lines: named(lineNames, 'line', LINES).filter(({ value }) => value > 0),
  };
}
