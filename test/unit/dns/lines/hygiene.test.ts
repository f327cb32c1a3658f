// What is said of lists besides their tree.
import { describe, expect, it } from 'vitest';
import { compileLines } from '../../../../dns/lines/compile.ts';
import { nameLines } from '../../../../dns/lines/fallback.ts';
import { parseList } from '../../../../dns/lines/formats/parse.ts';
import { reportText } from '../../../../dns/lines/hygiene-text.ts';
import type { LineList, LineReport } from '../../../../dns/lines/types.ts';
import { named, settingsOf } from '../../../support/dns/lines-naive.ts';

function list(file: string, text: string): LineList {
  const bytes = new TextEncoder().encode(text);
  const parsed = parseList(bytes, { file, format: 'cidr' });
  if ('problems' in parsed) throw new Error(parsed.problems[0]?.message);
  return parsed.list;
}

function reported(files: Record<string, string>, operator: string[] = []): LineReport {
  const lists = Object.entries(files).map(([file, text]) => list(file, text));
  const settings = settingsOf(operator.map(named));
  const names = nameLines(
    settings,
    lists.flatMap(({ lines }) => lines),
  );
  if ('problems' in names) throw new Error(names.problems[0]?.message);
  return compileLines(lists, settings, names.lines).report;
}

