import { describe, expect, test } from 'vitest';
import { HEAD, parsed, recordLines, told } from './zone-text.ts';

/** The records behind HEAD's own. */
function linesOf(body: string, others: Record<string, string> = {}): string[] {
  const { records, problems } = parsed(HEAD + body, others);
  expect(told(problems)).toEqual([]);
  const own = new Set(recordLines(parsed(HEAD).records));
  return recordLines(records)
    .filter((line) => !own.has(line))
    .map((line) => line.replaceAll('example.com.', '~'));
}

const TEXTS: [what: string, body: string, lines: string[]][] = [
  ['all in one line', 'www 60 IN A 192.0.2.1\n', ['www.~ 60 A 192.0.2.1']],
  ['class before TTL', 'www IN 60 A 192.0.2.1\n', ['www.~ 60 A 192.0.2.1']],
  ['neither', 'www A 192.0.2.1\n', ['www.~ 300 A 192.0.2.1']],
  ['class by number', 'www CLASS1 A 192.0.2.1\n', ['www.~ 300 A 192.0.2.1']],
  ['units', 'www 1h30m A 192.0.2.1\n', ['www.~ 5400 A 192.0.2.1']],
  ['small letters', 'www in a 192.0.2.1\n', ['www.~ 300 A 192.0.2.1']],
  [
    'owners that look like words',
    'in a 192.0.2.1\n60 60 a 192.0.2.2\na a 192.0.2.3\n',
    ['60.~ 60 A 192.0.2.2', 'a.~ 300 A 192.0.2.3', 'in.~ 300 A 192.0.2.1'],
  ],
  ['@', '@ MX 10 @\n', ['~ 300 MX 10 ~']],
  ['@ that is a label', '\\@ A 192.0.2.1\n', ['\\@.~ 300 A 192.0.2.1']],
  ['no owner', 'www A 192.0.2.1\n\t TXT x\n', ['www.~ 300 A 192.0.2.1', 'www.~ 300 TXT "x"']],
  [
    'no owner after empty lines',
    'www A 192.0.2.1\n\n  ; note\n \n AAAA ::1\n',
    ['www.~ 300 A 192.0.2.1', 'www.~ 300 AAAA ::1'],
  ],
  ['absolute names', 'www.example.com. CNAME x.org.\n', ['www.~ 300 CNAME x.org.']],
  ['the case stays', 'WwW CNAME X.org.\n', ['WwW.~ 300 CNAME X.org.']],
  [
    'parentheses',
    'a TXT ( x ; note )\n\n  "y"\n\n) ; end\nb (\nA\n)192.0.2.1\n',
    ['a.~ 300 TXT "x" "y"', 'b.~ 300 A 192.0.2.1'],
  ],
  ['words side by side', 'a TXT x"y"z;note\n', ['a.~ 300 TXT "x" "y" "z"']],
  ['quoted signs', 'a TXT "; ( ) \\" \\\\ @"\n', ['a.~ 300 TXT "; ( ) \\" \\\\ @"']],
  ['escapes in words', 'a TXT x\\;y\\ z\\"\\065\n', ['a.~ 300 TXT "x;y z\\"A"']],
  ['a line that ends in a text', 'a TXT "x\\\ny"\n', ['a.~ 300 TXT "x\\010y"']],
  ['escapes in owners', 'a\\.b\\046\\000 A 192.0.2.1\n', ['a\\.b\\.\\000.~ 300 A 192.0.2.1']],
  ['bytes above ASCII', '\xe4 TXT \xfc\n', ['\\228.~ 300 TXT "\\252"']],
  ['CR LF', 'a A 192.0.2.1\r\n TXT (\r\n x )\r\n', ['a.~ 300 A 192.0.2.1', 'a.~ 300 TXT "x"']],
  ['CR alone', 'a A 192.0.2.1\rb A 192.0.2.2\r', ['a.~ 300 A 192.0.2.1', 'b.~ 300 A 192.0.2.2']],
  ['no final newline', 'a A 192.0.2.1', ['a.~ 300 A 192.0.2.1']],
  ['a comment without newline', 'a A 192.0.2.1 ;x', ['a.~ 300 A 192.0.2.1']],
  [
    'unknown types',
    'a TYPE65280 \\# 3 ab cdef\nb TYPE65280 \\# 0\n',
    ['a.~ 300 TYPE65280 \\# 3 ABCDEF', 'b.~ 300 TYPE65280 \\# 0'],
  ],
  [
    'known types as unknown ones',
    'a TYPE1 192.0.2.1\nb A \\# 4 c0000201\n',
    ['a.~ 300 A 192.0.2.1', 'b.~ 300 A 192.0.2.1'],
  ],
  [
    'AAAA',
    'a AAAA ::\na AAAA 1::\na AAAA ::8\na AAAA 1:2::7:8\na AAAA ::192.0.2.1\na AAAA 1:2:3:4:5:6:7:8\n',
    [
      'a.~ 300 AAAA ::',
      'a.~ 300 AAAA ::8',
      'a.~ 300 AAAA ::c000:201',
      'a.~ 300 AAAA 1::',
      'a.~ 300 AAAA 1:2::7:8',
      'a.~ 300 AAAA 1:2:3:4:5:6:7:8',
    ],
  ],
  [
    '$ORIGIN',
    '$ORIGIN sub\na A 192.0.2.1\n$ORIGIN example.com.\n@ TXT x\n',
    ['~ 300 TXT "x"', 'a.sub.~ 300 A 192.0.2.1'],
  ],
  [
    '$TTL',
    '$TTL 1d\na A 192.0.2.1\nb 60 A 192.0.2.2\nc A 192.0.2.3\n',
    ['a.~ 86400 A 192.0.2.1', 'b.~ 60 A 192.0.2.2', 'c.~ 86400 A 192.0.2.3'],
  ],
  ['$DATE', '$DATE 20261121000000\n', []],
  [
    '$GENERATE',
    '$GENERATE 1-3/2 h$ A 192.0.2.$\n',
    ['h1.~ 300 A 192.0.2.1', 'h3.~ 300 A 192.0.2.3'],
  ],
  [
    '$GENERATE of several words',
    `$GENERATE 8-9 h\${1,3} 60 MX "$ \\"mx$$\\""\n`,
    ['h009.~ 60 MX 8 mx\\$.~', 'h010.~ 60 MX 9 mx\\$.~'],
  ],
  [
    'an owner from before $GENERATE',
    'a A 192.0.2.1\n$GENERATE 1-1 b A 192.0.2.$\n TXT x\n',
    ['a.~ 300 A 192.0.2.1', 'a.~ 300 TXT "x"', 'b.~ 300 A 192.0.2.1'],
  ],
];

