// One suite, two stores.
import { systemClock } from '../../../shared/clock.ts';
import { unitKeys } from '../../../shared/store/keys.ts';
import { MemoryServer } from '../../../shared/store/memory.ts';
import { openStore } from '../../../shared/store/open.ts';
import type { Store } from '../../../shared/store/types.ts';
import type { RedisProcess } from '../../support/redis.ts';
import { startRedis } from '../../support/redis.ts';
import { describeStore } from '../../support/store-conformance.ts';

describeStore(
  'the store in memory',
  async () => {
    const server = new MemoryServer({ clock: systemClock });
    const trim = async (unit: string, keep: number) => server.trim(unit, keep);
    return { store: server.connect(), other: server.connect(), trim };
  },
  async () => {},
);

let redis: RedisProcess;
let stores: Store[];

describeStore(
  'the store in Redis',
  async () => {
    redis = await startRedis({ arguments: ['--appendonly', 'yes'] });
    const config = { url: redis.url, commandTimeoutMs: 5000 };
    const [store, other] = [openStore(config), openStore(config)];
    stores = [store, other];
    const trim = async (unit: string, keep: number) => {
      await redis.ask(`XTRIM ${unitKeys(unit).changes} MAXLEN ${keep}`);
    };
    return { store, other, trim };
  },
  async () => {
    for (const store of stores) await store.close();
    await redis.stop();
  },
);
