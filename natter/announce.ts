// Announces the EIP prefixes: unreachable routes of natter's own protocol number, which a routing
// daemon exports, and on a LAN the answers to ARP. Unreachable, so that an EIP that nobody has
// gets an answer instead of a loop. A stopped daemon leaves the routes: its programs go on
// forwarding.

import type { Log } from '../shared/log.ts';
import { formatIpv4, ipv4 } from '../shared/net/ipv4.ts';
import { formatPrefix, type Ipv4Prefix, prefixContains } from '../shared/net/prefix.ts';
import type { NatterEvent } from './events.ts';
import type { Host, HostLink, RouteSet } from './host.ts';

export type AnnouncePlan = {
  prefixes: readonly Ipv4Prefix[];
  perEip: boolean;
  arp: boolean;
  routes: RouteSet;
};

export type AnnounceState = 'announced' | 'withdrawn' | 'nothing-to-announce';

export type AnnounceOptions = { host: Host; log: Log<NatterEvent>; plan: AnnouncePlan };

export class Announcer {
  readonly #host: Host;
  readonly #log: Log<NatterEvent>;
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

  /** Whether the EIPs themselves matter, and not the prefixes alone. */
  get followsEips(): boolean {
    return this.#plan.perEip || this.#plan.arp;
  }

  /** Makes the kernel's routes those of the plan; again and again does no harm. */
  async announce(eips: () => Iterable<number>, uplinks: readonly HostLink[]): Promise<void> {
    const { prefixes, perEip, arp } = this.#plan;
    await this.#leaveFormer(uplinks);
    const wanted = new Set(prefixes.map(formatPrefix));
    if (perEip) for (const eip of eips()) wanted.add(`${show(eip)}/32`);
    await this.#makeRoutes([...wanted]);
    if (arp) for (const link of uplinks) this.#withoutDelay(link);
    await this.#answerArp(arp ? eips : nobody, uplinks);
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

  /** For these EIPs, where they lie on a link, and for none but these. */
  async #answerArp(eips: () => Iterable<number>, uplinks: readonly HostLink[]): Promise<void> {
    const { arp, routes } = this.#plan;
    if (!arp && !this.#mayProxy) return;
    for (const link of uplinks) {
      const near = [...eips()].filter((eip) => liesOn(link, eip));
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

function liesOn(link: HostLink, eip: number): boolean {
  return link.addresses.some(({ address, bits }) => {
    return prefixContains({ family: 4, address: ipv4(address), bits }, ipv4(eip));
  });
}
