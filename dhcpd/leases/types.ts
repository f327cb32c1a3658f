// What the lease book offers to the rest of dhcpd, and what it needs of Redis. The rules are those
// of docs/leases.md; § below means its sections.
import type { Ipv4 } from '../../shared/net/ipv4.ts';

/** §3. */
export const STATE = { unused: 0, bound: 1, free: 2, reserved: 3, declined: 4 } as const;

/** A record, read. Times: s since 1970 by Redis' clock; 0xffffffff: no end. */
export type Lease = {
  address: Ipv4;
  state: number;
  htype: number;
  hlen: number;
  generation: number;
  holdUntil: number;
  toldUntil: number;
  boundAt: number;
  instance: number;
  chaddr: Uint8Array;
  /** As stored: at most 19 bytes, or the digest of a longer one. */
  key: Uint8Array;
  hasLongKey: boolean;
  hasDetails: boolean;
  /** State 3: for isolation; until it lapses only its instance may bind it. */
  isLongReserve: boolean;
  leaseSeconds: number;
  version: number;
};

/** What is known of a client beyond its record. Hex, but for the host name. */
export type Details = {
  clientId?: string;
  hostname?: string;
  circuitId?: string;
  remoteId?: string;
  chaddr?: string;
};

/** Who asks. `key` as §3 says, whole. */
export type Client = { key: Uint8Array; htype: number; chaddr: Uint8Array };

/** A range of addresses that may be handed out, both ends included. */
export type Range = { first: Ipv4; last: Ipv4 };

/** `excluded`: reserved for somebody else by the plan, a gateway, … */
export type Pools = {
  id: string;
  ranges: readonly Range[];
  excluded: (address: Ipv4) => boolean;
};

export type OfferWant = {
  client: Client;
  pools: Pools;
  /** Tried first when free: what the client had before, then what it asks for. */
  preferred: readonly Ipv4[];
};

/** `recycled`: somebody else had it before, so a probe makes sense. */
export type Offer = { address: Ipv4; recycled: boolean };

/**
 * Whether an address was offered to a client. `yes`: by us or a sibling, lately; `own`: its record
 * is the client's, so that it may be bound whoever offered it; `no`: Redis says neither, and no
 * sibling has it set aside; `unknown`: one has, or Redis does not answer (R7).
 */
export type Offered = 'yes' | 'own' | 'no' | 'unknown';

export type BindWant = {
  client: Client;
  address: Ipv4;
  leaseSeconds: number;
  /** We or a sibling offered it to this very client. */
  offered: boolean;
  /** The client asked that its name is not published (RFC 4702 §2.1, N). */
  noName?: true;
  /** The plan reserves it for this very client: nobody else can have been promised it. */
  planned?: true;
  details?: Details;
};

export type Bound = {
  outcome: 'bound';
  /** What may be told, at most the wanted lease: R1. */
  toldSeconds: number;
  /** Monotonic ms after which the reply must not leave any more: R5. */
  replyByMs: number;
};
/** `lease`: the record that stands in the way, as Redis has it. */
export type NotBound = {
  outcome: 'taken' | 'quarantine' | 'reserved' | 'declined';
  lease: Lease;
};
/** No knowledge: stay silent (R7). `why` is a counter's label. */
export type Unknown = { outcome: 'unknown'; why: 'store' | 'durability' | 'fenced' | 'late' };
export type BindResult = Bound | NotBound | Unknown;

export type LeaseCounts = { bound: number; free: number; total: number; declined: number };

/** Now, or later. */
export type Later<T> = T | Promise<T>;

/** Never throws for what Redis does; every answer says what is known. */
export interface LeaseBook {
  /** From the replica. */
  get(address: Ipv4): Lease | undefined;
  /** The client's record in these pools (or any subnet address `accept` takes), best one first. */
  ofClient(key: Uint8Array, accept: (address: Ipv4) => boolean): Lease | undefined;
  /** Whether the record's key is this client's. */
  isOwner(lease: Lease, key: Uint8Array): boolean;
  /** Bound and its hold not over. */
  isHeld(lease: Lease): boolean;
  /** Estimate of Redis' time, s. */
  nowSeconds(): number;
  /** §5 and §7: what may be answered from memory. */
  readonly condition: 'starting' | 'fresh' | 'stale' | 'isolated';

  /** Records of its block may be lost (§7): a client that nothing is known of may be right. */
  lostLately?(address: Ipv4): boolean;

