// perfdhcp's reports as they are printed, and what the bench makes of several of them.
import { describe, expect, test } from 'vitest';
import {
  dropShare,
  mergeReports,
  parseReport,
  perfdhcpArguments,
  type Report,
  violation,
} from '../../../bench/dhcpd/perfdhcp.ts';
import { OVERLOADED, RENEWING, SILENT, TWICE } from './captured.ts';

const load = { server: '10.0.0.1', relay: '10.0.0.101', rate: 1000, seconds: 5, number: 0 };
const flagOf = (args: readonly string[], flag: string) => args[args.indexOf(flag) + 1];

describe('a report', () => {
  test('of a server that cannot keep up', () => {
    const report = parseReport(OVERLOADED);
    expect(report.rate).toBe(12073.3);
    expect(report.offers).toEqual({
      sent: 74973,
      received: 61437,
      drops: 13536,
      orphans: 0,
      nonUnique: 0,
      meanDelayMs: 5.341,
    });
    expect(report.acks).toMatchObject({ sent: 61437, received: 60485, drops: 952 });
    expect(dropShare(report.offers)).toBeCloseTo(0.18, 2);
    expect(violation(report)).toBeUndefined();
  });

  test('of renewals, which are no orphans, and of addresses in ACKs', () => {
    const report = parseReport(RENEWING);
    expect(report.renewals).toMatchObject({ sent: 2498, received: 2498, drops: 0 });
    expect(report.acks).toMatchObject({ received: 4999, orphans: 0 });
    expect(report.leases).toEqual(['10.16.0.0', '10.16.0.1', '10.16.0.2']);
  });

  test('of silence', () => {
    const report = parseReport(SILENT);
    expect(report).toMatchObject({ rate: 0, offers: { sent: 1999, meanDelayMs: 0 } });
    expect(dropShare(report.offers)).toBe(1);
    expect(dropShare(report.acks)).toBe(0);
  });

  test('of an address that two clients got', () => {
    expect(violation(parseReport(TWICE))).toMatch(/^4899 ACKs gave an address/);
  });

  test.each([
    { what: 'nothing', text: '' },
    { what: 'an error', text: "perfdhcp: can't bind" },
    { what: 'the first half', text: OVERLOADED.slice(0, OVERLOADED.length / 2) },
  ])('of $what is refused', ({ text }) => {
    expect(() => parseReport(text)).toThrow(/perfdhcp/);
  });
});

describe('several reports', () => {
  const of = (leases: string[], meanDelayMs: number): Report => {
    const phase = { sent: 10, received: 8, drops: 2, orphans: 0, nonUnique: 0, meanDelayMs };
    return { rate: 100, offers: phase, acks: phase, renewals: phase, malformed: 0, leases };
  };

  test('add up', () => {
    const both = mergeReports([of(['10.16.0.0'], 1), of(['10.16.0.1'], 3)]);
    expect(both).toMatchObject({ rate: 200, malformed: 0 });
    expect(both.acks).toMatchObject({ sent: 20, received: 16, drops: 4, meanDelayMs: 2 });
    expect(violation(both)).toBeUndefined();
  });

  test('show an address that both have', () => {
    const both = mergeReports([of(['10.16.0.0', '10.16.0.7'], 1), of(['10.16.0.7'], 1)]);
    expect(both.acks.nonUnique).toBe(1);
    expect(violation(both)).toMatch(/^1 ACKs/);
  });

  test('of which there is none are refused', () => {
    expect(() => mergeReports([])).toThrow(RangeError);
  });
});

describe('a call', () => {
  test('has more clients than exchanges, and looks for addresses given twice', () => {
    const args = perfdhcpArguments(load);
    expect(flagOf(args, '-R')).toBe('5001');
    expect(flagOf(args, '-b')).toBe('mac=02:10:00:00:00:00');
    expect(args).toContain('-u');
    expect(args.at(-1)).toBe('10.0.0.1');
    expect(args).not.toContain('-f');
  });

  test('has clients of its own: perfdhcp counts in the last three octets, without a carry', () => {
    const bases = [1, 255, 256].map((number) =>
      flagOf(perfdhcpArguments({ ...load, number }), '-b'),
    );
    expect(bases).toEqual([
      'mac=02:10:01:00:00:00',
      'mac=02:10:ff:00:00:00',
      'mac=02:11:00:00:00:00',
    ]);
  });

  test('ends after a number of exchanges', () => {
    const args = perfdhcpArguments({ ...load, exchanges: 900, renewals: 300 });
    expect([flagOf(args, '-n'), flagOf(args, '-R'), flagOf(args, '-f')]).toEqual([
      '900',
      '901',
      '300',
    ]);
  });
});
