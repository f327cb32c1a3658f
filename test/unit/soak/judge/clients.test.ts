import { describe, expect, test } from 'vitest';
import { kindOf } from '../../../soak/catalogue.ts';
import type { Trouble } from '../../../soak/facts.ts';
import * as judges from '../../../soak/judge/clients.ts';
import { at, facts, fault, tick, trouble } from '../facts.ts';

const seen = (troubles: Trouble[], faults = [fault()]) => facts({ troubles, faults });
const inFault = { atMs: at(22), sinceMs: at(21) };

describe('no reset on flows', () => {
  test.each(['eip-flows', 'vm-flows', 'l4-flows'] as const)('%s: broken by one', (load) => {
    const { breaches } = judges.judgeFlows(seen([trouble({ ...inFault, load, kind: 'reset' })]));
    expect(breaches).toHaveLength(1);
  });

  test('counts what it looked at', () => {
    const ticks = [tick({ load: 'eip-flows', done: 3 }), tick({ load: 'dns', done: 5 })];
    expect(judges.judgeFlows(facts({ ticks })).checked).toBe(3);
  });
});

test('a wrong byte breaks, whatever the fault', () => {
  const { breaches } = judges.judgeBytes(seen([trouble({ ...inFault, kind: 'corrupt' })]));
  expect(breaches).toHaveLength(1);
});

test('a holder that is refused breaks', () => {
  const nak = trouble({ ...inFault, load: 'dhcp-renew', kind: 'nak' });
  expect(judges.judgeNaks(seen([nak])).breaches).toHaveLength(1);
});

test('a wrong-line answer breaks, whatever the fault', () => {
  const wrong = trouble({ ...inFault, load: 'dns', kind: 'wrong-line' });
  expect(judges.judgeLines(seen([wrong])).breaches).toHaveLength(1);
});

test('an answer of the overflow breaks where nothing is the matter', () => {
  const overflow = trouble({ load: 'dns', kind: 'overflow' });
  expect(judges.judgeOverflow(seen([{ ...overflow, ...inFault }])).breaches).toEqual([]);
  expect(judges.judgeOverflow(seen([overflow])).breaches).toHaveLength(1);
});

describe('no failed request beyond the stated', () => {
  const failures = (troubles: Trouble[], faults = [fault()]) =>
    judges.judgeFailures(seen(troubles, faults)).breaches;
  const most = kindOf('kill').allowed.lb?.['l7-http'] ?? 0;
  const many = (count: number, fields: Partial<Trouble>) =>
    Array.from({ length: count }, () => trouble({ ...inFault, ...fields }));

  test('one with nothing the matter breaks', () => {
    expect(failures([trouble()])).toHaveLength(1);
    expect(failures([trouble()], [])).toHaveLength(1);
  });

  test('as many as the fault may bring do not, one more does', () => {
    expect(most).toBeGreaterThan(0);
    expect(failures(many(most, {}))).toEqual([]);
    expect(failures(many(most + 1, {}))).toHaveLength(1);
  });

  test('what this fault may not bring breaks', () => {
    expect(failures(many(1, { load: 'eip-requests' }))).toHaveLength(1);
    expect(failures(many(1, {}), [fault({ victim: 'dns-1' })])).toHaveLength(1);
  });

  test('a second fault may bring as many again', () => {
    const later = fault({ struckAtMs: at(60), healedAtMs: at(65), recoveredAtMs: at(70) });
    const own = many(most, { atMs: at(66), sinceMs: at(66) });
    expect(failures([...many(most, {}), ...own], [fault(), later])).toEqual([]);
  });

  test('one that began in a fault and ended after it is of the fault', () => {
    expect(failures([trouble({ sinceMs: at(29), atMs: at(44) })])).toEqual([]);
  });

  test('a tool is judged only where no fault fell into its run', () => {
    const run = { load: 'dnsperf', sinceMs: at(10), atMs: at(21) } as const;
    expect(failures([trouble(run)])).toEqual([]);
    expect(failures([trouble({ ...run, atMs: at(19) })])).toHaveLength(1);
  });
});
