// A DHCP client (RFC 2131 figure 5, §4.4), all states, with the ways of real ones: some give their
// address back, some vanish and return sooner or later, some find an address in use. Its times are
// scaled to short leases. What it holds is written into the ledger.
import type { ServerMessage } from '../../../../dhcpd/wire/parse.ts';
import { MESSAGE } from '../../../../dhcpd/wire/types.ts';
import { formatIpv4, type Ipv4, ipv4FromBytes } from '../../../../shared/net/ipv4.ts';
import { pick, type Random } from '../../../../shared/random.ts';
import { type ClientFields, decline, discover, release, request } from '../request.ts';
import type { Ledger } from './ledger.ts';
import type { World } from './world.ts';

export type To = 'everybody' | Ipv4;

export type Surroundings = {
  world: World;
  ledger: Ledger;
  random: Random;
  send: (
    client: SimClient,
    type: string,
    message: (more: ClientFields) => Uint8Array,
    to: To,
  ) => void;
  nextXid: (client: SimClient) => number;
  /** Shares of clients that, once bound, give back, vanish, find the address in use. */
  habits: { releases: number; vanishes: number; declines: number };
};

export type Identity = { name: string; mac: string; clientId?: Uint8Array; isReserved?: true };

export type ClientState =
  | 'off'
  | 'selecting'
  | 'requesting'
  | 'rebooting'
  | 'bound'
  | 'renewing'
  | 'rebinding';

type Lease = { address: Ipv4; server: Ipv4; untilMs: number; t1Ms: number; t2Ms: number };

const MAX_TRIES = 4;
/** RFC 2131 §3.1: at least ten seconds after a DECLINE. */
const AFTER_DECLINE_MS = 10_000;
/**
 * Longer than any message is under way, and than a server can be frozen: a RELEASE has no
 * generation, so one that comes after its client has the address again would free it.
 */
const AFTER_RELEASE_MS = 75_000;
/** Longer than anybody is patient; what waited is cut off by then. */
const RENEW_AGAIN_MS = 3000;

export class SimClient {
  readonly identity: Identity;
  state: ClientState = 'off';
  xid = 0;
  lease: Lease | undefined;
  /** What it asks to have again. */
  remembered: Ipv4 | undefined;
  /** Since when it wants an address and has none. */
  wantsSinceMs: number | undefined;
  readonly #with: Surroundings;
  #offers: ServerMessage[] = [];
  #chosen: ServerMessage | undefined;
  #tries = 0;
  #startedMs = 0;
  #isSettled = false;
  #cancel = () => {};

  constructor(identity: Identity, surroundings: Surroundings) {
    this.identity = identity;
    this.#with = surroundings;
  }

  get isWaiting(): boolean {
    return this.state !== 'off' && this.state !== 'bound' && this.state !== 'selecting';
  }

