// What the site objects say, made ready for packets: `compilePlan` in plan.ts builds it, the engine
// reads it. A plan never changes; a new version is a new plan. Pure.
import type { Ipv4 } from '../../shared/net/ipv4.ts';
import type { Ipv4Prefix } from '../../shared/net/prefix.ts';
import type { Range } from '../leases/types.ts';

/** Encoded option values by code. */
export type OptionValues = ReadonlyMap<number, Uint8Array>;

/** What may be given to a client at several levels; the nearer one wins, field by field. */
export type Settings = {
  options: OptionValues;
  nextServer?: Ipv4;
  serverName?: string;
  bootFile?: string;
  lease?: LeaseTimes;
};

/** Seconds; 0xffffffff: infinite. */
export type LeaseTimes = { default: number; min: number; max: number };

export type Subnet = Settings & {
  /** The prefix as text. */
  id: string;
  prefix: Ipv4Prefix;
  /** Subnets of one link (a shared network); itself among them. Several in the plan's order. */
  network: Network;
  pools: readonly Range[];
  /** Addresses of relays that mean this link though they lie outside the prefix. */
  relays: readonly Ipv4[];
  /** Served on this interface even when it has no address in the prefix. */
  interface?: string;
  lease: LeaseTimes;
  authoritative: boolean;
  rapidCommit: boolean;
  /** RFC 8925: seconds for option 108; absent: not offered. */
  ipv6OnlySeconds?: number;
  /** Names are published in our dns when a client has one. */
  ddnsZone?: string;
};

export type Network = { id: string; subnets: readonly Subnet[] };

/** Exactly one identity. */
export type Reservation = Settings & {
  address: Ipv4;
  subnet: Subnet;
  hostname?: string;
} & (
    | { by: 'mac'; mac: Uint8Array }
    | { by: 'client-id'; clientId: Uint8Array }
    | { by: 'circuit-id'; circuitId: Uint8Array }
  );

/** All that is given has to match; a class without a match is everybody's defaults. */
export type ClassMatch = {
  vendorClass?: BytePattern;
  userClass?: BytePattern;
  /** Option 93, any of. */
  architectures?: readonly number[];
  options?: readonly { code: number; pattern: BytePattern }[];
};
/** `prefix`: what follows does not matter. */
export type BytePattern = { bytes: Uint8Array; prefix: boolean };

/** In the order in which they count: later ones win over earlier ones. */
export type ClientClass = Settings & { name: string; match?: ClassMatch };

/** One l3addnet record: /30s computed from addresses (dhcpd/l3). */
export type L3Net = { cidr: Ipv4Prefix; host: string; dns: readonly Ipv4[]; mtu?: number };

export interface Plan {
  /** Version of the site objects it was made of. */
  readonly version: number;
  readonly subnets: readonly Subnet[];
  readonly classes: readonly ClientClass[];
  readonly l3nets: readonly L3Net[];
  subnetOf(address: Ipv4): Subnet | undefined;
  /** The link that a relay's address means: inside the prefix, or listed in `relays`. */
  subnetOfRelay(address: Ipv4): Subnet | undefined;
  /** Subnets that name the interface, or whose prefix has one of these addresses. */
  subnetOfInterface(name: string, addresses: readonly Ipv4[]): Subnet | undefined;
  reservationAt(address: Ipv4): Reservation | undefined;
  /** Of the reservation that has this name (a label in lower case) in the zone of its subnet. */
  addressOfName(zone: string, name: string): Ipv4 | undefined;
  /** In the order MAC, client-id, circuit-id; only in subnets of this network. */
  reservationFor(
    network: Network,
    identity: { chaddr: Uint8Array; clientId?: Uint8Array; circuitId?: Uint8Array },
  ): Reservation | undefined;
  l3netOf(address: Ipv4): L3Net | undefined;
}
