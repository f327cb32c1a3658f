// Each format of list files: what is read from it, and what is said of what is wrong.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatOf, parseList } from '../../../../../dns/lines/formats/parse.ts';
import { PROBLEMS_SHOWN } from '../../../../../dns/lines/formats/sink.ts';
import type { LineFileSettings } from '../../../../../dns/lines/formats/types.ts';
import { mmdbOf } from '../../../../support/dns/lines-mmdb.ts';
import { mrtOf } from '../../../../support/dns/lines-mrt.ts';
import { parsed } from '../../../../support/dns/lines-parsed.ts';

type Case = [
  what: string,
  content: string | Uint8Array,
  settings: Partial<LineFileSettings>,
  expected: string[],
];
const telecom = { line: 'telecom' };
const asns = { telecom: [4134, 4812], unicom: [4837, 4_200_000_001] };

const cidr: Case[] = [
  [
    'prefixes, addresses, comments, names of lines, ends of lines as they come',
    '# all of them\r\n192.0.2.0/24 telecom\r\n\n  2001:db8::/32\tunicom # v6\n192.0.2.7 unicom;x\n;\n::1 a',
    {},
    ['192.0.2.0/24 telecom 2', '192.0.2.7/32 unicom 5', '2001:db8::/32 unicom 4', '::1/128 a 7'],
  ],
  [
    'one line for the file',
    '192.0.2.0/24\n::/0 telecom',
    telecom,
    ['192.0.2.0/24 telecom 1', '::/0 telecom 2'],
  ],
  ['nothing', '# empty\n', telecom, []],
  ['host bits, which are cleared', '192.0.2.1/24', telecom, ['192.0.2.0/24 telecom 1']],
  ['mapped IPv4', '::ffff:192.0.2.0/120', telecom, ['192.0.2.0/24 telecom 1']],
  [
    'what is wrong',
    '192.0.2.0/33\n 192.0.2/24\n192.0.2.0/24 a b\n192.0.2.0/24 -\n192.0.2.0/024 a\n192.0.02.0/24 a',
    {},
    [
      'list:1:1: error: "192.0.2.0/33" is no prefix (write one such as 192.0.2.0/24 or 2001:db8::/32)',
      'list:2:2: error: "192.0.2/24" is no prefix (write one such as 192.0.2.0/24 or 2001:db8::/32)',
      'list:3:16: error: "b" is too much (write the prefix, a line, and # before a comment)',
      'list:4:14: error: "-" is no name of a line',
      'list:5:1: error: "192.0.2.0/024" is no prefix (write one such as 192.0.2.0/24 or 2001:db8::/32)',
      'list:6:1: error: "192.0.02.0/24" is no prefix (write one such as 192.0.2.0/24 or 2001:db8::/32)',
    ],
  ],
  [
    'a line that is not the file’s, and none at all',
    '192.0.2.0/24 unicom',
    telecom,
    [`list:1:14: error: "unicom" is not the file's line (remove it, or \`line\` in the settings)`],
  ],
  [
    'no line',
    '192.0.2.0/24',
    {},
    [
      'list:1:1: error: is of no line (set `line` for the file, or write the line after the prefix)',
    ],
  ],
];

