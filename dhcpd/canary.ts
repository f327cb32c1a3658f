// A client of our own (RFC 2131 §3.1, §4.4): DISCOVER, REQUEST and RELEASE through the same way in
// as everybody's, so that /readyz says that a client would get an address here. What is answered is
// taken off right before it would leave. See README.md for what that proves and what not.

import type { Clock } from '../shared/clock.ts';
import { formatIpv4, type Ipv4, ipv4, ipv4ToBytes } from '../shared/net/ipv4.ts';
import { macToBytes } from '../shared/net/mac.ts';
import { firstAddress } from '../shared/net/prefix.ts';
import { macOfVm, vmLinkOf } from '../shared/net/vm-link.ts';
import { type Answer, readAnswer } from './io/foreign.ts';
import { instanceId } from './leases/record.ts';
import type { Plan } from './plan/types.ts';
import { encodeRequest } from './wire/encode.ts';
import { MESSAGE } from './wire/types.ts';

const CHADDR_AT = 28;
const NOBODY = ipv4(0);
/** Asked for, so that a RELEASE that gets lost does not matter for long. */
const LEASE_SECONDS = 120;
const MAX_PLACES = 8;
/** Nobody would be served there, and yet nothing is wrong with this server. */
const FULL: readonly (string | undefined)[] = ['pool-exhausted', 'all-in-use'];

export type CanaryOptions = {
  /** Locally administered; another one on each instance. */
  mac: Uint8Array;
  /** Into the way in. `relay`: where it claims to come from. */
  send: (bytes: Uint8Array) => void;
  /** Why the last message was not answered, if that is known. */
  lastReason: (mac: Uint8Array) => string | undefined;
  xid: () => number;
  timeoutMs: number;
  clock: Clock;
};

/** Whose client to play: one of a relay at this address. */
export type Place = { relay: Ipv4; mac: Uint8Array };

type Waiting = { xid: number; mac: Uint8Array; got: (answer: Answer) => void };

export class Canary {
  readonly #options: CanaryOptions;
  #waiting: Waiting | undefined;

  constructor(options: CanaryOptions) {
    this.#options = options;
  }

  /** Whether the reply is to the canary; then it is not to be sent. */
  take(bytes: Uint8Array): boolean {
    const waiting = this.#waiting;
    if (waiting === undefined) return false;
    if (waiting.mac.some((byte, at) => bytes[CHADDR_AT + at] !== byte)) return false;
    const answer = readAnswer(bytes);
    if (answer?.xid === waiting.xid) waiting.got(answer);
    return true;
  }

  /** The problem; undefined: it got an address, or there is nothing to get. */
  async run(plan: Plan, node: string): Promise<string | undefined> {
    const places = placesOf(plan, node, this.#options.mac);
    for (const place of places) {
      const problem = await this.#exchange(place);
      if (problem === undefined) return undefined;
      if (!FULL.includes(this.#options.lastReason(place.mac))) return problem;
    }
    return undefined;
  }

  async #exchange(place: Place): Promise<string | undefined> {
    const xid = this.#options.xid();
    const offer = await this.#ask(place, xid, MESSAGE.DISCOVER, [[51, u32(LEASE_SECONDS)]]);
    if (typeof offer === 'string') return `DISCOVER: ${offer}`;
    if (offer.messageType !== MESSAGE.OFFER || offer.server === undefined) {
      return `DISCOVER: answered with message type ${offer.messageType}`;
    }
    const server: Option = [54, ipv4ToBytes(offer.server)];
    const wanted: Option = [50, ipv4ToBytes(offer.address)];
    const lease: Option = [51, u32(LEASE_SECONDS)];
    const ack = await this.#ask(place, xid, MESSAGE.REQUEST, [server, wanted, lease]);
    if (typeof ack === 'string') return `REQUEST: ${ack}`;
    const { address, messageType } = ack;
    if (messageType !== MESSAGE.ACK) return `REQUEST: answered with message type ${messageType}`;
    this.#options.send(message(place, xid, MESSAGE.RELEASE, [server], address));
    return address === offer.address ? undefined : `REQUEST: got ${formatIpv4(address)}`;
  }

  #ask(
    place: Place,
    xid: number,
    type: number,
    options: readonly Option[],
  ): Promise<Answer | string> {
    const { send, clock, timeoutMs, lastReason } = this.#options;
    return new Promise((resolve) => {
      const end = (result: Answer | string): void => {
        cancel();
        this.#waiting = undefined;
        resolve(result);
      };
      const cancel = clock.after(timeoutMs, () => {
        end(`no answer within ${timeoutMs} ms: ${lastReason(place.mac) ?? 'it was not received'}`);
      });
      this.#waiting = { xid, mac: place.mac, got: end };
      send(message(place, xid, type, options));
    });
  }
}

/**
 * Subnets with a pool; without any, a /30 of this host. The address of the relay is what the
 * subnet's gateway or relay would have.
 */
export function placesOf(plan: Plan, node: string, mac: Uint8Array): Place[] {
  const pooled = plan.subnets.filter(({ pools }) => pools.length > 0).slice(0, MAX_PLACES);
  if (pooled.length > 0) {
    return pooled.map(({ relays, prefix }) => ({
      mac,
      relay: relays[0] ?? ipv4(firstAddress(prefix) + 1),
    }));
  }
  const net = plan.l3nets.find(({ host }) => host === node);
  if (net === undefined) return [];
  const { vm, gateway } = vmLinkOf(firstAddress(net.cidr));
  return [{ mac: macToBytes(macOfVm(vm)), relay: gateway }];
}

type Option = readonly [code: number, bytes: Uint8Array];

/** A RELEASE is no relay's business: it comes from the address itself. */
function message(
  { relay, mac }: Place,
  xid: number,
  type: number,
  options: readonly Option[],
  address = NOBODY,
): Uint8Array {
  const from = address === NOBODY ? { hops: 1, giaddr: relay } : { ciaddr: address };
  return encodeRequest({ messageType: type, xid, chaddr: mac, options, ...from });
}

function u32(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}

/** Locally administered, unicast; not of the /30s. */
export function canaryMac(node: string): Uint8Array {
  const bytes = new Uint8Array(6);
  bytes.set([0x02, 0xca]);
  new DataView(bytes.buffer).setUint32(2, instanceId(node));
  return bytes;
}