  /** Switched on, or its link comes up. */
  start(): void {
    if (this.state !== 'off') return;
    this.wantsSinceMs = this.#with.world.nowMs;
    if (this.remembered !== undefined && this.#chance(0.7)) this.#reboot();
    else this.#init(this.#with.random.next() * 1000);
  }

  /** Wants an address from now on, and has no more moods. */
  settleDown(): void {
    this.#isSettled = true;
    this.start();
  }

  /** Without a word; the address is still its own while the lease lasts. */
  vanish(): void {
    this.#become('off');
    this.wantsSinceMs = undefined;
  }

  receive(message: ServerMessage): void {
    if (message.xid !== this.xid || this.state === 'off' || this.state === 'bound') return;
    const { messageType } = message;
    if (messageType === MESSAGE.OFFER && this.state === 'selecting') this.#offered(message);
    else if (messageType === MESSAGE.ACK && this.isWaiting) this.#acked(message);
    else if (messageType === MESSAGE.NAK && this.isWaiting) this.#refused();
  }

  // The states

  #init(delayMs: number): void {
    this.#become('selecting');
    // Offers to what it asked before are for nothing now.
    this.xid = this.#with.nextXid(this);
    this.lease = undefined;
    this.#offers = [];
    this.wantsSinceMs ??= this.#with.world.nowMs;
    this.#wait(delayMs, () => {
      this.#begin();
      this.#discover();
    });
  }

  #discover(): void {
    if (this.#tries >= MAX_TRIES) this.#begin();
    const wish = this.remembered === undefined ? {} : { requested: formatIpv4(this.remembered) };
    this.#send('DISCOVER', (more) => discover({ ...wish, ...more }), 'everybody');
    this.#again(() => this.#discover());
  }

  #offered(message: ServerMessage): void {
    if (message.yiaddr === 0) return;
    this.#offers.push(message);
    if (this.#offers.length > 1) return;
    this.#wait(this.#chance(0.5) ? 0 : 300 * this.#with.random.next(), () => this.#select());
  }

  #select(): void {
    this.#chosen = pick(this.#with.random, this.#offers);
    this.#become('requesting');
    this.#tries = 0;
    this.#request();
  }

  #request(): void {
    const { yiaddr, options } = this.#chosen ?? {};
    if (this.#tries >= MAX_TRIES || yiaddr === undefined) {
      this.#init(500);
      return;
    }
    const requested = formatIpv4(yiaddr);
    const serverId = formatIpv4(addressOf(options?.get(54)));
    this.#send('REQUEST', (more) => request({ requested, serverId, ...more }), 'everybody');
    this.#again(() => this.#request());
  }

  #reboot(): void {
    this.#become('rebooting');
    this.#begin();
    this.#askAgain();
  }

  #askAgain(): void {
    const { remembered, lease } = this;
    const isOver = remembered === undefined || this.#tries >= MAX_TRIES;
    if (isOver) {
      // RFC 2131 §3.2: nobody answers, so it goes on with what is left of its lease.
      if (lease !== undefined && lease.untilMs > this.#with.world.nowMs) this.#bound();
      else this.#init(500);
      return;
    }
    const requested = formatIpv4(remembered);
    this.#send('REBOOT', (more) => request({ requested, ...more }), 'everybody');
    this.#again(() => this.#askAgain());
  }

  #bound(): void {
    const { lease } = this;
    const { nowMs } = this.#with.world;
    if (lease === undefined) return;
    this.#become('bound');
    this.wantsSinceMs = undefined;
    if (nowMs >= lease.untilMs) this.#expire();
    else if (nowMs >= lease.t2Ms) this.#extend();
    else this.#wait(Math.max(0, lease.t1Ms - nowMs), () => this.#extend());
  }

  /** T1 or T2 has come. */
  #extend(): void {
    this.#begin();
    this.#renew();
  }

  #renew(): void {
    const { lease } = this;
    const { nowMs } = this.#with.world;
    if (lease === undefined || nowMs >= lease.untilMs) {
      this.#expire();
      return;
    }
    const isRebinding = nowMs >= lease.t2Ms;
    this.state = isRebinding ? 'rebinding' : 'renewing';
    const ciaddr = formatIpv4(lease.address);
    const to = isRebinding ? 'everybody' : lease.server;
    const type = isRebinding ? 'REBIND' : 'RENEW';
    this.#send(type, (more) => request({ ciaddr, ...more }), to);
    const nextMs = isRebinding ? lease.untilMs : lease.t2Ms;
    const waitMs = Math.max(RENEW_AGAIN_MS, (nextMs - nowMs) / 2);
    this.#wait(Math.max(0, Math.min(waitMs, nextMs - nowMs)), () => this.#renew());
  }

  #expire(): void {
    this.#with.world.say(`${this.identity.name} lost ${this.#addressText()}: its lease is over`);
    this.#init(this.#with.random.next() * 1000);
  }

  // What comes back

  #acked(message: ServerMessage): void {
    const { ledger, world, habits } = this.#with;
    const { name } = this.identity;
    const address = message.yiaddr;
    const seconds = addressOf(message.options.get(51)) as number;
    if (this.askedFor !== address) {
      ledger.fault(
        `${name} asked for ${formatIpv4(this.askedFor ?? (0 as Ipv4))}, and the ACK says ` +
          `${formatIpv4(address)}`,
      );
      return;
    }
    const isNew = this.state === 'requesting';
    const nowMs = world.nowMs;
    const lastsMs = seconds * 1000;
    this.lease = {
      address,
      server: addressOf(message.options.get(54)),
      untilMs: nowMs + lastsMs,
      t1Ms: nowMs + lastsMs * 0.5,
      t2Ms: nowMs + lastsMs * 0.875,
    };
    this.remembered = address;
    if (isNew && !this.#isSettled && this.#chance(habits.declines)) {
      this.#decline();
      return;
    }
    ledger.promise(name, address, nowMs + lastsMs, 'used', `ACK ${hex(this.xid)}`);
    this.#bound();
    if (isNew && this.#chance(habits.releases)) this.#later(() => this.#release());
    else if (isNew && this.#chance(habits.vanishes)) this.#later(() => this.#leave());
  }

  #refused(): void {
    const { world, ledger } = this.#with;
    world.say(`${this.identity.name} hears NAK in ${this.state}`);
    const refused = this.askedFor;
    if (refused !== undefined) ledger.end(this.identity.name, refused);
    if (this.state !== 'requesting') this.remembered = undefined;
    this.#init(200 + 1000 * this.#with.random.next());
  }

  /** The address that it waits to hear of. */
  get askedFor(): Ipv4 | undefined {
    if (this.state === 'requesting') return this.#chosen?.yiaddr;
    return this.state === 'rebooting' ? this.remembered : this.lease?.address;
  }

  #decline(): void {
    const { lease } = this;
    if (lease === undefined) return;
    this.#with.ledger.end(this.identity.name, lease.address);
    const requested = formatIpv4(lease.address);
    const serverId = formatIpv4(lease.server);
    this.remembered = undefined;
    this.#send('DECLINE', (more) => decline({ requested, serverId, ...more }), 'everybody');
    this.#init(AFTER_DECLINE_MS);
  }

  #release(): void {
    const { lease } = this;
    if (lease === undefined || this.state === 'off') return;
    this.#with.ledger.end(this.identity.name, lease.address);
    const ciaddr = formatIpv4(lease.address);
    const serverId = formatIpv4(lease.server);
    this.xid = this.#with.nextXid(this);
    this.#send('RELEASE', (more) => release({ ciaddr, serverId, ...more }), lease.server);
    this.vanish();
    this.lease = undefined;
    // It knows that it has no right to it any more; some ask for it all the same.
    if (this.#chance(0.5)) this.remembered = undefined;
    this.#wait(AFTER_RELEASE_MS + this.#with.random.integer(60_000), () => this.start());
  }

  #leave(): void {
    if (this.state === 'off') return;
    this.#with.world.say(`${this.identity.name} vanishes with ${this.#addressText()}`);
    this.vanish();
    const mostMs = this.#chance(0.25) ? 1_200_000 : 60_000;
    this.#wait(5000 + this.#with.random.integer(mostMs), () => this.start());
  }

  /** Some time while it is bound; renewals go on meanwhile. */
  #later(act: () => void): void {
    const { address } = this.lease ?? {};
    this.#with.world.after(this.#with.random.integer(120_000), () => {
      if (this.#isSettled) return;
      if (this.state !== 'off' && this.lease?.address === address) act();
    });
  }

  // Tools

  #become(state: ClientState): void {
    this.#cancel();
    this.state = state;
  }

  /** A new transaction. */
  #begin(): void {
    this.xid = this.#with.nextXid(this);
    this.#tries = 0;
    this.#startedMs = this.#with.world.nowMs;
  }

  #again(act: () => void): void {
    const backoffMs = 2000 * 2 ** Math.min(this.#tries, 3) * (0.8 + 0.4 * this.#with.random.next());
    this.#tries += 1;
    this.#wait(backoffMs, act);
  }

  #wait(delayMs: number, act: () => void): void {
    this.#cancel();
    this.#cancel = this.#with.world.after(delayMs, () => {
      this.#with.world.steps += 1;
      act();
    });
  }

  #send(type: string, message: (more: ClientFields) => Uint8Array, to: To): void {
    const { clientId, mac } = this.identity;
    const secs = Math.floor((this.#with.world.nowMs - this.#startedMs) / 1000);
    const own = { xid: this.xid, mac, secs, ...(clientId === undefined ? {} : { clientId }) };
    this.#with.send(this, type, (more) => message({ ...own, ...more }), to);
  }

  #chance(share: number): boolean {
    return this.#with.random.next() < share;
  }

  #addressText(): string {
    return this.lease === undefined ? 'nothing' : formatIpv4(this.lease.address);
  }
}

export function addressOf(bytes: Uint8Array | undefined): Ipv4 {
  return bytes?.length === 4 ? ipv4FromBytes(bytes) : (0 as Ipv4);
}

export function hex(xid: number): string {
  return xid.toString(16).padStart(8, '0');
}
