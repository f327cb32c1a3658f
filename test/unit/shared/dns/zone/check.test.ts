import { describe, expect, test } from 'vitest';
import { TYPES } from '../../../../../shared/dns/constants.ts';
import { checkZone } from '../../../../../shared/dns/zone/check.ts';
import { HEAD, loaded, NOW_SECONDS, name, ORIGIN, parsed, recordLines, told } from './zone-text.ts';

/** What is told of HEAD and a body; "-" stands for ".example.com.". */
function problemsOf(body: string): string[] {
  const { zone, problems } = loaded(HEAD + body);
  const lines = told(problems).map((each) => each.replaceAll('.example.com.', '-'));
  expect(zone === undefined).toBe(lines.some((each) => each.startsWith('refusal')));
  return lines;
}

const FINE: [what: string, body: string][] = [
  ['nothing more', ''],
  [
    'CNAME and its signature',
    'a CNAME b.x.org.\na RRSIG CNAME 8 3 300 20300101000000 20200101000000 1 @ AAAA\n',
  ],
  ['CNAME out of the zone', 'a CNAME a.x.org.\n'],
  ['CNAME to nothing', 'a CNAME b\n'],
  ['a chain of 16', chain(16)],
  ['CNAME to a cut', 'a CNAME b.sub\nsub NS ns\n'],
  ['MX of none', '@ MX 0 .\n'],
  ['SRV of none', 'a SRV 0 0 0 .\n'],
  ['MX outside', '@ MX 10 mx.example.net.\n'],
  ['MX by a wildcard', '@ MX 10 a.w\n*.w A 192.0.2.1\n'],
  ['MX by an alias at its name', '@ MX 10 a\na ALIAS x.org.\n'],
  ['MX below a cut', '@ MX 10 mx.sub\nsub NS ns\n'],
  ['glue', 'sub NS ns.sub\nns.sub A 192.0.2.1\nns.sub AAAA ::1\n'],
  ['DS at a cut', `sub NS ns\nsub DS 1 8 2 ${'00'.repeat(32)}\n`],
  ['glue of the cut itself', 'sub NS sub\nsub A 192.0.2.1\n'],
  ['DNAME beside data', 'd DNAME x.org.\nd TXT x\n'],
  ['ALIAS beside data', '@ ALIAS x.org.\n@ MX 0 .\n'],
  ['many TXT', 'a TXT x\na TXT y\na 300 TXT z\n'],
  ['a wildcard of itself', '*.w CNAME a.w\na.w A 192.0.2.1\n'],
  // x.ent is not the wildcard's, as ent is there without data.
  ['an empty non-terminal', '* CNAME x.ent\ny.ent A 192.0.2.1\n'],
];

function chain(links: number): string {
  return Array.from({ length: links }, (_, at) => `c${at} CNAME c${at + 1}\n`).join('');
}

