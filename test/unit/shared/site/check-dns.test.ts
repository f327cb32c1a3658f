// Objects of dns and of pools that go together, that do not, and that make one wonder.
import { describe, expect, test } from 'vitest';
import { warnSite } from '../../../../shared/site/check.ts';
import { pools, problemsOf, records, SOA, section, smart, V4, V6, ZONE } from './dns-problems.ts';

describe('goes together', () => {
  test.each<[string, string[]]>([
    ['a record in no zone', records('{ name: a.example.org, type: A, data: [192.0.2.1] }')],
    [
      'a CNAME and its proof',
      records(
        '{ name: a, type: CNAME, data: [b] }',
        '{ name: a, type: NSEC, data: ["\\\\# 4 00000102"] }',
      ),
    ],
    [
      'a CNAME below the apex',
      [...ZONE, ...records('{ name: a.example.com, type: CNAME, data: [b] }')],
    ],
    [
      'an ALIAS at the apex, beside MX',
      [
        ...ZONE,
        ...records(
          '{ name: example.com, type: ALIAS, data: [b.example.com] }',
          '{ name: example.com, type: MX, data: ["1 b.example.com"] }',
        ),
      ],
    ],
    [
      'an apex of a zone within a zone',
      [
        ...section(
          'zones',
          `{ zone: example.com, ${SOA} }`,
          '{ zone: sub.example.com, primaries: [{ from: "192.0.2.1:53" }] }',
        ),
        ...records(
          '{ name: sub.example.com.example.com, type: A, data: [192.0.2.1] }',
          '{ name: xsub.example.com, type: A, data: [192.0.2.1] }',
        ),
      ],
    ],
    ['a smart CNAME of names', smart('lines: { default: { data: [a.example] } }', 'CNAME')],
    [
      'pools of each family',
      [
        ...pools(V4, V6),
        ...records(
          '{ name: w, type: A, lines: { default: { pool: p4 } } }',
          '{ name: w, type: AAAA, lines: { default: { sources: [{ pool: p6 }, { data: ["::1"] }] } } }',
        ),
      ],
    ],
    [
      'a pool without targets',
      [...pools('{ name: p, targets: [] }'), ...smart('lines: { default: { pool: p } }')],
    ],
    [
      'an override that is over, of nobody',
      section(
        'overrides',
        '{ address: 192.0.2.9, state: down, who: a, why: b, until: 1999-12-31T00:00Z }',
      ),
    ],
    [
      'a fallback to default at the end',
      section('lines', '{ name: a, fallback: [b, default] }', '{ name: b }'),
    ],
    [
      'two lines that overflow to a third',
      [
        ...section('lines', '{ name: a }', '{ name: b }'),
        ...smart(
          'lines: { a: { data: [192.0.2.1] }, b: { data: [192.0.2.2] }, default: { data: [192.0.2.3] } }, overflow: { a: [b, default], b: [default] }',
        ),
      ],
    ],
  ])('%s', (_, lines) => {
    expect(problemsOf(lines.join('\n'))).toEqual([]);
  });
});

describe('is refused', () => {
  test.each<[string, string[], string[]]>([
    // Together.
    [
      'a CNAME beside data',
      records(
        '{ name: a, type: CNAME, data: [b] }',
        '{ name: a, type: TXT, data: [x] }',
        '{ name: A., type: A, data: [192.0.2.1] }',
      ),
      ['2:22 record a/CNAME: a CNAME beside TXT, A (a name with a CNAME has nothing else)'],
    ],
    [
      'an ALIAS beside an address',
      records('{ name: a, type: ALIAS, data: [b] }', '{ name: a, type: AAAA, data: ["::1"] }'),
      ['2:22 record a/ALIAS: an ALIAS beside AAAA (its target gives the name both A and AAAA)'],
    ],
    [
      'a CNAME at the apex',
      [...ZONE, ...records('{ name: example.com, type: CNAME, data: [b] }')],
      [
        '4:32 record example.com/CNAME: a CNAME at the apex of zone example.com, which has an SOA (an ALIAS does there what is meant)',
      ],
    ],
    [
      'a smart CNAME at the apex',
      [
        ...ZONE,
        ...records('{ name: example.com, type: CNAME, lines: { default: { data: [b] } } }'),
      ],
      [
        '4:32 record example.com/CNAME: a CNAME at the apex of zone example.com, which has an SOA (an ALIAS does there what is meant)',
      ],
    ],
    [
      'a record of a secondary',
      [
        ...section('zones', '{ zone: example.com, primaries: [{ from: "192.0.2.1:53" }] }'),
        ...records('{ name: a\\.b.example.com, type: A, data: [192.0.2.1] }'),
      ],
      [
        '4:13 record a\\.b.example.com/A: zone example.com is transferred in: its records are those of its primaries (change it there)',
      ],
    ],
  ])('%s', (_, lines, expected) => {
    expect(problemsOf(lines.join('\n'))).toEqual(expected);
  });
});

