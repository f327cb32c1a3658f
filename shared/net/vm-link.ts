// The /30 that a VM has to itself (the Cloudscaling model): network +0, the host's bridge +1, the
// VM +2, broadcast +3. The VM's MAC is its address behind a prefix of two bytes, so either can be
// told from the other, and whoever answers it needs no state.
import { hexOfIpv4, type Ipv4, ipv4 } from './ipv4.ts';
import { type Mac, mac } from './mac.ts';

/** Locally administered, unicast; the second byte reminds of the /30. */
const MAC_PREFIX = 0x0230;

export type VmLink = { network: Ipv4; gateway: Ipv4; vm: Ipv4; broadcast: Ipv4 };

/** The /30 around any of its four addresses. */
export function vmLinkOf(address: Ipv4): VmLink {
  const network = address - (address & 3);
  return {
    network: ipv4(network),
    gateway: ipv4(network + 1),
    vm: ipv4(network + 2),
    broadcast: ipv4(network + 3),
  };
}

export function macOfVm(vm: Ipv4): Mac {
  return mac(MAC_PREFIX * 0x1_0000_0000 + vm);
}

/** The address that a computed MAC stands for; undefined for any other MAC. */
export function vmOfMac(bytes: Uint8Array): Ipv4 | undefined {
  const [first, second, ...low] = bytes;
  if (bytes.length !== 6 || first !== MAC_PREFIX >>> 8 || second !== (MAC_PREFIX & 255)) return;
  return ipv4(low.reduce((sum, byte) => sum * 256 + byte, 0));
}

/** `l3-0a400004`: 11 characters, so it fits a link's name. */
export function bridgeNameOf(vm: Ipv4): string {
  return `l3-${hexOfIpv4(vmLinkOf(vm).network)}`;
}