const csv: Case[] = [
  [
    'ranges as the fewest prefixes',
    'start,end,line\n192.0.2.1,192.0.2.4,a\n"192.0.2.128" , "192.0.2.255","b"\n::,::ff,c\n0.0.0.0,255.255.255.255,d',
    { format: 'csv' },
    [
      '192.0.2.1/32 a 2',
      '192.0.2.2/31 a 2',
      '192.0.2.4/32 a 2',
      '192.0.2.128/25 b 3',
      '0.0.0.0/0 d 5',
      '::/120 c 4',
    ],
  ],
  [
    'AS numbers, of which some are nobody’s',
    '1.0.0.0,1.0.0.255,4134,"CHINA ""NET"", BACKBONE"\n1.0.1.0,1.0.1.255,AS4837,x\n1.0.2.0,1.0.2.255,13335,\n1.0.3.0,1.0.3.255,,',
    { asns },
    ['1.0.0.0/24 telecom 1', '1.0.1.0/24 unicom 2'],
  ],
  [
    'whole numbers of both families',
    '16777216,16777471,a\n42540766411282592856903984951653826560,42540766490510755371168322545197776895,b',
    {},
    ['1.0.0.0/24 a 1', '2001:db8::/32 b 2'],
  ],
  [
    'networks with AS numbers',
    'network,autonomous_system_number,autonomous_system_organization\n1.0.0.0/24,4812,"a, b"\n2001:db8::/32,4837,c\n',
    { asns },
    ['1.0.0.0/24 telecom 2', '2001:db8::/32 unicom 3'],
  ],
  ['one line for the file', '1.0.0.0,1.0.0.0\n', telecom, ['1.0.0.0/32 telecom 1']],
  [
    'the whole space of IPv6 but its ends',
    '::1,ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe,a',
    {},
    [
      ...Array.from({ length: 127 }, (_, at) => expect.stringMatching(`/${128 - at} a 1$`)),
      ...Array.from({ length: 127 }, (_, at) => expect.stringMatching(`/${at + 2} a 1$`)),
    ],
  ],
  [
    'what is wrong',
    '1.0.0.0,1.0.0,a\n1.0.0.9,1.0.0.1,a\n1.0.0.0,::1,a\n"1.0.0.0,1.0.0.1,a\n1.0.0.0\n1.0.0.0,1.0.0.1,!\n1.0.0.0/40,a',
    { format: 'csv' },
    [
      'list:1:9: error: "1.0.0" is no address',
      'list:2:9: error: 1.0.0.1 is before 1.0.0.9 (swap them)',
      'list:3:9: error: a range has two addresses of one family',
      'list:4:1: error: a quotation mark is not closed',
      'list:5:1: error: expected start,end,line or prefix,line',
      'list:6:17: error: "!" is no name of a line (set `line` or `asns` for the file, or write the line in its column)',
      'list:7:1: error: "1.0.0.0/40" is no prefix',
    ],
  ],
  [
    'an AS number that is none',
    '1.0.0.0,1.0.0.1,four',
    { asns },
    ['list:1:17: error: "four" is no AS number (write it as 4134 or AS4134)'],
  ],
];

const delegatedText = [
  '2|apnic|20260101|5|19830613|20260101|+1000',
  '# made up',
  'apnic|*|ipv4|*|2|summary',
  'apnic|CN|ipv4|1.0.1.0|768|20110414|allocated',
  'apnic|JP|ipv6|2001:db8::|32|20110414|assigned|A91',
  'apnic|CN|asn|4134|1|19970601|allocated',
  'apnic||ipv4|1.2.0.0|256||available',
];
const delegated: Case[] = [
  [
    'countries as lines',
    delegatedText.join('\n'),
    {},
    ['1.0.1.0/24 cn 4', '1.0.2.0/23 cn 4', '2001:db8::/32 jp 5'],
  ],
  [
    'countries by line, and all others',
    delegatedText.join('\n'),
    { countries: { china: ['CN'], overseas: ['*'] } },
    ['1.0.1.0/24 china 4', '1.0.2.0/23 china 4', '2001:db8::/32 overseas 5'],
  ],
  [
    'what is wrong',
    'apnic|CN|ipv4|1.0.1|256|x|allocated\napnic|CN|ipv4|1.0.1.0|0|x|allocated\nwho|knows\napnic|CN|ipv4|255.0.0.0|33554432|x|assigned\napnic|CN|ipv6|2001:db8::|129|x|assigned',
    { format: 'delegated' },
    [
      'list:1:15: error: "1.0.1" is no address of ipv4',
      'list:2:23: error: "0" is no number of addresses',
      'list:3:1: error: is no registry|cc|ipv4 or ipv6|start|value|date|status',
      'list:4:25: error: 33554432 addresses from 255.0.0.0 are more than there are',
      'list:5:26: error: /129 is longer than an address',
    ],
  ],
];

