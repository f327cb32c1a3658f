// VIPs as addresses (/32) of a link of this host, so that it answers ping and its L7 listeners can
// bind to them. A label tells ours from others', over restarts, too.

import type { Host } from '../shared/links/host.ts';
import type { Log } from '../shared/log.ts';
import { formatIpv4, ipv4 } from '../shared/net/ipv4.ts';

export type AddressesEvent = 'vip-addresses' | 'link-missing';

const LABEL = 'lb';
const HOST_BITS = 32;

export class VipAddresses {
  readonly #host: Host;
  readonly #log: Log<AddressesEvent>;

  constructor(host: Host, log: Log<AddressesEvent>) {
    this.#host = host;
    this.#log = log;
  }

  /** Makes ours on this link these, and on no other link any. Undefined: on none. */
  async put(linkName: string | undefined, vips: Iterable<number>): Promise<void> {
    const links = await this.#host.links();
    const wanted = new Set(vips);
    if (linkName !== undefined && !links.some(({ name }) => name === linkName)) {
      this.#log.warn('link-missing', `${linkName}: there is no such link`, { link: linkName });
    }
    // Another's address is nothing that we may take away: it serves as well.
    const others = new Set(
      links.flatMap(({ name, addresses }) =>
        addresses.filter(({ label }) => label !== labelOf(name)).map(({ address }) => address),
      ),
    );
    for (const link of links) {
      const own = link.addresses
        .filter(({ label, bits }) => label === labelOf(link.name) && bits === HOST_BITS)
        .map(({ address }) => address);
      const here = link.name === linkName ? [...wanted].filter((vip) => !others.has(vip)) : [];
      const add = here.filter((address) => !own.includes(address)).map(show);
      const remove = own.filter((address) => !here.includes(address)).map(show);
      if (add.length + remove.length === 0) continue;
      await this.#host.changeAddresses(link, LABEL, add, remove);
      const text = `${link.name}: ${add.length} more, ${remove.length} less`;
      this.#log.info('vip-addresses', text, { link: link.name, add, remove });
    }
  }
}

const labelOf = (link: string): string => `${link}:${LABEL}`;
const show = (address: number): string => formatIpv4(ipv4(address));
