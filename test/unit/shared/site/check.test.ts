// Objects that are right in themselves, and do not go together.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkSite } from '../../../../shared/site/check.ts';
import { toLastPort } from '../../../../shared/site/forward.ts';
import { parseObject, type SiteObject } from '../../../../shared/site/kinds.ts';
import { anySiteObject } from '../../../support/site-objects.ts';

type Row = [kind: string, id: string, value: object];

function objects(rows: readonly Row[]): SiteObject[] {
  return rows.map(([kind, id, value]) => {
    const item = parseObject({ kind, id, value: JSON.stringify(value) });
    if ('reasons' in item) throw new Error(item.reasons.join());
    return item;
  });
}

const eip = (last: number, inside?: string): Row => [
  'eip',
  `198.51.100.${last}`,
  inside === undefined ? {} : { private: inside },
];

describe('go together', () => {
  test.each<[string, Row[]]>([
    ['nothing at all', []],
    ['two EIPs with an address each', [eip(1, '10.0.0.1'), eip(2, '10.0.0.2')]],
    [
      'a group and its EIP',
      [
        ['group', 'g', { in: 1000 }],
        ['eip', '198.51.100.1', { group: 'g' }],
      ],
    ],
    [
      'a forward to the address that its own EIP maps',
      [eip(1, '10.0.0.1'), ['forward', '198.51.100.1:80/tcp', { to: '10.0.0.1:8080' }]],
    ],
    [
      'neighbouring ranges, and the same ports of another protocol',
      [
        eip(1),
        ['forward', '198.51.100.1:80-89/tcp', { to: '10.0.0.1:80' }],
        ['forward', '198.51.100.1:90/tcp', { to: '10.0.0.1:90' }],
        ['forward', '198.51.100.1:80-89/udp', { to: '10.0.0.1:80' }],
      ],
    ],
    [
      'two EIPs that lead to different ports of one address',
      [
        eip(1),
        eip(2),
        ['forward', '198.51.100.1:80/tcp', { to: '10.0.0.1:80' }],
        ['forward', '198.51.100.2:80/tcp', { to: '10.0.0.1:81' }],
      ],
    ],
  ])('%s', (_, rows) => {
    expect(checkSite(objects(rows))).toEqual([]);
  });
});

describe('do not go together', () => {
  test.each<[string, Row[], string, string]>([
    [
      'a private address that two EIPs map',
      [eip(1, '10.0.0.1'), eip(2, '10.0.0.1')],
      '198.51.100.2',
      '10.0.0.1 is mapped by EIP 198.51.100.1 already',
    ],
    [
      'an EIP in a group that is not there',
      [['eip', '198.51.100.1', { group: 'gold' }]],
      '198.51.100.1',
      'there is no group "gold"',
    ],
    [
      'an EIP that another one maps to',
      [eip(1, '198.51.100.2'), eip(2)],
      '198.51.100.2',
      'it is also the private address of EIP 198.51.100.1',
    ],
    [
      'an EIP that a forward leads to',
      [eip(1), eip(2), ['forward', '198.51.100.1:80/tcp', { to: '198.51.100.2:80' }]],
      '198.51.100.2',
      'it is also the private address of forward 198.51.100.1:80/tcp',
    ],
    [
      'a forward without its EIP',
      [['forward', '198.51.100.1:80/tcp', { to: '10.0.0.1:80' }]],
      '198.51.100.1:80/tcp',
      'there is no EIP 198.51.100.1',
    ],
    [
      'a forward to what another EIP maps',
      [eip(1), eip(2, '10.0.0.1'), ['forward', '198.51.100.1:80/tcp', { to: '10.0.0.1:80' }]],
      '198.51.100.1:80/tcp',
      '10.0.0.1 is mapped by another EIP, 198.51.100.2',
    ],
    [
      'two forwards of the same port',
      [
        eip(1),
        ['forward', '198.51.100.1:80-99/tcp', { to: '10.0.0.1:80' }],
        ['forward', '198.51.100.1:99/tcp', { to: '10.0.0.2:80' }],
      ],
      '198.51.100.1:99/tcp',
      'forward 198.51.100.1:80-99/tcp leads from some of the same ports',
    ],
    [
      'two forwards to the same port',
      [
        eip(1),
        eip(2),
        ['forward', '198.51.100.1:80/tcp', { to: '10.0.0.1:85' }],
        ['forward', '198.51.100.2:80-89/tcp', { to: '10.0.0.1:80' }],
      ],
      '198.51.100.1:80/tcp',
      'forward 198.51.100.2:80-89/tcp leads to some of the same private ports',
    ],
    [
      'a range within a range that began long before',
      [
        eip(1),
        ['forward', '198.51.100.1:1-100/udp', { to: '10.0.0.1:1' }],
        ['forward', '198.51.100.1:5-6/udp', { to: '10.0.0.2:1' }],
        ['forward', '198.51.100.1:50/udp', { to: '10.0.0.3:1' }],
      ],
      '198.51.100.1:50/udp',
      'forward 198.51.100.1:1-100/udp leads',
    ],
  ])('%s', (_, rows, id, message) => {
    const found = checkSite(objects(rows));
    expect(found.filter((problem) => problem.id === id).map((each) => each.message)).toEqual([
      expect.stringContaining(message),
    ]);
    const reversed = checkSite(objects(rows.toReversed()));
    expect(reversed, 'the order of the objects does not matter').toHaveLength(found.length);
  });
});

test('finds an overlap exactly when a comparison of every pair does', () => {
  const small = anySiteObject
    .filter((item) => item.kind === 'forward')
    .map((item) => {
      if (item.kind !== 'forward') throw new Error();
      const { firstPort, lastPort, toFirstPort } = item.object;
      const first = (firstPort % 20) + 1;
      const last = first + ((lastPort - firstPort) % 5);
      const object = {
        ...item.object,
        firstPort: first,
        lastPort: last,
        toFirstPort: (toFirstPort % 20) + 1,
      };
      return { kind: 'forward' as const, object };
    });
  const one = fc
    .array(small, { maxLength: 8 })
    .map((items) =>
      items.map(({ object }) => ({ ...object, eip: items[0]?.object.eip ?? object.eip })),
    );
  fc.assert(
    fc.property(one, (forwards) => {
      const unique = new Map(forwards.map((each) => [JSON.stringify(each), each]));
      const list = [...unique.values()];
      const clash = list.some((a, i) =>
        list.some((b, j) => {
          if (i >= j || a.protocol !== b.protocol) return false;
          const from = a.firstPort <= b.lastPort && b.firstPort <= a.lastPort;
          const to = a.toFirstPort <= toLastPort(b) && b.toFirstPort <= toLastPort(a);
          return from || (a.toAddress === b.toAddress && to);
        }),
      );
      const found = checkSite(list.map((object) => ({ kind: 'forward', object })));
      expect(found.some((problem) => problem.message.includes('some of the same'))).toBe(clash);
    }),
    { numRuns: 1000 },
  );
});
