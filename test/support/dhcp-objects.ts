// Objects of dhcpd for property tests: any that are right in themselves, and sites that go
// together.
import fc from 'fast-check';
import { refusalOf } from '../../shared/dhcp/option-table.ts';
import { type Ipv4, ipv4 } from '../../shared/net/ipv4.ts';
import { mac } from '../../shared/net/mac.ts';
import type { ClassMatch, DhcpClass } from '../../shared/site/class.ts';
import type { SiteObject } from '../../shared/site/kinds.ts';
import type { L3Net } from '../../shared/site/l3net.ts';
import { INFINITE_SECONDS, leaseOf } from '../../shared/site/lease-times.ts';
import type { Identity, Reservation } from '../../shared/site/reservation.ts';
import type { Subnet } from '../../shared/site/subnet.ts';

const optional = { requiredKeys: [] };
const host = fc
  .tuple(fc.integer({ min: 1, max: 223 }), fc.integer({ min: 0, max: 0xffffff }))
  .filter(([first]) => first !== 127)
  .map(([first, rest]) => ipv4(first * 2 ** 24 + rest));
const name = fc.stringMatching(/^[a-zA-Z0-9]([a-zA-Z0-9._-]{0,62}[a-zA-Z0-9])?$/);
const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?$/);
const bootText = fc.stringMatching(/^[\x20-\x7e]{1,255}$/);
const hex = (min: number, max: number) =>
  fc
    .uint8Array({ minLength: min, maxLength: max })
    .map((bytes) => Buffer.from(bytes).toString('hex'));
/** Half of them are text. */
const bytes = (min: number) =>
  fc.oneof(
    hex(min, 20),
    fc.stringMatching(/^[\x20-\x7e]{2,20}$/).map((text) => Buffer.from(text).toString('hex')),
  );
const seconds = fc.oneof(fc.integer({ min: 1, max: 1e6 }), fc.constant(INFINITE_SECONDS));

const lease = fc.oneof(
  seconds.map((each) => leaseOf({ default: each })),
  fc.tuple(seconds, seconds, seconds).map((three) => {
    const [min = 1, middle = 1, max = 1] = three.sort((a, b) => a - b);
    return { default: middle, min, max };
  }),
);

/** Any bytes for any code that may be set: what its row does not know stays hex. */
const anyOptions = fc.dictionary(
  fc
    .integer({ min: 1, max: 254 })
    .filter((code) => refusalOf(code) === undefined)
    .map(String),
  bytes(0),
  { maxKeys: 4 },
);
/** What the rows know: addresses, numbers, names, text. */
const goodOptions = fc.record(
  {
    3: hex(4, 4),
    6: hex(8, 8),
    15: label.map((text) => Buffer.from(text).toString('hex')),
    17: bootText.map((text) => Buffer.from(text).toString('hex')),
    19: fc.constantFrom('00', '01'),
    26: fc.constant('05dc'),
    224: hex(1, 9),
  },
  optional,
);
const options = fc
  .oneof(anyOptions, goodOptions)
  .map((found): Record<string, string> => ({ ...found }) as Record<string, string>);

const common = { nextServer: host, serverName: bootText, bootFile: bootText };
const settings = fc
  .tuple(options, fc.record({ ...common, lease }, optional))
  .map(([found, more]) => ({ options: found, ...more }));

const prefix = fc
  .tuple(host, fc.integer({ min: 8, max: 32 }))
  .map(([address, bits]) => {
    const size = 2 ** (32 - bits);
    return { family: 4 as const, address: ipv4(address - (address % size)), bits };
  })
  .filter(({ address }) => address >= 2 ** 24);

const pool = fc.tuple(host, host).map(([a, b]) => {
  return { first: ipv4(Math.min(a, b)), last: ipv4(Math.max(a, b)) };
});

