// How each fault of the catalogue is done.
import { clockJump } from './clock.ts';
import { diskFull, storeDiskFull } from './disk.ts';
import { insideDown, loss, redisCut, uplinkDown } from './network.ts';
import { freeze, kill, restart } from './processes.ts';
import { redisFreeze, redisKill, redisRestart } from './redis.ts';
import type { Strike } from './strike.ts';

export const STRIKES: ReadonlyMap<string, Strike> = new Map([
  ['kill', kill],
  ['restart', restart],
  ['freeze', freeze],
  ['redis-freeze', redisFreeze],
  ['redis-kill', redisKill],
  ['redis-restart', redisRestart],
  ['redis-cut', redisCut],
  ['uplink-down', uplinkDown],
  ['inside-down', insideDown],
  ['loss', loss],
  ['disk-full', diskFull],
  ['store-disk-full', storeDiskFull],
  ['clock-jump', clockJump],
]);
