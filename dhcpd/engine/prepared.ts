// What follows from one plan and is wanted for each packet: pools of a subnet, the subnet of a
// link, option runs by what they depend on. Made once a plan; bounded, since clients choose what
// they ask for. Pure.
import { type Ipv4, ipv4FromBytes } from '../../shared/net/ipv4.ts';
import type { Link } from '../io/types.ts';
import type { Pools } from '../leases/types.ts';
import type { Plan, Subnet } from '../plan/types.ts';
import { broadcastOf, OPTION } from './query.ts';
import type { OptionRun } from './settings.ts';

const MAX_RUNS = 4096;

type OwnIds = { serverId?: Ipv4 | undefined; siblingIds: readonly Ipv4[] };

const made = new WeakMap<Plan, Prepared>();

export class Prepared {
  readonly plan: Plan;
  readonly #pools = new Map<Subnet, Pools>();
  readonly #links = new WeakMap<Link, { subnet: Subnet | undefined }>();
  readonly #runs = new Map<string, OptionRun>();
  readonly #ownIds: ReadonlySet<Ipv4>;

  /** One for each plan: whoever asks gets the same pools, so that the book knows them again. */
  static of(plan: Plan, ids: OwnIds): Prepared {
    const known = made.get(plan);
    if (known !== undefined) return known;
    const { serverId, siblingIds } = ids;
    const prepared = new Prepared(
      plan,
      serverId === undefined ? siblingIds : [serverId, ...siblingIds],
    );
    made.set(plan, prepared);
    return prepared;
  }

  /** `ownIds`: our server identifiers, which nobody else may have. */
  constructor(plan: Plan, ownIds: readonly Ipv4[]) {
    this.plan = plan;
    this.#ownIds = new Set(ownIds);
    for (const subnet of plan.subnets) {
      const never = this.#neverGiven(subnet);
      this.#pools.set(subnet, {
        id: subnet.id,
        ranges: subnet.pools,
        excluded: (address) => never.has(address) || plan.reservationAt(address) !== undefined,
      });
    }
  }

  pools(subnet: Subnet): Pools {
    const pools = this.#pools.get(subnet);
    if (pools === undefined) throw new Error(`subnet ${subnet.id} is of another plan`);
    return pools;
  }

  /** Whether the address is one that the pools of its subnet hand out to anybody. */
  isPooled(subnet: Subnet, address: Ipv4): boolean {
    const { ranges, excluded } = this.pools(subnet);
    const isListed = ranges.some(({ first, last }) => first <= address && address <= last);
    return isListed && !excluded(address);
  }

  subnetOfLink(link: Link): Subnet | undefined {
    const known = this.#links.get(link);
    if (known !== undefined) return known.subnet;
    const addresses = link.addresses.map(({ address }) => address);
    const subnet = this.plan.subnetOfInterface(link.name, addresses);
    this.#links.set(link, { subnet });
    return subnet;
  }

  run(key: string, make: () => OptionRun): OptionRun {
    const known = this.#runs.get(key);
    if (known !== undefined) return known;
    if (this.#runs.size >= MAX_RUNS) this.#runs.clear();
    const run = make();
    this.#runs.set(key, run);
    return run;
  }

  /** Gateways and ourselves; network and broadcast address, should a pool have them. */
  #neverGiven(subnet: Subnet): Set<Ipv4 | number> {
    const never = new Set<Ipv4 | number>(this.#ownIds);
    if (subnet.prefix.bits < 31) {
      never.add(subnet.prefix.address).add(broadcastOf(subnet.prefix));
    }
    const routers = subnet.options.get(OPTION.router) ?? new Uint8Array(0);
    for (let at = 0; at + 4 <= routers.length; at += 4) never.add(ipv4FromBytes(routers, at));
    return never;
  }
}
