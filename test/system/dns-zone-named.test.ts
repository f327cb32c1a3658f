// Zone files as BIND's named-compilezone reads them: what both take is the same zone, byte by byte
// after it has written both; what it refuses, we refuse. Where we differ on purpose is said.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parseName, ROOT } from '../../shared/dns/names.ts';
import { loadZone } from '../../shared/dns/zone/load.ts';
import { printZone } from '../../shared/dns/zone/print.ts';
import type { ZoneFiles } from '../../shared/dns/zone/types.ts';
import { needs, program } from '../support/skip.ts';

const HEAD = `$TTL 300
@ SOA ns hostmaster 7 3600 600 1209600 60
@ NS ns
ns A 192.0.2.53
`;
/** 2026-11-21. */
const NOW_SECONDS = 1795219200;

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'edge-zone-'));
  writeFileSync(join(directory, 'one'), 'inc A 192.0.2.5\n$ORIGIN deep\nd A 192.0.2.6\n');
  writeFileSync(join(directory, 'two'), '$TTL 77\nb A 192.0.2.7');
  writeFileSync(join(directory, 'three'), ' AAAA ::1\nin A 192.0.2.9\n');
  writeFileSync(join(directory, 'itself'), '$INCLUDE itself\n');
  writeFileSync(join(directory, 'open'), 'a A ( 192.0.2.1\n');
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const files: ZoneFiles = {
  read: (path) => readFileSync(path, 'latin1'),
  resolve: (from, path) => resolve(dirname(from), path),
};

/** What it writes of a zone file; undefined when it refuses. */
function named(file: string): string | undefined {
  const out = join(directory, 'out');
  const checks = ['-i', 'full', '-k', 'ignore'];
  const words = ['-q', ...checks, '-o', out, 'example.com', file];
  const { status } = spawnSync('named-compilezone', words, { cwd: directory, timeout: 20_000 });
  return status === 0 ? readFileSync(out, 'latin1') : undefined;
}

/** What we print of it; undefined when we refuse. */
function ours(file: string): string | undefined {
  const origin = parseName('example.com') ?? ROOT;
  const { zone } = loadZone(file, origin, files, NOW_SECONDS);
  return zone && [...printZone(zone)].join('');
}

function both(text: string): { theirs: string | undefined; printed: string | undefined } {
  const [file, copy] = [join(directory, 'zone'), join(directory, 'copy')];
  writeFileSync(file, text, 'latin1');
  const printed = ours(file);
  if (printed === undefined) return { theirs: named(file), printed };
  writeFileSync(copy, printed, 'latin1');
  return { theirs: named(file), printed: named(copy) };
}

const MODIFIERS = ['0,4,n', '0,3,n', '0,2,n', '0,1,n', '0,0,n', '0,8,n', '0,7,N', '300,4,n'].concat(
  ['300,7,n', '0,2,X', '250,2,x', '-1', '-1,3', '0,8,o', '0,9', '5', '0,0', '-5,4'],
);

