// The state directory of a modelled machine: what was synced outlives a crash, what was not may be
// there in part.
import type { BookDisk } from '../../../../dhcpd/leases/options.ts';
import type { Random } from '../../../../shared/random.ts';
import type { Process } from './process.ts';

/** The medium; one process at a time has it open. */
export class Medium {
  journal = new Uint8Array(0);
  snapshot: readonly Uint8Array[] | undefined;
}

export class SimDisk implements BookDisk {
  readonly #medium: Medium;
  readonly #process: Process;
  readonly #random: Random;
  #unsynced: Uint8Array[] = [];

  constructor(medium: Medium, process: Process, random: Random) {
    this.#medium = medium;
    this.#process = process;
    this.#random = random;
  }

  async appendJournal(bytes: Uint8Array): Promise<void> {
    const own = bytes.slice();
    this.#unsynced.push(own);
    await this.#takesTime();
    const at = this.#unsynced.indexOf(own);
    // Synced with an earlier one.
    if (at < 0) return;
    const synced = this.#unsynced.splice(0, at + 1);
    this.#medium.journal = Buffer.concat([this.#medium.journal, ...synced]);
  }

  async readJournal(): Promise<Uint8Array> {
    await this.#takesTime();
    return this.#medium.journal.slice();
  }

  async clearJournal(): Promise<void> {
    await this.#takesTime();
    this.#unsynced = [];
    this.#medium.journal = new Uint8Array(0);
  }

  async writeSnapshot(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const written: Uint8Array[] = [];
    for await (const chunk of chunks) written.push(chunk.slice());
    await this.#takesTime();
    this.#medium.snapshot = written;
  }

  async readSnapshot(): Promise<AsyncIterable<Uint8Array> | undefined> {
    await this.#takesTime();
    const { snapshot } = this.#medium;
    return snapshot === undefined ? undefined : stream(snapshot);
  }

  /** The process is dead: of what was not synced some bytes may have come to the disk. */
  crash(): void {
    const rest = Buffer.concat(this.#unsynced);
    this.#unsynced = [];
    const kept = rest.subarray(0, this.#random.integer(rest.length + 1));
    this.#medium.journal = Buffer.concat([this.#medium.journal, kept]);
  }

  #takesTime(): Promise<void> {
    return this.#process.clock.sleep(1 + this.#random.next() * 10);
  }
}

async function* stream(chunks: readonly Uint8Array[]): AsyncIterable<Uint8Array> {
  yield* chunks;
}
