// The addresses of virtual servers and listeners: they become addresses of a link, so that the host
// answers for them and listeners can be bound, and are announced once and while the instance serves
// them. IPv4; what listens on an IPv6 address finds it there.
import { describeError } from '../shared/errors.ts';
import { Announcer } from '../shared/links/announce.ts';
import type { Host, RouteSet } from '../shared/links/host.ts';
import type { Log } from '../shared/log.ts';
import { formatIpv4, ipv4, parseIpv4 } from '../shared/net/ipv4.ts';
import { parseEndpoint } from '../shared/net/ports.ts';
import type { LbEvent } from './events.ts';
import type { LbPlan } from './plan.ts';
import { VipAddresses } from './vip-addresses.ts';

export type VipsOptions = {
  host: Host;
  log: Log<LbEvent>;
  /** Undefined: somebody else puts them there. */
  link: string | undefined;
  /** Undefined: nobody is told. */
  announce: RouteSet | undefined;
};

const WILDCARD = 0;
const LOOPBACK = 127;

export class Vips {
  readonly #options: VipsOptions;
  readonly #announcer: Announcer | undefined;
  readonly #addresses: VipAddresses;
  #wanted: ReadonlySet<number> = new Set();
  /** Of the last pass, also of one that failed. */
  #tried: ReadonlySet<number> = new Set();
  /** Until it is known, what an earlier run announced stays. */
  #served: ReadonlySet<number> | undefined;
  #isDraining = false;
  /** One pass at a time; a change during one is followed by another. */
  #work: Promise<void> = Promise.resolve();
  #isDirty = false;
  problem: string | undefined;

  constructor(options: VipsOptions) {
    const { host, log, announce } = options;
    this.#options = options;
    this.#addresses = new VipAddresses(host, log);
    if (announce === undefined) return;
    const plan = { prefixes: [], perAddress: true, arp: false, routes: announce };
    this.#announcer = new Announcer({ host, log, plan });
  }

  /** As text. */
  get addresses(): string[] {
    return [...this.#wanted].map((address) => formatIpv4(ipv4(address)));
  }

  /** False: its addresses were not tried yet; `settled` waits for that. */
  want(plan: LbPlan): boolean {
    const wanted = vipsOf(plan);
    const isSame = isEqual(wanted, this.#wanted);
    this.#wanted = wanted;
    if (!isSame || this.problem !== undefined) this.#workSoon();
    return isEqual(wanted, this.#tried);
  }

  /** All of this plan is served: only now routers may send for it; the host alone would refuse. */
  serve(plan: LbPlan): void {
    const served = vipsOf(plan);
    const isSame = this.#served !== undefined && isEqual(served, this.#served);
    this.#served = served;
    if (!isSame) this.#workSoon();
  }

  /** What it serves with is dead: routers shall send to others. */
  withhold(): void {
    if (this.#served === undefined || this.#served.size === 0) return;
    this.#served = new Set();
    this.#workSoon();
  }

  async setDraining(isDraining: boolean): Promise<void> {
    this.#isDraining = isDraining;
    this.#workSoon();
    await this.#work;
  }

  /** When what is wanted is so, or has failed. */
  settled(): Promise<void> {
    return this.#work;
  }

  /** The addresses stay: a restart finds them, and L4 goes on in the kernel. */
  async stop(): Promise<void> {
    await this.#work;
  }

  #workSoon(): void {
    if (this.#isDirty) return;
    this.#isDirty = true;
    this.#work = this.#work.then(async () => {
      this.#isDirty = false;
      const wanted = this.#wanted;
      try {
        await this.#make();
        this.problem = undefined;
      } catch (error) {
        this.problem = describeError(error);
        this.#options.log.error('vips-failed', this.problem, { error });
      }
      this.#tried = wanted;
    });
  }

  async #make(): Promise<void> {
    const { link } = this.#options;
    if (link !== undefined) await this.#addresses.put(link, this.#wanted);
    const served = this.#served;
    if (this.#isDraining) await this.#announcer?.withdraw('the node drains', []);
    else if (served !== undefined) {
      const both = new Set([...this.#wanted].filter((each) => served.has(each)));
      await this.#announcer?.announce(() => both, []);
    }
  }
}

const isEqual = (a: ReadonlySet<number>, b: ReadonlySet<number>): boolean =>
  a.size === b.size && [...a].every((each) => b.has(each));

/** Wildcards and loopback are nobody's to announce. */
export function vipsOf({ servers, listeners }: LbPlan): Set<number> {
  const hosts = listeners.flatMap(({ at }) => at.map((each) => parseEndpoint(each)?.host ?? ''));
  const addresses = [...servers.map(({ address }) => address), ...hosts].flatMap(
    (text) => parseIpv4(text) ?? [],
  );
  return new Set(addresses.filter((each) => each !== WILDCARD && each >>> 24 !== LOOPBACK));
}
