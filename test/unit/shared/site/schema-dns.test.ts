// Zones and plain records that are wrong in themselves, and where in the site file.
import { describe, expect, test } from 'vitest';
import { problemsOf, records, SOA, section } from './dns-problems.ts';

describe('is refused', () => {
  test.each<[string, string[], string[]]>([
    // Names.
    [
      'no name',
      records('{ name: a..b, type: A, data: [192.0.2.1] }'),
      ['2:13 "a..b" is not a domain name such as www.example.com'],
    ],
    [
      'a blank',
      records('{ name: "a ", type: A, data: [192.0.2.1] }'),
      ['2:13 "a " is not a domain name such as www.example.com'],
    ],
    [
      'the origin of zone files',
      records('{ name: "@", type: A, data: [192.0.2.1] }'),
      ['2:13 "@" means nothing here: write the whole name'],
    ],
    [
      'what is beyond ASCII',
      records('{ name: bücher.example, type: A, data: [192.0.2.1] }'),
      ['2:13 "bücher.example" has letters beyond ASCII: write it as xn--…'],
    ],
    [
      'a label of 64',
      records(`{ name: ${'a'.repeat(64)}, type: A, data: [192.0.2.1] }`),
      [`2:13 "${'a'.repeat(64)}" is not a domain name such as www.example.com`],
    ],
    // Zones.
    [
      'a zone of nothing',
      section('zones', '{ zone: example.com }'),
      ['2:5 a zone without an soa (give it an soa; or primaries, from which it is transferred in)'],
    ],
    [
      'half an soa',
      section('zones', '{ zone: example.com, soa: { primary: ns.example.com } }'),
      ['2:26 "mail" is missing'],
    ],
    [
      'an address as mailbox',
      section(
        'zones',
        '{ zone: example.com, soa: { primary: ns.example.com, mail: a.b@example.com } }',
      ),
      ['2:64 "a.b@example.com" is not a name: the mailbox is written a\\.b.example.com'],
    ],
    [
      'a secondary with its own',
      section(
        'zones',
        `{ zone: example.com, ${SOA}, ttl: 1m, serialBase: 1, primaries: [{ from: "192.0.2.1:53" }] }`,
      ),
      [
        '2:31 soa has no use: the zone is transferred in as its primaries have it',
        '2:86 ttl has no use: the zone is transferred in as its primaries have it',
        '2:102 serialBase has no use: the zone is transferred in as its primaries have it',
      ],
    ],
    [
      'a peer without a port',
      section('zones', '{ zone: example.com, primaries: [{ from: 192.0.2.1 }] }'),
      ['2:46 "192.0.2.1" is not host:port such as 192.0.2.53:53'],
    ],
    [
      'a secret',
      section('zones', '{ zone: example.com, primaries: [{ from: "192.0.2.1:53", secret: x }] }'),
      ['2:62 unknown key "secret"'],
    ],
    [
      'a key that is nearly right',
      section('zones', '{ zone: example.com, primarys: [] }'),
      ['2:26 unknown key "primarys" (did you mean "primaries"?)'],
    ],
    [
      'host bits',
      section('zones', `{ zone: example.com, ${SOA}, transfer: { prefixes: [192.0.2.1/24] } }`),
      ['2:104 "192.0.2.1/24" has bits set beyond /24: write 192.0.2.0/24'],
    ],
    // Types, TTLs and data.
    [
      'no type',
      records('{ name: a, type: B, data: [x] }'),
      ['2:22 "B" is not a type of record such as A or MX'],
    ],
    [
      'a type for questions',
      records('{ name: a, type: any, data: [x] }'),
      ['2:22 "any" is not a type of record such as A or MX'],
    ],
    [
      'an SOA',
      records('{ name: a, type: SOA, data: ["a b 1 2 3 4 5"] }'),
      ['2:22 an SOA is no record (it is the soa of the zone)'],
    ],
    [
      'a TTL of 32 bits',
      records('{ name: a, type: A, ttl: 2147483648s, data: [192.0.2.1] }'),
      ['2:30 "2147483648s" is not whole seconds such as 90s or 1h, up to 2147483647s'],
    ],
    [
      'half a second',
      records('{ name: a, type: A, ttl: 500ms, data: [192.0.2.1] }'),
      ['2:30 "500ms" is not whole seconds such as 90s or 1h, up to 2147483647s'],
    ],
    [
      'a TTL without a unit',
      records('{ name: a, type: A, ttl: 300, data: [192.0.2.1] }'),
      ['2:30 expected whole seconds such as 90s or 1h, up to 2147483647s, this is 300'],
    ],
    [
      'data of another type, twice',
      records('{ name: a, type: A, data: [192.0.2.1, "::1", x] }'),
      [
        '2:43 "::1" is no data of A: "::1" is not an IPv4 address',
        '2:50 "x" is no data of A: "x" is not an IPv4 address',
      ],
    ],
    [
      'too few words',
      records('{ name: a, type: MX, data: ["10"] }'),
      ['2:33 "10" is no data of MX: the exchange is missing'],
    ],
    [
      'too many words',
      records('{ name: a, type: NS, data: [a b] }'),
      ['2:33 "a b" is no data of NS: "b" is a word too many'],
    ],
    [
      'what begins a comment',
      records("{ name: a, type: TXT, data: ['v=1;x'] }"),
      [
        '2:34 "v=1;x" is no data of TXT: ";" has a meaning in zone files: put a backslash before it, or quote the text',
      ],
    ],
    [
      'an open quotation mark',
      records(`{ name: a, type: TXT, data: ['"a'] }`),
      ['2:34 "\\"a" is no data of TXT: a quotation mark is not closed on its line'],
    ],
    ['no data', records('{ name: a, type: A, data: [] }'), ['2:31 must have at least 1 item']],
    ['neither data nor lines', records('{ name: a, type: A }'), ['2:5 has neither data nor lines']],
    [
      'data twice, in other words',
      records('{ name: a, type: NS, data: [b.example, B.Example.] }'),
      ['2:44 B.Example. is there twice'],
    ],
    [
      'two CNAMEs',
      records('{ name: a, type: CNAME, data: [b, c] }'),
      ['2:39 a name has one CNAME, not 2'],
    ],
    [
      'a record twice, in two spellings',
      records(
        '{ name: A.example, type: A, data: [192.0.2.1] }',
        '{ name: a.example., type: TYPE1, data: [192.0.2.2] }',
      ),
      ['3:5 record a.example/A stands already at site.yaml:2'],
    ],
  ])('%s', (_, lines, expected) => {
    expect(problemsOf(lines.join('\n'))).toEqual(expected);
  });
});
