// What the engine is asked, what it may look at, and what it can answer. Pure.
import type { Ipv4 } from '../../shared/net/ipv4.ts';
import type { Ingress } from '../io/types.ts';
import type { L3Answer } from '../l3/answer.ts';
import type { Client, LeaseBook, LeaseCounts, Pools } from '../leases/types.ts';
import type { ClientClass, Network, Plan, Reservation, Settings, Subnet } from '../plan/types.ts';
import type { Reason } from '../reasons.ts';
import type { ServerSettings } from '../server-types.ts';
import type { RelayInfo } from '../wire/relay-info.ts';
import type { Request } from '../wire/types.ts';
import type { Prepared } from './prepared.ts';

/** A message and what of it every decision asks for. */
export type Query = {
  request: Request;
  ingress: Ingress;
  /** chaddr as a key of maps: one character a byte. */
  name: string;
  /** The same client's same question has the same. */
  identity: string;
  /** Option 61 of two bytes or more (RFC 2132 §9.14). */
  clientId: Uint8Array | undefined;
  relay: RelayInfo | undefined;
  /** Option 50. */
  requested: Ipv4 | undefined;
  /** Option 54. */
  serverId: Ipv4 | undefined;
  /** Sent to one of our addresses, by no relay: RENEWING, RELEASE, … */
  isUnicast: boolean;
};

/** The part of the book that is read without waiting. */
export type LeaseView = Pick<
  LeaseBook,
  'get' | 'ofClient' | 'isOwner' | 'isHeld' | 'nowSeconds' | 'condition' | 'lostLately'
>;

export type Context = {
  plan: Plan;
  prepared: Prepared;
  leases: LeaseView;
  settings: ServerSettings;
  query: Query;
  isDraining: boolean;
  /** Of the pools of a network; may be a second old, unless they are wanted as of now. */
  counts: (network: Network, asOfNow?: boolean) => LeaseCounts;
  /** For explain: hears each step in words. */
  trace?: ((step: string) => void) | undefined;
};

/** Where the message came from, who sent it, and what of the plan is meant for it. */
export type Scope = {
  subnet: Subnet;
  network: Network;
  /** The client is on a link that we serve by frames. */
  onLink: boolean;
  server: ServerIds;
  reservation: Reservation | undefined;
  /** Its key as docs/leases.md §3 has it, or by chaddr where a reservation by MAC matched. */
  client: Client;
  /** The same client by option 61, where a reservation by MAC matched. */
  alias: Client | undefined;
  classes: MatchedClasses;
};

export type ServerIds = {
  /** Replies come from here. */
  own: Ipv4;
  /** What option 54 says: `own`, or the relay's override (RFC 5107). */
  told: Ipv4;
};

/** Nearest first. */
export type MatchedClasses = {
  matched: readonly ClientClass[];
  defaults: readonly ClientClass[];
  /** One character a class; the same text, the same settings. */
  signature: string;
};

export type Levels = readonly Settings[];

export type Alarm = { event: string; message: string; fields: Record<string, unknown> };

export type Ack = {
  do: 'ack';
  scope: Scope;
  client: Client;
  address: Ipv4;
  leaseSeconds: number;
  /** bind, renew: by the book; plan, cached: `leaseSeconds` is what is told, without it. */
  via: 'bind' | 'renew' | 'plan' | 'cached';
  /** What to say when this address was never offered to the client; absent: it need not be. */
  unlessOffered?: Nak | Silence;
  /** When another stands in the way. */
  refused: { taken: Nak | Silence; reserved: Nak | Silence; quarantine: Nak | Silence };
  reason: Reason;
};

export type Nak = { do: 'nak'; reason: Reason; server: ServerIds; onLink: boolean };
export type Silence = { do: 'silence'; reason: Reason; alarm?: Alarm };

/** An address that needs nothing of the book: its reservation, or what it holds. */
export type OfferKnown = {
  do: 'offer-known';
  scope: Scope;
  client: Client;
  address: Ipv4;
  isReservation: boolean;
  isRapid: boolean;
  alarm?: Alarm;
};

export type OfferPool = {
  do: 'offer';
  scope: Scope;
  /** Tried in this order. */
  pools: readonly Pools[];
  preferred: readonly Ipv4[];
  isRapid: boolean;
  alarm?: Alarm;
};

export type Decision =
  | Silence
  | Nak
  | Ack
  | OfferKnown
  | OfferPool
  | { do: 'offer-none'; scope: Scope }
  | { do: 'forget-offer'; client: Client }
  | { do: 'release'; client: Client; address: Ipv4 }
  | {
      do: 'decline';
      client: Client;
      address: Ipv4;
      seconds: number;
      isOwner: boolean;
      alarm: Alarm;
    }
  | { do: 'inform'; scope: Scope; address: Ipv4 }
  | {
      do: 'l3';
      type: 'offer' | 'ack' | 'inform';
      answer: L3Answer;
      onLink: boolean;
      server: ServerIds;
    };
