// The kernel's reasons and FIB results in words.

import type { Reason } from './mapping/types.ts';

export const reasonWords: Record<Reason, string> = {
  PASS_NOT_IPV4: 'not IPv4, or tagged: not for this link',
  PASS_NOT_FOR_US: 'not sent to the MAC of this link',
  PASS_NOT_EIP: 'neither address is mapped; the stack has it as it came',
  PASS_NOT_OUTBOUND: 'no route by an uplink leads there: it stays inside',
  PASS_BAD_HEADER: 'not a valid IPv4 header; the stack drops and counts it',
  PASS_MARTIAN: 'an address that no host may have; the stack judges it',
  PASS_HAIRPIN_UNMAPPED: 'an inside host without an EIP asks for an EIP: by way of the router',
  PASS_TO_STACK_OUT: 'left to the stack; translated when it leaves by the uplink',
  IN_REDIRECTED: 'translated and sent on to the VM',
  IN_TO_STACK: 'translated; the stack forwards it, resolves the neighbour, or answers',
  OUT_REDIRECTED: 'translated and sent on by the uplink',
  OUT_AT_EGRESS: 'translated on its way out of the stack',
  HAIRPIN_REDIRECTED: 'translated on both sides and sent back in',
  HAIRPIN_TO_STACK: 'translated on both sides; the stack forwards it',
  DROP_MALFORMED: 'an L4 or quoted header is cut short',
  DROP_NO_FORWARD: 'the EIP has port forwards only, and none for this port',
  DROP_FRAGMENT_UNKNOWN: 'a later fragment for a forwarded port came before the first',
  DROP_PORT_TAKEN: 'the source port belongs to a port forward to another VM',
  DROP_ICMP_REDIRECT: 'a redirect must not cross a NAT',
  DROP_ERROR_MISMATCH: 'an ICMP error that quotes a packet which the EIP never sent',
  DROP_LIMIT_IN: "the EIP's limit inbound is used up",
  DROP_LIMIT_OUT: "the EIP's limit outbound is used up",
  DROP_GROUP_LIMIT_IN: "the group's limit inbound is used up",
  DROP_GROUP_LIMIT_OUT: "the group's limit outbound is used up",
  DROP_REWRITE_FAILED: 'a kernel helper refused: report it',
};

/** BPF_FIB_LKUP_RET_* of <linux/bpf.h>. */
const FIB_RESULTS = [
  'found, with its neighbour',
  'blackhole',
  'unreachable',
  'prohibited',
  'no route, or an address of this host',
  'forwarding is off on the link',
  'needs an encapsulation',
  'found, but the neighbour is not resolved yet: the stack resolves it',
  'larger than the MTU: the stack fragments or answers',
  'no source address',
];

export function fibWords(result: number): string {
  return FIB_RESULTS[result] ?? `cannot say (${result})`;
}
