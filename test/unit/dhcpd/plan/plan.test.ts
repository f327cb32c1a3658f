// From a site file to what the engine asks of the plan.
import { expect, test } from 'vitest';
import { compilePlan } from '../../../../dhcpd/plan/plan.ts';
import type { Network, Plan } from '../../../../dhcpd/plan/types.ts';
import { formatIpv4, type Ipv4, parseIpv4 } from '../../../../shared/net/ipv4.ts';
import { formatPrefix } from '../../../../shared/net/prefix.ts';
import { readSite } from '../../../../shared/site/file.ts';
import { plainReservation, plainSubnet } from '../../../support/dhcp-objects.ts';

const SITE = `
eips:
  - { address: 198.51.100.7 }
subnets:
  - { subnet: 10.3.0.0/24, network: b, interface: eth1 }
  - subnet: 10.1.0.0/24
    pools: [10.1.0.10-10.1.0.200, 10.1.0.202]
    relays: [10.9.9.1]
    lease: 10m
    options: { routers: [10.1.0.1], "224": { hex: "0102" } }
    nextServer: 10.1.0.9
    serverName: boot
    bootFile: pxelinux.0
    authoritative: false
    rapidCommit: true
    ipv6Only: 30m
    ddns: { zone: vm.example }
  - { subnet: 10.2.0.0/24, network: b, relays: [10.9.9.2] }
  - { subnet: 10.4.0.0/30, lease: infinite }
reservations:
  - { address: 10.2.0.5, mac: "02:00:00:00:00:05", hostname: printer, bootFile: print.img }
  - { address: 10.2.0.6, clientId: "01:02:00:00:00:00:05", lease: { default: 1d, min: 1h } }
  - { address: 10.3.0.7, circuitId: "eth0/7" }
  - { address: 10.1.0.5, mac: "02:00:00:00:00:05" }
classes:
  - { name: z-all, order: 5, options: { "224": { hex: "03" } } }
  - name: pxe-efi
    match: { vendorClass: "PXEClient*", architectures: [7, 9], options: { "93": { hex: "0007" } } }
    bootFile: efi
  - { name: a-all }
  - { name: b, match: { userClass: iPXE } }
l3nets:
  - { cidr: 10.65.0.0/16, host: b }
  - { cidr: 10.64.0.0/16, host: a, dns: [10.0.0.53, 10.0.0.54], mtu: 1450 }
nodes:
  - { name: dhcpd-1, service: dhcpd, drain: true }
`;

function planOf(text: string): Plan {
  const site = readSite([{ file: 'site.yaml', text }]);
  const plan = compilePlan(
    site.objects.map(({ item }) => item),
    7,
  );
  if ('reasons' in plan) throw new Error(plan.reasons.join('\n'));
  return plan;
}

const plan = planOf(SITE);
const ip = (text: string): Ipv4 => {
  const address = parseIpv4(text);
  if (address === undefined) throw new TypeError(text);
  return address;
};
const text = (found: Uint8Array) => Buffer.from(found).toString('latin1');
const networkAt = (address: string): Network => {
  const found = plan.subnetOf(ip(address))?.network;
  if (found === undefined) throw new TypeError(address);
  return found;
};

test('subnets stand in the order of addresses, with their networks', () => {
  expect(plan.version).toBe(7);
  expect(plan.subnets.map(({ id }) => id)).toEqual([
    '10.1.0.0/24',
    '10.2.0.0/24',
    '10.3.0.0/24',
    '10.4.0.0/30',
  ]);
  const [one, two, three] = plan.subnets;
  expect(one?.network).toEqual({ id: '10.1.0.0/24', subnets: [one] });
  expect(two?.network).toBe(three?.network);
  expect(two?.network).toEqual({ id: 'b', subnets: [two, three] });
});