const TAKEN: string[] = [
  'a 5 IN A 192.0.2.1\nb IN 5 A 192.0.2.1\nc IN A 192.0.2.1\nd 1h30m A 192.0.2.1\ne 1W2D A 192.0.2.1\n',
  'in in a 192.0.2.1\n60 60 A 192.0.2.1\na a 192.0.2.2\nA A 192.0.2.3\n',
  ...MODIFIERS.map((each) => `$GENERATE 1-20/5 h$\{${each}} A 192.0.2.1\n`),
  '$GENERATE 1-3 a$ A 10.0.0.$\n$GENERATE 1-10/3 b$ 60 IN A 10.0.0.$\n$GENERATE 1-3 c$ CNAME x$.$\n',
  '$GENERATE 1-2 a$ MX "10 ns"\n$GENERATE 1-2 b$ TXT "\\"x y $ $$ \\$ z\\""\n$GENERATE 1-2 c$$ A 192.0.2.$\n',
  '$GENERATE 1-2 a$ TXT "a;b"\n$GENERATE 1-2 b$ TXT "(a b)"\n$GENERATE 1-2 c$ TXT " a"\n',
  'x A 192.0.2.1\n$GENERATE 1-2 a$ A 10.0.0.$\n AAAA ::1\n',
  'a ( A\n 192.0.2.1 )\nb ( ; x\n TXT ( "a" ; c\n\n b ) )\na(TXT)x\n',
  'a TXT a;b\nb TXT a\\;b\nc TXT "a;b"\nd TXT a"b"c\ne TXT "a""b"\nf TXT "\\"q\\"" "\\065\\\\"\ng TXT ""\n',
  'a TXT "x\\\ny"\n',
  'a\\.b A 192.0.2.1\na\\046c A 192.0.2.1\n\\@ A 192.0.2.1\n\\$x A 192.0.2.1\n"q" A 192.0.2.1\n',
  'a\\ b A 192.0.2.1\na\\\tb A 192.0.2.1\nA\\065B A 192.0.2.1\n\\(a A 192.0.2.1\n\\000\\255 A 192.0.2.1\n',
  'a TYPE1 \\# 4 01020304\nb TYPE65280 \\# 3 abcdef\nc TYPE65280 \\# 0\nd A \\# 4 0102 0304\ne type2 ns\n',
  'a CLASS1 A 192.0.2.1\n',
  'a\tA\t192.0.2.1\r\nb A 192.0.2.5\r\n',
  'a A 192.0.2.1\rb A 192.0.2.5\r',
  'a A 192.0.2.1',
  '   \n\t;x\n;y\n',
  '\xe4\xf6 TXT \xfc "\xdf"\n',
  '$ORIGIN sub\na A 192.0.2.1\n$ORIGIN x.example.com.\n@ A 192.0.2.1\n AAAA ::1\n',
  '$TTL 1d\na A 192.0.2.1\nb 60 A 192.0.2.1\nc A 192.0.2.1\n',
  'a AAAA ::1.2.3.4\nb AAAA 1:2:3:4:5:6:7:8\nc AAAA ::\nd AAAA 1::\ne AAAA ::8\nf AAAA 1:2::7:8\n',
  'a AAAA 1:2:3:4:5:6:7::\nb AAAA ABCD:ef::1\n',
  'a SRV 1 2 3 .\na MX 0 .\nb MX 10 @\n',
  `${'x'.repeat(63)} A 192.0.2.1\n${'x.'.repeat(120)}y A 192.0.2.1\n`,
  'a 2147483647 A 192.0.2.1\nb 2147483648 TXT x\nc 0 A 192.0.2.1\nd 1h1h A 192.0.2.1\n',
  'x.org. A 192.0.2.1\n A 192.0.2.5\nb A 192.0.2.1\n',
  'a A 192.0.2.1\nA A 192.0.2.1\na A 192.0.2.5\n',
  '*.w A 192.0.2.1\nd DNAME x.y.\nd TXT x\n',
  `a TXT "${'x'.repeat(255)}"\nb TXT${' x'.repeat(300)}\n`,
  'sub NS ns.sub\nns.sub A 192.0.2.1\nsub DS 1 8 2 ( 0000000000000000000000000000000000\n 000000000000000000000000000000 )\n',
  '@ MX 10 nomail\na MX 10 c\nc CNAME ns\n_s._tcp SRV 1 2 3 nosrv\nsub NS ns.sub\nsub2 NS c\n',
  'sub NS ns\nx.sub TXT x\nsub MX 0 .\n',
  '@ CAA 0 issue "ca.example.net"\n@ HINFO x "y z"\na NAPTR 1 2 "u" "E2U+sip" "!^.*$!sip:a@b!" .\n',
  'a SSHFP 1 1 0123456789abcdef0123456789abcdef01234567\na TLSA 3 1 0 ( 01 02 03 )\na LOC 51 30 N 0 7 W 10m\n',
  'a SVCB 1 . alpn=h2,h3 port=443\na HTTPS 0 ns\na URI 1 2 "http://x/"\na RP . .\n',
  '$INCLUDE one\nafter A 192.0.2.1\n',
  '$ORIGIN o\n$INCLUDE one sub\nx AAAA ::9\n',
  '$INCLUDE two\nc A 192.0.2.1\n',
  'q A 192.0.2.1\n$INCLUDE "three"\n A 192.0.2.2\n',
  'x.org. A 192.0.2.1\n$INCLUDE three\n',
];

