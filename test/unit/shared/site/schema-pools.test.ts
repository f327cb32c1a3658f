// Lines, pools and overrides that are refused, and where in the site file.
import { describe, expect, test } from 'vitest';
import { pools, problemsOf, section } from './dns-problems.ts';

describe('is refused', () => {
  test.each<[string, string[], string[]]>([
    // Lines, pools, overrides.
    [
      'a fallback to nobody',
      section('lines', '{ name: a, fallback: [b] }'),
      [
        '2:27 line a: there is no line "b" (add it under lines: one that only list files fill is { name: b })',
      ],
    ],
    [
      'fallbacks that cannot be',
      section('lines', '{ name: a, fallback: [a, default, b, b] }', '{ name: b }'),
      [
        '2:27 falls back to itself',
        '2:30 default is always the last to fall back to',
        '2:42 falls back to b twice',
      ],
    ],
    [
      'default as a line',
      section('lines', '{ name: default }'),
      [
        '2:13 default is everybody whom no other line names: it is always there (call the line something else)',
      ],
    ],
    [
      'a prefix twice',
      section('lines', '{ name: a, prefixes: [192.0.2.0/24, 192.0.2.0/24] }'),
      ['2:41 prefix 192.0.2.0/24 is there twice'],
    ],
    [
      'both families',
      pools('{ name: p, targets: [{ address: 192.0.2.1 }, { address: "::1" }] }'),
      ['2:61 target ::1 is of another family than 192.0.2.1 (make a pool of each family)'],
    ],
    [
      'an address twice',
      pools('{ name: p, targets: [{ address: "::1" }, { address: "0::1", weight: 2 }] }'),
      ['2:57 target ::1 is there twice (give it one weight)'],
    ],
    [
      'an IPv4 address in an IPv6 one',
      pools('{ name: p, targets: [{ address: "::ffff:192.0.2.1" }] }'),
      ['2:37 "::ffff:192.0.2.1" is not an IPv4 or IPv6 address'],
    ],
    [
      'weights and tiers beyond',
      pools('{ name: p, targets: [{ address: 192.0.2.1, weight: 1001, tier: -1 }] }'),
      ['2:56 must be at most 1000', '2:68 must be at least 0'],
    ],
    ['no targets', pools('{ name: p }'), ['2:5 "targets" is missing']],
    [
      'an unknown check',
      pools('{ name: p, targets: [], check: { type: udp } }'),
      ['2:44 expected "tcp" or "readyz" or "icmp" or "http" or "https" or "dns", this is "udp"'],
    ],
    [
      'a key of another check',
      pools('{ name: p, targets: [], check: { type: tcp, port: 1, path: / } }'),
      ['2:58 key "path" does not fit here'],
    ],
    [
      'a nearly right key of a check',
      pools('{ name: p, targets: [], check: { type: http, intervall: 5s } }'),
      ['2:50 unknown key "intervall" (did you mean "interval"?)'],
    ],
    [
      'a timeout beyond the interval',
      pools('{ name: p, targets: [], check: { type: icmp, interval: 1s } }'),
      ['2:29 the timeout, 2000 ms, is longer than the interval, 1000 ms'],
    ],
    [
      'an interval beyond',
      pools('{ name: p, targets: [], check: { type: icmp, interval: 10ms, timeout: 10ms } }'),
      ['2:60 must be 100ms to 1h'],
    ],
    [
      'a path that is none',
      pools('{ name: p, targets: [], check: { type: http, path: healthz } }'),
      ['2:56 "healthz" is not a path such as /healthz'],
    ],
    [
      'codes that are none',
      pools('{ name: p, targets: [], check: { type: http, status: 399-200 } }'),
      ['2:58 "399-200" is not a code such as 200, or codes such as 200-399'],
    ],
    [
      'answers of all',
      pools('{ name: p, targets: [], answer: all, answers: 2 }'),
      ['2:51 answers has no use where all healthy targets are answered (leave it out)'],
    ],
    [
      'an override of an unknown pool',
      section('overrides', '{ address: 192.0.2.1, pool: www, state: up, who: a, why: b }'),
      ['2:33 override 192.0.2.1/www: there is no pool "www" (add it under pools)'],
    ],
    [
      'an override without a reason',
      section('overrides', '{ address: 192.0.2.1, state: up, who: a }'),
      ['2:5 "why" is missing'],
    ],
    [
      'an override of two lines',
      section('overrides', '{ address: 192.0.2.1, state: up, who: a, why: "b\\nc" }'),
      ['2:51 "b\\nc" is not a text of 1 to 200 characters on one line'],
    ],
    [
      'a time without a zone',
      section(
        'overrides',
        '{ address: 192.0.2.1, state: up, who: a, why: b, until: 2026-12-01T00:00:00 }',
      ),
      ['2:61 "2026-12-01T00:00:00" is not a time with its zone such as 2026-12-01T00:00:00Z'],
    ],
    [
      'a day that is none',
      section(
        'overrides',
        '{ address: 192.0.2.1, state: up, who: a, why: b, until: 2026-02-29T00:00:00Z }',
      ),
      ['2:61 "2026-02-29T00:00:00Z" is not a time with its zone such as 2026-12-01T00:00:00Z'],
    ],
    [
      'nodes of a unit that is no service',
      section('nodes', '{ name: a, service: pools }'),
      ['2:25 expected "natter" or "dhcpd" or "dns" or "lb", this is "pools"'],
    ],
  ])('%s', (_, lines, expected) => {
    expect(problemsOf(lines.join('\n'))).toEqual(expected);
  });
});
