// The programs' reasons in words, for `edgectl explain`. Pure.

export const reasonWords: Readonly<Record<string, string>> = {
  PASS_NOT_IPV4: 'not IPv4, or tagged: not for this link',
  PASS_NOT_FOR_US: 'not sent to the MAC of this link',
  PASS_NOT_SERVER: 'no virtual server has this port, and no target answers from it',
  PASS_BAD_HEADER: 'not a valid IPv4 header; the stack drops and counts it',
  PASS_MARTIAN: 'an address that no host may have; the stack judges it',
  IN_REDIRECTED: 'translated and sent on to the target',
  IN_TO_STACK: 'translated; the stack forwards it, resolves the neighbour, or answers',
  DSR_REDIRECTED: 'sent on to the MAC of the target as it is; the target answers by itself',
  DSR_TO_NEIGHBOUR: 'sent on to the target as it is, once its MAC is resolved',
  OUT_REDIRECTED: 'a reply, translated to come from the VIP and sent on',
  OUT_TO_STACK: 'a reply, left to the stack; translated when it leaves by an uplink',
  OUT_AT_EGRESS: 'translated on its way out of the stack',
  DROP_MALFORMED: 'an L4 or quoted header is cut short',
  DROP_NO_TARGET: 'nobody of the pool serves',
  DROP_NO_ROUTE: 'dsr: the target is not on a link of this host',
  DROP_TOO_LONG: 'dsr: it does not fit the link to the target',
  DROP_TTL_EXPIRED: 'dsr: its TTL ends here',
  DROP_FRAGMENT_UNKNOWN:
    'a later fragment came before the first, and several servers could be meant',
  DROP_ICMP_REDIRECT: 'a redirect must not cross a balancer',
  DROP_ERROR_MISMATCH: 'an ICMP error that quotes a packet of no server and no target',
  DROP_REWRITE_FAILED: 'a kernel helper refused: report it',
};

/** Steps that say all by themselves; others are told with what they found. */
export const stepWords: Readonly<Record<string, string>> = {
  STEP_CONNECTION_LOST: 'the flow is known, but its target is gone: picked anew',
  STEP_ICMP_ERROR: 'an ICMP error: it goes the way of the packet that it quotes',
  STEP_FRAGMENT_FOUND: 'a later fragment: where the first one went is known',
  STEP_TTL_EXPIRES: 'the TTL ends here: the stack answers',
  STEP_IP_OPTIONS: 'it has IP options: for the stack',
  STEP_FLOOD_GATE: 'too many new flows at once: it is not remembered',
};
