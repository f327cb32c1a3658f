// Asks whether somebody uses an address before it is offered again (RFC 2131 §2.2, §4.4.1): ARP on
// the link, ICMP echo behind relays. Asynchronous, remembered for a while, and cut off under load:
// the rules of leases make an address safe, this is the last net.

import type { Clock } from '../../shared/clock.ts';
import { type Ipv4, ipv4 } from '../../shared/net/ipv4.ts';
import { prefixContains } from '../../shared/net/prefix.ts';
import { BoundedMap } from '../engine/bounded-map.ts';
import { arpRequest } from './arp.ts';
import type { Link, Prober } from './types.ts';

const MAX_REMEMBERED = 16_384;
const NOBODY = ipv4(0);

export type Probed = Awaited<ReturnType<Prober['probe']>>;

export type ProberOptions = {
  timeoutMs: number;
  cacheMs: number;
  /** More are not made, and counted as `not-probed`. */
  maxPerSecond: number;
  arp: boolean;
  /** Absent: no ICMP. */
  ping: ((address: Ipv4, timeoutMs: number) => Promise<boolean>) | undefined;
  link: (name: string) => Link | undefined;
  sendFrame: (link: string, frame: Uint8Array) => void;
  clock: Clock;
  onProbed: (result: Probed) => void;
};

type Asked = { link: string; answered: () => void };

export class LinkProber implements Prober {
  readonly #options: ProberOptions;
  readonly #known = new BoundedMap<Ipv4, { result: Probed; atMs: number }>(MAX_REMEMBERED);
  readonly #underWay = new Map<Ipv4, Promise<Probed>>();
  readonly #asked = new Map<Ipv4, Asked>();
  #second = 0;
  #madeInSecond = 0;

  constructor(options: ProberOptions) {
    this.#options = options;
  }

  probe(address: Ipv4, link: string | undefined): Promise<Probed> {
    const { clock, cacheMs, onProbed } = this.#options;
    const known = this.#known.get(address);
    if (known !== undefined && clock.monotonicMs() - known.atMs < cacheMs) {
      return Promise.resolve(known.result);
    }
    const running = this.#underWay.get(address);
    if (running !== undefined) return running;
    const probe = this.#ask(address, link).then((result) => {
      this.#underWay.delete(address);
      onProbed(result);
      if (result !== 'not-probed') {
        this.#known.set(address, { result, atMs: clock.monotonicMs() });
      }
      return result;
    });
    this.#underWay.set(address, probe);
    return probe;
  }

  /** Of any ARP reply on a served link. */
  arpReply(link: string, address: Ipv4): void {
    const asked = this.#asked.get(address);
    if (asked?.link === link) asked.answered();
  }

  async #ask(address: Ipv4, name: string | undefined): Promise<Probed> {
    const { arp, ping, link, timeoutMs } = this.#options;
    const onLink = name === undefined ? undefined : link(name);
    const canAsk = onLink !== undefined ? arp : name === undefined && ping !== undefined;
    if (!canAsk || !this.#isAllowed()) return 'not-probed';
    if (onLink !== undefined) return this.#askLink(address, onLink);
    const answered = await ping?.(address, timeoutMs);
    return answered === true ? 'in-use' : 'silent';
  }

  #askLink(address: Ipv4, link: Link): Promise<Probed> {
    const { clock, timeoutMs, sendFrame } = this.#options;
    const source = link.addresses.find((own) => prefixContains(own, address))?.address ?? NOBODY;
    return new Promise((resolve) => {
      const end = (result: Probed): void => {
        cancel();
        this.#asked.delete(address);
        resolve(result);
      };
      const cancel = clock.after(timeoutMs, () => end('silent'));
      this.#asked.set(address, { link: link.name, answered: () => end('in-use') });
      sendFrame(link.name, arpRequest(link.mac, source, address));
    });
  }

  #isAllowed(): boolean {
    const { clock, maxPerSecond } = this.#options;
    const second = Math.floor(clock.monotonicMs() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#madeInSecond = 0;
    }
    return this.#madeInSecond++ < maxPerSecond;
  }
}
