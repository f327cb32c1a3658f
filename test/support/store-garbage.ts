// What a hostile or broken writer may put into Redis behind the services' backs: by hand what is
// likely to hurt, and seeded random besides. Each strikes keys that our scripts write.
import { Redis } from 'ioredis';
import { type Random, seededRandom } from '../../shared/random.ts';
import { healthKeys, memberKeys, nameKeys, unitKeys } from '../../shared/store/keys.ts';
import type { Store } from '../../shared/store/types.ts';
import { COUNTS, IDS, MEGABYTE, VALUES } from './store-garbage-values.ts';

export const UNITS = ['natter', 'dhcpd', 'dns', 'pools', 'lb'] as const;
const SERVICES = ['natter', 'dhcpd', 'dns', 'lb'] as const;
const KINDS: Record<(typeof UNITS)[number], string[]> = {
  natter: ['eip', 'forward', 'group', 'node'],
  dhcpd: ['subnet', 'reservation', 'class', 'l3net', 'node'],
  dns: ['zone', 'record', 'line', 'node'],
  pools: ['pool', 'override'],
  lb: ['certificate', 'vserver', 'listener', 'route', 'node'],
};

type Strike = (redis: Redis) => Promise<void>;
export type Garbage = { name: string; strike: Strike };

/** A follower reads everything again when an entry of the stream does not join on. */
async function stir(redis: Redis): Promise<void> {
  for (const unit of UNITS) {
    await redis.xadd(unitKeys(unit).changes, '*', 'p', 'x').catch(() => {});
  }
}

/** An entry that joins on to the last one as if apply.lua had written it. */
async function joined(redis: Redis, unit: string, fields: string[]): Promise<void> {
  const { head, changes } = unitKeys(unit);
  const [version, digest, tail, count] = await redis.hmget(
    head,
    ...['version', 'digest', 'tail', 'count'],
  );
  const next = String(Number(version ?? 0) + 1);
  const own = ['v', next, 'p', tail ?? '0-0', 'b', digest ?? '0'.repeat(12)];
  const rest = ['d', 'abcdefabcdef', 'n', count ?? '1'];
  const id = await redis.xadd(changes, '*', ...own, ...rest, ...fields);
  await redis.hset(head, { version: next, digest: 'abcdefabcdef', tail: id ?? '' });
}

const everyUnit =
  (strike: (redis: Redis, unit: (typeof UNITS)[number]) => Promise<unknown>): Strike =>
  async (redis) => {
    for (const unit of UNITS) await strike(redis, unit);
    await stir(redis);
  };

/** The version, too, or what is held is known to be the same. */
async function rewritten(redis: Redis, unit: string): Promise<void> {
  await redis.hincrby(unitKeys(unit).head, 'version', 1);
}

function withObjects(pairs: (kind: string) => [string, string][]): Strike {
  return everyUnit(async (redis, unit) => {
    const { objects } = unitKeys(unit);
    for (const kind of KINDS[unit]) {
      for (const [id, value] of pairs(kind)) await redis.hset(objects, `${kind}:${id}`, value);
    }
    await rewritten(redis, unit);
  });
}

/** Of each kind some objects, each with another value. */
const VALUES_AT_ONCE = 6;
const groups = Array.from({ length: Math.ceil(VALUES.length / VALUES_AT_ONCE) }, (_, at) =>
  VALUES.slice(at * VALUES_AT_ONCE, (at + 1) * VALUES_AT_ONCE),
);

const ofObjects: Garbage[] = [
  ...groups.map((values) => ({
    name: `objects of values ${JSON.stringify(values.map((value) => value.slice(0, 20)))}`,
    strike: withObjects(() =>
      IDS.slice(0, 8).map((id, at) => [id, values[at % values.length] ?? '']),
    ),
  })),
  {
    name: 'objects of odd ids and unknown kinds',
    strike: everyUnit(async (redis, unit) => {
      const { objects } = unitKeys(unit);
      for (const kind of ['', '__proto__', 'constructor', 'nobody', ...KINDS[unit]]) {
        for (const id of IDS) await redis.hset(objects, `${kind}:${id}`, '{"name":"x"}');
        await redis.hset(objects, kind, '{}');
      }
      await rewritten(redis, unit);
    }),
  },
  {
    name: 'a hundred thousand objects',
    strike: everyUnit(async (redis, unit) => {
      const fill = `for i = 1, 20000 do redis.call('HSET', KEYS[1], ARGV[1] .. ':10.0.' ..
        math.floor(i / 256) .. '.' .. i % 256, '{"private":"10.1.2.3","mac":"02:00:00:00:00:05"}')
        end`;
      await redis.eval(fill, 1, unitKeys(unit).objects, KINDS[unit][0] ?? '');
      await rewritten(redis, unit);
    }),
  },
];

/** Another count for each unit; with these first ones each count is some units'. */
const FIRST_COUNTS = [0, 3, 5];
const countFor = (first: number, unit: (typeof UNITS)[number]): string =>
  COUNTS[(first + UNITS.indexOf(unit)) % COUNTS.length] ?? '';

