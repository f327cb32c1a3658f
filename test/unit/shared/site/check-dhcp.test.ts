// Objects of dhcpd that do not go together, and where a site file is to blame.
import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../../../shared/errors.ts';
import { checkSite } from '../../../../shared/site/check.ts';
import { placeProblems, readSite } from '../../../../shared/site/file.ts';

/** Every problem as `line:column message (remedy)`. */
function problemsOf(text: string): string[] {
  try {
    const site = readSite([{ file: 'site.yaml', text }]);
    const found = placeProblems(site, checkSite(site.objects.map(({ item }) => item)));
    if (found.length > 0) throw new ConfigError(found);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ line, column, message, remedy }) => {
      return `${line}:${column} ${message}${remedy === undefined ? '' : ` (${remedy})`}`;
    });
  }
  return [];
}

const subnets = (...lines: string[]) => ['subnets:', ...lines.map((each) => `  - ${each}`)];
const reservations = (...lines: string[]) => [
  'reservations:',
  ...lines.map((each) => `  - ${each}`),
];
const NET = '{ subnet: 10.1.0.0/24 }';

describe('goes together', () => {
  test.each<[string, string[]]>([
    ['nothing', []],
    ['neighbours', subnets('{ subnet: 10.1.0.0/25 }', '{ subnet: 10.1.0.128/25 }')],
    ['a pool of a whole /8', subnets('{ subnet: 10.0.0.0/8, pools: [10.0.0.1-10.255.255.254] }')],
    ['a pool of one address', subnets('{ subnet: 10.1.0.0/24, pools: [10.1.0.9] }')],
    ['a pool of both addresses of a /31', subnets('{ subnet: 10.1.0.0/31, pools: [10.1.0.0/31] }')],
    ['a /32', subnets('{ subnet: 10.1.0.7/32, pools: [10.1.0.7] }')],
    [
      'pools side by side',
      subnets('{ subnet: 10.1.0.0/24, pools: [10.1.0.10-10.1.0.19, 10.1.0.20-10.1.0.29] }'),
    ],
    [
      'a router between two pools',
      subnets(
        '{ subnet: 10.1.0.0/24, pools: [10.1.0.2-10.1.0.9, 10.1.0.11-10.1.0.20], options: { routers: [10.1.0.10] } }',
      ),
    ],
    [
      'a reservation in a pool, and one outside',
      [
        ...subnets('{ subnet: 10.1.0.0/24, pools: [10.1.0.10-10.1.0.200] }'),
        ...reservations(
          '{ address: 10.1.0.10, mac: "02:00:00:00:00:01" }',
          '{ address: 10.1.0.250, mac: "02:00:00:00:00:02" }',
        ),
      ],
    ],
    [
      'one client with an address in each of two networks',
      [
        ...subnets(NET, '{ subnet: 10.2.0.0/24 }'),
        ...reservations(
          '{ address: 10.1.0.5, mac: "02:00:00:00:00:01" }',
          '{ address: 10.2.0.5, mac: "02:00:00:00:00:01" }',
        ),
      ],
    ],
    [
      'a shared network on one interface, with one relay',
      subnets(
        '{ subnet: 10.1.0.0/24, network: a, interface: eth1, relays: [10.9.9.1] }',
        '{ subnet: 10.2.0.0/24, network: a, interface: eth1, relays: [10.9.9.1] }',
        '{ subnet: 10.3.0.0/24, network: a }',
      ),
    ],
    [
      'an l3net beside a subnet',
      [...subnets(NET), 'l3nets:', '  - { cidr: 10.64.0.0/16, host: compute-1 }'],
    ],
  ])('%s', (_, lines) => {
    expect(problemsOf(lines.join('\n'))).toEqual([]);
  });
});

