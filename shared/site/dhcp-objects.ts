// The objects of dhcpd among those of a site, with what is asked of them by address.
import type { Ipv4 } from '../net/ipv4.ts';
import type { DhcpClass } from './class.ts';
import type { SiteObject } from './kinds.ts';
import type { L3Net } from './l3net.ts';
import { RangeIndex, rangeOf } from './range-index.ts';
import type { Identity, Reservation } from './reservation.ts';
import type { Subnet } from './subnet.ts';

/** `index`: of the pool in its subnet. */
export type PoolOf = { subnet: Subnet; index: number };

export class DhcpObjects {
  readonly subnets: Subnet[] = [];
  readonly reservations: Reservation[] = [];
  readonly classes: DhcpClass[] = [];
  readonly l3nets: L3Net[] = [];
  #bySubnet: RangeIndex<Subnet> | undefined;
  #byPool: RangeIndex<PoolOf> | undefined;

  static of(objects: Iterable<SiteObject>): DhcpObjects {
    const found = new DhcpObjects();
    for (const item of objects) found.add(item);
    return found;
  }

  /** Before anything is asked. Objects of other services are passed over. */
  add(item: SiteObject): void {
    if (item.kind === 'subnet') this.subnets.push(item.object);
    else if (item.kind === 'reservation') this.reservations.push(item.object);
    else if (item.kind === 'class') this.classes.push(item.object);
    else if (item.kind === 'l3net') this.l3nets.push(item.object);
  }

  get bySubnet(): RangeIndex<Subnet> {
    this.#bySubnet ??= new RangeIndex(
      this.subnets.map((value) => ({ ...rangeOf(value.prefix), value })),
    );
    return this.#bySubnet;
  }

  get byPool(): RangeIndex<PoolOf> {
    this.#byPool ??= new RangeIndex(
      this.subnets.flatMap((subnet) =>
        subnet.pools.map(({ first, last }, index) => ({ first, last, value: { subnet, index } })),
      ),
    );
    return this.#byPool;
  }

  subnetOf(address: Ipv4): Subnet | undefined {
    return this.bySubnet.find(address);
  }
}

/** Tells clients apart, for no one to read. */
export function identityKey(identity: Identity): string {
  return identity.by === 'mac' ? `mac ${identity.mac}` : `${identity.by} ${identity.hex}`;
}
