// From site objects to the plan that the engine reads. Pure. What does not go together is refused
// whole: edgectl checks the same before it stores, so a refusal means an older edgectl, or a hand.
import { toHex } from '../../shared/bytes.ts';
import type { Ipv4 } from '../../shared/net/ipv4.ts';
import { macToBytes } from '../../shared/net/mac.ts';
import { bytesOf } from '../../shared/site/bytes.ts';
import type { SiteProblem } from '../../shared/site/check.ts';
import { checkDhcp } from '../../shared/site/check-dhcp.ts';
import type { DhcpClass, ClassMatch as SiteMatch } from '../../shared/site/class.ts';
import { DhcpObjects } from '../../shared/site/dhcp-objects.ts';
import type { DhcpSettings } from '../../shared/site/dhcp-settings.ts';
import type { SiteObject } from '../../shared/site/kinds.ts';
import type { StoredOptions } from '../../shared/site/options.ts';
import type { Pattern } from '../../shared/site/pattern.ts';
import { RangeIndex, rangeOf } from '../../shared/site/range-index.ts';
import { type Refusal, refusal } from '../../shared/site/refusal.ts';
import type { Reservation as SiteReservation } from '../../shared/site/reservation.ts';
import { networkOf, type Subnet as SiteSubnet, subnetId } from '../../shared/site/subnet.ts';
import type {
  BytePattern,
  ClassMatch,
  ClientClass,
  L3Net,
  Network,
  OptionValues,
  Plan,
  Reservation,
  Settings,
  Subnet,
} from './types.ts';

const REASONS_TOLD = 20;
const NO_OPTIONS: OptionValues = new Map();

/** Objects of other services are passed over. */
export function compilePlan(objects: Iterable<SiteObject>, version: number): Plan | Refusal {
  return compileObjects(DhcpObjects.of(objects), version);
}

export function compileObjects(objects: DhcpObjects, version: number): Plan | Refusal {
  const problems: SiteProblem[] = [];
  checkDhcp(objects, problems);
  if (problems.length === 0) return new CompiledPlan(objects, version);
  const told = problems.slice(0, REASONS_TOLD).map(({ kind, id, message }) => {
    return `${kind} ${id}: ${message}`;
  });
  if (problems.length > told.length) told.push(`and ${problems.length - told.length} more`);
  return refusal(...told);
}

/** Reservations of one network, by each kind of identity. */
type Clients = {
  byMac: Map<number, Reservation>;
  byClientId: Map<string, Reservation>;
  byCircuitId: Map<string, Reservation>;
};
const MAC_BYTES = 6;

class CompiledPlan implements Plan {
  readonly version: number;
  readonly subnets: readonly Subnet[];
  readonly classes: readonly ClientClass[];
  readonly l3nets: readonly L3Net[];
  readonly #bySubnet: RangeIndex<Subnet>;
  readonly #byL3Net: RangeIndex<L3Net>;
  readonly #byRelay = new Map<Ipv4, Subnet>();
  readonly #byInterface = new Map<string, Subnet>();
  readonly #byAddress = new Map<Ipv4, Reservation>();
  readonly #byName = new Map<string, Ipv4>();
  readonly #clients = new Map<Network, Clients>();