describe('does not go together', () => {
  test.each<[string, string[], string[]]>([
    [
      'subnets that overlap',
      subnets(NET, '{ subnet: 10.1.0.64/26 }', '{ subnet: 10.1.0.0/16 }'),
      [
        '2:15 subnet 10.1.0.0/24: overlaps subnet 10.1.0.0/16',
        '3:15 subnet 10.1.0.64/26: overlaps subnet 10.1.0.0/16',
      ],
    ],
    [
      'an l3net in a subnet, and one in an l3net',
      [
        ...subnets('{ subnet: 10.0.0.0/12 }'),
        'l3nets:',
        '  - { cidr: 10.1.0.0/16, host: a }',
        '  - { cidr: 10.64.0.0/16, host: a }',
        '  - { host: b, cidr: 10.64.3.0/24 }',
      ],
      [
        '4:13 l3net 10.1.0.0/16: overlaps subnet 10.0.0.0/12',
        '6:22 l3net 10.64.3.0/24: overlaps l3net 10.64.0.0/16',
      ],
    ],
    [
      'a pool outside of its subnet',
      subnets('{ subnet: 10.1.0.0/24, pools: [10.1.0.10-10.1.0.20, 10.1.0.200-10.1.1.9] }'),
      [
        '2:57 subnet 10.1.0.0/24: pool 10.1.0.200-10.1.1.9 is not within the subnet ' +
          '(keep it within 10.1.0.0-10.1.0.255)',
      ],
    ],
    [
      'network and broadcast address in a pool',
      subnets(
        '{ subnet: 10.1.0.0/24, pools: [10.1.0.0/25] }',
        '{ subnet: 10.2.0.0/24, pools: [10.2.0.9-10.2.0.255] }',
      ),
      [
        '2:36 subnet 10.1.0.0/24: pool 10.1.0.0-10.1.0.127 has the network address 10.1.0.0 ' +
          'in it (keep it within 10.1.0.1-10.1.0.254)',
        '3:36 subnet 10.2.0.0/24: pool 10.2.0.9-10.2.0.255 has the broadcast address ' +
          '10.2.0.255 in it (keep it within 10.2.0.1-10.2.0.254)',
      ],
    ],
    [
      'pools that overlap, in a subnet and across',
      subnets(
        '{ subnet: 10.1.0.0/24, pools: [10.1.0.10-10.1.0.20, 10.1.0.20-10.1.0.30] }',
        '{ subnet: 10.2.0.0/24, pools: [10.1.0.25] }',
      ),
      [
        '2:57 subnet 10.1.0.0/24: pool 10.1.0.20-10.1.0.30 overlaps pool 10.1.0.10-10.1.0.20',
        '3:36 subnet 10.2.0.0/24: pool 10.1.0.25 is not within the subnet ' +
          '(keep it within 10.2.0.0-10.2.0.255)',
        '3:36 subnet 10.2.0.0/24: pool 10.1.0.25 overlaps pool 10.1.0.20-10.1.0.30 ' +
          'of subnet 10.1.0.0/24',
      ],
    ],
    [
      'a router in a pool, by name',
      subnets(
        '{ subnet: 10.1.0.0/24, pools: [10.1.0.10-10.1.0.20], options: { routers: [10.1.0.11] } }',
      ),
      [
        '2:78 subnet 10.1.0.0/24: router 10.1.0.11 is in pool 10.1.0.10-10.1.0.20 ' +
          '(leave it out: split the pool around 10.1.0.11)',
      ],
    ],
    [
      'a router in a pool, by code, and in another subnet',
      subnets(
        '{ subnet: 10.1.0.0/24, options: { "3": { hex: "0a02000b" } } }',
        '{ subnet: 10.2.0.0/24, pools: [10.2.0.10-10.2.0.20] }',
      ),
      [
        '2:44 subnet 10.1.0.0/24: router 10.2.0.11 is in pool 10.2.0.10-10.2.0.20 ' +
          'of subnet 10.2.0.0/24 (leave it out: split the pool around 10.2.0.11)',
      ],
    ],
    [
      'reserved addresses that nobody can have',
      [
        ...subnets('{ subnet: 10.1.0.0/24, options: { routers: [10.1.0.1, 10.1.0.2] } }'),
        ...reservations(
          '{ address: 10.2.0.5, mac: "02:00:00:00:00:01" }',
          '{ address: 10.1.0.2, mac: "02:00:00:00:00:02" }',
          '{ address: 10.1.0.0, mac: "02:00:00:00:00:03" }',
          '{ address: 10.1.0.255, mac: "02:00:00:00:00:04" }',
        ),
      ],
      [
        '4:16 reservation 10.2.0.5: is in no subnet (add its subnet under subnets)',
        '5:16 reservation 10.1.0.2: is a router of subnet 10.1.0.0/24',
        '6:16 reservation 10.1.0.0: is the network address of subnet 10.1.0.0/24',
        '7:16 reservation 10.1.0.255: is the broadcast address of subnet 10.1.0.0/24',
      ],
    ],
    [
      'two reservations of one client in one network, and one address twice',
      [
        ...subnets('{ subnet: 10.1.0.0/24, network: a }', '{ subnet: 10.2.0.0/24, network: a }'),
        ...reservations(
          '{ address: 10.1.0.5, clientId: "01:02:03" }',
          '{ address: 10.2.0.5, clientId: { hex: "010203" } }',
        ),
      ],
      ['6:36 reservation 10.2.0.5: its client has 10.1.0.5 in the same network'],
    ],
    [
      'one address twice',
      [
        ...subnets(NET),
        ...reservations(
          '{ address: 10.1.0.5, mac: "02:00:00:00:00:01" }',
          '{ address: 10.1.0.5, mac: "02:00:00:00:00:02" }',
        ),
      ],
      ['5:5 reservation 10.1.0.5 stands already at site.yaml:4'],
    ],
    [
      'a relay of two networks, by name and by its place',
      subnets(
        '{ subnet: 10.1.0.0/24, relays: [10.9.9.1] }',
        '{ subnet: 10.2.0.0/24, relays: [10.9.9.2, 10.9.9.1, 10.1.0.77] }',
      ),
      [
        '3:47 subnet 10.2.0.0/24: relay 10.9.9.1 means subnet 10.1.0.0/24, of another network, already',
        '3:57 subnet 10.2.0.0/24: relay 10.1.0.77 means subnet 10.1.0.0/24, of another network, already',
      ],
    ],
    [
      'an interface of two networks, and two of one',
      subnets(
        '{ subnet: 10.1.0.0/24, interface: eth1 }',
        '{ subnet: 10.2.0.0/24, interface: eth1 }',
        '{ subnet: 10.3.0.0/24, network: a, interface: eth2 }',
        '{ subnet: 10.4.0.0/24, network: a, interface: eth3 }',
      ),
      [
        '3:39 subnet 10.2.0.0/24: interface eth1 is that of subnet 10.1.0.0/24, of another network',
        '5:51 subnet 10.4.0.0/24: interface eth3, but subnet 10.3.0.0/24 of the same network ' +
          'has eth2',
      ],
    ],
  ])('%s', (_, lines, expected) => {
    expect(problemsOf(lines.join('\n'))).toEqual(expected);
  });
});

