// Keeps the snapshot on disk up to date, not too often; a disk that fails is logged and stops
// nothing (docs/health.md, V6).
import type { Clock } from '../clock.ts';
import { describeError } from '../errors.ts';
import type { Log } from '../log.ts';
import { type Remembered, readSnapshot, writeSnapshot } from './snapshot.ts';

const PAUSE_MS = 10_000;

export type SnapshotKeeperOptions = {
  snapshotPath?: string;
  clock: Clock;
  log: Log<'health-snapshot-refused' | 'health-snapshot-unwritten'>;
};

export class SnapshotKeeper {
  readonly #options: SnapshotKeeperOptions;
  readonly #states: () => Iterable<Remembered & { id: string }>;
  #remembered: ReadonlyMap<string, Remembered> = new Map();
  #isDue = false;
  #cancel = () => {};
  #writing: Promise<void> = Promise.resolve();

  constructor(options: SnapshotKeeperOptions, states: () => Iterable<Remembered & { id: string }>) {
    this.#options = options;
    this.#states = states;
  }

  async load(): Promise<void> {
    const { snapshotPath: path, log } = this.#options;
    if (path === undefined) return;
    try {
      this.#remembered = await readSnapshot(path);
    } catch (error) {
      log.warn('health-snapshot-refused', `${path}: ${describeError(error)}`, { path });
    }
  }

  /** What the snapshot said at the start. */
  of(id: string): Remembered | undefined {
    return this.#remembered.get(id);
  }

  changed(): void {
    const { snapshotPath, clock } = this.#options;
    if (this.#isDue || snapshotPath === undefined) return;
    this.#isDue = true;
    this.#cancel = clock.after(PAUSE_MS, () => this.#write());
  }

  async close(): Promise<void> {
    this.#cancel();
    if (this.#isDue) this.#write();
    await this.#writing;
  }

  #write(): void {
    this.#isDue = false;
    const { snapshotPath: path, log } = this.#options;
    if (path === undefined) return;
    const states = new Map([...this.#states()].map((each) => [each.id, each]));
    this.#writing = this.#writing.then(async () => {
      try {
        await writeSnapshot(path, states);
      } catch (error) {
        log.error('health-snapshot-unwritten', `${path}: ${describeError(error)}`, { path });
      }
    });
  }
}
