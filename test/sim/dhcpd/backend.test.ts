// One suite, two backends: leases in Redis, and the model that simulations run on.
import { openRedisLeases, type RedisLeases } from '../../../dhcpd/leases/backend.ts';
import { systemClock } from '../../../shared/clock.ts';
import { seededRandom } from '../../../shared/random.ts';
import { leaseKeys } from '../../../shared/store/keys.ts';
import { describeLeaseBackend } from '../../support/dhcp/lease-backend-conformance.ts';
import { RedisModel } from '../../support/dhcp/redis-model.ts';
import { type RedisProcess, startRedis } from '../../support/redis.ts';

describeLeaseBackend(
  'the leases of the model',
  async () => {
    const model = new RedisModel({ clock: systemClock, random: seededRandom(1) });
    return {
      backend: model.connect(),
      other: model.connect(),
      restart: async () => model.restart(),
      flush: async () => model.flush(),
      trim: async (keep) => model.primary.trim(keep),
    };
  },
  async () => {},
);

let redis: RedisProcess;
let opened: RedisLeases[];

describeLeaseBackend(
  'the leases in Redis',
  async () => {
    redis = await startRedis({ arguments: ['--appendonly', 'yes', '--appendfsync', 'always'] });
    const store = { url: redis.url, commandTimeoutMs: 5000 };
    const [backend, other] = [1, 2].map(() =>
      openRedisLeases({ store, durability: { by: 'fsync' } }),
    );
    if (backend === undefined || other === undefined) throw new Error('no backends');
    opened = [backend, other];
    return {
      backend,
      other,
      async restart() {
        await redis.kill();
        await redis.start();
      },
      async flush() {
        await redis.ask('FLUSHALL');
      },
      async trim(keep) {
        await redis.ask(`XTRIM ${leaseKeys('dhcpd').log} MAXLEN ${keep}`);
      },
    };
  },
  async () => {
    for (const each of opened) each.close();
    await redis.stop();
  },
);
