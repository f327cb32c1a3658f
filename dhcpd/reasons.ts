// Every way a message can go, by its name: the label of a counter, the end of an `explain`. Pure.
import type { Malformed } from './wire/types.ts';

export const reasons = {
  // Answered.
  offered: 'offered an address of the pools',
  'offered-reservation': 'offered the address that the plan reserves for this client',
  'offered-own': 'offered the address that the client holds already',
  'offered-none': 'offered no address: the client can do without IPv4 here (option 108)',
  'acked-new': 'bound, and acknowledged',
  'acked-again': 'acknowledged again to the client that holds the address',
  'acked-rapid': 'bound and acknowledged at once (rapid commit)',
  'acked-renewal': 'renewed',
  'acked-cached': 'told the rest of its lease: the renewal came early',
  'acked-from-plan': 'acknowledged from the plan alone, for a short time: the store is away',
  'acked-short': 'the plan wants another address for this client but none is free: a short lease',
  'acked-inform': 'options without a lease',
  'l3-offered': 'offered the address that its MAC says (/30 network)',
  'l3-acked': 'acknowledged the address that its MAC says (/30 network)',
  // Refused aloud.
  'nak-wrong-network': 'the address asked for does not belong to the network of the client',
  'nak-no-address': 'a REQUEST that names this server, but no address',
  'nak-not-offered': 'the address was neither offered to this client nor is it its own',
  'nak-reserved': 'the plan reserves the address for somebody else',
  'nak-outside-pools': 'the plan does not hand this address out',
  'nak-taken': 'the address was given to somebody else',
  'nak-other-address': 'the client holds another address',
  'nak-moved': 'the plan gives this client another address, and that one is free',
  'nak-unknown': 'nothing is known of this client, and the subnet is authoritative',
  'nak-quarantine': 'promises for this address may have been lost: the client has to start over',
  'nak-l3': 'the MAC says another address (/30 network)',
  // Done without an answer.
  released: 'the client gave its address back',
  declined: 'the client found its address in use: quarantined',
  'offer-forgotten': 'the client chose another server',
  // Silence: the message.
  stale: 'it waited too long: the client has asked again',
  duplicate: 'the same request is under way already',
  'queue-full': 'more requests are under way than this server takes on',
  displaced: 'a REQUEST took the place of this DISCOVER in the queue',
  'limit-relay': 'more messages a second from this relay or link than allowed',
  'limit-port': 'more messages a second from this port of the relay than allowed',
  'limit-client': 'more messages a second from this client than allowed',
  'limit-declines': 'more DECLINEs a second from this relay or link than allowed',
  stopped: 'the server has stopped',
  draining: 'the server drains: new clients are left to the others',
  bucket: 'another member of the cluster answers first (RFC 3074)',
  'discover-with-server-id': 'a DISCOVER must not name a server',
  'agent-untrusted': 'relay information from a client on the link itself',
  'unknown-network': 'no subnet of the plan fits where it came from',
  'relay-unanswerable': 'the address of the relay is no host’s: nobody could be answered there',
  'inform-elsewhere': 'an INFORM for an address that is no host’s of this network',
  'no-server-id': 'no address that the client could reach this server at',
  'other-server': 'meant for another server',
  'no-server-named': 'it has to name a server, and does not',
  'no-address-named': 'it names no address',
  'not-owner': 'the address is not held by this client',
  'not-known': 'nothing is known of this client, and the subnet is not authoritative',
  'maybe-offered': 'another member has set the address aside, and may have offered it',
  'lost-lately': 'nothing is known of this client, but records were lost here lately',
  'not-fresh': 'too little is known for an answer while the store is away',
  starting: 'the server has not read the leases yet',
  // Silence: the outcome.
  'pool-exhausted': 'no address is free',
  'no-address-now': 'no address can be set aside right now',
  'all-in-use': 'the addresses that were free answered a probe',
  'bind-taken': 'the address went to somebody else meanwhile',
  'bind-quarantine': 'promises for this address may have been lost: not given before that is over',
  'bind-store': 'the store did not answer',
  'bind-durability': 'the promise could not be made durable',
  'bind-fenced': 'the store has changed: its blocks are adopted first',
  'bind-late': 'the write came too late to be promised',
  late: 'the answer was ready too late to be told',
  'l3-no-net': 'a MAC of a /30 network that the plan does not have',
  'l3-not-a-vm': 'on a /30 network, but not by the MAC of its VM',
  'l3-other-host': 'the /30 network is pinned to another host',
  'l3-other-link': "it did not come by the VM's own bridge",
  'l3-ignored': 'there is no lease to give back in a /30 network',
  failed: 'an error inside the server; see the log',
} as const;

export type Reason = keyof typeof reasons;

/** Messages that were not read at all, counted under these names. */
export const malformedReasons: Record<Malformed, string> = {
  short: 'shorter than a DHCP message can be',
  bootp: 'BOOTP: no DHCP cookie or options',
  'not-request': 'a reply, not a request',
  'bad-cookie': 'not the cookie of DHCP',
  'bad-hlen': 'a hardware address of more than 16 bytes',
  'no-identity': 'neither a hardware address nor a client identifier',
  'no-message-type': 'no message type',
  'bad-message-type': 'a message type that no client sends',
};

/** What explain shows for a counter's label. */
export function reasonText(reason: string): string | undefined {
  return { ...reasons, ...malformedReasons }[reason as Reason | Malformed];
}