  /** At once when it needs nobody else. */
  offer(want: OfferWant): Later<Offer | undefined>;
  wasOffered(client: Client, address: Ipv4): Later<Offered>;
  /** Forgets an offer that the client did not take; the address goes back to the reserve. */
  dropOffer(client: Client): void;
  /** Durable when it resolves with 'bound' (R4). */
  bind(want: BindWant): Promise<BindResult>;
  /**
   * A renewal of what the client holds, from the replica if R3 covers it (resolved at once, written
   * behind), else as bind().
   */
  renew(want: BindWant): Promise<BindResult>;
  release(client: Client, address: Ipv4): Promise<boolean>;
  decline(client: Client, address: Ipv4, quarantineSeconds: number): Promise<boolean>;
  /** Found in use by a probe: quarantined though nobody holds it. */
  quarantine(address: Ipv4, quarantineSeconds: number): Promise<boolean>;
  counts(pools: Pools): LeaseCounts;
}

// What the book needs of Redis: `backend.ts` is the real one, `redis-model.ts` in
// test/support/dhcp the modelled one. One conformance suite holds both.

export type Op = 'bind' | 'reserve' | 'unreserve' | 'release' | 'decline' | 'free' | 'teach';

export type Item = {
  op: Op;
  address: Ipv4;
  /** The new record (64 bytes); which of its fields count depends on the op. */
  record: Uint8Array;
  /** bind: hold; reserve: term; release, free: reuseSeconds; decline: quarantine. */
  seconds: number;
  offered?: true;
  force?: true;
  /** bind: the plan gives the address to this very client. */
  planned?: true;
  details?: Details;
  /** Logged (§5) when the item is done, with what the client was told. */
  event?: LeaseEvent;
};

export type LeaseEvent = {
  type: 'bind' | 'renew' | 'release' | 'decline' | 'free';
  mac: string;
  keyHex: string;
  hostname?: string;
  /** Not to be published; not logged. */
  noName?: true;
};

/** §4's codes. */
export const CODE = {
  done: 0,
  taken: 1,
  quarantine: 2,
  reserved: 3,
  declined: 4,
  stale: 5,
  nothing: 6,
} as const;

export type ItemResult = { code: number; record: Uint8Array };

/** One block each; `missing` strings are empty arrays. */
export type BlockBytes = { block: number; bytes: Uint8Array };

export type LogEntry = { id: string; instance: number; records: Uint8Array };

/** What ran. Not durable: WAIT or WAITAOF counted too few, so nothing may be promised. */
export type Ran = { nowSeconds: number; results: ItemResult[]; durable: boolean };
/**
 * Block `block` has the lineage `fenced` (''; it is gone), not ours: adopt it, then run all again.
 * Nothing ran; in a Cluster, maybe items of other blocks did, and running them again is harmless.
 */
export type Fenced = { fenced: string; block: number; nowSeconds: number };

export interface LeaseBackend {
  /**
   * Redis' lineage (§7) on the connections in use; another one as soon as they were made anew. Of a
   * Cluster: those of all its primaries in one text.
   */
  lineage(): Promise<string>;
  /**
   * Runs the items in order, registers new blocks and appends what was done to the log. Rejects
   * with EDGE_STORE_… when it is not known what ran. At most 128 items a call. Calls alternate
   * between two connections: two may be under way, a third waits behind the first. Without items:
   * nothing but the time (an instance that has nothing to write keeps its estimate, R8).
   */
  run(items: readonly Item[]): Promise<Ran | Fenced>;
  /**
   * Those of the blocks that have the lineage `from` ('': that are gone) get ours and the
   * quarantine; resolves with how many.
   */
  adopt(blocks: readonly number[], from: string, quarantineSeconds: number): Promise<number>;
  /** Sets a longer quarantine; never a shorter one. */
  lengthen(block: number, quarantineSeconds: number): Promise<void>;
  /**
   * Whether all that the servers of these blocks, still of this lineage, had when they were asked
   * is durable (§6): by a write of its own, on a connection for commits.
   */
  prove(blocks: readonly number[], lineage: string): Promise<boolean>;
  blocks(): Promise<number[]>;
  read(blocks: readonly number[]): Promise<BlockBytes[]>;
  details(addresses: readonly Ipv4[]): Promise<(Details | undefined)[]>;
  /** §4: the address that stands as the client's offer, ours unless a sibling was quicker. */
  offer(key: Uint8Array, address: Ipv4, ttlMs: number): Promise<Ipv4>;
  offered(key: Uint8Array): Promise<Ipv4 | undefined>;
  logTail(): Promise<string>;
  /** Waits up to `blockMs`. 'trimmed': read the blocks again. */
  follow(afterId: string, blockMs: number, signal: AbortSignal): Promise<LogEntry[] | 'trimmed'>;
  close(): void;
}
