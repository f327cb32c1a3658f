import { describe, expect, test } from 'vitest';
import { COUNTER_FAMILIES, FACT, FACT_NAMES, totalsOf } from '../../../../dns/answer/counters.ts';
import { OUTCOME, OUTCOME_NAMES } from '../../../../dns/answer/outcomes.ts';
import { topUnknownClients } from '../../../../dns/answer/unknown-clients.ts';
import { lintMetrics } from '../../../../shared/metrics.ts';
import { bytesOf, queryHex, questionHex } from './packets.ts';
import { ask, exchangeOf, responderOf, stateOf } from './rig.ts';

const smart = queryHex({ question: questionHex('smart.example.com') });

describe('counters', () => {
  test('are added up over threads, with their labels', () => {
    const [one, other] = [responderOf(), responderOf()];
    ask(one, smart, exchangeOf({ client: Uint8Array.of(11, 1, 2, 3) }));
    ask(other, smart, exchangeOf({ client: Uint8Array.of(11, 1, 2, 4), transport: 'tls' }));
    ask(other, queryHex({ question: questionHex('no.example.com') }));
    ask(other, '00');
    const totals = totalsOf([one.counters, other.counters], stateOf().lines.lines);
    const counted = (family: keyof typeof totals) =>
      totals[family].filter(({ value }) => value > 0).map((total) => [total.labels, total.value]);
    expect(counted('received')).toEqual([
      [{ transport: 'udp' }, 3],
      [{ transport: 'tls' }, 1],
    ]);
    expect(counted('responses')).toEqual([
      [{ transport: 'udp', rcode: 'NOERROR' }, 1],
      [{ transport: 'udp', rcode: 'NXDOMAIN' }, 1],
      [{ transport: 'tls', rcode: 'NOERROR' }, 1],
    ]);
    expect(counted('outcomes')).toEqual([
      [{ outcome: 'answered' }, 2],
      [{ outcome: 'nxdomain' }, 1],
      [{ outcome: 'dropped-short' }, 1],
    ]);
    expect(counted('lines')).toEqual([[{ line: 'b' }, 2]]);
  });

  test('have names that the lint lets pass', () => {
    const specs = Object.values(COUNTER_FAMILIES).map((family) => ({ type: 'counter', ...family }));
    const table = Object.fromEntries(specs.map((spec) => [spec.name, spec as never]));
    expect(lintMetrics(table)).toEqual([]);
  });

  test('have a slot for each name', () => {
    expect(OUTCOME_NAMES.map((name) => OUTCOME[name])).toEqual([...OUTCOME_NAMES.keys()]);
    expect(new Set(Object.values(FACT)).size).toBe(FACT_NAMES.length);
  });
});

describe('unknown clients', () => {
  test('the busiest prefixes of the default line, most first', () => {
    const responder = responderOf();
    const clients = ['c8000001', '2a000000000000010000000000000001', '0b010203'];
    const weights = [6, 3, 90];
    for (let round = 0; round < 3000; round++) {
      for (const [index, hex] of clients.entries()) {
        const exchange = exchangeOf({ client: bytesOf(hex) });
        if (round % 100 < (weights[index] ?? 0)) ask(responder, smart, exchange);
      }
      // A crowd of which each is seen once.
      const stranger = Uint8Array.of(0xc9, round >>> 8, round, 1);
      if (round % 100 === 0) ask(responder, smart, exchangeOf({ client: stranger }));
    }
    const top = topUnknownClients([responder.unknownClients], 2);
    expect(top.map(({ prefix }) => prefix)).toEqual(['200.0.0.0/24', '2a00::/48']);
    expect(top[0]?.count).toBeGreaterThan(61);
  });
});
