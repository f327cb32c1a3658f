// The checker: knows every promise that left, who holds which address until when by true time, and
// finds fault. It asks no server and no Redis; the plan alone tells it what may be given.
import { formatIpv4, type Ipv4 } from '../../../../shared/net/ipv4.ts';
import type { World } from './world.ts';

/**
 * `sent`: an ACK left for the transaction that the client is in, so it may come to use the address;
 * `used`: the client took it.
 */
export type Grade = 'sent' | 'used';

type Held = { grade: Grade; untilMs: number; by: string };

export class Fault extends Error {
  override name = 'Fault';
}

export class Ledger {
  /** In the order found; empty is what a test wants. */
  readonly faults: string[] = [];
  promises = 0;
  readonly #world: World;
  readonly #holders = new Map<Ipv4, Map<string, Held>>();

  constructor(world: World) {
    this.#world = world;
  }

  fault(message: string): void {
    this.#world.say(`FAULT ${message}`);
    this.faults.push(`${(this.#world.nowMs / 1000).toFixed(3)} ${message}`);
  }

  promise(client: string, address: Ipv4, untilMs: number, grade: Grade, by: string): void {
    this.promises += 1;
    const holders = this.#holdersOf(address);
    for (const [other, held] of holders) {
      if (other === client) continue;
      const mode = grade === 'used' && held.grade === 'used' ? 'held by two' : 'promised to two';
      const until = ((held.untilMs - this.#world.nowMs) / 1000).toFixed(1);
      this.fault(
        `${formatIpv4(address)} is ${mode}: ${other} by ${held.by} for ${until} s more, ` +
          `and ${client} by ${by}`,
      );
    }
    const own = holders.get(client);
    // What was sent stays possible until it is over, even when the client took less.
    const longer = own !== undefined && own.untilMs > untilMs;
    holders.set(client, {
      grade: own?.grade === 'used' ? 'used' : grade,
      untilMs: longer ? own.untilMs : untilMs,
      by: longer ? own.by : by,
    });
  }

  /** The client gave it back, declined it or was refused it. */
  end(client: string, address: Ipv4): void {
    this.#holders.get(address)?.delete(client);
  }

  isHeldByAnother(client: string, address: Ipv4): boolean {
    return [...this.#holdersOf(address).keys()].some((name) => name !== client);
  }

  /** How many addresses somebody may use right now. */
  get size(): number {
    for (const address of [...this.#holders.keys()]) this.#holdersOf(address);
    return this.#holders.size;
  }

  #holdersOf(address: Ipv4): Map<string, Held> {
    const holders = this.#holders.get(address) ?? new Map<string, Held>();
    for (const [name, { untilMs }] of holders) {
      if (untilMs <= this.#world.nowMs) holders.delete(name);
    }
    if (holders.size === 0) this.#holders.delete(address);
    this.#holders.set(address, holders);
    return holders;
  }
}
