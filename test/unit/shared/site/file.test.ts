// Site files: every error at its place, and nothing lost on the way to YAML and back.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../../../shared/errors.ts';
import { checkSite } from '../../../../shared/site/check.ts';
import { formatSite, placeProblems, readSite } from '../../../../shared/site/file.ts';
import { formatObject } from '../../../../shared/site/kinds.ts';
import { anySiteObject } from '../../../support/site-objects.ts';

const example = `\
eips:
  - address: 198.51.100.7
    private: 10.0.0.5
    limit: { in: 100mbit, out: 50mbit, burst: 256kb }
    group: gold
  - { address: 198.51.100.8 }
forwards:
  - { from: "198.51.100.8:443/tcp", to: "10.0.0.6:8443" }
groups:
  - { name: gold, in: 1gbit, out: 1gbit, burst: 1mb }
nodes:
  - { name: natter-1, drain: true }
`;

test('the example of docs/contracts.md gives the stored objects written there', () => {
  const site = readSite([{ file: 'site.yaml', text: example }]);
  expect(
    new Map(site.objects.map(({ record: { kind, id, value } }) => [`${kind} ${id}`, value])),
  ).toEqual(
    new Map([
      ['node natter-1', '{"drain":true}'],
      ['group gold', '{"burst":1048576,"in":1000000000,"out":1000000000}'],
      [
        'eip 198.51.100.7',
        '{"burst":262144,"group":"gold","in":100000000,"out":50000000,"private":"10.0.0.5"}',
      ],
      ['eip 198.51.100.8', '{}'],
      ['forward 198.51.100.8:443/tcp', '{"to":"10.0.0.6:8443"}'],
    ]),
  );
  expect(site.kinds).toEqual(['node', 'group', 'eip', 'forward']);
  expect(checkSite(site.objects.map(({ item }) => item))).toEqual([]);
});

test('an empty file has no sections, an empty section covers its kind', () => {
  expect(readSite([{ file: 'a', text: '' }])).toEqual({ objects: [], kinds: [] });
  expect(readSite([{ file: 'a', text: 'eips:\n' }])).toEqual({ objects: [], kinds: ['eip'] });
  expect(readSite([{ file: 'a', text: 'eips: []\n' }])).toEqual({ objects: [], kinds: ['eip'] });
});

test('reading what was written gives the same objects', () => {
  const site = fc.uniqueArray(anySiteObject, {
    selector: (item) => `${item.kind} ${formatObject(item).id}`,
    maxLength: 20,
  });
  fc.assert(
    fc.property(site, (items) => {
      const back = readSite([{ file: 'site.yaml', text: formatSite(items) }]);
      const values = (records: { kind: string; id: string; value: string }[]) =>
        records.map((each) => JSON.stringify(each)).sort();
      expect(values(back.objects.map(({ record }) => record))).toEqual(
        values(items.map(formatObject)),
      );
    }),
    { numRuns: 200 },
  );
});

describe('errors', () => {
  test.each([
    ['an unknown section', 'eip:\n  - { address: 198.51.100.7 }\n', '1:1', 'unknown key "eip"'],
    [
      'an unknown key',
      'eips:\n  - { address: 198.51.100.7, colour: red }\n',
      '2:30',
      'unknown key "colour"',
    ],
    ['a missing key', 'eips:\n  - { private: 10.0.0.5 }\n', '2:5', '"address" is missing'],
    ['no address', 'eips:\n  - { address: 198.51.100 }\n', '2:16', 'the IPv4 address of a host'],
    ['multicast', 'eips:\n  - address: 224.0.0.1\n', '2:14', 'the IPv4 address of a host'],
    ['a bad rate', 'groups:\n  - { name: g, in: 1gb }\n', '2:20', 'a rate such as'],
    ['too small a rate', 'groups:\n  - { name: g, in: 1bit }\n', '2:20', 'must be 1kbit to 1tbit'],
    [
      'too small a burst',
      'groups:\n  - { name: g, in: 1gbit, burst: 1kb }\n',
      '2:34',
      'must be 2kb',
    ],
    [
      'a forward without protocol',
      'forwards:\n  - { from: "198.51.100.8:443", to: "10.0.0.6:1" }\n',
      '2:13',
      'EIP:port/protocol',
    ],
    [
      'a range that ends too high',
      'forwards:\n  - { from: "198.51.100.8:1-100/tcp", to: "10.0.0.6:65500" }\n',
      '2:5',
      'port 65599',
    ],
    [
      'a burst without a limit',
      'eips:\n  - { address: 198.51.100.7, limit: { burst: 64kb } }\n',
      '2:5',
      'a burst without a limit',
    ],
    ['a group without a limit', 'groups:\n  - { name: g }\n', '2:5', 'a group without a limit'],
    [
      'an object twice',
      'eips:\n  - address: 198.51.100.7\n  - address: 198.51.100.7\n',
      '3:5',
      'eip 198.51.100.7 stands already at site.yaml:2',
    ],
    ['broken YAML', 'eips:\n  - { address: 198.51.100.7\n', '3:1', ''],
    ['a duplicate key', 'eips: []\neips: []\n', '2:1', 'duplicate key "eips"'],
    ['a list', '- 1\n', '1:1', 'expected a map'],
  ])('%s', (_, text, place, message) => {
    const problems = problemsOf([{ file: 'site.yaml', text }]);
    expect(problems[0]).toContain(`site.yaml:${place}: error: `);
    expect(problems[0]).toContain(message);
    expect(problems).toHaveLength(1);
  });

  test('all at once, over all files, sorted', () => {
    const problems = problemsOf([
      { file: 'b.yaml', text: 'eips:\n  - { address: 198.51.100.7 }\n  - { address: x }\n' },
      { file: 'a.yaml', text: 'eips:\n  - { address: y, colour: red }\nnodes: 3\n' },
      { file: 'c.yaml', text: 'eips: [\n' },
    ]);
    expect(problems.map((each) => each.split(':')[0])).toEqual([
      'a.yaml',
      'a.yaml',
      'a.yaml',
      'b.yaml',
      'c.yaml',
    ]);
  });

  test('an object in two files is told with both places', () => {
    const text = 'eips:\n  - { address: 198.51.100.7 }\n';
    const problems = problemsOf([
      { file: 'a.yaml', text },
      { file: 'b.yaml', text },
    ]);
    expect(problems).toEqual([
      expect.stringMatching(/^b.yaml:2:5: error: eip 198.51.100.7 stands already at a.yaml:2/),
    ]);
  });

  test('of the check stand at the object', () => {
    const text = 'eips:\n  - { address: 198.51.100.7, group: gold }\n';
    const site = readSite([{ file: 'site.yaml', text }]);
    const problems = placeProblems(site, checkSite(site.objects.map(({ item }) => item)));
    expect(new ConfigError(problems).message).toContain(
      'site.yaml:2:5: error: eip 198.51.100.7: there is no group "gold" (add it under groups)',
    );
  });
});

function problemsOf(sources: { file: string; text: string }[]): string[] {
  try {
    readSite(sources);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(
      (each) => `${each.file}:${each.line}:${each.column}: error: ${each.message}`,
    );
  }
  return [];
}
