import { describe, expect, test } from 'vitest';
import type { Facts } from '../../../soak/facts.ts';
import { isBroken, judge } from '../../../soak/judge/index.ts';
import { at, facts, fault, sample, trouble } from '../facts.ts';

const brokenIn = (own: Partial<Facts>): string[] =>
  judge(facts(own))
    .filter(isBroken)
    .map(({ invariant }) => invariant);

test('where nothing went wrong every invariant holds', () => expect(brokenIn({})).toEqual([]));

describe('one planted breach breaks one invariant', () => {
  const grant = { address: '10.0.0.1', atMs: at(1), untilMs: at(61) };
  test.each<[string, Partial<Facts>]>([
    ['no address with two clients', { grants: ['a', 'b'].map((mac) => ({ ...grant, mac })) }],
    [
      'no reset on flows through EIPs and L4',
      { troubles: [trouble({ load: 'eip-flows', kind: 'reset' })] },
    ],
    ['no wrong byte', { troubles: [trouble({ kind: 'corrupt' })] }],
    ['no wrong-line answer', { troubles: [trouble({ load: 'dns', kind: 'wrong-line' })] }],
    [
      'no holder of a lease is refused',
      { troubles: [trouble({ load: 'dhcp-renew', kind: 'nak' })] },
    ],
    ['no failed request beyond the stated', { troubles: [trouble()] }],
    [
      'who was not struck keeps its process',
      { samples: [sample({ pid: 1 }), sample({ pid: 2, atMs: at(5) })] },
    ],
    [
      'memory, files, map entries and lag are flat',
      {
        samples: Array.from({ length: 60 }, (_, index) =>
          sample({ atMs: at(5 * index), rssMb: 90 + 3 * index }),
        ),
      },
    ],
    [
      'no error in a log but what a fault explains',
      { errors: [{ daemon: 'dns-1', atMs: at(5), event: 'answer-failed', message: 'oh' }] },
    ],
    ['after each fault all is well within its time', { faults: [fault({ trouble: 'no' })] }],
    [
      'at the end all is well, and nothing is left',
      { end: [{ what: 'what down() left', problems: ['process 1'] }] },
    ],
  ])('%s', (invariant, own) => {
    expect(brokenIn(own)).toEqual([invariant]);
  });
});