  constructor(objects: DhcpObjects, version: number) {
    this.version = version;
    this.subnets = subnetsOf(objects);
    this.classes = objects.classes.toSorted(byOrder).map(classOf);
    this.#bySubnet = new RangeIndex(
      this.subnets.map((value) => ({ ...rangeOf(value.prefix), value })),
    );
    this.#byL3Net = new RangeIndex(
      objects.l3nets.map((value) => ({ ...rangeOf(value.cidr), value })),
    );
    this.l3nets = this.#byL3Net.sorted.map(({ value }) => value);
    for (const subnet of this.subnets) this.#addSubnet(subnet);
    for (const reservation of objects.reservations) this.#addReservation(reservation);
  }

  #addSubnet(subnet: Subnet): void {
    for (const relay of subnet.relays) {
      if (!this.#byRelay.has(relay)) this.#byRelay.set(relay, subnet);
    }
    const { interface: name } = subnet;
    if (name !== undefined && !this.#byInterface.has(name)) this.#byInterface.set(name, subnet);
  }

  #addReservation(found: SiteReservation): void {
    const subnet = this.#bySubnet.find(found.address);
    if (subnet === undefined) throw new TypeError('checkDhcp lets no such reservation through');
    const reservation = reservationOf(found, subnet);
    this.#byAddress.set(found.address, reservation);
    const { ddnsZone } = subnet;
    if (ddnsZone !== undefined && found.hostname !== undefined) {
      const [label = ''] = found.hostname.toLowerCase().split('.', 1);
      const name = `${label} ${ddnsZone}`;
      if (!this.#byName.has(name)) this.#byName.set(name, found.address);
    }
    const clients = this.#clients.get(subnet.network) ?? noClients();
    this.#clients.set(subnet.network, clients);
    const { identity } = found;
    if (identity.by === 'mac') clients.byMac.set(identity.mac, reservation);
    else if (identity.by === 'clientId') clients.byClientId.set(identity.hex, reservation);
    else clients.byCircuitId.set(identity.hex, reservation);
  }

  subnetOf(address: Ipv4): Subnet | undefined {
    return this.#bySubnet.find(address);
  }

  subnetOfRelay(address: Ipv4): Subnet | undefined {
    return this.#byRelay.get(address) ?? this.#bySubnet.find(address);
  }

  subnetOfInterface(name: string, addresses: readonly Ipv4[]): Subnet | undefined {
    const named = this.#byInterface.get(name);
    if (named !== undefined) return named;
    for (const address of addresses) {
      const found = this.#bySubnet.find(address);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  reservationAt(address: Ipv4): Reservation | undefined {
    return this.#byAddress.get(address);
  }

  addressOfName(zone: string, name: string): Ipv4 | undefined {
    return this.#byName.get(`${name} ${zone}`);
  }

  reservationFor(
    network: Network,
    identity: { chaddr: Uint8Array; clientId?: Uint8Array; circuitId?: Uint8Array },
  ): Reservation | undefined {
    const clients = this.#clients.get(network);
    if (clients === undefined) return undefined;
    const { chaddr, clientId, circuitId } = identity;
    const byMac = chaddr.length === MAC_BYTES ? clients.byMac.get(numberOf(chaddr)) : undefined;
    return byMac ?? find(clients.byClientId, clientId) ?? find(clients.byCircuitId, circuitId);
  }

  l3netOf(address: Ipv4): L3Net | undefined {
    return this.#byL3Net.find(address);
  }
}

function noClients(): Clients {
  return { byMac: new Map(), byClientId: new Map(), byCircuitId: new Map() };
}

function find(clients: Clients['byClientId'], id: Uint8Array | undefined): Reservation | undefined {
  if (id === undefined || clients.size === 0) return undefined;
  return clients.get(toHex(id));
}

function numberOf(bytes: Uint8Array): number {
  let value = 0;
  for (const byte of bytes) value = value * 256 + byte;
  return value;
}

/** In the order of addresses, each with its network, which has them in the same order. */
function subnetsOf(objects: DhcpObjects): Subnet[] {
  const members = new Map<string, Subnet[]>();
  return objects.bySubnet.sorted.map(({ value: found }) => {
    const id = networkOf(found);
    const siblings = members.get(id) ?? [];
    members.set(id, siblings);
    const network = siblings[0]?.network ?? { id, subnets: siblings };
    const subnet = subnetOf(found, network);
    siblings.push(subnet);
    return subnet;
  });
}

function subnetOf(found: SiteSubnet, network: Network): Subnet {
  const { prefix, pools, relays, lease, authoritative, rapidCommit } = found;
  return {
    ...settingsOf(found),
    id: subnetId(found),
    prefix,
    network,
    pools,
    relays,
    lease,
    authoritative,
    rapidCommit,
    ...(found.interface === undefined ? {} : { interface: found.interface }),
    ...(found.ipv6OnlySeconds === undefined ? {} : { ipv6OnlySeconds: found.ipv6OnlySeconds }),
    ...(found.ddnsZone === undefined ? {} : { ddnsZone: found.ddnsZone }),
  };
}

function reservationOf(found: SiteReservation, subnet: Subnet): Reservation {
  const { address, identity, hostname } = found;
  const common = {
    ...settingsOf(found),
    address,
    subnet,
    ...(hostname === undefined ? {} : { hostname }),
  };
  switch (identity.by) {
    case 'mac':
      return { ...common, by: 'mac', mac: macToBytes(identity.mac) };
    case 'clientId':
      return { ...common, by: 'client-id', clientId: bytesOf(identity.hex) };
    case 'circuitId':
      return { ...common, by: 'circuit-id', circuitId: bytesOf(identity.hex) };
  }
}

/** What counts more comes later. */
function byOrder(a: DhcpClass, b: DhcpClass): number {
  return a.order - b.order || (a.name < b.name ? -1 : 1);
}

function classOf(found: DhcpClass): ClientClass {
  const { name, match } = found;
  const settings = settingsOf(found);
  return match === undefined ? { ...settings, name } : { ...settings, name, match: matchOf(match) };
}

function matchOf({ vendorClass, userClass, architectures, options }: SiteMatch): ClassMatch {
  return {
    ...(vendorClass === undefined ? {} : { vendorClass: patternOf(vendorClass) }),
    ...(userClass === undefined ? {} : { userClass: patternOf(userClass) }),
    ...(architectures === undefined ? {} : { architectures }),
    ...(options === undefined
      ? {}
      : {
          options: Object.entries(options).map(([code, pattern]) => {
            return { code: Number(code), pattern: patternOf(pattern) };
          }),
        }),
  };
}

function patternOf({ hex, isPrefix }: Pattern): BytePattern {
  return { bytes: bytesOf(hex), prefix: isPrefix };
}

function settingsOf({ options, nextServer, serverName, bootFile, lease }: DhcpSettings): Settings {
  return {
    options: optionsOf(options),
    ...(nextServer === undefined ? {} : { nextServer }),
    ...(serverName === undefined ? {} : { serverName }),
    ...(bootFile === undefined ? {} : { bootFile }),
    ...(lease === undefined ? {} : { lease }),
  };
}

function optionsOf(options: StoredOptions): OptionValues {
  const entries = Object.entries(options);
  if (entries.length === 0) return NO_OPTIONS;
  return new Map(entries.map(([code, hex]) => [Number(code), bytesOf(hex)]));
}
