// What the reference model of the L4 balancer takes and gives. Pure. Addresses and ports are
// numbers in host order, frames bytes as on the wire (Ethernet first), times CLOCK_MONOTONIC. Names
// of reasons and steps: bpf/lb.h.

export type Program = 'lb_uplink' | 'lb_inside' | 'lb_onearm' | 'lb_egress';

export type Verdict = 'pass' | 'drop' | 'redirect';

/** `enum reason` of lb.h; a test compares the two. */
export const REASONS = [
  'PASS_NOT_IPV4',
  'PASS_NOT_FOR_US',
  'PASS_NOT_SERVER',
  'PASS_BAD_HEADER',
  'PASS_MARTIAN',
  'IN_REDIRECTED',
  'IN_TO_STACK',
  'DSR_REDIRECTED',
  'DSR_TO_NEIGHBOUR',
  'OUT_REDIRECTED',
  'OUT_TO_STACK',
  'OUT_AT_EGRESS',
  'DROP_MALFORMED',
  'DROP_NO_TARGET',
  'DROP_NO_ROUTE',
  'DROP_TOO_LONG',
  'DROP_TTL_EXPIRED',
  'DROP_FRAGMENT_UNKNOWN',
  'DROP_ICMP_REDIRECT',
  'DROP_ERROR_MISMATCH',
  'DROP_REWRITE_FAILED',
] as const;
export type Reason = (typeof REASONS)[number];
export type DropReason = Extract<Reason, `DROP_${string}`>;

/** `enum explain_step` of lb.h, without the prefix STEP_, in the order of its bits. */
export const STEPS = [
  'SERVER_FOUND',
  'BY_TABLE',
  'CONNECTION_FOUND',
  'CONNECTION_LOST',
  'CONNECTION_WRITTEN',
  'ICMP_ERROR',
  'FRAGMENT_FOUND',
  'REVERSE_FOUND',
  'FIB_ASKED',
  'TTL_EXPIRES',
  'IP_OPTIONS',
  'FLOOD_GATE',
  'REFRESH_NEIGHBOUR',
] as const;
export type Step = (typeof STEPS)[number];

/** A virtual server: ports first..last of a VIP. */
export type Server = {
  address: number;
  protocol: number;
  first: number;
  last: number;
  slot: number;
  poolSlot: number;
  mode: 'nat' | 'dsr';
  hash: 'flow' | 'source';
  lost: 'reset' | 'leave';
};

export type Target = {
  address: number;
  port: number; // 0: the server's
  gone: boolean;
  generation: number;
};

/** Ports first..last of a target answer as those of a VIP, moved by `portOffset` modulo 65536. */
export type Reverse = {
  target: number;
  protocol: number;
  first: number;
  last: number;
  address: number;
  portOffset: number;
  serverSlot: number;
  targetSlot: number;
};

/** What user space writes. */
export type Table = {
  servers: readonly Server[];
  /** Pool slot to its table: 65,537 target slots; 0: nobody. */
  tables: ReadonlyMap<number, ArrayLike<number>>;
  /** By target slot. */
  targets: ReadonlyMap<number, Target>;
  reverse: readonly Reverse[];
};

export type Flow = {
  source: number;
  destination: number;
  sourcePort: number;
  destinationPort: number;
  protocol: number;
};

export type Connection = { seenNs: number; targetSlot: number; generation: number };

export type FragmentKey = {
  source: number;
  destination: number;
  id: number;
  protocol: number;
  outbound: boolean;
};

/** Where the first fragment went. `address` 0: it was no server's. */
export type FragmentRecord = {
  expiresNs: number;
  address: number;
  serverSlot: number;
  targetSlot: number;
  isDsr: boolean;
};

/** What the program itself writes; keys by `flowKey` and `fragmentKey`. */
export type State = {
  connections: ReadonlyMap<string, Connection>;
  fragments: ReadonlyMap<string, FragmentRecord>;
  /** Entries of `connections` written in the second that began at sinceNs. */
  gate: { sinceNs: number; count: number };
};

export const EMPTY_STATE: State = {
  connections: new Map(),
  fragments: new Map(),
  gate: { sinceNs: 0, count: 0 },
};

/** What a route lookup says. MACs are 48-bit numbers; `refused`: blackhole and the like. */
export type FibResult =
  | { result: 'success'; nextHop: number; sourceMac: number; destinationMac: number }
  | { result: 'no-neighbour'; nextHop: number }
  | { result: 'not-forwarded' }
  | { result: 'frag-needed' }
  | { result: 'refused' };

/** What surrounds the packet: its link, the routing table, the clock. */
export type Environment = {
  isHost: boolean; // pkt_type HOST: the frame is for this machine's MAC
  nowNs: number;
  fib(source: number, destination: number, lengthBytes: number): FibResult;
  segments?: { count: number; payloadBytes: number }; // a GSO packet
  translated?: boolean; // egress: an ingress program has translated it
  dryRun?: boolean; // nothing is metered or written
};

export type Metered = {
  serverSlot: number;
  targetSlot: number;
  direction: 'in' | 'out';
  packets: number;
  bytes: number;
  connections: number;
};

export type Outcome = {
  /** Undefined: the egress program left the packet alone; nothing counts that. */
  reason: Reason | undefined;
  verdict: Verdict;
  frame: Uint8Array;
  steps: ReadonlySet<Step>;
  serverSlot: number; // 0: none was found
  targetSlot: number;
  hash: number; // 0: none was asked
  metered: Metered | undefined;
  state: State;
};

export const flowKey = (flow: Flow): string =>
  [flow.source, flow.destination, flow.sourcePort, flow.destinationPort, flow.protocol].join(' ');

export const fragmentKey = (key: FragmentKey): string =>
  [key.source, key.destination, key.id, key.protocol, key.outbound ? 1 : 0].join(' ');
