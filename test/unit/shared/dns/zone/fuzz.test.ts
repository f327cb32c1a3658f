// Whatever stands in a zone file: a zone or problems, never an exception, and what is a zone is the
// same after it was printed.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HEAD, loaded, recordLines, told } from './zone-text.ts';

const SEED = `${HEAD}$ORIGIN sub
a 60 IN A 192.0.2.1 ; note
  AAAA 2001:db8::1
b TXT ( "x \\" y"
   z\\;\\065 ) ; more
@ MX 10 a
c CNAME b
*.w 1h SRV 1 2 3 a.example.com.
cut NS ns.cut
ns.cut A 192.0.2.2
d DNAME x.org.
e TYPE65280 \\# 3 ab cdef
@ DNSKEY 257 3 8 AwEAAQ==
a RRSIG A 8 4 60 20270101000000 20260101000000 1 example.com. AAAA
a NSEC b A AAAA RRSIG
f CAA 0 issue "ca.example.net"
$GENERATE 1-3 g\${0,2,x} A 192.0.2.$
$INCLUDE one inc
$TTL 5
`;

/** Signs and words that mean something, and bytes that do not. */
const PIECES = [
  ...'();"\\$@.\n\r\t \0-/{}#*0129aZ\x7f\x80\xff',
  ...[
    '\r\n',
    'IN',
    'CH',
    'A',
    'TYPE1',
    'SOA',
    '\\# 4',
    '$ORIGIN',
    '$TTL',
    '$INCLUDE z',
    '$INCLUDE one',
  ],
  ...[
    '$GENERATE 1-9',
    '\\300',
    '\\00',
    '""',
    '4294967296',
    '99999w',
    'x'.repeat(64),
    'a.'.repeat(130),
  ],
];

const edit = fc.record({
  at: fc.nat(),
  remove: fc.integer({ min: 0, max: 12 }),
  insert: fc.oneof(
    fc.constantFrom(...PIECES),
    fc.constantFrom(...PIECES),
    fc.uint8Array({ maxLength: 4 }).map((bytes) => String.fromCharCode(...bytes)),
  ),
});

function edited(text: string, edits: readonly { at: number; remove: number; insert: string }[]) {
  let now = text;
  for (const { at, remove, insert } of edits) {
    const from = at % (now.length + 1);
    now = now.slice(0, from) + insert + now.slice(from + remove);
  }
  // A range of a million is right, and too slow for a test of many.
  return now.replace(/(\$GENERATE[^\n]*?\d-\d{3})\d+/gi, '$1');
}

function check(text: string, others: Readonly<Record<string, string>>): void {
  const { zone, problems } = loaded(text, others);
  const refused = problems.some(({ level }) => level === 'refusal');
  expect(refused).toBe(zone === undefined);
  expect(problems.length).toBeLessThanOrEqual(102);
  for (const { place } of problems) {
    if (place !== undefined) expect(Math.min(place.line, place.column)).toBeGreaterThan(0);
  }
  if (zone === undefined) return;
  const lines = recordLines(zone.records);
  const again = loaded(`${lines.join('\n')}\n`);
  const refusals = told(again.problems).filter((each) => each.startsWith('refusal'));
  expect(refusals).toEqual([]);
  expect(again.zone && recordLines(again.zone.records)).toEqual(lines);
}

test('the seed is a zone', () => {
  expect(loaded(SEED, { one: 'h A 192.0.2.7\n' }).zone?.records.count).toBe(21);
});

test('edits of a zone file', () => {
  const edits = fc.array(edit, { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(edits, edits, (first, second) => {
      check(edited(SEED, first), { one: edited('h A 192.0.2.7\n TXT x\n', second) });
    }),
    { numRuns: 3000 },
  );
});

test('soups of words', () => {
  const soup = fc.array(fc.constantFrom(...PIECES, ' ', '\n', ...SEED.split(/(\s)/)), {
    maxLength: 80,
  });
  fc.assert(
    fc.property(soup, (pieces) =>
      check(edited(HEAD + pieces.join(''), []), { one: 'h A 192.0.2.7\n' }),
    ),
    { numRuns: 3000 },
  );
});

test.each([
  ['an open parenthesis', `${HEAD}a TXT (${' x'.repeat(200_000)}`],
  ['many parentheses', `${HEAD}a TXT ${'('.repeat(500_000)}x`],
  ['a word without end', `${HEAD}${'x'.repeat(2_000_000)} A 192.0.2.1\n`],
  ['backslashes', `${HEAD}a TXT ${'\\'.repeat(999_999)}\n`],
  ['zeros, as a crash leaves them', HEAD + '\0'.repeat(1_000_000)],
  ['no newline', 'x '.repeat(500_000)],
  ['newlines', '\n'.repeat(1_000_000)],
  ['quotation marks', `${HEAD}${'"\n'.repeat(200_000)}`],
])('large and wrong: %s', (_, text) => {
  const { zone, problems } = loaded(text);
  expect(zone).toBeUndefined();
  expect(problems.length).toBeLessThanOrEqual(102);
});
