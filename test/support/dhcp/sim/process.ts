// One process of the simulation: runs, stands still, or is dead. What reaches it from outside comes
// by enter(); a dead one hears nothing ever again, a frozen one all of it later, in order.
import type { Clock } from '../../../../shared/clock.ts';
import { clockOf, type World } from './world.ts';

/** What a machine keeps from one process to the next: its oscillator and its wall clock. */
export type Machine = { rate: number; startMs: number; wallOffsetMs: number };

/** Packets that a socket holds for a process that does not read. */
const MAX_HELD_PACKETS = 256;

export class Process {
  readonly clock: Clock;
  readonly #world: World;
  #state: 'running' | 'frozen' | 'dead' = 'running';
  #held: (() => void)[] = [];
  #heldPackets = 0;
  #frozenAtMs = 0;
  #asleepMs = 0;

  constructor(world: World, machine: Machine, clockSleeps = false) {
    this.#world = world;
    const { rate, startMs } = machine;
    this.clock = clockOf({
      nowMs: () => world.wallMs + machine.wallOffsetMs,
      monotonicMs: () => startMs + (world.nowMs - (clockSleeps ? this.#asleepMs : 0)) * rate,
      after: (delayMs, fire) => {
        let isCancelled = false;
        const cancel = world.after(Math.ceil(delayMs / rate), () => {
          this.enter(() => {
            if (!isCancelled) fire();
          });
        });
        return () => {
          isCancelled = true;
          cancel();
        };
      },
    });
  }

  get state(): 'running' | 'frozen' | 'dead' {
    return this.#state;
  }

  enter(action: () => void): void {
    if (this.#state === 'running') action();
    else if (this.#state === 'frozen') this.#held.push(action);
  }

  packet(action: () => void): void {
    if (this.#state !== 'frozen') this.enter(action);
    else if (this.#heldPackets < MAX_HELD_PACKETS) {
      this.#heldPackets += 1;
      this.#held.push(action);
    }
  }

  /** The promise as this process sees it: settled while it runs, or never. */
  seen<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      promise.then(
        (value) => this.enter(() => resolve(value)),
        (error) => this.enter(() => reject(error)),
      );
    });
  }

  freeze(): void {
    if (this.#state !== 'running') return;
    this.#state = 'frozen';
    this.#frozenAtMs = this.#world.nowMs;
  }

  thaw(): void {
    if (this.#state !== 'frozen') return;
    this.#state = 'running';
    this.#asleepMs += this.#world.nowMs - this.#frozenAtMs;
    const held = this.#held;
    this.#held = [];
    this.#heldPackets = 0;
    for (const action of held) this.#world.after(0, () => this.enter(action));
  }

  kill(): void {
    this.#state = 'dead';
    this.#held = [];
  }
}