describe('zone files', () => {
  test.each(TEXTS)('%s', (_, body, lines) => {
    expect(linesOf(body)).toEqual(lines);
  });

  test('without $TTL the last TTL counts, without any the minimum of the SOA', () => {
    const soa = 'SOA ns hostmaster 7 3600 600 1209600 60\n';
    const ttls = (text: string) =>
      recordLines(parsed(text).records).map((each) => each.split(' ')[1]);
    expect(ttls(`@ 5 ${soa}a A 192.0.2.1\nb 7 A 192.0.2.1\nc A 192.0.2.1\n`)).toEqual([
      '5',
      '5',
      '7',
      '7',
    ]);
    expect(ttls(`@ ${soa}a A 192.0.2.1\nb 7 A 192.0.2.1\nc A 192.0.2.1\n`)).toEqual([
      '60',
      '60',
      '7',
      '60',
    ]);
  });

  test('records outside of the zone are left out, those of no owner after them too', () => {
    const { records, problems } = parsed(
      `${HEAD}x.org. A 192.0.2.1\n TXT x\nxexample.com. TXT x\n`,
    );
    expect(records.count).toBe(3);
    expect(told(problems)).toEqual([
      'warning z:5:1 x.org. is not in the zone example.com.: left out',
      'warning z:7:1 xexample.com. is not in the zone example.com.: left out',
    ]);
  });

  test('the zone of the root', () => {
    const { records } = parsed('$ORIGIN .\n$TTL 1\n@ SOA . . 1 2 3 4 5\n');
    expect(records.count).toBe(0);
  });
});