const ofStreams: Garbage[] = [
  ...FIRST_COUNTS.map((first) => ({
    name: `entries of version and count ${JSON.stringify(COUNTS[first])} and others`,
    strike: everyUnit((redis, unit) => {
      const count = countFor(first, unit);
      const fields = ['v', count, 'n', count, 'p', '0-0', 'd', count];
      return redis.xadd(unitKeys(unit).changes, '*', ...fields);
    }),
  })),
  {
    name: 'entries that join on, with objects of garbage',
    strike: async (redis) => {
      for (const unit of UNITS) {
        const fields = KINDS[unit].flatMap((kind) =>
          IDS.flatMap((id, at) => [`${kind}:${id}`, VALUES[at] ?? '']),
        );
        await joined(redis, unit, [...fields, '__proto__:x', '{}', ':', 'x', 'a:', '']);
      }
    },
  },
  {
    name: 'entries that join on and take away what is not there',
    strike: async (redis) => {
      const gone = [...IDS.slice(0, 4), 'nobody', 'x'.repeat(64_000)];
      for (const unit of UNITS) {
        const fields = KINDS[unit].flatMap((kind) => gone.flatMap((id) => [`${kind}:${id}`, '']));
        await joined(redis, unit, fields);
      }
    },
  },
];

const ofHeads: Garbage[] = [
  ...FIRST_COUNTS.map((first) => ({
    name: `heads of version and count ${JSON.stringify(COUNTS[first])} and others`,
    strike: everyUnit((redis, unit) => {
      const count = countFor(first, unit);
      const fields = { version: count, count, tail: count, digest: count };
      return redis.hset(unitKeys(unit).head, fields);
    }),
  })),
  {
    name: 'heads far ahead, with a digest of nothing',
    strike: everyUnit((redis, unit) =>
      redis.hset(unitKeys(unit).head, { version: '9007199254740991', digest: '0'.repeat(12) }),
    ),
  },
  {
    name: 'units of other types',
    strike: everyUnit(async (redis, unit) => {
      const { head, objects, changes } = unitKeys(unit);
      await redis.del(head, objects, changes);
      await redis.set(head, 'x');
      await redis.rpush(objects, 'x');
      await redis.sadd(changes, 'x');
    }),
  },
  {
    name: 'units that are gone',
    strike: everyUnit(async (redis, unit) => redis.del(...Object.values(unitKeys(unit)))),
  },
];

const member = (more: object): string =>
  JSON.stringify({ version: '1', state: 'running', applied: {}, startedAt: 0, ...more });

const MEMBERS: readonly string[] = [
  ...VALUES,
  member({ service: '__proto__', node: '__proto__' }),
  member({ service: 'dhcpd', node: 'n'.repeat(MEGABYTE), applied: { dhcpd: 1e308 } }),
  member({ service: 'dns', node: 'x', startedAt: -1, address: '127.0.0.1:1/../' }),
  member({ service: 'lb', node: 'y', state: 'owned', address: 'http://[::1' }),
];

const ofMembers: Garbage[] = [
  {
    name: 'members of garbage',
    strike: async (redis) => {
      const now = Date.now();
      for (const service of SERVICES) {
        const { seen, nodes } = memberKeys(service);
        for (const [at, value] of MEMBERS.entries()) {
          await redis.hset(nodes, `n${at}`, value);
          await redis.zadd(seen, now, `n${at}`);
        }
        await redis.zadd(seen, '+inf', '__proto__', '-inf', 'x', 1e308, '');
        await redis.hset(nodes, '__proto__', '{}');
      }
    },
  },
  {
    name: 'members of other types',
    strike: async (redis) => {
      for (const service of SERVICES) {
        const { seen, nodes } = memberKeys(service);
        await redis.del(seen, nodes);
        await redis.set(seen, 'x');
        await redis.set(nodes, 'x');
      }
    },
  },
];

const { probers, votes, changes: votesChanges } = healthKeys();
const ofVotes: Garbage[] = [
  {
    name: 'votes of garbage',
    strike: async (redis) => {
      for (const prober of ['lb/lb-1', 'dns/dns-1', '__proto__', '', 'x'.repeat(MEGABYTE)]) {
        await redis.hset(probers, prober, `${Date.now()} 1e308 ${prober}`);
      }
      await redis.hset(probers, 'liar', `${Date.now()} 7`);
      for (const [at, value] of VALUES.entries()) {
        await redis.hset(votes('liar'), IDS[at] ?? `t${at}`, value);
      }
      const entry = ['node', 'liar', 'from', '6', 'generation', '7', 'changes'];
      for (const value of VALUES) await redis.xadd(votesChanges, '*', ...entry, value);
      for (const count of COUNTS) {
        await redis.xadd(votesChanges, '*', 'node', count, 'from', count, 'generation', count);
      }
    },
  },
  {
    name: 'votes of other types',
    strike: async (redis) => {
      await redis.del(probers, votes('lb/lb-1'), votes('dns/dns-1'), votesChanges);
      for (const key of [probers, votes('lb/lb-1'), votesChanges]) await redis.set(key, 'x');
    },
  },
];

