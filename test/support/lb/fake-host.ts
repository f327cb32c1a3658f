// A machine in memory: its links, the routes that announce, and addresses that come and go.
import type { Host, HostLink } from '../../../shared/links/host.ts';
import { formatIpv4, ipv4, parseIpv4 } from '../../../shared/net/ipv4.ts';

export class FakeHost implements Host {
  present: HostLink[] = [link('lo', 1), link('up0', 2), link('in0', 3)];
  readonly announced = new Set<string>();

  links = async () => this.present;
  watch = () => {};
  routes = async () => [...this.announced];
  proxyArp = async () => {};
  readSysctl = () => undefined;
  writeSysctl = () => {};

  async changeRoutes(_set: unknown, add: readonly string[], remove: readonly string[]) {
    for (const prefix of add) this.announced.add(prefix);
    for (const prefix of remove) this.announced.delete(prefix);
  }

  async changeAddresses(
    on: HostLink,
    label: string,
    add: readonly string[],
    gone: readonly string[],
  ) {
    const added = add.map((text) => {
      return { address: parseIpv4(text) ?? 0, bits: 32, label: `${on.name}:${label}` };
    });
    const left = on.addresses.filter(({ address }) => !gone.includes(formatIpv4(ipv4(address))));
    on.addresses = [...left, ...added];
  }

  addressesOf(name: string): string[] {
    const found = this.present.find((one) => one.name === name)?.addresses ?? [];
    return found.map(({ address }) => formatIpv4(ipv4(address)));
  }
}

function link(name: string, ifindex: number): HostLink {
  return { name, ifindex, mac: 0x02_00_00_00_00_00 + ifindex, up: true, addresses: [] };
}