const PROBLEMS: [body: string, problem: string][] = [
  ['a A 192.0.2\n', '5:5 A: "192.0.2" is not an IPv4 address'],
  ['a A 192.0.2.01\n', '5:5 A: "192.0.2.01" is not an IPv4 address'],
  ['a A 192.0.2.1.\n', '5:5 A: "192.0.2.1." is not an IPv4 address'],
  ['a AAAA 1::2::3\n', '5:8 AAAA: "1::2::3" is not an IPv6 address'],
  ['a AAAA 1:2:3:4:5:6:7\n', '5:8 AAAA: "1:2:3:4:5:6:7" is not an IPv6 address'],
  ['a AAAA 1:2:3:4:5:6:7:8:9\n', '5:8 AAAA: "1:2:3:4:5:6:7:8:9" is not an IPv6 address'],
  ['a AAAA 12345::\n', '5:8 AAAA: "12345::" is not an IPv6 address'],
  ['a AAAA 1:\n', '5:8 AAAA: "1:" is not an IPv6 address'],
  ['a A\n', '5:3 A: the address is missing'],
  ['a A 192.0.2.1 x\n', '5:15 A: "x" is a word too many'],
  ['a MX (\n 10\n x..y )\n', '7:2 MX: exchange "x..y" is not a name'],
  ['a CNAME x..y\n', '5:9 CNAME: target "x..y" is not a name'],
  ['a\n', '5:2 the type is missing'],
  ['a 60 IN\n', '5:8 the type is missing'],
  ['a 60 70 A 192.0.2.1\n', '5:6 "70" is not a TTL, a class, or a type of record'],
  ['a FOO x\n', '5:3 "FOO" is not a TTL, a class, or a type of record'],
  ['a AAAA ::1:2:3:4:5:6:7:8\n', '5:8 AAAA: "::1:2:3:4:5:6:7:8" is not an IPv6 address'],
  ['a AAAA 1:2:3:4:5:6:7:8:\n', '5:8 AAAA: "1:2:3:4:5:6:7:8:" is not an IPv6 address'],
  ['a IN IN A 192.0.2.1\n', '5:6 "IN" is not a TTL, a class, or a type of record'],
  ['a CH TXT x\n', '5:3 class CH is not served: only IN is'],
  ['a AXFR x\n', '5:3 AXFR is a type for questions, not of records'],
  ['a TYPE0 \\# 0\n', '5:3 TYPE0 is a type for questions, not of records'],
  ['a..b A 192.0.2.1\n', '5:1 the owner "a..b" is not a name'],
  ['a\\300 A 192.0.2.1\n', '5:1 the owner "a\\\\300" is not a name'],
  ['a TXT "x\nb A 192.0.2.1\n', '5:7 a quotation mark is not closed on its line'],
  ['a TXT "x\\\ny\n', '5:7 a quotation mark is not closed on its line'],
  ['a TXT x\\\nb A 192.0.2.1\n', '5:7 TXT: "x\\\\" has an escape'],
  ['a A 192.0.2.1 )\n', '5:15 ")" without a "("'],
  ['a A ( 192.0.2.1\n\n', '7:1 the "(" of line 5 is not closed'],
  ['a A \0\n', '5:5 a NUL byte: write it as \\000'],
  ['a TXT "\0"\n', '5:8 a NUL byte: write it as \\000'],
  ['a TXT \\# 2 ab\n', '5:10 TXT: \\# says "2" bytes, but 1 follow'],
  ['$FOO x\n', '5:1 "$FOO" is no directive (known: $ORIGIN, $TTL, $INCLUDE, $GENERATE, $DATE)'],
  ['$ORIGIN\n', '5:8 the origin is missing'],
  ['$ORIGIN a b\n', '5:11 "b" is a word too many'],
  ['$TTL x\n', '5:6 "x" is not seconds, nor as "1h30m" with units'],
  ['$INCLUDE none\n', '5:1 "none" cannot be read: ENOENT: no such file: none'],
  ['$INCLUDE z\n', '5:1 "z" is being read already: an $INCLUDE of itself'],
  ['$GENERATE 2-1 a A 192.0.2.1\n', '5:11 "2-1" is no range as 1-10 or 0-254/2'],
  ['$GENERATE 1-2/0 a A 192.0.2.1\n', '5:11 "1-2/0" is no range as 1-10 or 0-254/2'],
  ['$GENERATE 0-2000000 a$ A 192.0.2.1\n', '5:11 more than 1048576 records by $GENERATE'],
  [`$GENERATE 1-2 a\${q} A 192.0.2.1\n`, `5:15 "a\${q}" has a \${…} that is not as`],
  [`$GENERATE 1-2 a\${-9,1,x} A 192.0.2.1\n`, '5:1 the offset leads from 1 below 0'],
  ['$GENERATE 1-2 a$ A 192.0.2.$ x\n', '5:30 "x" is a word too many'],
  ['$GENERATE 1-2 a$ TXT "x \\"y"\n', '5:1 its data "x \\"y" is not one line of words'],
  ['$GENERATE 255-256 a$ A 192.0.2.$\n', '5:22 A: "192.0.2.256" is not an IPv4 address'],
];