const TOLD: [body: string, problems: string[]][] = [
  [
    '@ SOA ns hostmaster 8 1 2 3 4\n',
    ['refusal z:5:1 example.com. SOA: there may be only one, leave the others out'],
  ],
  [
    'a SOA ns hostmaster 8 1 2 3 4\n',
    ['refusal z:5:1 a- SOA is not at the apex: a zone has one SOA, there'],
  ],
  [
    'a CNAME b\na A 192.0.2.1\n',
    ['refusal z:5:1 a- CNAME stands beside other data: a name with a CNAME has nothing else'],
  ],
  [
    'A TXT x\na CNAME b\n',
    ['refusal z:6:1 a- CNAME stands beside other data: a name with a CNAME has nothing else'],
  ],
  [
    'a CNAME b\na CNAME c\n',
    ['refusal z:6:1 a- CNAME: there may be only one, leave the others out'],
  ],
  [
    'a CNAME b\na DNAME c\n',
    ['refusal z:5:1 a- CNAME stands beside other data: a name with a CNAME has nothing else'],
  ],
  [
    'd DNAME b\nd DNAME c\n',
    ['refusal z:6:1 d- DNAME: there may be only one, leave the others out'],
  ],
  [
    '@ CNAME b\n',
    ['refusal z:5:1 example.com. CNAME is at the apex, beside SOA and NS: use ALIAS'],
  ],
  [
    'a ALIAS x.org.\na A 192.0.2.1\n',
    ['refusal z:5:1 a- ALIAS stands beside A or AAAA: an alias is what they would be'],
  ],
  [
    'a ALIAS x.org.\na CNAME b\n',
    ['refusal z:6:1 a- CNAME stands beside other data: a name with a CNAME has nothing else'],
  ],
  [
    'a ALIAS x.org.\na ALIAS y.org.\n',
    ['refusal z:6:1 a- ALIAS: there may be only one, leave the others out'],
  ],
  [
    'd DNAME x.org.\na.d A 192.0.2.1\n',
    ['refusal z:6:1 a.d- A is below a DNAME: remove one of them'],
  ],
  [
    'a.b.d TXT x\nD DNAME x.org.\n',
    ['refusal z:5:1 a.b.d- TXT is below a DNAME: remove one of them'],
  ],
  [
    '@ DNAME x.org.\n',
    [
      'refusal z:4:1 ns- A is below a DNAME: remove one of them',
      'refusal z:3:1 example.com. NS: ns- is below a DNAME: name what it stands for',
    ],
  ],
  [
    'sub NS ns\nx.sub MX 10 nothere\n',
    ['warning z:6:1 x.sub- MX is below a delegation: never answered'],
  ],
  [
    '* A 192.0.2.1\nw TXT x\n@ SRV 1 2 3 a.w\n',
    [
      `warning z:7:1 example.com. SRV: a.w- has no address (A or AAAA) in this zone: add one, or name another`,
    ],
  ],
  [`${chain(20)}c20 CNAME c20\n`, ['refusal z:25:1 c20- CNAME leads back to itself']],
  ['sub NS ns\nx.sub TXT x\n', ['warning z:6:1 x.sub- TXT is below a delegation: never answered']],
  ['sub NS ns\nx.sub NS ns\n', ['warning z:6:1 x.sub- NS is below a delegation: never answered']],
  ['sub NS ns\nsub MX 0 .\n', ['warning z:6:1 sub- MX is at a delegation: never answered']],
  [
    'sub NS ns\nsub DNAME x.org.\n',
    ['warning z:6:1 sub- DNAME is at a delegation: never answered'],
  ],
  ['*.w NS ns\n', ['warning z:5:1 *.w- NS: a wildcard delegates nothing']],
  [
    '*.w DNAME x.org.\n',
    [
      'warning z:5:1 *.w- DNAME: what a wildcard redirects depends on who asks first (RFC 4592 §4.4)',
    ],
  ],
  ['a CNAME a\n', ['refusal z:5:1 a- CNAME leads back to itself']],
  ['a CNAME b\nb CNAME C\nc CNAME b\n', ['refusal z:6:1 b- CNAME leads back to itself']],
  ['*.w CNAME a.w\n', ['refusal z:5:1 *.w- CNAME leads back to itself']],
  [chain(17), ['refusal z:5:1 c0- CNAME leads over more than 16 others']],
  [chain(20), ['refusal z:8:1 c3- CNAME leads over more than 16 others']],
  [
    '@ NS a\n',
    [
      'refusal z:5:1 example.com. NS: a- has no address (A or AAAA) in this zone: add one, or name another',
    ],
  ],
  [
    '@ NS a\na CNAME ns\n',
    ['refusal z:5:1 example.com. NS: a- is a CNAME: name what it stands for (RFC 2181 §10.3)'],
  ],
  [
    '@ NS a.d\nd DNAME x.org.\n',
    ['refusal z:5:1 example.com. NS: a.d- is below a DNAME: name what it stands for'],
  ],
  [
    '@ NS a.sub\nsub NS ns\n',
    ['warning z:5:1 example.com. NS: a.sub- is delegated, and has no address here as glue'],
  ],
  [
    'sub NS a\n',
    ['warning z:5:1 sub- NS: a- has no address (A or AAAA) in this zone: add one, or name another'],
  ],
  [
    'sub NS ns.sub\n',
    ['warning z:5:1 sub- NS: ns.sub- is delegated, and has no address here as glue'],
  ],
  [
    'sub NS a\na CNAME ns\n',
    ['warning z:5:1 sub- NS: a- is a CNAME: name what it stands for (RFC 2181 §10.3)'],
  ],
  [
    '@ MX 10 a\n',
    [
      'warning z:5:1 example.com. MX: a- has no address (A or AAAA) in this zone: add one, or name another',
    ],
  ],
  [
    '@ MX 10 A\na CNAME ns\n',
    ['warning z:5:1 example.com. MX: A- is a CNAME: name what it stands for (RFC 2181 §10.3)'],
  ],
  [
    '@ MX 10 a\na TXT x\n',
    [
      'warning z:5:1 example.com. MX: a- has no address (A or AAAA) in this zone: add one, or name another',
    ],
  ],
  [
    's SRV 1 2 3 a\n',
    ['warning z:5:1 s- SRV: a- has no address (A or AAAA) in this zone: add one, or name another'],
  ],
  [
    's SRV 1 2 3 x.ent\n* A 192.0.2.1\ny.ent A 192.0.2.1\n',
    [
      'warning z:5:1 s- SRV: x.ent- has no address (A or AAAA) in this zone: add one, or name another',
    ],
  ],
  ['a A 192.0.2.1\nA 300 A 192.0.2.1\n', ['warning z:6:1 A- A is there twice: left out']],
  ['a MX 0 X.org.\na MX 0 x.org.\n', ['warning z:6:1 a- MX is there twice: left out']],
  [
    'a A 192.0.2.1\na 60 A 192.0.2.2\na 90 A 192.0.2.3\n',
    ['warning z:6:1 a- A: TTLs differ, 60 counts for all of them'],
  ],
  ['a 2147483648 A 192.0.2.1\n', ['warning z:5:1 a- A: a TTL above 2147483647 counts as 0']],
];

