// A network between clients and servers that loses, delays, doubles and so reorders.
import type { Random } from '../../../../shared/random.ts';
import type { World } from './world.ts';

export type NetworkSettings = {
  lost: number;
  doubled: number;
  slow: number;
  delayMs: readonly [least: number, most: number];
  /** What is slow takes up to this; with R5 it has to stay within the guard of the leases. */
  slowMs: number;
};

export const badNetwork: NetworkSettings = {
  lost: 0.08,
  doubled: 0.06,
  slow: 0.05,
  delayMs: [0.2, 60],
  slowMs: 3000,
};

export const goodNetwork: NetworkSettings = {
  lost: 0,
  doubled: 0,
  slow: 0,
  delayMs: [0.2, 5],
  slowMs: 5,
};

export class Network {
  settings: NetworkSettings;
  readonly #world: World;
  readonly #random: Random;

  constructor(world: World, settings: NetworkSettings) {
    this.#world = world;
    this.#random = world.random('network');
    this.settings = settings;
  }

  /** Has it arrive: once, twice or never. */
  carry(arrive: () => void): void {
    const { lost, doubled } = this.settings;
    if (this.#random.next() < lost) return;
    const copies = this.#random.next() < doubled ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      this.#world.after(this.#delayMs(), () => {
        this.#world.steps += 1;
        arrive();
      });
    }
  }

  #delayMs(): number {
    const { slow, slowMs, delayMs } = this.settings;
    const [least, most] = this.#random.next() < slow ? [delayMs[1], slowMs] : delayMs;
    return least + this.#random.next() * (most - least);
  }
}
