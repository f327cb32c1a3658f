// How messages come in and go out, as the server sees it; links.ts, udp.ts and the simulation are
// behind it.
import type { Ipv4 } from '../../shared/net/ipv4.ts';
import type { Ipv4Prefix } from '../../shared/net/prefix.ts';

/** A link that is served directly: frames by libpcap. */
export type Link = {
  name: string;
  /** Of the interface itself, 6 bytes. */
  mac: Uint8Array;
  /** Our own addresses on it. */
  addresses: readonly Ipv4Prefix[];
};

export type Ingress = {
  /** Absent: it came by a UDP socket, from a relay or by unicast through a router. */
  link?: Link;
  source: Ipv4;
  sourcePort: number;
  /** Where it was sent to, if known: one of our addresses, or the broadcast. */
  destination?: Ipv4;
  /** Monotonic. */
  receivedMs: number;
  /** It may have waited while this process stood still (pulse.ts). */
  isOld?: true;
};

/** One reply. `source`: the address it comes from, the server identifier's (RFC 2131 §4.1). */
export type Outgoing = { bytes: Uint8Array; source: Ipv4; address: Ipv4; port: number } & (
  | { by: 'udp' }
  /** Frame to `mac`, without ARP: the client may not have the address yet. */
  | { by: 'link'; link: string; mac: Uint8Array }
);

export interface Transport {
  send(reply: Outgoing): void;
}

/** ARP on the link, ICMP behind relays; at most `timeoutMs`, fewer when cut off under load. */
export interface Prober {
  probe(address: Ipv4, link: string | undefined): Promise<'silent' | 'in-use' | 'not-probed'>;
}
