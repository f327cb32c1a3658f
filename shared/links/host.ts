// What a service that moves packets needs of the machine beside BPF: its links and their addresses,
// routes, proxied neighbours, sysctls. The service gets it injected; ip-host.ts is the real one.

/** `label`: whose address it is, for IPv4 by `LINK:NAME`; the link's name unless told. */
export type LinkAddress = { address: number; bits: number; label?: string };

export type HostLink = {
  name: string;
  ifindex: number;
  /** 48 bits; undefined where a link has none. */
  mac: number | undefined;
  /** Set up, and with a carrier. */
  up: boolean;
  addresses: LinkAddress[];
};

export type RouteSet = { table: number; protocol: number };

/** All reject with the service's own error code, and name the command. */
export interface Host {
  /** Of the daemon's own network namespace, loopback included. */
  links(): Promise<HostLink[]>;
  /** Calls back, perhaps too often, when links or their addresses have changed. */
  watch(onChange: () => void, signal: AbortSignal): void;
  /** The unreachable routes of this protocol and table, as `198.51.100.0/24`. */
  routes(set: RouteSet): Promise<string[]>;
  changeRoutes(set: RouteSet, add: readonly string[], remove: readonly string[]): Promise<void>;
  /** Answers ARP for these addresses on the link, and tells the neighbours; not for others. */
  proxyArp(link: HostLink, addresses: readonly string[], set: RouteSet): Promise<void>;
  /** Host addresses (/32) of a link, such as `198.51.100.10`, marked by a label as one's own. */
  changeAddresses(
    link: HostLink,
    label: string,
    add: readonly string[],
    remove: readonly string[],
  ): Promise<void>;
  /** `net/ipv4/ip_forward`; undefined when the kernel has no such setting. */
  readSysctl(name: string): string | undefined;
  writeSysctl(name: string, value: string): void;
}
