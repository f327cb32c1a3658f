// DHCP clients behind a relay of our own (RFC 2131, RFC 1542): each gets an address, renews it, and
// then gives it back or just goes; a new client follows. Every ACK is told, for the book.
import { type Answer, HandRelay, told } from '../../support/dhcp/clients-relay.ts';
import type { ClientFields } from '../../support/dhcp/request.ts';
import type { Load } from '../facts.ts';
import type { Tally } from './tally.ts';

export type LeasePlan = {
  /** Of the relay; its subnet's addresses are what clients get. */
  relay: string;
  servers: readonly string[];
  clients: number;
  /** How long a client waits between what it does. */
  pauseMs: number;
};

const MESSAGE = { discover: 1, offer: 2, request: 3, ack: 5, nak: 6, release: 7 } as const;
const TRIES = 8;
const TRY_MS = 1500;
const RENEWALS = 3;
const FIRST_MAC = 0x02_51_00_00_00_00;

class Clients {
  readonly #plan: LeasePlan;
  readonly #relay: HandRelay;
  readonly #tally: Tally;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #macs = 0;
  #xid = 1;

  constructor(plan: LeasePlan, relay: HandRelay, tally: Tally) {
    this.#plan = plan;
    this.#relay = relay;
    this.#tally = tally;
    relay.onAnswer = (answer) => {
      relay.answers.length = 0; // only the newest is of use here
      this.#noteAck(answer);
      this.#waiting.get(answer.xid)?.(answer);
    };
  }

  /** All ACKs count, also one that comes when nobody waits for it any more. */
  #noteAck({ type, mac, address, options }: Answer): void {
    const seconds = options.get(51)?.readUInt32BE(0);
    if (type !== MESSAGE.ack || seconds === undefined) return;
    const atMs = Date.now();
    this.#tally.grant({ address, mac, atMs, untilMs: atMs + 1000 * seconds });
  }

  /** The first answer of these types; a relay sends to all servers. */
  async #ask(fields: ClientFields, types: readonly number[]): Promise<Answer | undefined> {
    const { servers, relay } = this.#plan;
    const xid = this.#xid++;
    for (let tried = 0; tried < TRIES; tried++) {
      const answer = await new Promise<Answer | undefined>((resolve) => {
        const timer = setTimeout(resolve, TRY_MS, undefined);
        this.#waiting.set(xid, (came) => {
          if (!types.includes(came.type)) return;
          clearTimeout(timer);
          resolve(came);
        });
        for (const server of servers) {
          const sent = this.#relay.send(server, { ...fields, xid, giaddr: relay });
          sent.catch(() => undefined); // lost: it is sent again
        }
      });
      this.#waiting.delete(xid);
      if (answer !== undefined) return answer;
    }
    return undefined;
  }

  #newMac(): string {
    const digits = (FIRST_MAC + ++this.#macs).toString(16).padStart(12, '0');
    return digits.replace(/..(?=.)/g, '$&:');
  }

  #report(load: Load, sinceMs: number, answer: Answer | undefined, what: string): boolean {
    if (answer?.type === MESSAGE.ack) this.#tally.done(load, Date.now() - sinceMs);
    else if (answer?.type === MESSAGE.nak) this.#tally.trouble(load, 'nak', what, sinceMs);
    else this.#tally.trouble(load, 'failed', `${what}: no answer`, sinceMs);
    return answer?.type === MESSAGE.ack;
  }

  /** Undefined: it got none. */
  async #boot(mac: string): Promise<Answer | undefined> {
    const sinceMs = Date.now();
    const offer = await this.#ask({ mac, type: MESSAGE.discover }, [MESSAGE.offer]);
    if (offer === undefined) {
      this.#report('dhcp-new', sinceMs, undefined, `${mac} asks for an address`);
      return undefined;
    }
    const chosen = { requested: offer.address, serverId: told(offer, 54) };
    const types = [MESSAGE.ack, MESSAGE.nak];
    const ack = await this.#ask({ mac, type: MESSAGE.request, ...chosen }, types);
    const what = `${mac} asks for ${offer.address}, which it was offered`;
    // What was offered may be gone by the time that it is asked for: a NAK is no harm there.
    if (ack?.type === MESSAGE.nak) return undefined;
    return this.#report('dhcp-new', sinceMs, ack, what) ? ack : undefined;
  }

  /** A client's whole life, with so many renewals. */
  async #live(renewals: number): Promise<void> {
    const mac = this.#newMac();
    const ack = await this.#boot(mac);
    await this.#pause();
    if (ack === undefined) return;
    const { address } = ack;
    for (let renewed = 0; renewed < renewals; renewed++) {
      const sinceMs = Date.now();
      const fields = { mac, type: MESSAGE.request, ciaddr: address };
      const answer = await this.#ask(fields, [MESSAGE.ack, MESSAGE.nak]);
      if (!this.#report('dhcp-renew', sinceMs, answer, `${mac} renews ${address}`)) return;
      await this.#pause();
    }
    if (this.#macs % 2 === 0) return; // it just goes
    const atMs = Date.now();
    this.#tally.grant({ address, mac, atMs, untilMs: atMs });
    const left = { mac, type: MESSAGE.release, ciaddr: address, giaddr: this.#plan.relay };
    const serverId = told(ack, 54);
    await this.#relay.send(serverId, { ...left, serverId }).catch(() => undefined); // it is gone
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, this.#plan.pauseMs));
  }

  /** `first`: how often the first of these clients renews; so not all boot at the same time. */
  async keepLiving(first: number): Promise<never> {
    await this.#live(first);
    for (;;) await this.#live(RENEWALS);
  }
}

export async function keepLeasing(plan: LeasePlan, tally: Tally): Promise<void> {
  const clients = new Clients(plan, await HandRelay.open(plan.relay), tally);
  for (let at = 0; at < plan.clients; at++) {
    const first = at % (RENEWALS + 1);
    setTimeout(() => void clients.keepLiving(first), (at * plan.pauseMs) / plan.clients);
  }
}