const LEASES = 'edge:1:{dhcpd/';
const ofLeases: Garbage[] = [
  {
    name: 'leases of garbage',
    strike: async (redis) => {
      const random = seededRandom(7);
      const blocks = ['', 'zz', '__proto__', 'ffffff', '0a0901', '0a0902', 'x'.repeat(100_000)];
      await redis.sadd(`${LEASES}blocks}:all`, ...blocks);
      for (const block of [...blocks.slice(3, 6), '0a0900']) {
        await redis.set(`${LEASES}b/${block}}:r`, bytes(random, 20_000));
        for (const value of VALUES) {
          await redis.hset(`${LEASES}b/${block}}:d`, String(random.integer(256)), value);
        }
      }
      for (const value of VALUES) {
        await redis.xadd(`${LEASES}leases}:log`, '*', 'i', value, 'r', value, 'e', value);
      }
      await redis.xadd(`${LEASES}leases}:log`, '*', '__proto__', 'x');
    },
  },
  {
    name: 'leases of other types',
    strike: async (redis) => {
      const keys = [`${LEASES}blocks}:all`, `${LEASES}leases}:log`, `${LEASES}b/0a0900}:r`];
      await redis.del(...keys);
      for (const key of keys) await redis.hset(key, 'x', 'y');
    },
  },
];

const names = nameKeys('dhcpd', 'vm.example');
const ofNames: Garbage[] = [
  {
    name: 'names of garbage',
    strike: async (redis) => {
      for (const [at, value] of VALUES.entries()) {
        await redis.hset(names.names, IDS[at] ?? `n${at}`, value);
      }
      const address = '{"address":"10.9.0.77","until":1e308,"reserved":"yes"}';
      for (const id of IDS) await redis.hset(names.names, `${id}x`, address);
      await redis.xadd(names.changes, '*', 'x', 'y');
    },
  },
  {
    name: 'names of other types',
    strike: async (redis) => {
      for (const key of Object.values(names)) {
        await redis.del(key);
        await redis.set(key, 'x');
      }
    },
  },
];

const ofLimits: Garbage[] = [
  {
    name: 'limits of garbage and of other types',
    strike: async (redis) => {
      const keys = await redis.keys('edge:1:{lb/limits}:*');
      const values = ['x', '1e308', '-1e308', 'nan', 'inf', ''];
      for (const [at, key] of keys.entries()) {
        await redis.del(key);
        if (at % 2 === 0) await redis.hset(key, 'x', 'y');
        else await redis.set(key, values[at % values.length] ?? 'x');
      }
    },
  },
];

/** Any key of ours, made into any type, with anything in it. */
export function randomGarbage(seed: number, count: number): Garbage {
  return {
    name: `${count} random writes of seed ${seed}`,
    strike: async (redis) => {
      const random = seededRandom(seed);
      const pick = <T>(from: readonly T[]): T => from[random.integer(from.length)] as T;
      const keys = (await redis.keys('edge:1:*')).sort();
      for (let at = 0; at < count; at++) {
        const [key, field, value] = [pick(keys), pick(IDS), pick(VALUES)];
        const text = random.integer(2) === 0 ? value : bytes(random, random.integer(200));
        const writes = [
          () => redis.hset(key, field, text),
          () => redis.hset(key, `${pick(Object.values(KINDS).flat())}:${field}`, text),
          () => redis.set(key, text),
          () => redis.xadd(key, '*', field || 'x', text),
          () => redis.zadd(key, random.integer(2 ** 31), field),
          () => redis.setrange(key, random.integer(4096), text),
          () => redis.hset(key, pick(['version', 'tail', 'digest', 'count']), pick(COUNTS)),
          () => redis.del(key),
        ];
        await pick(writes)().catch(() => {}); // of another type just now
      }
      await stir(redis);
    },
  };
}

function bytes(random: Random, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => random.integer(256)));
}

export const garbage: readonly Garbage[] = [
  ...ofObjects,
  ...ofStreams,
  ...ofHeads,
  ...ofMembers,
  ...ofVotes,
  ...ofLeases,
  ...ofNames,
  ...ofLimits,
];

/**
 * All keys as they are, to be put back at once: nobody sees a part of it. Each unit is raised then,
 * as an operator does after a restore, so that followers look at once.
 */
export async function saved(redis: Redis, store: Store): Promise<() => Promise<void>> {
  const keys = await redis.keys('edge:1:*');
  const dumps = await Promise.all(keys.map((key) => redis.dumpBuffer(key)));
  let raised = 1000;
  return async () => {
    const all = redis.multi().flushall();
    for (const [at, key] of keys.entries()) {
      const dump = dumps[at];
      if (dump) all.restore(key, 0, dump);
    }
    await all.exec();
    raised += 1000;
    for (const unit of UNITS) {
      const { version } = await store.head(unit);
      await store.raise(unit, raised, { expectedVersion: version });
    }
  };
}

export function openRaw(url: string): Redis {
  return new Redis({ path: url.replace('unix:', ''), disableClientInfo: true });
}