describe('checks of a zone', () => {
  test.each(FINE)('nothing is wrong with %s', (_, body) => {
    expect(problemsOf(body).filter((each) => !each.includes('sign it anew'))).toEqual([]);
  });

  test.each(TOLD)('%j', (body, problems) => {
    expect(problemsOf(body)).toEqual(problems);
  });

  test('empty non-terminals among many names', () => {
    const deep = Array.from({ length: 2000 }, (_, at) => `a.e${at} A 192.0.2.1\n`).join('');
    const services = Array.from({ length: 40 }, (_, at) => `s SRV 1 2 3 b.e${at}\n`).join('');
    expect(problemsOf(`* A 192.0.2.1\n${deep}${services}`)).toHaveLength(40);
  });

  test('a zone without SOA, without name servers', () => {
    expect(told(loaded('$TTL 1\n').problems)).toEqual([
      'refusal - example.com. has no SOA record at its apex',
      'refusal - example.com. has no NS records at its apex',
    ]);
  });

  test('what is served: nothing twice, one TTL, no TTL above 31 bits', () => {
    const body = 'a 90 A 192.0.2.1\na 60 A 192.0.2.2\na A 192.0.2.1\nb 4294967295 TXT x\n';
    const { zone } = loaded(HEAD + body);
    expect(zone?.serial).toBe(7);
    expect(zone && recordLines(zone.records).slice(2)).toEqual([
      'a.example.com. 60 A 192.0.2.1',
      'a.example.com. 60 A 192.0.2.2',
      'b.example.com. 0 TXT "x"',
      'ns.example.com. 300 A 192.0.2.53',
    ]);
  });

  test('a zone without faults is not copied', () => {
    const { records, placeOf } = parsed(HEAD);
    const { zone } = checkZone({ origin: ORIGIN, records, placeOf, nowSeconds: NOW_SECONDS });
    expect(zone?.records).toBe(records);
  });

  test.each([
    ['CNAME', TYPES.A, 'a CNAME b\n', 'a- CNAME stands beside other data'],
    ['A', TYPES.CNAME, 'a A 192.0.2.1\n', 'a- CNAME stands beside other data'],
    ['CNAME twice', TYPES.CNAME, 'a CNAME b\n', 'a- CNAME: there may be only one'],
    ['ALIAS', TYPES.ALIAS, 'a A 192.0.2.1\n', 'a- ALIAS stands beside A or AAAA'],
  ])('smart names beside %s', (_, type, body, problem) => {
    const { records, placeOf } = parsed(HEAD + body);
    const smart = [{ owner: name('A.example.com'), type }];
    const input = { origin: ORIGIN, records, placeOf, smart, nowSeconds: NOW_SECONDS };
    const { zone, problems } = checkZone(input);
    expect(zone).toBeUndefined();
    const [first = ''] = told(problems);
    expect(first.toLowerCase().replace('.example.com.', '-')).toContain(problem.toLowerCase());
  });

  test('smart names are addresses of what names them, and no records', () => {
    const { records, placeOf } = parsed(`${HEAD}@ MX 10 a\n`);
    const smart = [{ owner: name('a.example.com'), type: TYPES.A }];
    const input = { origin: ORIGIN, records, placeOf, smart, nowSeconds: NOW_SECONDS };
    const { zone, problems } = checkZone(input);
    expect(problems).toEqual([]);
    expect(zone?.records.count).toBe(4);
  });
});
