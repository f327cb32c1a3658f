// Records by line that are refused, and where in the site file.
import { describe, expect, test } from 'vitest';
import { pools, problemsOf, records, section, smart, V4, V6 } from './dns-problems.ts';

describe('is refused', () => {
  test.each<[string, string[], string[]]>([
    // Smart records.
    [
      'what only lines have',
      records('{ name: a, type: A, data: [192.0.2.1], minTtl: 5s, allDown: none }'),
      ['2:52 minTtl is of records with lines', '2:65 allDown is of records with lines'],
    ],
    [
      'data and lines',
      smart('data: [192.0.2.1], lines: { default: { data: [192.0.2.1] } }'),
      ['2:43 has data and lines (write it as lines: { default: { data: … } })'],
    ],
    [
      'no default',
      [...section('lines', '{ name: a }'), ...smart('lines: { a: { data: [192.0.2.1] } }')],
      [
        '4:44 there is no line default, for the clients whom no other one names (add default under lines)',
      ],
    ],
    [
      'pool and data',
      smart('lines: { default: { pool: p, data: [192.0.2.1] } }'),
      ['2:55 needs exactly one of pool, data and sources'],
    ],
    [
      'neither',
      smart('lines: { default: { ttl: 5s } }'),
      ['2:55 needs exactly one of pool, data and sources'],
    ],
    [
      'a source of nothing',
      smart('lines: { default: { sources: [{}] } }'),
      ['2:67 needs exactly one of pool and data'],
    ],
    [
      'wrong data in a source',
      smart('lines: { default: { sources: [{ data: [x] }] } }'),
      ['2:76 "x" is no data of A: "x" is not an IPv4 address'],
    ],
    [
      'an MX by line',
      smart('lines: { default: { data: ["1 a"] } }', 'MX'),
      ['2:34 a MX has no lines (give it data; by line are A, AAAA, CNAME, ALIAS)'],
    ],
    [
      'a CNAME of a pool',
      [...smart('lines: { default: { pool: p4 } }', 'CNAME'), ...pools(V4)],
      ['2:67 a CNAME takes no pool, which has addresses (give it data: the name that it leads to)'],
    ],
    [
      'a CNAME of two names',
      smart('lines: { default: { data: [a, b] } }', 'CNAME'),
      ['2:71 a name has one CNAME, not 2'],
    ],
    [
      'a word that is not one of three',
      smart('lines: { default: { data: [192.0.2.1] } }, allDown: fail'),
      ['2:89 expected "all" or "default" or "none", this is "fail"'],
    ],
    [
      'an unknown pool',
      smart('lines: { default: { pool: www } }'),
      ['2:63 record w.example.com/A: there is no pool "www" (add it under pools)'],
    ],
    [
      'an unknown pool among sources',
      smart('lines: { default: { sources: [{ data: [192.0.2.1] }, { pool: www }] } }'),
      ['2:98 record w.example.com/A: there is no pool "www" (add it under pools)'],
    ],
    [
      'an unknown line',
      smart('lines: { a: { data: [192.0.2.1] }, default: { data: [192.0.2.1] } }'),
      [
        '2:49 record w.example.com/A: there is no line "a" (add it under lines: one that only list files fill is { name: a })',
      ],
    ],
    [
      'a pool of the other family',
      [...smart('lines: { default: { pool: p6 } }'), ...pools(V6)],
      ['2:63 record w.example.com/A: pool p6 has IPv6 addresses, but A is for IPv4'],
    ],
    [
      'a pool of the other family, again',
      [...smart('lines: { default: { pool: p4 } }', 'AAAA'), ...pools(V4)],
      ['2:66 record w.example.com/AAAA: pool p4 has IPv4 addresses, but AAAA is for IPv6'],
    ],
    [
      'overflow to a line without an answer',
      smart('lines: { default: { data: [192.0.2.1] } }, overflow: { default: [a], b: [default] }'),
      [
        '2:102 overflow to a, which is none of its lines',
        '2:109 overflow of b, which is none of its lines',
      ],
    ],
  ])('%s', (_, lines, expected) => {
    expect(problemsOf(lines.join('\n'))).toEqual(expected);
  });
});