const REFUSED: string[] = [
  ...['2-1 a$', '1-2/0 a$', '1 a$', `1-2 a$\{0,2,q}`, '1-2'].map(
    (each) => `$GENERATE ${each} A 192.0.2.1\n`,
  ),
  ...['', ' a b'].map((each) => `$ORIGIN${each}\n`),
  ...['', ' x', ' 1 2'].map((each) => `$TTL${each}\n`),
  ...[
    '$FOO bar\n',
    ' $ORIGIN foo\n',
    '$INCLUDE nothere\n',
    '$INCLUDE itself\n',
    '$INCLUDE open\n',
    '$INCLUDE\n',
  ],
  ...[
    '"',
    '(',
    ')',
    '\\',
    '\0',
    'a A\0 192.0.2.1\n',
    'a A 192.0.2.1 )\n',
    'a A ( 192.0.2.1\n',
    '( AAAA ::1 )\n',
  ],
  ...['A', 'A 1.2.3', 'A 01.2.3.4', 'A 1.2.3.4 x', 'A;x\n1.2.3.4', 'IN', '300', ''].map(
    (each) => `a ${each}\n`,
  ),
  ...['1:2:3:4:5:6:7', '1::2::3', '12345::', ':1::', 'x'].map((each) => `a AAAA ${each}\n`),
  ...['MX 10', 'MX x y', 'MX 65536 y', 'SRV 1 2 x .', 'TXT', 'CNAME', 'HINFO x'].map(
    (each) => `a ${each}\n`,
  ),
  ...['TYPE65280 \\# 3 abcd', 'TYPE65280 abcd', 'A \\# 3 010203', 'TYPE65536 \\# 0'].map(
    (each) => `a ${each}\n`,
  ),
  ...['CH A 192.0.2.1', 'CLASS3 A 192.0.2.1', 'NONE A 192.0.2.1', 'AXFR x', 'OPT x', 'ANY x'].map(
    (each) => `a ${each}\n`,
  ),
  ...['60 IN 60', 'IN IN', 'IN 60 IN', '1x', '1h30', '-1', '4294967296'].map(
    (each) => `a ${each} A 192.0.2.1\n`,
  ),
  ...['a\\256', 'a\\1', 'a..b', '.a', 'x'.repeat(64), `${'x.'.repeat(121)}y`].map(
    (each) => `${each} A 192.0.2.1\n`,
  ),
  ...['"abc', '"\\"', `"${'x'.repeat(256)}"`].map((each) => `a TXT ${each}\n`),
  ...[
    'a TXT "abc\nb A 192.0.2.1\n',
    'c CNAME d\nc CNAME e\n',
    'c CNAME d\nc A 192.0.2.1\n',
    '@ CNAME x\n',
  ],
  ...['d DNAME x.y.\nd DNAME z.y.\n', 'b SOA ns h 1 2 3 4 5\n', '@ SOA ns h 8 2 3 4 5\n'],
  ...['@ NS nothere\n', '@ NS c\nc CNAME ns\n', '@ NS c.d\nd DNAME x.y.\n'],
];

/** We refuse, BIND does not: each would be answered wrong, or is a file that is broken. */
const STRICTER: string[] = [
  'c CNAME d\nd CNAME c\n',
  'd DNAME x.y.\na.d A 192.0.2.1\n',
  'a TXT "x\0y"\n',
];

/** BIND refuses, we do not: a warning, or a freedom in writing. */
const LAXER: string[] = ['*.w NS ns\n', '$DATE 2026\n', 'a CNAME "@"\n'];

beforeEach((context) => needs(context, program('named-compilezone')));

describe('zone files, beside named-compilezone', () => {
  test.each(TAKEN)('the same zone: %j', (body) => {
    const { theirs, printed } = both(HEAD + body);
    expect(theirs).toBeDefined();
    expect(printed).toBe(theirs);
  });

  test.each(REFUSED)('no zone: %j', (body) => {
    expect(both(HEAD + body)).toEqual({ theirs: undefined, printed: undefined });
  });

  test.each(STRICTER)('only we refuse: %j', (body) => {
    const { theirs, printed } = both(HEAD + body);
    expect([theirs !== undefined, printed]).toEqual([true, undefined]);
  });

  test.each(LAXER)('only BIND refuses: %j', (body) => {
    const file = join(directory, 'zone');
    writeFileSync(file, HEAD + body, 'latin1');
    expect([named(file), ours(file) !== undefined]).toEqual([undefined, true]);
  });

  test('without $TTL', () => {
    const soa = 'SOA ns hostmaster 7 3600 600 1209600 60\n';
    const rest = '@ NS ns\nns A 192.0.2.1\nb 5 A 192.0.2.1\nc A 192.0.2.1\n';
    for (const text of [`@ ${soa}${rest}`, `@ 9 ${soa}${rest}`]) {
      const { theirs, printed } = both(text);
      expect(theirs).toBeDefined();
      expect(printed).toBe(theirs);
    }
    expect(both(`ns A 192.0.2.1\n@ ${soa}`)).toEqual({ theirs: undefined, printed: undefined });
  });
});