describe('what is no zone file', () => {
  test.each(PROBLEMS)('%j', (body, problem) => {
    const { problems, refused } = parsed(HEAD + body);
    expect(refused).toBe(true);
    expect(told(problems)[0]).toContain(`refusal z:${problem}`);
  });

  test('many mistakes are told at once, and what is right between them is read', () => {
    const { problems, records } = parsed(`${HEAD}a A x\nb A 192.0.2.1\nc A (\n y )\nd FOO\n`);
    expect(told(problems)).toHaveLength(3);
    expect(problems.map(({ place }) => place?.line)).toEqual([5, 8, 9]);
    expect(records.count).toBe(4);
  });

  test('more than fifty are counted', () => {
    const { problems } = parsed(HEAD + 'a A x\n'.repeat(60) + 'x.org. A 192.0.2.1\n'.repeat(51));
    expect(problems).toHaveLength(102);
    expect(told(problems)[50]).toBe('refusal - and 10 more refusals');
    expect(told(problems)[101]).toBe('warning - and 1 more warning');
  });

  test('after ten thousand mistakes the rest is not read', () => {
    const { problems, records } = parsed(`${HEAD}${'a A x\n'.repeat(10_001)}b A 192.0.2.1\n`);
    expect(told(problems)[50]).toBe('refusal - and 9950 more refusals');
    expect(records.count).toBe(3);
  });

  test('before the first owner, before the first TTL, with a byte order mark', () => {
    expect(told(parsed(' A 192.0.2.1\n').problems)).toEqual([
      'refusal z:1:1 there is no owner before this record',
    ]);
    expect(told(parsed('a A 192.0.2.1\n').problems)).toEqual([
      'refusal z:1:1 there is no TTL: write $TTL before the first record',
    ]);
    expect(told(parsed(`\u00ef\u00bb\u00bf${HEAD}`).problems)).toEqual([
      'refusal z:1:1 "z" begins with a byte order mark: save it without one',
    ]);
  });
});

describe('$INCLUDE', () => {
  test('is relative to its file; origin and owner are restored, TTLs go on', () => {
    const others = {
      'sub/one': '$INCLUDE two two.example.com.\na A 192.0.2.1\n',
      'sub/two': '$TTL 9\nb A 192.0.2.2\n$ORIGIN deep.example.com.\nc A 192.0.2.3\n',
    };
    expect(linesOf('x A 192.0.2.9\n$INCLUDE sub/one one\n TXT x\n', others)).toEqual([
      'c.deep.~ 9 A 192.0.2.3',
      'a.one.~ 9 A 192.0.2.1',
      'b.two.~ 9 A 192.0.2.2',
      'x.~ 300 A 192.0.2.9',
      'x.~ 9 TXT "x"',
    ]);
  });

  test('the owner from before is the included file’s, too', () => {
    expect(linesOf('x A 192.0.2.9\n$INCLUDE "one"\n', { one: ' TXT x\n' })).toEqual([
      'x.~ 300 A 192.0.2.9',
      'x.~ 300 TXT "x"',
    ]);
  });

  test('records and mistakes know their file and line', () => {
    const others = { one: 'a A 192.0.2.1\n\nb A 192.0.2.2\nc A x\n' };
    const { records, placeOf, problems } = parsed(
      `${HEAD}$INCLUDE one\nd A (\n192.0.2.4 )\ne A x\n`,
      others,
    );
    expect(told(problems).map((each) => each.split(' ')[1])).toEqual(['one:4:5', 'z:8:5']);
    const places = Array.from({ length: records.count }, (_, index) => {
      const place = placeOf(records.tag(index));
      return `${place?.file}:${place?.line}`;
    });
    expect(places).toEqual(['z:2', 'z:3', 'z:4', 'one:1', 'one:3', 'z:6']);
    expect(placeOf(0)).toBeUndefined();
  });

  test('circles, depth and number are bounded', () => {
    const circle = { one: '$INCLUDE two\n', two: '$INCLUDE one\n' };
    expect(told(parsed(`${HEAD}$INCLUDE one\n`, circle).problems)).toEqual([
      'refusal two:1:1 "one" is being read already: an $INCLUDE of itself',
    ]);
    const deep = Object.fromEntries(
      Array.from({ length: 20 }, (_, at) => [`f${at}`, `$INCLUDE f${at + 1}\n`]),
    );
    expect(told(parsed(`${HEAD}$INCLUDE f0\n`, deep).problems)[0]).toContain('more than 16 files');
    const wide = Object.fromEntries(
      Array.from({ length: 5 }, (_, at) => [`f${at}`, `$INCLUDE f${at + 1}\n`.repeat(6)]),
    );
    expect(told(parsed(`${HEAD}$INCLUDE f0\n`, { ...wide, f5: '' }).problems)[0]).toContain(
      'more than 1000 $INCLUDEs',
    );
  });
});
