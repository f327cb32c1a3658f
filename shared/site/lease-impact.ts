// Which live leases a change of the site would break: their clients cannot renew what they hold.
import { formatIpv4, type Ipv4 } from '../net/ipv4.ts';
import { formatMac, type Mac } from '../net/mac.ts';
import type { Hex } from './bytes.ts';
import { DhcpObjects, identityKey } from './dhcp-objects.ts';
import type { SiteObject } from './kinds.ts';
import type { Identity, Reservation } from './reservation.ts';
import { networkOf, type Subnet, subnetId } from './subnet.ts';

/** `clientId` is option 61 as the client sent it. */
export type LiveLease = { address: Ipv4; mac?: Mac; clientId?: Hex };
export type BrokenLease = { address: Ipv4; why: string };

/** Only what is well before and is not after; in the order of the leases. */
export function brokenLeases(
  before: Iterable<SiteObject>,
  after: Iterable<SiteObject>,
  leases: Iterable<LiveLease>,
): BrokenLease[] {
  const [old, fresh] = [new View(before), new View(after)];
  const broken: BrokenLease[] = [];
  for (const lease of leases) {
    const why = fresh.whyNot(lease);
    if (why === undefined || old.whyNot(lease) !== undefined) continue;
    broken.push({ address: lease.address, why: why(old) });
  }
  return broken;
}

/** In words, which may tell how it was before. */
type Why = (before: View) => string;

class View {
  readonly #objects: DhcpObjects;
  readonly #byAddress = new Map<Ipv4, Reservation>();
  readonly #byClient = new Map<string, Reservation>();

  constructor(objects: Iterable<SiteObject>) {
    this.#objects = DhcpObjects.of(objects);
    for (const reservation of this.#objects.reservations) {
      this.#byAddress.set(reservation.address, reservation);
      const subnet = this.#objects.subnetOf(reservation.address);
      if (subnet !== undefined) {
        this.#byClient.set(clientKey(subnet, reservation.identity), reservation);
      }
    }
  }

  /** Undefined: the client may go on with its lease. */
  whyNot(lease: LiveLease): Why | undefined {
    const { address } = lease;
    const subnet = this.#objects.subnetOf(address);
    if (subnet === undefined) return (before) => before.#goneText(address);
    const owner = this.#byAddress.get(address);
    if (owner !== undefined) {
      if (isOf(owner.identity, lease)) return undefined;
      return () => `reserved for another client: ${identityText(owner.identity)}`;
    }
    const own = this.#reservationOf(subnet, lease);
    if (own !== undefined) {
      return () => `its client has ${formatIpv4(own.address)} reserved`;
    }
    if (this.#objects.byPool.find(address) !== undefined) return undefined;
    return () => `in no pool of subnet ${subnetId(subnet)}, and not reserved`;
  }

  #goneText(address: Ipv4): string {
    const subnet = this.#objects.subnetOf(address);
    return `its subnet is gone${subnet === undefined ? '' : `: ${subnetId(subnet)}`}`;
  }

  #reservationOf(subnet: Subnet, { mac, clientId }: LiveLease): Reservation | undefined {
    const byMac = mac === undefined ? undefined : clientKey(subnet, { by: 'mac', mac });
    const found = byMac === undefined ? undefined : this.#byClient.get(byMac);
    if (found !== undefined || clientId === undefined) return found;
    return this.#byClient.get(clientKey(subnet, { by: 'clientId', hex: clientId }));
  }
}

function clientKey(subnet: Subnet, identity: Identity): string {
  return `${networkOf(subnet)} ${identityKey(identity)}`;
}

/** A lease does not say its circuit: whose it is then is not known, and it counts as its own. */
function isOf(identity: Identity, { mac, clientId }: LiveLease): boolean {
  if (identity.by === 'mac') return mac === undefined || identity.mac === mac;
  if (identity.by === 'clientId') return clientId === undefined || identity.hex === clientId;
  return true;
}

function identityText(identity: Identity): string {
  if (identity.by === 'mac') return `MAC ${formatMac(identity.mac)}`;
  return `${identity.by} ${identity.hex}`;
}
