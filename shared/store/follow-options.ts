// What a follower needs.
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { Random } from '../random.ts';
import type { StoreEvent } from './events.ts';
import type { FollowTarget, Store } from './types.ts';

export type FollowerOptions = {
  store: Store;
  unit: string;
  target: FollowTarget;
  /** Absent: nothing is kept on disk. */
  snapshotPath?: string;
  clock: Clock;
  random: Random;
  log: Log<StoreEvent>;
  /** How often digests are compared, give or take a fifth. Default 60 s. */
  digestIntervalMs?: number;
};
