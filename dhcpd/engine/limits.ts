// How many messages a second one relay, one port of it and one client may send: a flood of one
// (random MACs, DECLINEs) leaves the others what they need. Pure.
import { formatIpv4 } from '../../shared/net/ipv4.ts';
import type { Reason } from '../reasons.ts';
import type { ServerSettings } from '../server-types.ts';
import { MESSAGE } from '../wire/types.ts';
import { BoundedMap } from './bounded-map.ts';
import { latin } from './query.ts';
import type { Query } from './types.ts';

const MAX_RELAYS = 4096;
const MAX_PORTS = 65_536;
const MAX_CLIENTS = 65_536;
const NOBODY = new Uint8Array(0);
/** A bucket holds what comes in this time: a burst of retransmissions is no attack. */
const BURST_SECONDS = 2;

/** Token buckets by key: of each the moment at which it is full again. */
export class Buckets<K> {
  readonly #fullAtMs: BoundedMap<K, number>;

  constructor(capacity: number) {
    this.#fullAtMs = new BoundedMap(capacity);
  }

  /** Takes a token; false when there is none. `perSecond` 0: no limit. */
  take(key: K, perSecond: number, nowMs: number): boolean {
    if (perSecond === 0) return true;
    const fullAtMs = Math.max(nowMs, this.#fullAtMs.get(key) ?? 0) + 1000 / perSecond;
    if (fullAtMs - nowMs > BURST_SECONDS * 1000 + 1) return false;
    this.#fullAtMs.set(key, fullAtMs);
    return true;
  }
}

export class Limits {
  readonly #limits: ServerSettings['limits'];
  readonly #relays = new Buckets<string>(MAX_RELAYS);
  readonly #ports = new Buckets<string>(MAX_PORTS);
  readonly #clients = new Buckets<string>(MAX_CLIENTS);
  readonly #declines = new Buckets<string>(MAX_RELAYS);

  constructor(limits: ServerSettings['limits']) {
    this.#limits = limits;
  }

  /** The limit that a message exceeds; the client's first, so that it does not use up others'. */
  exceeded(query: Query, nowMs: number): Reason | undefined {
    const { perRelay, perPort = 0, perClient, declinesPerRelay } = this.#limits;
    const { messageType } = query.request;
    // A client without a hardware address has a client identifier (RFC 4390).
    const client = query.name === '' ? latin(query.clientId ?? NOBODY) : query.name;
    // Of one way in: who forges a MAC elsewhere does not use up what its owner has.
    const { giaddr } = query.request;
    if (perClient > 0 && !this.#clients.take(`${giaddr} ${client}`, perClient, nowMs)) {
      return 'limit-client';
    }
    const circuitId = query.relay?.circuitId;
    const isDecline = messageType === MESSAGE.DECLINE;
    if (perRelay === 0 && circuitId === undefined && !isDecline) return undefined;
    const relay = relayOf(query);
    if (circuitId !== undefined && perPort > 0) {
      if (!this.#ports.take(`${relay} ${latin(circuitId)}`, perPort, nowMs)) return 'limit-port';
    }
    if (!this.#relays.take(relay, perRelay, nowMs)) return 'limit-relay';
    if (!isDecline || this.#declines.take(relay, declinesPerRelay, nowMs)) return undefined;
    return 'limit-declines';
  }
}

function relayOf({ request, ingress }: Query): string {
  if (request.giaddr !== 0) return formatIpv4(request.giaddr);
  return ingress.link?.name ?? 'unicast';
}