test('a subnet has what its object says, and defaults', () => {
  const { network, options, prefix, ...rest } = plan.subnets[0] ?? plan.subnets[1] ?? ({} as never);
  expect(formatPrefix(prefix)).toBe('10.1.0.0/24');
  expect([...options]).toEqual([
    [3, Uint8Array.of(10, 1, 0, 1)],
    [224, Uint8Array.of(1, 2)],
  ]);
  expect(rest).toEqual({
    id: '10.1.0.0/24',
    pools: [
      { first: ip('10.1.0.10'), last: ip('10.1.0.200') },
      { first: ip('10.1.0.202'), last: ip('10.1.0.202') },
    ],
    relays: [ip('10.9.9.1')],
    lease: { default: 600, min: 300, max: 86_400 },
    nextServer: ip('10.1.0.9'),
    serverName: 'boot',
    bootFile: 'pxelinux.0',
    authoritative: false,
    rapidCommit: true,
    ipv6OnlySeconds: 1800,
    ddnsZone: 'vm.example',
  });
  expect(plan.subnets[1]).toMatchObject({
    pools: [],
    lease: { default: 3600, min: 300, max: 86_400 },
    authoritative: true,
    rapidCommit: false,
  });
  expect(plan.subnets[3]?.lease).toEqual({ default: 0xffffffff, min: 300, max: 0xffffffff });
});

test.each([
  ['10.1.0.0', '10.1.0.0/24'],
  ['10.1.0.255', '10.1.0.0/24'],
  ['10.2.0.1', '10.2.0.0/24'],
  ['10.4.0.3', '10.4.0.0/30'],
  ['10.4.0.4', undefined],
  ['10.0.255.255', undefined],
  ['255.255.255.255', undefined],
  ['0.0.0.0', undefined],
])('the subnet of %s is %s', (address, expected) => {
  expect(plan.subnetOf(ip(address))?.id).toBe(expected);
});

test.each([
  ['10.9.9.1', '10.1.0.0/24'],
  ['10.9.9.2', '10.2.0.0/24'],
  ['10.3.0.77', '10.3.0.0/24'],
  ['10.9.9.3', undefined],
])('the relay %s means %s', (address, expected) => {
  expect(plan.subnetOfRelay(ip(address))?.id).toBe(expected);
});

test.each<[string, string[], string | undefined]>([
  ['eth1', [], '10.3.0.0/24'],
  ['eth1', ['10.1.0.1'], '10.3.0.0/24'],
  ['eth2', ['192.0.2.1', '10.2.0.1'], '10.2.0.0/24'],
  ['eth2', ['192.0.2.1'], undefined],
  ['eth2', [], undefined],
])('the interface %s with %j is of %s', (name, addresses, expected) => {
  expect(plan.subnetOfInterface(name, addresses.map(ip))?.id).toBe(expected);
});

test('a reservation is found by its address', () => {
  const found = plan.reservationAt(ip('10.2.0.5'));
  expect(found).toMatchObject({ by: 'mac', hostname: 'printer', bootFile: 'print.img' });
  expect(found?.subnet).toBe(plan.subnets[1]);
  expect(plan.reservationAt(ip('10.2.0.6'))?.lease).toEqual({
    default: 86_400,
    min: 3600,
    max: 86_400,
  });
  expect(plan.reservationAt(ip('10.2.0.7'))).toBeUndefined();
});

test('a reserved name is found in the zone of its subnet, by its first label', () => {
  const named = planOf(`
subnets:
  - { subnet: 10.1.0.0/24, ddns: { zone: vm.example } }
  - { subnet: 10.2.0.0/24, ddns: { zone: vm.example } }
  - { subnet: 10.3.0.0/24 }
reservations:
  - { address: 10.1.0.5, mac: "02:00:00:00:00:05", hostname: Printer.lan }
  - { address: 10.2.0.5, mac: "02:00:00:00:00:06", hostname: printer }
  - { address: 10.3.0.5, mac: "02:00:00:00:00:07", hostname: other }
`);
  expect(named.addressOfName('vm.example', 'printer')).toBe(ip('10.1.0.5'));
  expect(named.addressOfName('vm.example', 'other')).toBeUndefined();
  expect(named.addressOfName('lan', 'printer')).toBeUndefined();
});

const MAC = Uint8Array.of(2, 0, 0, 0, 0, 5);
const NOBODY = Uint8Array.of(2, 0, 0, 0, 0, 9);
const CLIENT_ID = Uint8Array.of(1, 2, 0, 0, 0, 0, 5);
const CIRCUIT_ID = new TextEncoder().encode('eth0/7');

