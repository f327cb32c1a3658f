// /30 networks (`l3addnet`): the answer is computed from the client's MAC and one record for the
// CIDR. No lease, no lookup in Redis, the same from every instance. Pure.
import type { Ipv4 } from '../../shared/net/ipv4.ts';
import { type VmLink, vmLinkOf, vmOfMac } from '../../shared/net/vm-link.ts';
import type { L3Net, Plan } from '../plan/types.ts';

/** How the message came: the addresses of our link, or the relay's. */
export type L3Ingress = { linkAddresses?: readonly Ipv4[]; giaddr: Ipv4 };

export type L3Answer = { outcome: 'l3'; address: Ipv4; link: VmLink; net: L3Net };
/** Each reason is a counter; see reasons.ts. */
export type L3Refusal = {
  outcome: 'l3-refused';
  reason: 'l3-no-net' | 'l3-not-a-vm' | 'l3-other-host' | 'l3-other-link';
};

/**
 * Undefined: the MAC is no computed one and the link no /30 of ours, so the message is an ordinary
 * client's. `node`: the host whose networks this instance answers for.
 */
export function answerL3(
  plan: Plan,
  node: string,
  chaddr: Uint8Array,
  ingress: L3Ingress,
): L3Answer | L3Refusal | undefined {
  const address = vmOfMac(chaddr);
  if (address === undefined) return strangerOn(plan, ingress);
  const net = plan.l3netOf(address);
  if (net === undefined) return { outcome: 'l3-refused', reason: 'l3-no-net' };
  const link = vmLinkOf(address);
  if (address !== link.vm) return { outcome: 'l3-refused', reason: 'l3-not-a-vm' };
  if (net.host !== node) return { outcome: 'l3-refused', reason: 'l3-other-host' };
  if (!cameBy(ingress, link.gateway)) return { outcome: 'l3-refused', reason: 'l3-other-link' };
  return { outcome: 'l3', address, link, net };
}

/** The VM's own bridge, or a relay with that bridge's address: a MAC alone is easily forged. */
function cameBy({ linkAddresses, giaddr }: L3Ingress, gateway: Ipv4): boolean {
  return giaddr === 0 ? linkAddresses?.includes(gateway) === true : giaddr === gateway;
}

/** On a /30 nobody but its VM gets an address. */
function strangerOn(plan: Plan, { linkAddresses, giaddr }: L3Ingress): L3Refusal | undefined {
  const ours = giaddr === 0 ? (linkAddresses ?? []) : [giaddr];
  if (!ours.some((one) => plan.l3netOf(one) !== undefined)) return undefined;
  return { outcome: 'l3-refused', reason: 'l3-not-a-vm' };
}
