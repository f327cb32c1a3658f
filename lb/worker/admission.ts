// How many connections a worker takes: of all, of a client, of a listener; none while its memory is
// too large. A worker has its share of what the instance may, and a fifth more, for the kernel does
// not spread connections evenly. Pure.
import type { Listener } from '../../shared/site/lb-objects.ts';
import { sourceOf } from '../l7/policy/policy.ts';
import type { Bounds } from '../l7/types.ts';
import type { Tally } from './tally.ts';

export type AdmissionLimits = {
  workers: number;
  connections: number;
  perClient: number;
  workerMemory: number;
};

export class Admission implements Bounds {
  isDraining = false;
  /** As last measured. */
  usedBytes = 0;
  #limits: AdmissionLimits;
  #open = 0;
  readonly #tally: Tally;
  readonly #perClient = new Map<string, number>();

  constructor(limits: AdmissionLimits, tally: Tally) {
    this.#limits = limits;
    this.#tally = tally;
  }

  set limits(limits: AdmissionLimits) {
    this.#limits = limits;
  }

  get open(): number {
    return this.#open;
  }

  /** Its memory is used up: what is open goes on, and nothing begins. */
  get isFull(): boolean {
    return this.usedBytes > this.#limits.workerMemory;
  }

  enter(listener: Listener, address: string): boolean {
    const own = this.#tally.listener(listener.name);
    const client = sourceOf(address);
    const ofClient = this.#perClient.get(client) ?? 0;
    const { connections, perClient } = this.#limits;
    const isShed =
      this.#open >= this.#share(connections) ||
      ofClient >= this.#share(perClient) ||
      (listener.maxConnections > 0 && own.open >= this.#share(listener.maxConnections)) ||
      this.isFull;
    if (isShed) {
      own.shed++;
      return false;
    }
    own.accepted++;
    own.open++;
    this.#open++;
    this.#perClient.set(client, ofClient + 1);
    return true;
  }

  leave(listener: Listener, address: string): void {
    const client = sourceOf(address);
    this.#tally.listener(listener.name).open--;
    this.#open--;
    const left = (this.#perClient.get(client) ?? 1) - 1;
    if (left > 0) this.#perClient.set(client, left);
    else this.#perClient.delete(client);
  }

  #share(of: number): number {
    const { workers } = this.#limits;
    return workers === 1 ? of : Math.ceil((of * 1.2) / workers);
  }
}
