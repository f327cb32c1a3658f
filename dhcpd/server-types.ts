// What a DhcpServer (server.ts) is built of; daemon and simulation hand it the real or modelled
// ones.
import type { Clock } from '../shared/clock.ts';
import type { Ipv4 } from '../shared/net/ipv4.ts';
import type { Prober, Transport } from './io/types.ts';
import type { LeaseBook } from './leases/types.ts';
import type { Plan } from './plan/types.ts';

export type ServerSettings = {
  /** This instance's name, as hosts of l3addnet name it. */
  node: string;
  /**
   * The one server identifier of the cluster; absent: the address of the link, or the one that the
   * packet was sent to.
   */
  serverId?: Ipv4;
  /** Other identifiers that are ours too (each member's own). */
  siblingIds: readonly Ipv4[];
  /** Whether DECLINE and RELEASE need option 54 (RFC 2131 table 5). */
  strict: boolean;
  /** Option 82 from clients on a link without relay is dropped unless the link is listed here. */
  trustedLinks: readonly string[];
  offerSeconds: number;
  declineSeconds: number;
  /** A renewal younger than this share of its lease is told the rest of it, without a write. */
  cacheShare: number;
  /** Milliseconds after which a request that waited is dropped: the client has asked again. */
  staleAfterMs: number;
  /** Requests under way at once; as many may wait, more are dropped and counted. */
  maxPending: number;
  /** Packets a second from one relay (or link) and from one client; 0: no limit. */
  limits: {
    perRelay: number;
    /** From one circuit (port) of a relay. */
    perPort?: number;
    perClient: number;
    declinesPerRelay: number;
  };
  /** Who answers broadcasts of a shared LAN first: RFC 3074 buckets, or everybody at once. */
  sharedLan: 'bucket' | 'all';
};

/** Live members, itself included, sorted by name; of one service and one set of links. */
export type Members = { names: readonly string[]; own: string };

export type ServerDependencies = {
  settings: ServerSettings;
  plan: () => Plan;
  book: LeaseBook;
  transport: Transport;
  prober?: Prober;
  clock: Clock;
  members: () => Members;
  /** Every way a message can go has a name: see reasons.ts. */
  count: (reason: string) => void;
  /** `event` is one of events.ts. */
  notice: (event: string, message: string, fields?: Record<string, unknown>) => void;
};
