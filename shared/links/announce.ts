// Announces what a service forwards for (EIPs, VIPs): unreachable routes of a protocol number of
// its own, which a routing daemon exports, and on a LAN the answers to ARP. Unreachable, so that an
// address that nobody has gets an answer instead of a loop. A stopped daemon leaves the routes: its
// programs go on forwarding.

import type { Log } from '../log.ts';
import { formatIpv4, ipv4 } from '../net/ipv4.ts';
import { formatPrefix, type Ipv4Prefix, prefixContains } from '../net/prefix.ts';
import type { Host, HostLink, RouteSet } from './host.ts';

export type AnnouncePlan = {
  prefixes: readonly Ipv4Prefix[];
  /** A route for each address, too. */
  perAddress: boolean;
  arp: boolean;
  routes: RouteSet;
};

export type AnnounceState = 'announced' | 'withdrawn' | 'nothing-to-announce';

/** What a service declares among its events. */
export type AnnounceEvent = 'announced' | 'withdrawn' | 'sysctl-set';

export type AnnounceOptions = { host: Host; log: Log<AnnounceEvent>; plan: AnnouncePlan };

export class Announcer {
  readonly #host: Host;
  readonly #log: Log<AnnounceEvent>;
  #plan: AnnouncePlan;
  #state: AnnounceState = 'withdrawn';
  #routes: readonly string[] = [];
  /** Where earlier plans had their routes: still to be left. */
  readonly #former: RouteSet[] = [];
  /** Neighbours may be proxied: by this plan, an earlier one, or an earlier run. */
  #mayProxy = true;

  constructor({ host, log, plan }: AnnounceOptions) {
    this.#host = host;
    this.#log = log;
    this.#plan = plan;
  }

  get state(): AnnounceState {
    return this.#state;
  }

  /** As of the last call of `announce` or `withdraw`. */
  get routes(): readonly string[] {
    return this.#routes;
  }

  setPlan(plan: AnnouncePlan): void {
    const { routes } = this.#plan;
    const moved = plan.routes.table !== routes.table || plan.routes.protocol !== routes.protocol;
    if (moved) this.#former.push(routes);
    this.#plan = plan;
  }

  /** Whether the addresses themselves matter, and not the prefixes alone. */
  get followsAddresses(): boolean {
    return this.#plan.perAddress || this.#plan.arp;
  }

  /** Makes the kernel's routes those of the plan; again and again does no harm. */
  async announce(addresses: () => Iterable<number>, uplinks: readonly HostLink[]): Promise<void> {
    const { prefixes, perAddress, arp } = this.#plan;
    await this.#leaveFormer(uplinks);
    const wanted = new Set(prefixes.map(formatPrefix));
    if (perAddress) for (const one of addresses()) wanted.add(`${show(one)}/32`);
    await this.#makeRoutes([...wanted]);
    if (arp) for (const link of uplinks) this.#withoutDelay(link);
    await this.#answerArp(arp ? addresses : nobody, uplinks);
    const announced: AnnounceState = wanted.size > 0 || arp ? 'announced' : 'nothing-to-announce';
    if (announced !== this.#state) {
      const text =
        announced === 'announced' ? `${wanted.size} routes` : 'there is no prefix to tell';
      this.#log.info('announced', text, { routes: wanted.size });
    }
    this.#state = announced;
  }

  async withdraw(why: string, uplinks: readonly HostLink[]): Promise<void> {
    await this.#leaveFormer(uplinks);
    await this.#makeRoutes([]);
    await this.#answerArp(nobody, uplinks);
    if (this.#state !== 'withdrawn') this.#log.info('withdrawn', why, {});
    this.#state = 'withdrawn';
  }

  async #makeRoutes(wanted: readonly string[]): Promise<void> {
    const set = this.#plan.routes;
    const present = await this.#host.routes(set);
    const add = wanted.filter((prefix) => !present.includes(prefix));
    const remove = present.filter((prefix) => !wanted.includes(prefix));
    if (add.length + remove.length > 0) await this.#host.changeRoutes(set, add, remove);
    this.#routes = wanted;
  }

  /** For these addresses, where they lie on a link, and for none but these. */
  async #answerArp(addresses: () => Iterable<number>, uplinks: readonly HostLink[]): Promise<void> {
    const { arp, routes } = this.#plan;
    if (!arp && !this.#mayProxy) return;
    for (const link of uplinks) {
      const near = [...addresses()].filter((one) => liesOn(link, one));
      await this.#host.proxyArp(link, near.map(show), routes);
    }
    if (uplinks.length > 0) this.#mayProxy = arp;
  }

  async #leaveFormer(uplinks: readonly HostLink[]): Promise<void> {
    for (let set = this.#former[0]; set !== undefined; set = this.#former[0]) {
      for (const link of uplinks) await this.#host.proxyArp(link, [], set);
      const present = await this.#host.routes(set);
      if (present.length > 0) await this.#host.changeRoutes(set, [], present);
      this.#former.shift();
    }
  }

  /** The kernel waits up to 0.8 s, at random, before it answers for another. */
  #withoutDelay(link: HostLink): void {
    const name = `net/ipv4/neigh/${link.name}/proxy_delay`;
    const before = this.#host.readSysctl(name);
    if (before === undefined || before === '0') return;
    this.#host.writeSysctl(name, '0');
    this.#log.info('sysctl-set', `${name}: ${before} is now 0`, { name, before, value: '0' });
  }
}

const nobody = (): number[] => [];
const show = (address: number): string => formatIpv4(ipv4(address));

function liesOn(link: HostLink, wanted: number): boolean {
  return link.addresses.some(({ address, bits }) => {
    return prefixContains({ family: 4, address: ipv4(address), bits }, ipv4(wanted));
  });
}