const subnet = fc
  .record({
    settings,
    prefix,
    pools: fc.array(pool, { maxLength: 3 }),
    relays: fc.uniqueArray(host, { maxLength: 3 }),
    lease,
    authoritative: fc.boolean(),
    rapidCommit: fc.boolean(),
    more: fc.record(
      { network: name, interface: label, ipv6OnlySeconds: seconds, ddnsZone: label },
      optional,
    ),
  })
  .map(({ settings: given, more, ...rest }): Subnet => ({ ...given, ...rest, ...more }));

const identity = fc.oneof(
  fc.integer({ min: 0, max: 0xffffffffffff }).map((value): Identity => {
    return { by: 'mac', mac: mac(value) };
  }),
  bytes(2).map((id): Identity => ({ by: 'clientId', hex: id })),
  bytes(1).map((id): Identity => ({ by: 'circuitId', hex: id })),
);

const reservation = fc
  .tuple(settings, host, identity, fc.record({ hostname: label }, optional))
  .map(
    ([given, address, who, more]): Reservation => ({
      ...given,
      address,
      identity: who,
      ...more,
    }),
  );

const pattern = fc
  .tuple(bytes(0), fc.boolean())
  .map(([of, isPrefix]) => ({ hex: of, isPrefix }))
  .filter((each) => each.hex !== '' || each.isPrefix);
const match = fc
  .record(
    {
      vendorClass: pattern,
      userClass: pattern,
      architectures: fc.array(fc.integer({ min: 0, max: 65535 }), { minLength: 1, maxLength: 3 }),
      options: fc.record({ 93: pattern, 12: pattern, 224: pattern }, optional),
    },
    optional,
  )
  .map((found): ClassMatch => {
    const { options: others, ...rest } = found;
    if (others === undefined || Object.keys(others).length === 0) return rest as ClassMatch;
    return { ...rest, options: others } as ClassMatch;
  })
  .filter((found) => Object.keys(found).length > 0);
const dhcpClass = fc
  .tuple(settings, name, fc.integer({ min: 0, max: 65535 }), fc.record({ match }, optional))
  .map(([given, of, order, more]): DhcpClass => ({ ...given, name: of, order, ...more }));

const l3net = fc
  .tuple(
    prefix.filter(({ bits }) => bits <= 30),
    name,
    fc.array(host, { maxLength: 3 }),
    fc.record({ mtu: fc.integer({ min: 68, max: 65535 }) }, optional),
  )
  .map(([cidr, of, dns, more]): L3Net => ({ cidr, host: of, dns, ...more }));

export const anyDhcpObject: fc.Arbitrary<SiteObject> = fc.oneof(
  subnet.map((object): SiteObject => ({ kind: 'subnet', object })),
  reservation.map((object): SiteObject => ({ kind: 'reservation', object })),
  dhcpClass.map((object): SiteObject => ({ kind: 'class', object })),
  l3net.map((object): SiteObject => ({ kind: 'l3net', object })),
  fc
    .record({ name, drain: fc.boolean() })
    .map((object): SiteObject => ({ kind: 'node', object: { ...object, service: 'dhcpd' } })),
);

/** `10.1.n.0/24` with a pool, for large sites. */
export function plainSubnet(index: number): SiteObject {
  const address = ipv4(0x0a000000 + index * 256);
  const at = (last: number): Ipv4 => ipv4(address + last);
  return {
    kind: 'subnet',
    object: {
      prefix: { family: 4, address, bits: 24 },
      pools: [{ first: at(10), last: at(200) }],
      relays: [],
      options: { 3: `0a${(index * 256 + 1).toString(16).padStart(6, '0')}` },
      lease: leaseOf({}),
      authoritative: true,
      rapidCommit: false,
    },
  };
}

/** One of them in each subnet by turns. */
export function plainReservation(index: number, subnets: number): SiteObject {
  const address = 0x0a000000 + (index % subnets) * 256 + 2 + Math.floor(index / subnets);
  const identity: Identity = { by: 'mac', mac: mac(0x020000000000 + index) };
  return { kind: 'reservation', object: { address: ipv4(address), identity, options: {} } };
}