describe('wrong in itself', () => {
  test.each<[string, string[], string]>([
    ['no prefix', subnets('{ subnet: 10.1.0.0 }'), '2:15 "10.1.0.0" is not a prefix'],
    ['host bits', subnets('{ subnet: 10.1.0.1/24 }'), '2:15 "10.1.0.1/24" has bits set'],
    ['a /7', subnets('{ subnet: 10.0.0.0/7 }'), '2:15 "10.0.0.0/7" is not an IPv4 prefix of /8'],
    ['IPv6', subnets('{ subnet: "2001:db8::/32" }'), '2:15 "2001:db8::/32" is not an IPv4'],
    ['a pool backwards', subnets('{ subnet: 10.1.0.0/24, pools: [10.1.0.9-10.1.0.1] }'), '2:36 '],
    [
      'lease times',
      subnets('{ subnet: 10.1.0.0/24, lease: { default: 1h, max: 30m } }'),
      '2:35 the default 1h is longer than max 30m',
    ],
    [
      'lease times',
      subnets('{ subnet: 10.1.0.0/24, lease: { default: 1m, min: 5m } }'),
      '2:35 min 5m is longer than the default 1m',
    ],
    [
      'a broken second',
      subnets('{ subnet: 10.1.0.0/24, lease: 1500ms }'),
      '2:35 "1500ms" is not whole seconds',
    ],
    [
      'a lease that is none',
      subnets('{ subnet: 10.1.0.0/24, lease: { defautl: 1h } }'),
      '2:37 unknown key "defautl"',
    ],
    [
      'renewal times',
      subnets('{ subnet: 10.1.0.0/24, options: { "58": { hex: "00000001" } } }'),
      '2:45 option 58',
    ],
    [
      'a lease time as an option',
      subnets('{ subnet: 10.1.0.0/24, options: { "51": { hex: "00000001" } } }'),
      '2:45 option 51',
    ],
    [
      'an option that nobody knows',
      subnets('{ subnet: 10.1.0.0/24, options: { routrs: [10.1.0.1] } }'),
      '2:47 there is no option "routrs"',
    ],
    [
      'an option twice',
      subnets(
        '{ subnet: 10.1.0.0/24, options: { routers: [10.1.0.1], "3": { hex: "0a010001" } } }',
      ),
      'are the same option',
    ],
    [
      'a zone',
      subnets('{ subnet: 10.1.0.0/24, ddns: { zone: "vm..example" } }'),
      '2:42 "vm..example" is not the name of a zone',
    ],
    [
      'an interface',
      subnets('{ subnet: 10.1.0.0/24, interface: "eth 1" }'),
      '2:39 "eth 1" is not the name of an interface',
    ],
    [
      'a relay twice',
      subnets('{ subnet: 10.1.0.0/24, relays: [10.9.9.1, 10.9.9.1] }'),
      '2:47 relay 10.9.9.1 is there twice',
    ],
    ['no identity', reservations('{ address: 10.1.0.5 }'), '2:5 needs exactly one of mac'],
    [
      'two identities',
      reservations('{ address: 10.1.0.5, mac: "02:00:00:00:00:01", clientId: ab }'),
      '2:5 needs exactly one of mac',
    ],
    [
      'a client id of one byte',
      reservations('{ address: 10.1.0.5, clientId: a }'),
      '2:36 clientId has 1 bytes',
    ],
    [
      'a host name',
      reservations('{ address: 10.1.0.5, mac: "02:00:00:00:00:01", hostname: a_b }'),
      'is not the name of a host',
    ],
    ['a class name', ['classes:', '  - { name: "a b" }'], '2:13 "a b" is not a name'],
    [
      'an empty match',
      ['classes:', '  - { name: a, match: {} }'],
      '2:23 a match without a condition',
    ],
    [
      'a star within',
      ['classes:', '  - { name: a, match: { vendorClass: "a*b" } }'],
      '2:38 "a*b" is not a text',
    ],
    [
      'an unknown option to match',
      ['classes:', '  - { name: a, match: { options: { nonsense: x } } }'],
      '2:46 there is no option "nonsense"',
    ],
    [
      'an l3net of /31',
      ['l3nets:', '  - { cidr: 10.64.0.0/31, host: a }'],
      '2:13 "10.64.0.0/31" is not an IPv4 prefix of /8 to /30',
    ],
    ['an unknown service', ['nodes:', '  - { name: a, service: dhcp }'], '2:25 '],
  ])('%s', (_, lines, expected) => {
    const found = problemsOf(lines.join('\n'));
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(expected);
  });
});
