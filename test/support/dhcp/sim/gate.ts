// Between one process and Redis: a cable that can be pulled, and a process that may stand still or
// be dead when the reply comes.
import type { LeaseBackend } from '../../../../dhcpd/leases/types.ts';
import { describeCode } from '../redis-model-failure.ts';
import type { Process } from './process.ts';
import type { World } from './world.ts';

const TIMEOUT_MS = 500;

export type Cable = { isCut: boolean };

export function gated(
  inner: LeaseBackend,
  process: Process,
  cable: Cable,
  world: World,
): LeaseBackend {
  const lost = <T>() =>
    new Promise<T>((_, reject) => {
      world.after(TIMEOUT_MS, () => reject(describeCode('EDGE_STORE_TIMEOUT')));
    });
  const across = async <T>(call: () => Promise<T>): Promise<T> => {
    if (cable.isCut) return lost();
    const value = await call();
    return cable.isCut ? lost() : value;
  };
  const pass = <T>(call: () => Promise<T>): Promise<T> => process.seen(across(call));
  return {
    lineage: () => pass(() => inner.lineage()),
    run: (items) => pass(() => inner.run(items)),
    adopt: (blocks, from, seconds) => pass(() => inner.adopt(blocks, from, seconds)),
    lengthen: (block, seconds) => pass(() => inner.lengthen(block, seconds)),
    prove: (blocks, lineage) => pass(() => inner.prove(blocks, lineage)),
    blocks: () => pass(() => inner.blocks()),
    read: (blocks) => pass(() => inner.read(blocks)),
    details: (addresses) => pass(() => inner.details(addresses)),
    offer: (key, address, ttlMs) => pass(() => inner.offer(key, address, ttlMs)),
    offered: (key) => pass(() => inner.offered(key)),
    logTail: () => pass(() => inner.logTail()),
    follow: (afterId, blockMs, signal) => pass(() => inner.follow(afterId, blockMs, signal)),
    close: () => inner.close(),
  };
}
