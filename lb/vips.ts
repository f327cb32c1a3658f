// The addresses of virtual servers and listeners: they become addresses of a link, so that the host
// answers for them and listeners can be bound, and are announced while the instance serves. IPv4;
// what listens on an IPv6 address finds it there.
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
  #isAnnounced = true;
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

  want(plan: LbPlan): void {
    const wanted = vipsOf(plan);
    const isSame =
      wanted.size === this.#wanted.size && [...wanted].every((each) => this.#wanted.has(each));
    this.#wanted = wanted;
    if (!isSame || this.problem !== undefined) this.#workSoon();
  }

  async setAnnounced(isAnnounced: boolean): Promise<void> {
    this.#isAnnounced = isAnnounced;
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
      try {
        await this.#make();
        this.problem = undefined;
      } catch (error) {
        this.problem = describeError(error);
        this.#options.log.error('vips-failed', this.problem, { error });
      }
    });
  }

  async #make(): Promise<void> {
    const { link } = this.#options;
    if (link !== undefined) await this.#addresses.put(link, this.#wanted);
    if (this.#isAnnounced) await this.#announcer?.announce(() => this.#wanted, []);
    else await this.#announcer?.withdraw('the node drains', []);
  }
}

/** Wildcards and loopback are nobody's to announce. */
export function vipsOf({ servers, listeners }: LbPlan): Set<number> {
  const hosts = listeners.flatMap(({ at }) => at.map((each) => parseEndpoint(each)?.host ?? ''));
  const addresses = [...servers.map(({ address }) => address), ...hosts].flatMap(
    (text) => parseIpv4(text) ?? [],
  );
  return new Set(addresses.filter((each) => each !== WILDCARD && each >>> 24 !== LOOPBACK));
}
