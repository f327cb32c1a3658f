// What dnsperf 2.10 printed, read.
import { describe, expect, test } from 'vitest';
import { readReport } from '../../../bench/dns/dnsperf.ts';

const PRINTED = `\
DNS Performance Testing Tool
Version 2.10.0

[Status] Testing complete (time limit)

Statistics:

  Queries sent:         2007
  Queries completed:    2000 (99.65%)
  Queries lost:         5 (0.25%)
  Queries interrupted:  2 (0.10%)

  Response codes:       NOERROR 1990 (99.50%), NXDOMAIN 10 (0.50%)
  Average packet size:  request 35, response 51
  Run time (s):         1.000115
  Queries per second:   1999.770000

  Average Latency (s):  0.000321 (min 0.000012, max 0.004500)
  Latency StdDev (s):   0.000101
`;

describe('a report of dnsperf', () => {
  test('is read', () => {
    const { codes, ...numbers } = readReport(PRINTED);
    expect(Object.fromEntries(codes)).toEqual({ NOERROR: 1990, NXDOMAIN: 10 });
    expect(numbers).toEqual({
      sent: 2007,
      completed: 2000,
      lost: 5,
      seconds: 1.000115,
      perSecond: 1999.77,
      meanMs: expect.closeTo(0.321),
      mostMs: expect.closeTo(4.5),
    });
  });

  test('without an answer has no codes', () => {
    const none = PRINTED.replace(/NOERROR.*/, '').replace(
      /completed: .*/,
      'completed:    0 (0.00%)',
    );
    expect(readReport(none)).toMatchObject({ completed: 0, codes: new Map() });
  });

  test('that is none is an error', () => {
    expect(() => readReport('Error: cannot connect')).toThrow('cannot connect');
  });
});
