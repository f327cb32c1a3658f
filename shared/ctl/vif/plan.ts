// What a VM's interface on its /30 needs of the host: bridge, address, route, sysctls, and the
// rules that keep the VM to its own MAC and address. Pure: commands and a ruleset, to be run by
// plug.ts.
import { formatIpv4, hexOfIpv4, type Ipv4 } from '../../net/ipv4.ts';
import { formatMac, mac } from '../../net/mac.ts';
import { formatPrefix, type Ipv4Prefix } from '../../net/prefix.ts';
import { bridgeNameOf, macOfVm, vmLinkOf } from '../../net/vm-link.ts';

/** Of the host route to the VM, so that a routing daemon can tell and export it. */
export const VM_ROUTE_PROTOCOL = 158;
/** The bridge's own MAC: always the same, so that the VM's ARP entry outlives a re-plug. */
const BRIDGE_MAC_PREFIX = 0x0231;

export type Vif = {
  vm: Ipv4;
  /** The VM's tap, or the host's end of its veth. */
  device: string;
  /** Networks that the VM may not reach. */
  blocked: readonly Ipv4Prefix[];
};

export function tableNameOf(vm: Ipv4): string {
  return `edge_vif_${hexOfIpv4(vm)}`;
}

/** Lines for `ip -batch`; all may be run again. The bridge exists by then. */
export function linkLines({ vm, device }: Vif): string[] {
  const bridge = bridgeNameOf(vm);
  const { network, gateway } = vmLinkOf(vm);
  const bridgeMac = formatMac(mac(BRIDGE_MAC_PREFIX * 0x1_0000_0000 + network));
  return [
    `link set dev ${bridge} address ${bridgeMac}`,
    `link set dev ${bridge} type bridge stp_state 0 forward_delay 0`,
    `address replace ${formatIpv4(gateway)}/30 dev ${bridge}`,
    `link set dev ${bridge} up`,
    `link set dev ${device} master ${bridge}`,
    `link set dev ${device} up`,
    `route replace ${formatIpv4(vm)}/32 dev ${bridge} proto ${VM_ROUTE_PROTOCOL}`,
  ];
}

/**
 * /proc/sys paths and values. The VM gets no IPv6 from the host's stack, and no answer for
 * addresses of other links.
 */
export function sysctlsOf({ vm, device }: Vif): [path: string, value: string][] {
  const bridge = bridgeNameOf(vm);
  return [
    ['net/ipv4/ip_forward', '1'],
    [`net/ipv4/conf/${bridge}/arp_ignore`, '1'],
    [`net/ipv4/conf/${bridge}/send_redirects`, '0'],
    [`net/ipv6/conf/${bridge}/disable_ipv6`, '1'],
    [`net/ipv6/conf/${device}/disable_ipv6`, '1'],
  ];
}

/**
 * For `nft -f`: replaces what was there in one transaction. What comes from the VM is looked at
 * where it enters the host, before the bridge.
 */
export function ruleset(vif: Vif): string {
  return [...dropTables(vif.vm), ...antiSpoof(vif), ...blockedNetworks(vif), ''].join('\n');
}

/** Takes both tables away, there or not. */
export function dropTables(vm: Ipv4): string[] {
  const name = tableNameOf(vm);
  return ['netdev', 'ip'].flatMap((family) => [
    `add table ${family} ${name}`,
    `delete table ${family} ${name}`,
  ]);
}

function antiSpoof({ vm, device }: Vif): string[] {
  const own = formatMac(macOfVm(vm));
  const address = formatIpv4(vm);
  return [
    `table netdev ${tableNameOf(vm)} {`,
    '  chain from_vm {',
    `    type filter hook ingress device "${device}" priority -500; policy drop;`,
    `    ether saddr != ${own} counter drop comment "another MAC"`,
    `    ether type arp arp saddr ether != ${own} counter drop comment "ARP of another MAC"`,
    `    ether type arp arp saddr ip { 0.0.0.0, ${address} } accept`,
    '    ether type arp counter drop comment "ARP of another address"',
    `    ip saddr { 0.0.0.0, ${address} } udp sport 68 udp dport 67 accept`,
    '    udp sport 67 counter drop comment "a DHCP server"',
    `    ip saddr ${address} accept`,
    '    counter comment "another address or protocol"',
    '  }',
    '}',
  ];
}

function blockedNetworks({ vm, blocked }: Vif): string[] {
  if (blocked.length === 0) return [];
  const set = blocked.map(formatPrefix).join(', ');
  const rule = `iifname "${bridgeNameOf(vm)}" ip daddr { ${set} } counter drop`;
  const chain = (hook: string): string[] => [
    `  chain ${hook} {`,
    `    type filter hook ${hook} priority -5; policy accept;`,
    `    ${rule} comment "a blocked network"`,
    '  }',
  ];
  return [`table ip ${tableNameOf(vm)} {`, ...chain('forward'), ...chain('input'), '}'];
}
