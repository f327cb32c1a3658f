// A follower on the real clock with a MapTarget, for tests against real servers.

import { until } from '../../lab/ready.ts';
import { systemClock } from '../../shared/clock.ts';
import { silentLog } from '../../shared/log.ts';
import { systemRandom } from '../../shared/random.ts';
import { Follower } from '../../shared/store/follow.ts';
import { openStore } from '../../shared/store/open.ts';
import type { Store } from '../../shared/store/types.ts';
import { MapTarget } from './follow-target.ts';

export const UNIT = 'natter';

export type Followed = {
  follower: Follower;
  target: MapTarget;
  /** Puts one object, again and again until the store takes it, and returns its value. */
  put(id: string): Promise<string>;
  /** Until the target holds the object with this value. */
  holds(id: string, value: string): Promise<void>;
  /** Raises the version of the unit. */
  raise(version: number): Promise<void>;
  stop(): Promise<void>;
};

let values = 0;

export async function follow(url: string, snapshotPath?: string): Promise<Followed> {
  const store = openStore({ url, commandTimeoutMs: 300 });
  const writer = openStore({ url, commandTimeoutMs: 300 });
  const target = new MapTarget();
  const stop = new AbortController();
  const injected = { clock: systemClock, random: systemRandom, log: silentLog };
  const disk = snapshotPath === undefined ? {} : { snapshotPath };
  const follower = new Follower({ store, unit: UNIT, target, ...disk, ...injected });
  await follower.start(stop.signal);
  return {
    follower,
    target,
    put: (id) => put(writer, id),
    async holds(id, value) {
      const held = () => target.held.get(`eip:${id}`) === value;
      await until(`the target holds ${id}`, held, { timeoutMs: 20_000 });
    },
    async raise(version) {
      const { version: expectedVersion } = await writer.head(UNIT);
      await writer.raise(UNIT, version, { expectedVersion });
    },
    async stop() {
      stop.abort();
      await follower.stopped;
      await store.close();
      await writer.close();
    },
  };
}

async function put(store: Store, id: string): Promise<string> {
  const value = `{"n":${++values}}`;
  const takes = async () => (await store.apply(UNIT, [{ kind: 'eip', id, value }])).version > 0;
  await until('the store takes a change', takes, { timeoutMs: 20_000 });
  return value;
}