const dump = (prefix: string, path: string) =>
  `TABLE_DUMP2|1|B|192.0.2.1|64500|${prefix}|${path}|IGP`;
const bgpdump: Case[] = [
  [
    'the origin of the first path that has one',
    [
      dump('1.0.0.0/24', '64500 4134'),
      dump('1.0.0.0/24', '64501 4837'),
      dump('1.0.1.0/24', '64500 {4134,4812}'),
      dump('1.0.1.0/24', '64501 4837'),
      dump('1.0.2.0/24', '64500 {4134}'),
      dump('1.0.3.0/24', '64500 1'),
      dump('0.0.0.0/0', '64500 4134'),
      dump('2001:db8::/32', '4200000001'),
    ].join('\n'),
    { asns },
    ['1.0.0.0/24 telecom 1', '1.0.1.0/24 unicom 4', '2001:db8::/32 unicom 8'],
  ],
  [
    'what is wrong',
    `${dump('1.0.0.0', '1')}\n${dump('1.0.0.0/64', '1')}\nhello`,
    { asns },
    [
      'list:2:33: error: "1.0.0.0/64" is no prefix',
      'list:3:1: error: is no TABLE_DUMP2|time|B|peer|AS|prefix|AS path: write it by `bgpdump -m`',
    ],
  ],
];

const routes = [
  {
    prefix: '1.0.0.0/24',
    paths: [
      [64500, 4134],
      [64501, 4837],
    ],
  },
  {
    prefix: '1.0.1.0/24',
    paths: [
      [64500, [4134, 4812]],
      [64501, 4837],
    ],
  },
  { prefix: '1.0.2.0/23', paths: [[64500, [4134]]] },
  { prefix: '1.0.4.0/22', paths: [[]] },
  { prefix: '0.0.0.0/0', paths: [[4134]] },
  { prefix: '2001:db8::/33', paths: [[4_200_000_001]] },
  { prefix: '1.128.0.0/9', paths: [[4812]] },
];
const routed = [
  '1.0.0.0/24 telecom 2',
  '1.0.1.0/24 unicom 3',
  '1.128.0.0/9 telecom 8',
  '2001:db8::/33 unicom 7',
];
const mrt: Case[] = [
  ['origins', mrtOf(routes), { asns }, routed],
  ['paths with ids', mrtOf(routes, true), { asns }, routed],
  [
    'a file that is cut off',
    mrtOf(routes).subarray(0, -1),
    { asns },
    [
      `list: error: byte ${mrtOf(routes.slice(0, -1)).length}: the last record is cut off (load the file again)`,
    ],
  ],
  [
    'no lines of AS numbers',
    mrtOf(routes),
    {},
    ['list: error: a list of AS numbers (mrt) without lines (set `asns` or `line`)'],
  ],
];