test.each<[string, string, Parameters<Plan['reservationFor']>[1], string | undefined]>([
  ['by MAC', '10.3.0.1', { chaddr: MAC }, '10.2.0.5'],
  ['by MAC first', '10.3.0.1', { chaddr: MAC, clientId: CLIENT_ID }, '10.2.0.5'],
  ['by client id', '10.2.0.1', { chaddr: NOBODY, clientId: CLIENT_ID }, '10.2.0.6'],
  [
    'by client id before circuit id',
    '10.2.0.1',
    { chaddr: NOBODY, clientId: CLIENT_ID, circuitId: CIRCUIT_ID },
    '10.2.0.6',
  ],
  ['by circuit id', '10.2.0.1', { chaddr: NOBODY, circuitId: CIRCUIT_ID }, '10.3.0.7'],
  ['in its own network', '10.1.0.1', { chaddr: MAC, circuitId: CIRCUIT_ID }, '10.1.0.5'],
  ['of nobody', '10.2.0.1', { chaddr: NOBODY }, undefined],
  ['of a hardware address of another length', '10.2.0.1', { chaddr: MAC.slice(1) }, undefined],
  ['where there is none', '10.4.0.1', { chaddr: MAC }, undefined],
])('a reservation %s', (_, address, identity, expected) => {
  const found = plan.reservationFor(networkAt(address), identity);
  expect(found === undefined ? undefined : formatIpv4(found.address)).toBe(expected);
});

test('classes stand in the order in which they win', () => {
  expect(plan.classes.map(({ name }) => name)).toEqual(['z-all', 'a-all', 'b', 'pxe-efi']);
  expect(plan.classes[0]).not.toHaveProperty('match');
  const match = plan.classes[3]?.match;
  expect(match?.vendorClass?.prefix).toBe(true);
  expect(text(match?.vendorClass?.bytes ?? new Uint8Array())).toBe('PXEClient');
  expect(match?.architectures).toEqual([7, 9]);
  expect(match?.options).toEqual([
    { code: 93, pattern: { bytes: Uint8Array.of(0, 7), prefix: false } },
  ]);
  expect(plan.classes[2]?.match?.userClass?.prefix).toBe(false);
});

test('an l3net is found by any address in it', () => {
  expect(plan.l3nets.map(({ host }) => host)).toEqual(['a', 'b']);
  expect(plan.l3netOf(ip('10.64.255.255'))).toEqual({
    cidr: { family: 4, address: ip('10.64.0.0'), bits: 16 },
    host: 'a',
    dns: [ip('10.0.0.53'), ip('10.0.0.54')],
    mtu: 1450,
  });
  expect(plan.l3netOf(ip('10.66.0.0'))).toBeUndefined();
});

test('an empty site is a plan that knows nobody', () => {
  const empty = planOf('');
  expect(empty.subnets).toEqual([]);
  expect(empty.subnetOf(ip('10.1.0.1'))).toBeUndefined();
  expect(empty.subnetOfInterface('eth0', [ip('10.1.0.1')])).toBeUndefined();
});

test('what does not go together is refused with its reasons, not all of a thousand', () => {
  const lone = Array.from({ length: 1000 }, (_, index) => plainReservation(index, 1000));
  const found = compilePlan(lone, 1);
  if (!('reasons' in found)) throw new Error('it was taken');
  expect(found.reasons).toHaveLength(21);
  expect(found.reasons[0]).toBe('reservation 10.0.0.2: is in no subnet');
  expect(found.reasons.at(-1)).toBe('and 980 more');
});

test('a large site is looked up right', () => {
  const subnets = 300;
  const objects = [
    ...Array.from({ length: subnets }, (_, index) => plainSubnet(index)),
    ...Array.from({ length: 3000 }, (_, index) => plainReservation(index, subnets)),
  ];
  const large = compilePlan(objects, 1);
  if ('reasons' in large) throw new Error(large.reasons.join());
  for (let index = 0; index < 3000; index++) {
    const chaddr = Uint8Array.of(2, 0, 0, 0, index >> 8, index & 255);
    const subnet = large.subnets[index % subnets];
    if (subnet === undefined) throw new Error('too few');
    const found = large.reservationFor(subnet.network, { chaddr });
    expect(found?.subnet).toBe(subnet);
    expect(found && large.reservationAt(found.address)).toBe(found);
    expect(found && large.subnetOf(found.address)).toBe(subnet);
  }
});
