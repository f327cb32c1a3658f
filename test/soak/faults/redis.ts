// The store: its primary stands still, or dies, and a replica takes over; or all of it starts anew.
import type { Strike } from './strike.ts';

/** A fault of the primary while it is still one of a whole. */
export const redisFreeze: Strike = async ({ lab }) => {
  await lab.redis.whole();
  await lab.redis.freeze();
  const heal = async (): Promise<void> => {
    lab.redis.thaw();
    await lab.redis.whole();
  };
  return { victim: 'redis', struck: [], heal };
};

export const redisKill: Strike = async ({ lab }) => {
  await lab.redis.whole();
  await lab.redis.kill();
  const heal = async (): Promise<void> => {
    await lab.redis.start();
    await lab.redis.whole();
  };
  return { victim: 'redis', struck: [], heal };
};

/** SIGTERM to every server and Sentinel. */
export const redisRestart: Strike = async ({ lab }) => {
  await lab.redis.stopAll();
  const heal = async (): Promise<void> => {
    await lab.redis.startAll();
    await lab.redis.whole();
  };
  return { victim: 'redis', struck: [], heal };
};
