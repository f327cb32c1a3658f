// Clients that speak through a relay made by hand, and a checker that remembers every ACK that one
// of them ever got: who was promised what, and until when.
import { type Answer, HandRelay, told } from './clients-relay.ts';

type Held = { mac: string; untilMs: number };

const [ACK, NAK] = [5, 6];

/** A server's promises as the clients heard them, by the test's own monotonic clock. */
export class Promises {
  readonly held = new Map<string, Held>();
  /** What was promised to two. */
  readonly broken: string[] = [];
  acks = 0;
  naks = 0;

  see = (answer: Answer): void => {
    if (answer.type === NAK) this.naks++;
    const seconds = answer.options.get(51)?.readUInt32BE(0);
    if (answer.type !== ACK || seconds === undefined) return;
    this.acks++;
    const { address, mac } = answer;
    const nowMs = performance.now();
    const before = this.held.get(address);
    if (before !== undefined && before.mac !== mac && before.untilMs > nowMs) {
      const leftMs = Math.round(before.untilMs - nowMs);
      this.broken.push(`${address}: ${before.mac} has it for ${leftMs} ms more, and ${mac} got it`);
    }
    const untilMs = nowMs + 1000 * seconds;
    // An earlier promise to the same client stands, however short the later one is.
    const kept = before?.mac === mac ? Math.max(before.untilMs, untilMs) : untilMs;
    this.held.set(address, { mac, untilMs: kept });
  };
}

/** Clients of one relay. */
export class HandClients {
  readonly relay: HandRelay;
  readonly promises = new Promises();
  readonly addressOf = new Map<string, string>();
  #next = 1;

  constructor(relay: HandRelay) {
    this.relay = relay;
    relay.onAnswer = this.promises.see;
  }

  static async open(address: string): Promise<HandClients> {
    return new HandClients(await HandRelay.open(address));
  }

  newMac(): string {
    const bytes = [this.#next >> 8, this.#next++ & 255];
    return `02:00:00:01:${bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(':')}`;
  }

  /** Of discover, offer, request, ACK; undefined: no answer to one of them. */
  async lease(server: string, mac = this.newMac(), tries = 5): Promise<string | undefined> {
    const from = { mac, giaddr: this.relay.address };
    const offer = await this.relay.tried(server, { ...from, type: 1 }, tries);
    if (offer === undefined || offer.type !== 2) return undefined;
    const chosen = { requested: offer.address, serverId: told(offer, 54) };
    const ack = await this.relay.tried(server, { ...from, type: 3, ...chosen }, tries);
    if (ack?.type !== ACK) return undefined;
    this.addressOf.set(mac, ack.address);
    return ack.address;
  }

  /** Undefined: no answer. */
  renew(server: string, mac: string, tries = 5): Promise<Answer | undefined> {
    const ciaddr = this.addressOf.get(mac);
    if (ciaddr === undefined) throw new Error(`${mac} has no address`);
    // Through the relay, as one that snoops renewals sends it on: the answer comes back to us.
    const from = { mac, giaddr: this.relay.address };
    return this.relay.tried(server, { ...from, type: 3, ciaddr }, tries);
  }

  close(): Promise<void> {
    return this.relay.close();
  }
}
