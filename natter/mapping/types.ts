// What the reference model of the translation takes and gives. Addresses and ports are numbers in
// host order, frames are bytes as on the wire (Ethernet first). Names of reasons and steps:
// bpf/natter.h.

export type Program = 'natter_uplink' | 'natter_inside' | 'natter_onearm' | 'natter_egress';

export type Verdict = 'pass' | 'drop' | 'redirect';

/** `enum reason` of natter.h; a test compares the two. */
export const REASONS = [
  'PASS_NOT_IPV4',
  'PASS_NOT_FOR_US',
  'PASS_NOT_EIP',
  'PASS_NOT_OUTBOUND',
  'PASS_BAD_HEADER',
  'PASS_MARTIAN',
  'PASS_HAIRPIN_UNMAPPED',
  'PASS_TO_STACK_OUT',
  'IN_REDIRECTED',
  'IN_TO_STACK',
  'OUT_REDIRECTED',
  'OUT_AT_EGRESS',
  'HAIRPIN_REDIRECTED',
  'HAIRPIN_TO_STACK',
  'DROP_MALFORMED',
  'DROP_NO_FORWARD',
  'DROP_FRAGMENT_UNKNOWN',
  'DROP_PORT_TAKEN',
  'DROP_ICMP_REDIRECT',
  'DROP_ERROR_MISMATCH',
  'DROP_LIMIT_IN',
  'DROP_LIMIT_OUT',
  'DROP_GROUP_LIMIT_IN',
  'DROP_GROUP_LIMIT_OUT',
  'DROP_REWRITE_FAILED',
] as const;
export type Reason = (typeof REASONS)[number];

/** `enum explain_step` of natter.h, without the prefix STEP_, in the order of its bits. */
export const STEPS = [
  'EIP_FOUND',
  'PRIVATE_FOUND',
  'FORWARD_FOUND',
  'ICMP_ERROR',
  'FRAGMENT_FOUND',
  'LIMIT_CHECKED',
  'GROUP_LIMIT_CHECKED',
  'HAIRPIN',
  'FIB_ASKED',
  'REFRESH_NEIGHBOUR',
  'TTL_EXPIRES',
  'IP_OPTIONS',
] as const;
export type Step = (typeof STEPS)[number];

/** The slot of an EIP and what its flags say (SLOT_*). */
export interface Slot {
  slot: number;
  limitIn?: boolean;
  limitOut?: boolean;
}

/** One entry of `eipToPrivate` or `privateToEip`. */
export interface Mapping extends Slot {
  address: number; // the other side; 0: no 1:1 mapping, port forwards only
  eipForwards?: boolean; // the EIP has port forwards
  privateForwarded?: boolean; // privateToEip: port forwards lead to this address
}

/**
 * Ports first..last of (address, protocol) lead to `target`, each moved by `portOffset` modulo
 * 65536.
 */
export interface Forward extends Slot {
  address: number;
  protocol: number;
  first: number;
  last: number;
  target: number;
  portOffset: number;
}

export interface FragmentKey {
  source: number;
  destination: number;
  id: number;
  protocol: number;
  outbound: boolean;
}

export interface FragmentRecord extends FragmentKey, Slot {
  address: number; // the translated address
  expiresNs: number;
}

export interface Link {
  uplink: boolean;
  inside: boolean;
}

/**
 * The translation table. Nothing here is changed by `translate`; new fragments come in its
 * result.
 */
export interface Table {
  eipToPrivate: ReadonlyMap<number, Mapping>;
  privateToEip: ReadonlyMap<number, Mapping>;
  forwardsIn: readonly Forward[]; // by EIP
  forwardsOut: readonly Forward[]; // by private address
  fragments: readonly FragmentRecord[];
  links: ReadonlyMap<number, Link>;
  internalPrefixes: readonly { address: number; bits: number }[];
}

/**
 * What a route lookup says. MACs are 48-bit numbers; `refused`: blackhole, unreachable and the
 * like.
 */
export type FibResult =
  | { result: 'success'; ifindex: number; sourceMac: number; destinationMac: number }
  | { result: 'no-neighbour'; ifindex: number }
  | { result: 'not-forwarded' }
  | { result: 'frag-needed'; mtu: number }
  | { result: 'refused' };

export type Direction = 'in' | 'out';

/** What surrounds the packet: its link, the routing table, the clock. */
export interface Environment {
  ifindex: number;
  isHost: boolean; // pkt_type HOST: the frame is for this machine's MAC
  nowNs: number; // CLOCK_MONOTONIC
  fib(source: number, destination: number, lengthBytes: number): FibResult;
  /** Undefined: granted. Asked only for slots that have the direction's limit flag. */
  limit?(slot: number, direction: Direction, wireBytes: number): 'own' | 'group' | undefined;
  segments?: { count: number; payloadBytes: number }; // a GSO packet
  hostMade?: boolean; // egress: the host's own stack made the packet
  translated?: boolean; // egress: an ingress program has translated it
  dryRun?: boolean; // nothing is metered, limited or recorded
}

export interface Metered {
  slot: number;
  direction: Direction;
  packets: number;
  bytes: number;
}

export interface Translation {
  /** Undefined: the egress program left the packet alone; nothing counts that. */
  reason: Reason | undefined;
  verdict: Verdict;
  frame: Uint8Array;
  steps: ReadonlySet<Step>;
  slot: number | undefined; // of the EIP; in a hairpin the target's
  fib: FibResult | undefined; // what the route lookup said, if one was made
  metered: readonly Metered[];
  recorded: readonly FragmentRecord[];
}