describe('the report', () => {
  it('tells what each line covers, before and after aggregation', () => {
    const files = {
      x: '1.0.0.0/9 a\n1.128.0.0/9 a\n1.2.0.0/16 b\n2400::/32 a\n2400:1::/48 b\n2400:2::/64 b',
    };
    const { lines } = reported(files, ['1.2.0.0/17 a', '3.0.0.0/8 default']);
    expect(lines.slice(1)).toEqual([
      {
        line: 'a',
        listed: 4,
        // 1.0.0.0/8 without 1.2.128.0/17, and 2400::/32
        leaves: 9 + 1,
        addressesV4: 2 ** 24 - 2 ** 15,
        sitesV6: 2 ** 16,
        shareV4: 1 - 2 ** -9,
        shareV6: 2 ** 16 / (2 ** 16 + 1 + 2 ** -16),
      },
      {
        line: 'b',
        listed: 3,
        leaves: 3,
        addressesV4: 2 ** 15,
        sitesV6: 1 + 2 ** -16,
        shareV4: 2 ** -9,
        shareV6: (1 + 2 ** -16) / (2 ** 16 + 1 + 2 ** -16),
      },
    ]);
    expect(lines[0]).toMatchObject({ line: 'default', listed: 1, shareV4: 0, shareV6: 0 });
    expect(lines[0]?.addressesV4).toBe(2 ** 32 - 2 ** 24);
  });

  it('tells of prefixes in two lines which counts', () => {
    const { conflicts, repeats } = reported({
      x: '1.0.0.0/8 a\n1.0.0.0/8 a',
      y: '1.0.0.0/8 b\n2400::/32 b',
      z: '2400::/32 a\n1.0.0.0/8 a',
    });
    expect(conflicts).toEqual({
      count: 2,
      examples: [
        {
          kept: { prefix: '1.0.0.0/8', line: 'a', file: 'x', row: 1 },
          dropped: { prefix: '1.0.0.0/8', line: 'b', file: 'y', row: 1 },
        },
        {
          kept: { prefix: '2400::/32', line: 'b', file: 'y', row: 2 },
          dropped: { prefix: '2400::/32', line: 'a', file: 'z', row: 1 },
        },
      ],
    });
    expect(repeats).toBe(2);
  });

  it('finds a list by its place when others are empty', () => {
    const { conflicts } = reported({ x: '1.0.0.0/8 a', empty: '', y: '1.0.0.0/8 b', last: '' });
    expect(conflicts.examples.map(({ dropped }) => dropped.file)).toEqual(['y']);
  });

  it('counts prefixes inside of those of other lines, by pair', () => {
    const { nested } = reported({
      x: '1.0.0.0/8 a\n1.1.0.0/16 b\n1.1.1.0/24 a\n1.1.2.0/24 b\n1.2.0.0/16 b\n2.0.0.0/8 b',
    });
    expect(nested).toEqual([
      {
        line: 'b',
        inside: 'a',
        count: 2,
        examples: [
          { prefix: '1.1.0.0/16', inside: '1.0.0.0/8' },
          { prefix: '1.2.0.0/16', inside: '1.0.0.0/8' },
        ],
      },
      {
        line: 'a',
        inside: 'b',
        count: 1,
        examples: [{ prefix: '1.1.1.0/24', inside: '1.1.0.0/16' }],
      },
    ]);
  });

  it.each<[what: string, operator: string[], idle: string[]]>([
    ['what files say anyway', ['1.1.0.0/16 a'], ['1.1.0.0/16']],
    ['what files say in pieces', ['4.0.0.0/8 a'], ['4.0.0.0/8']],
    ['default where no list is', ['9.0.0.0/8 default'], ['9.0.0.0/8']],
    ['what another override around it says', ['0.0.0.0/7 b', '1.9.0.0/16 b'], ['1.9.0.0/16']],
    ['a file’s hole in its own line', ['1.2.0.0/16 a'], []],
    ['another line', ['1.1.0.0/16 b'], []],
  ])('names overrides that change nothing: %s', (_, operator, idle) => {
    const files = { x: '1.0.0.0/8 a\n1.2.3.0/24 b\n4.0.0.0/9 a\n4.128.0.0/9 a' };
    const { idleOverrides } = reported(files, operator);
    expect(idleOverrides.examples.map(({ prefix }) => prefix)).toEqual(idle);
    expect(idleOverrides.count).toBe(idle.length);
  });

  it('names space that no client has, and what is looked up as IPv4', () => {
    const { bogons } = reported({
      x: '10.1.0.0/16 a\n9.0.0.0/8 a\n0.0.0.0/0 a\n2002:102::/32 a\nfd00::/8 a\n2001:db8::/48 a',
    });
    expect(bogons.examples.map(({ prefix, space }) => `${prefix} ${space}`)).toEqual([
      '10.1.0.0/16 private, RFC 1918',
      '2001:db8::/48 documentation, RFC 3849',
      '2002:102::/32 6to4: looked up as IPv4',
      'fd00::/8 unique local, RFC 4193',
    ]);
  });

  it('is bounded, and says so', () => {
    const rows = Array.from({ length: 300 }, (_, at) => `10.${at % 256}.${at >> 8}.9/24 a`);
    const report = reported({ x: rows.join('\n') });
    expect(report.stray.count).toBe(300);
    expect(report.stray.examples).toHaveLength(10);
    expect(report.bogons.examples).toHaveLength(10);
    expect(reportText(report)).toContain('  and 290 more');
  });

  it('in words', () => {
    const report = reported(
      { x: '1.0.0.0/8 a\n1.1.0.0/16 b\n2400::/32 b', y: '1.0.0.0/8 b\n1.0.0.9/8 a' },
      ['1.1.0.0/16 b', '10.0.0.0/8 a'],
    );
    expect(reportText(report)).toEqual([
      'line     listed  leaves  IPv4 addresses  share        IPv6 /48s   share',
      'default       0      42      4261412864   0.0%  281474976645120    0.0%',
      'a             3       9        33488896  99.8%                0    0.0%',
      'b             4       2           65536   0.2%            65536  100.0%',
      'x: 3 prefixes',
      'y: 2 prefixes',
      '1 prefix in two lines; the first that was listed counts',
      '  1.0.0.0/8 a (x:1), not b (y:1)',
      '1 prefix said again by one line',
      '1 prefix of b inside of a',
      '  1.1.0.0/16 in 1.0.0.0/8',
      '1 prefix of the operator that change nothing',
      '  1.1.0.0/16 b',
      '1 prefix that no client on the Internet has',
      '  10.0.0.0/8 a: private, RFC 1918',
      '1 prefix with bits set beyond their length',
      '  y:2: 1.0.0.9/8 taken as 1.0.0.0/8',
    ]);
  });
});