const asn = (number: number) => ({
  autonomous_system_number: number,
  autonomous_system_organization: `AS${number}`,
});
const networks = [
  { prefix: '1.0.0.0/24', record: asn(4134) },
  { prefix: '1.0.1.0/24', record: asn(4837) },
  { prefix: '1.1.1.0/24', record: asn(13335) },
  { prefix: '1.2.0.0/16', record: asn(4134) },
  { prefix: '2001:db8::/32', record: asn(4837) },
];
const listed = ['1.0.0.0/24 telecom 1', '1.0.1.0/24 unicom 2', '1.2.0.0/16 telecom 4'];
const aliases = ['::ffff:0:0/96', '2002::/16'];
const mmdb: Case[] = [
  ...([24, 28, 32] as const).map(
    (recordBits): Case => [
      `AS numbers, in records of ${recordBits} bits, and no alias`,
      mmdbOf(networks, { recordBits, aliases }),
      { asns },
      [...listed, '2001:db8::/32 unicom 5'],
    ],
  ),
  ['a tree of IPv4', mmdbOf(networks.slice(0, 4), { family: 4 }), { asns }, listed],
  [
    'another field, with the number as text',
    mmdbOf([{ prefix: '1.0.0.0/24', record: { traits: { asn: 'AS4134' } } }]),
    { asns, field: 'traits.asn' },
    ['1.0.0.0/24 telecom 1'],
  ],
  [
    'countries',
    mmdbOf([{ prefix: '1.0.0.0/24', record: { country: { iso_code: 'CN' } } }]),
    { countries: { china: ['CN'] } },
    ['1.0.0.0/24 china 1'],
  ],
  ['one line for the file', mmdbOf(networks.slice(0, 1)), telecom, ['1.0.0.0/24 telecom 1']],
  [
    'a field that is not there',
    mmdbOf(networks),
    { asns, field: 'isp' },
    [
      'list: error: no record has isp (name the field of the ASN as `field`, or set `line` for all of it)',
    ],
  ],
  [
    'a file that is cut off',
    mmdbOf(networks).subarray(0, -200),
    { asns, format: 'mmdb' },
    ['list: error: no metadata: this is no MaxMind DB, or it is cut off (load the file again)'],
  ],
];

describe.each(Object.entries({ cidr, csv, delegated, bgpdump, mrt, mmdb }))(
  '%s',
  (format, cases) => {
    it.each(cases)('%s', (_, content, settings, expected) => {
      expect(parsed(content, settings)).toEqual(expected);
    });

    it('is recognised', () => {
      const content = cases[0]?.[1] ?? '';
      const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
      expect(formatOf(bytes)).toBe(format);
    });
  },
);

describe('any file', () => {
  it('is given up after some problems', () => {
    const text = 'nonsense here\n'.repeat(1000);
    expect(parsed(text, telecom)).toHaveLength(PROBLEMS_SHOWN);
  });

  it('that is no text is said to be none', () => {
    expect(parsed(Uint8Array.of(1, 2, 0, 3), telecom)).toEqual([
      'list: error: byte 2: is no text (set the `format` that it has)',
    ]);
  });

  it('names the lines of its settings, whatever is in it', () => {
    const empty = { file: 'list', format: 'csv' } as const;
    const linesOf = (settings: LineFileSettings) => {
      const result = parseList(new Uint8Array(), settings);
      return 'list' in result ? result.list.lines : result;
    };
    expect(linesOf({ ...empty, line: 'telecom' })).toEqual(['telecom']);
    expect(linesOf({ ...empty, asns })).toEqual(['telecom', 'unicom']);
    expect(linesOf({ ...empty, countries: { china: ['CN'] } })).toEqual(['china']);
  });

  it('with an AS number of two lines is refused', () => {
    expect(parsed('', { asns: { a: [1, 2], b: [2] } })).toEqual([
      'list: error: AS2 is given to a and to b (give it to one line)',
    ]);
  });

  const good = { mmdb: mmdbOf(networks, { aliases }), mrt: mrtOf(routes) };
  it.each(Object.entries(good))(
    'of %s with bytes changed or cut off throws nothing',
    (format, bytes) => {
      const change = fc.tuple(fc.nat(bytes.length - 1), fc.nat(255));
      const property = fc.property(
        fc.array(change, { minLength: 1, maxLength: 8 }),
        fc.option(fc.nat(bytes.length), { nil: bytes.length }),
        (changes, length) => {
          const changed = bytes.slice(0, length);
          for (const [at, value] of changes) if (at < length) changed[at] = value;
          const settings = {
            file: 'list',
            format: format === 'mmdb' ? 'mmdb' : 'mrt',
            asns,
          } as const;
          expect(parseList(changed, settings)).toBeDefined();
        },
      );
      fc.assert(property, { numRuns: 300 });
    },
  );
});
