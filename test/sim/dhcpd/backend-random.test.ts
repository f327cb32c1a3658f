// 20,000 random items on Redis and on the model: the same codes, the same records. Times are
// compared relative to the time each ran at, so the model's clock is set to Redis' before a batch.
import { expect, test } from 'vitest';
import { openRedisLeases } from '../../../dhcpd/leases/backend.ts';
import { addressIn, blockId, decodeRecord, NO_END } from '../../../dhcpd/leases/record.ts';
import type { Item, Lease, LeaseBackend, Op } from '../../../dhcpd/leases/types.ts';
import { ManualClock } from '../../../shared/clock.ts';
import { pick, type Random, seededRandom } from '../../../shared/random.ts';
import { leaseKeys } from '../../../shared/store/keys.ts';
import { itemOf, nodeA, nodeB, ran } from '../../support/dhcp/lease-items.ts';
import { RedisModel } from '../../support/dhcp/redis-model.ts';
import { type RedisProcess, startRedis } from '../../support/redis.ts';

const ITEMS = 20_000;
const MAX_BATCH = 64;
const BLOCKS = 6;
const OCTETS = 12;
const allBlocks = Array.from({ length: BLOCKS }, (_, at) => 0x0a0000 + at);
const ops: Op[] = ['bind', 'bind', 'reserve', 'unreserve', 'release', 'decline', 'free', 'teach'];

type Pair = {
  redis: RedisProcess;
  real: LeaseBackend;
  model: RedisModel;
  modelled: LeaseBackend;
};

/** `known`: what the test saw last, so that many generations and keys fit. */
function randomItem(random: Random, known: Map<number, Lease>, now: number): Item {
  const address = addressIn(0x0a0000 + random.integer(BLOCKS), random.integer(OCTETS));
  const generation = (known.get(address)?.generation ?? 0) + pick(random, [0, 0, 0, 0, 1, -1]);
  const op = pick(random, ops);
  const near = now + random.integer(7) - 3;
  return itemOf(op, address, {
    client: random.integer(5),
    seconds: pick(random, [0, 0, 1, 2, 3, 100, NO_END]),
    leaseSeconds: pick(random, [1, 2, 60, NO_END]),
    generation: Math.max(0, generation),
    instance: pick(random, [nodeA, nodeA, nodeB]),
    isLongReserve: random.integer(3) === 0,
    ...(random.integer(2) === 0 ? { offered: true } : {}),
    ...(random.integer(4) === 0 ? { force: true } : {}),
    ...(random.integer(4) === 0 ? { planned: true } : {}),
    ...(random.integer(3) === 0 ? { details: { hostname: `h${random.integer(9)}` } } : {}),
    ...(op === 'teach'
      ? { state: random.integer(5), holdUntil: near, toldUntil: near - 1, boundAt: near - 9 }
      : {}),
  });
}

/** Blocks come into another lineage's hands, and back under a quarantine. */
async function passOn(
  { redis, real, model, modelled }: Pair,
  blocks: readonly number[],
  quarantineSeconds: number,
): Promise<void> {
  const stranger = 'f'.repeat(16);
  for (const block of blocks) {
    const held = model.primary.data.blocks.get(block);
    if (held === undefined) continue;
    model.primary.data.blocks.set(block, { ...held, lineage: stranger });
    await redis.ask(`SETRANGE ${leaseKeys('dhcpd').block(blockId(block)).records} 0 ${stranger}`);
  }
  const [adopted, fenced] = [[], []] as [number[], unknown[]];
  for (const backend of [real, modelled]) {
    const items = blocks.map((block) => itemOf('free', addressIn(block, 0), {}));
    const answer = await backend.run(items);
    fenced.push('fenced' in answer && { ...answer, nowSeconds: 0 });
    adopted.push(await backend.adopt(blocks, stranger, quarantineSeconds));
  }
  expect(fenced[1]).toEqual(fenced[0]);
  expect(adopted[1]).toBe(adopted[0]);
}

function shown(item: Item, result: { code: number; record: Uint8Array } | undefined): object {
  const record = result?.record ?? new Uint8Array(0);
  return { op: item.op, code: result?.code, ...decodeRecord(record, 0, item.address) };
}

test('random items do the same to Redis and to the model', { timeout: 120_000 }, async () => {
  const seed = Number(process.env.EDGE_SEED ?? 20261121);
  const random = seededRandom(seed);
  const redis = await startRedis();
  const store = { url: redis.url, commandTimeoutMs: 5000 };
  const real = openRedisLeases({ store, durability: { by: 'none' } });
  const clock = new ManualClock();
  const model = new RedisModel({ clock, random: seededRandom(seed) });
  const modelled = model.connect();
  const pair = { redis, real, model, modelled };
  const known = new Map<number, Lease>();
  const codes = new Map<string, number>();
  try {
    let { nowSeconds: now } = await ran(real, [itemOf('free', addressIn(1, 1), {})]);
    for (let done = 0; done < ITEMS; ) {
      const items = Array.from({ length: 1 + random.integer(MAX_BATCH) }, () => {
        return randomItem(random, known, now);
      });
      const theirs = await ran(real, items);
      now = theirs.nowSeconds;
      clock.jumpWall(now * 1000 - clock.nowMs());
      const ours = await ran(modelled, items);
      for (const [at, item] of items.entries()) {
        const [a, b] = [shown(item, theirs.results[at]), shown(item, ours.results[at])];
        expect(b, `seed ${seed}, item ${done + at}`).toEqual(a);
        const result = theirs.results[at];
        if (result === undefined) continue;
        known.set(item.address, decodeRecord(result.record, 0, item.address));
        const name = `${item.op} ${result.code}`;
        codes.set(name, (codes.get(name) ?? 0) + 1);
      }
      done += items.length;
      if (random.integer(40) !== 0) continue;
      const some = allBlocks.filter(() => random.integer(2) === 0);
      await passOn(pair, some, pick(random, [0, 1, 2, 5]));
    }
  } finally {
    real.close();
    await redis.stop();
  }
  // All but code 2: how long a quarantine lasts here is a matter of the machine's speed.
  const wanted = [
    'bind 0 1 3 4',
    'reserve 0 1 3 4',
    'unreserve 0 3 6',
    'release 0 5 6',
    'decline 0 3 5 6',
    'free 0 3 5 6',
    'teach 0 5 6',
  ].flatMap((row) =>
    row
      .split(' ')
      .slice(1)
      .map((code) => `${row.split(' ')[0]} ${code}`),
  );
  expect([...codes.keys()], 'ways in which items ended').toEqual(expect.arrayContaining(wanted));
});
