// The interfaces of this machine and their addresses, through iproute2; told again when they
// change.

import type { Clock } from '../../shared/clock.ts';
import { OperationalError } from '../../shared/errors.ts';
import { type IpAddressRow, ipAddresses, isLinkUp, monitorIp } from '../../shared/iproute.ts';
import { ipv4, parseIpv4 } from '../../shared/net/ipv4.ts';
import { macToBytes, parseMac } from '../../shared/net/mac.ts';
import type { Ipv4Prefix } from '../../shared/net/prefix.ts';

export type Interface = {
  name: string;
  index: number;
  /** 6 bytes; undefined where the interface is no Ethernet. */
  mac: Uint8Array | undefined;
  /** Administratively, and with a carrier. */
  up: boolean;
  addresses: readonly Ipv4Prefix[];
};

export interface Interfaces {
  list(): Promise<Interface[]>;
  /**
   * Until the signal aborts. Calls back some time after a change, once for many, with the
   * interfaces that were down or gone at any moment meanwhile.
   */
  watch(onChange: (wentDown: ReadonlySet<string>) => void, signal: AbortSignal): void;
}

export function createInterfaces(clock: Clock): Interfaces {
  return {
    list: async () => (await ipAddresses(clock, interfacesError)).map(interfaceOf),
    watch: (onChange, signal) => watch(clock, onChange, signal),
  };
}

function interfaceOf(row: IpAddressRow & { ifname: string }): Interface {
  const inet = row.addr_info.filter(({ family }) => family === 'inet');
  return {
    name: row.ifname,
    index: row.ifindex,
    mac: row.link_type === 'ether' ? macBytes(row.address) : undefined,
    up: isLinkUp(row),
    addresses: inet.map(({ local, prefixlen }) => ({
      family: 4,
      address: parseIpv4(local) ?? ipv4(0),
      bits: prefixlen,
    })),
  };
}

function macBytes(text: string | undefined): Uint8Array | undefined {
  const mac = parseMac(text ?? '');
  return mac === undefined ? undefined : macToBytes(mac);
}

function watch(
  clock: Clock,
  onChange: (wentDown: ReadonlySet<string>) => void,
  signal: AbortSignal,
): void {
  let wentDown = new Set<string>();
  const onText = (text: string): void => {
    for (const name of downIn(text)) wentDown.add(name);
  };
  const onSettled = (): void => {
    const names = wentDown;
    wentDown = new Set();
    onChange(names);
  };
  monitorIp(clock, { onText, onSettled }, signal);
}

/** `3: eth1@if4: <BROADCAST,MULTICAST> mtu …`, or the same after "Deleted". */
export function downIn(monitored: string): string[] {
  const lines = monitored.matchAll(/^(Deleted )?\d+: ([^:@\s]+)[^<\n]*<([^>\n]*)>/gm);
  return [...lines].flatMap(([, deleted, name = '', flags = '']) => {
    return deleted !== undefined || !flags.split(',').includes('UP') ? [name] : [];
  });
}

function interfacesError(what: string, cause: unknown): OperationalError {
  return new OperationalError('EDGE_DHCPD_INTERFACES', `${what} failed`, {
    cause,
    remedy: 'is iproute2 installed?',
  });
}