/** With what every zone needs. */
const served = (...lines: string[]) =>
  records('{ name: example.com, type: NS, data: [ns.example.net] }', ...lines);

describe('is a warning', () => {
  const LONE =
    'is in no zone of the site: served only where a file or a transfer has its zone (add its zone under zones, or correct the name)';

  test.each<[string, string[], string[]]>([
    [
      'a record in no zone',
      [
        ...ZONE,
        ...served(
          '{ name: a.example.org, type: A, data: [192.0.2.1] }',
          '{ name: a.example.com, type: A, data: [192.0.2.1] }',
          '{ name: example.com, type: A, data: [192.0.2.1] }',
        ),
      ],
      [`5:13 record a.example.org/A: ${LONE}`],
    ],
    [
      'a name that only ends like a zone, or has its dot in a label',
      [
        ...ZONE,
        ...served(
          '{ name: xexample.com, type: A, data: [192.0.2.1] }',
          '{ name: a\\.example.com, type: A, data: [192.0.2.1] }',
          '{ name: a\\\\.example.com, type: A, data: [192.0.2.1] }',
        ),
      ],
      [`5:13 record xexample.com/A: ${LONE}`, `6:13 record a\\.example.com/A: ${LONE}`],
    ],
    [
      'an override of nobody',
      [
        ...pools(V4, V6),
        ...section(
          'overrides',
          '{ address: 192.0.2.1, pool: p4, state: up, who: a, why: b }',
          '{ address: 192.0.2.1, state: up, who: a, why: b }',
          '{ address: 192.0.2.1, pool: p6, state: up, who: a, why: b }',
          '{ address: 192.0.2.2, state: up, who: a, why: b }',
        ),
      ],
      [
        '7:16 override 192.0.2.1/p6: 192.0.2.1 is no target of p6',
        '8:16 override 192.0.2.2: 192.0.2.2 is no target of any pool',
      ],
    ],
    [
      'not the name below the root zone',
      [
        ...section('zones', `{ zone: ., ${SOA} }`),
        ...records(
          '{ name: a.b, type: A, data: [192.0.2.1] }',
          '{ name: ., type: NS, data: [a.b] }',
        ),
      ],
      [],
    ],
    [
      'a zone without name servers',
      [...ZONE, ...records('{ name: a.example.com, type: A, data: [192.0.2.1] }')],
      [
        '2:5 zone example.com: dns will not serve the zone: example.com. has no NS records at its apex',
      ],
    ],
    [
      'what dns warns of when it builds the zone',
      [...ZONE, ...served('{ name: example.com, type: MX, data: ["1 mx.example.com"] }')],
      [
        '5:5 record example.com/MX: example.com. MX: mx.example.com. has no address (A or AAAA) in this zone: add one, or name another',
      ],
    ],
    [
      'of a zone that is transferred in nothing',
      [...section('zones', '{ zone: example.com, primaries: [{ from: "192.0.2.1:53" }] }')],
      [],
    ],
  ])('%s', (_, lines, expected) => {
    expect(problemsOf(lines.join('\n'))).toEqual([]);
    expect(problemsOf(lines.join('\n'), (items) => warnSite(items, 1_790_000_000))).toEqual(
      expected,
    );
  });
});
