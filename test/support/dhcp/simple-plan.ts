// A plan for tests of the engine, written as a test says it: no site objects, every question
// answered by looking at all.
import { contains } from '../../../dhcpd/engine/query.ts';
import type {
  ClientClass,
  L3Net,
  LeaseTimes,
  Network,
  Plan,
  Reservation,
  Subnet,
} from '../../../dhcpd/plan/types.ts';
import { type Ipv4, parseIpv4 } from '../../../shared/net/ipv4.ts';
import { type Ipv4Prefix, parsePrefix } from '../../../shared/net/prefix.ts';

export function ip(text: string): Ipv4 {
  const address = parseIpv4(text);
  if (address === undefined) throw new Error(`${text} is no address`);
  return address;
}

export function prefixOf(text: string): Ipv4Prefix {
  const prefix = parsePrefix(text);
  if (prefix?.family !== 4) throw new Error(`${text} is no prefix`);
  return prefix;
}

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

export type SubnetFields = Partial<Omit<Subnet, 'id' | 'prefix' | 'pools' | 'relays'>> & {
  prefix: string;
  /** `10.0.0.10-10.0.0.20`. */
  pools?: readonly string[];
  relays?: readonly string[];
  /** Subnets of one name are one link. */
  shared?: string;
};
/** The subnet is found by the address. */
export type ReservationFields = Partial<Reservation> & { at: string } & (
    | { by: 'mac'; mac: Uint8Array }
    | { by: 'client-id'; clientId: Uint8Array }
    | { by: 'circuit-id'; circuitId: Uint8Array }
  );

export type PlanFields = {
  version?: number;
  subnets: readonly SubnetFields[];
  reservations?: readonly ReservationFields[];
  classes?: readonly (Partial<ClientClass> & { name: string })[];
  l3nets?: readonly L3Net[];
};

export const LEASE: LeaseTimes = { default: 3600, min: 600, max: 86_400 };

export function simplePlan(fields: PlanFields): Plan {
  const subnets = subnetsOf(fields.subnets);
  const classes = (fields.classes ?? []).map((one) => ({ options: new Map(), ...one }));
  const l3nets = fields.l3nets ?? [];
  const subnetOf = (address: Ipv4) => subnets.find((one) => contains(one.prefix, address));
  const reservations = (fields.reservations ?? []).map((one) => {
    const address = ip(one.at);
    return { options: new Map(), subnet: subnetOf(address), ...one, address } as Reservation;
  });
  return {
    version: fields.version ?? 1,
    subnets,
    classes,
    l3nets,
    subnetOf,
    subnetOfRelay: (address) =>
      subnetOf(address) ?? subnets.find(({ relays }) => relays.includes(address)),
    subnetOfInterface: (name, addresses) =>
      subnets.find((one) => one.interface === name) ??
      subnets.find(({ prefix }) => addresses.some((each) => contains(prefix, each))),
    reservationAt: (address) => reservations.find((one) => one.address === address),
    addressOfName: (zone, name) =>
      reservations.find((one) => one.subnet.ddnsZone === zone && one.hostname === name)?.address,
    reservationFor: (network, { chaddr, clientId, circuitId }) => {
      const near = reservations.filter(({ subnet }) => subnet.network === network);
      return (
        near.find((one) => one.by === 'mac' && same(one.mac, chaddr)) ??
        near.find((one) => one.by === 'client-id' && same(one.clientId, clientId)) ??
        near.find((one) => one.by === 'circuit-id' && same(one.circuitId, circuitId))
      );
    },
    l3netOf: (address) => l3nets.find(({ cidr }) => contains(cidr, address)),
  };
}

function subnetsOf(all: readonly SubnetFields[]): Subnet[] {
  const networks = new Map<string, { id: string; subnets: Subnet[] }>();
  return all.map(({ prefix, pools = [], relays = [], shared = prefix, ...rest }) => {
    const network = networks.get(shared) ?? { id: shared, subnets: [] };
    networks.set(shared, network);
    const subnet: Subnet = {
      options: new Map(),
      lease: LEASE,
      authoritative: false,
      rapidCommit: false,
      ...rest,
      id: prefix,
      prefix: prefixOf(prefix),
      network: network as Network,
      pools: pools.map((range) => {
        const [first = '', last = first] = range.split('-');
        return { first: ip(first), last: ip(last) };
      }),
      relays: relays.map(ip),
    };
    network.subnets.push(subnet);
    return subnet;
  });
}

function same(a: Uint8Array, b: Uint8Array | undefined): boolean {
  return b !== undefined && a.length === b.length && a.every((byte, at) => b[at] === byte);
}
