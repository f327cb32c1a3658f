// A follower of a redis-server into which somebody else writes: what it holds goes on serving, what
// is wrong is told and looked at ever less often, and what is right again is followed again.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from '../../../lab/ready.ts';
import { unitKeys } from '../../../shared/store/keys.ts';
import { openStore } from '../../../shared/store/open.ts';
import { type Followed, follow, UNIT } from '../../support/followed.ts';
import { type RedisProcess, startRedis } from '../../support/redis.ts';

const { head, objects, changes } = unitKeys(UNIT);
let redis: RedisProcess;
let followed: Followed;

beforeEach(async () => {
  redis = await startRedis();
  followed = await follow(redis.url);
  await followed.holds('a', await followed.put('a'));
});

afterEach(async () => {
  await followed.stop();
  await redis.stop();
});

async function drifts(what: RegExp): Promise<void> {
  const drift = () => followed.follower.status().drift?.join('\n') ?? '';
  await until(`drift ${what}`, () => what.test(drift()), { timeoutMs: 10_000 });
  expect(followed.target.held.size).toBe(1);
}

async function heals(): Promise<void> {
  await followed.holds('b', await followed.put('b'));
  await until('no drift', () => followed.follower.status().drift === undefined, {
    timeoutMs: 20_000,
  });
  expect(followed.target.held.size).toBe(2);
}

/** The value in the raw reply: a length, then the text. */
async function fieldOfHead(name: string): Promise<string> {
  return (await redis.ask(`HGET ${head} ${name}`)).split('\r\n')[1] ?? '';
}

/** Makes the follower read every object: the changes do not join on to another head. */
async function readAgain(): Promise<void> {
  await redis.ask(`HSET ${head} tail 9-9`);
  await redis.ask(`XADD ${changes} * foo bar`);
}

/** Commands that Redis has served, without those that ask. */
async function served(): Promise<number> {
  return Number(/total_commands_processed:(\d+)/.exec(await redis.ask('INFO stats'))?.[1]);
}

test('entries that no apply wrote are told, and not asked for without end', async () => {
  await redis.ask(`XADD ${changes} * foo bar`);
  await drifts(/entries that do not join on/);
  const before = await served();
  const sinceMs = performance.now();
  await until('some time', () => performance.now() - sinceMs > 1000);
  expect((await served()) - before).toBeLessThan(60);
  expect(followed.follower.status().storeUp).toBe(true);
  expect(followed.target.origins).toEqual(['store']);
  await heals();
});

test('an entry in the right form with a version of its own', async () => {
  const [tail, digest] = [await fieldOfHead('tail'), await fieldOfHead('digest')];
  const parts = `v 99 p ${tail} b ${digest} d ${digest} n 1 a x s 1 eip:evil {}`;
  await redis.ask(`XADD ${changes} * ${parts}`);
  await drifts(/entries that do not join on/);
  await heals();
});

test('changes that are no stream', async () => {
  await redis.ask(`RENAME ${changes} kept`);
  await redis.ask(`SET ${changes} x`);
  await drifts(/WRONGTYPE/);
  expect(followed.follower.status().storeUp).toBe(true);
  await redis.ask(`RENAME kept ${changes}`);
  await heals();
});

test('objects that are no hash', async () => {
  await redis.ask(`RENAME ${objects} kept`);
  await redis.ask(`SET ${objects} x`);
  await readAgain();
  await drifts(/WRONGTYPE/);
  expect(followed.follower.status().storeUp).toBe(true);
  await redis.ask(`RENAME kept ${objects}`);
  await heals();
});

test('a head that is no head', async () => {
  const right = await fieldOfHead('version');
  await redis.ask(`HSET ${head} version abc`);
  await redis.ask(`XADD ${changes} * foo bar`); // which makes the head be read
  await drifts(/does not hold a version/);
  await redis.ask(`HSET ${head} version ${right}`);
  await heals();
});

test('members that no instance wrote are not listed', async () => {
  const store = openStore({ url: redis.url });
  try {
    const good = { service: 'natter', node: 'n1', version: '1', state: 'running' };
    await store.heartbeat({ ...good, applied: { natter: 1 }, startedAt: 5 });
    const [seen, nodes] = ['edge:1:{members/natter}:seen', 'edge:1:{members/natter}:nodes'];
    const evil = ['{bad', 'null', '[]', '{}', JSON.stringify({ ...good, applied: { a: 'b' } })];
    for (const [index, json] of evil.entries()) {
      const nowMs = Date.now();
      await redis.ask(`HSET ${nodes} evil${index} ${json}`);
      await redis.ask(`ZADD ${seen} ${nowMs} evil${index}`);
    }
    expect((await store.members('natter')).map(({ node }) => node)).toEqual(['n1']);
  } finally {
    await store.close();
  }
});
