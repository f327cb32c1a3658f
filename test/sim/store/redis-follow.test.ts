// Followers of a real redis-server that is frozen, killed, restarted, or not there.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from '../../../lab/ready.ts';
import { addDigest, formatDigest, objectDigest } from '../../../shared/store/digest.ts';
import { unitKeys } from '../../../shared/store/keys.ts';
import { openStore } from '../../../shared/store/open.ts';
import { type Followed, follow, UNIT } from '../../support/followed.ts';
import { type RedisProcess, startRedis } from '../../support/redis.ts';

let redis: RedisProcess;
let directory: string;
const running: Followed[] = [];

beforeEach(async () => {
  redis = await startRedis({ arguments: ['--appendonly', 'yes', '--appendfsync', 'always'] });
  directory = mkdtempSync(join(tmpdir(), 'edge-follow-'));
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((each) => each.stop()));
  await redis.stop();
  rmSync(directory, { recursive: true, force: true });
});

async function started(snapshotPath?: string): Promise<Followed> {
  const followed = await follow(redis.url, snapshotPath);
  running.push(followed);
  return followed;
}

test('a killed server is noticed, and its changes caught up without starting over', async () => {
  const { follower, target, put, holds } = await started();
  await holds('a', await put('a'));
  await redis.kill();
  await until('it is noticed', () => !follower.status().storeUp);
  expect(target.held.size).toBe(1);
  await redis.start();
  await holds('b', await put('b'));
  expect(target.held.size).toBe(2);
  expect(target.origins).toEqual(['store']);
  expect(follower.status()).toMatchObject({ storeUp: true, version: 2, desiredVersion: 2 });
});

test('a frozen server is noticed, and followed on when it thaws', async () => {
  const { follower, target, put, holds } = await started();
  await holds('a', await put('a'));
  redis.freeze();
  await until('it is noticed', () => !follower.status().storeUp);
  redis.thaw();
  await until('it is up again', () => follower.status().storeUp);
  await holds('b', await put('b'));
  expect(target.origins).toEqual(['store']);
});

test('a server that lost its stream is followed on, one that lost everything is not', async () => {
  const { follower, target, put, holds } = await started();
  for (const id of ['a', 'b', 'c']) await holds(id, await put(id));
  await redis.ask(`DEL ${unitKeys(UNIT).changes}`);
  await holds('d', await put('d'));
  expect(target.origins).toEqual(['store']);
  await redis.ask('FLUSHALL');
  // Ids of a stream are milliseconds: within the same one, only the digest tells, a minute later.
  const wipedMs = Date.now();
  await until('the clock has moved on', () => Date.now() > wipedMs + 1);
  await put('a');
  await until('it says so', () => follower.status().drift !== undefined);
  expect(target.held.size).toBe(4);
});

test('without a server it starts from disk, and goes on where that ends', async () => {
  const path = join(directory, 'last-good.ndjson');
  const first = await started(path);
  await first.holds('a', await first.put('a'));
  await first.holds('b', await first.put('b'));
  await first.stop();
  running.length = 0;
  await redis.kill();

  const { follower, target, put, holds } = await started(path);
  expect(target.held.size).toBe(2);
  expect(follower.status()).toMatchObject({ source: 'disk', version: 2, storeUp: false });
  await redis.start();
  await holds('c', await put('c'));
  expect(target.origins).toEqual(['disk']);
  await until('the store stands behind it', () => follower.status().source === 'store');
});

test('a server found empty at a start: the last good state serves until it is meant', async () => {
  const path = join(directory, 'last-good.ndjson');
  const first = await started(path);
  for (const id of ['a', 'b', 'c']) await first.holds(id, await first.put(id));
  await first.stop();
  running.length = 0;
  await redis.ask('FLUSHALL');
  const { follower, target, raise } = await started(path);
  expect(target.held.size).toBe(3);
  expect(follower.status()).toMatchObject({ source: 'disk', version: 3, desiredVersion: 0 });
  expect(follower.status().drift?.[0]).toContain('went back from version 3 with 3 objects');
  await raise(4);
  await until('the empty state is taken', () => target.held.size === 0);
  expect(follower.status()).toMatchObject({ source: 'store', version: 4 });
  expect(follower.status()).not.toHaveProperty('drift');
});

test('an entry as a newer apply.lua may write it is followed', async () => {
  const { follower, target, put, holds } = await started();
  await holds('a', await put('a'));
  const store = openStore({ url: redis.url });
  const head = await store.head(UNIT);
  await store.close();
  const command = async (...words: string[]) => {
    const reply = await redis.ask(words.map((word) => `'${word}'`).join(' '));
    return reply.trim().split('\r\n').at(-1) ?? '';
  };
  const value = '{"v":2,"new":1}';
  const digest = formatDigest(
    addDigest(parseInt(head.digest, 16), objectDigest('pool', 'x', value)),
  );
  // Names of its own, and the known ones in another order.
  const entry = ['w', 'edgectl 2.0', 'd', digest, 'v', '2', 'p', head.tail, 'b', head.digest];
  const rest = ['n', '2', 'a', 'op', 's', '2', 't', '1790000000000', 'pool:x', value];
  const { changes, objects, head: headKey } = unitKeys(UNIT);
  const tail = await command('XADD', changes, '*', ...entry, ...rest);
  await command('HSET', objects, 'pool:x', value);
  const fields = ['version', '2', 'digest', digest, 'count', '2', 'tail', tail, 'streamed', '2'];
  await command('HSET', headKey, ...fields);
  await until('it is taken', () => target.held.get('pool:x') === value);
  expect(target.origins).toEqual(['store']);
  expect(follower.status()).toMatchObject({ version: 2 });
  await holds('b', await put('b'));
  expect(follower.status()).not.toHaveProperty('drift');
  expect(target.origins).toEqual(['store']);
});

test('a damaged snapshot is not used', async () => {
  const path = join(directory, 'last-good.ndjson');
  writeFileSync(path, '{"edgeSnapshot":1,"unit":"natter"}\n["eip","a","{}"]\n');
  await redis.kill();
  const { follower, target } = await started(path);
  expect(target.held.size).toBe(0);
  expect(follower.status().source).toBe('none');
  await redis.start();
  await until('it has a state', () => follower.status().source === 'store');
  await until('a new snapshot is written', () => existsSync(path));
});

test('a bad state in the store at a start: the last good one from disk serves', async () => {
  const path = join(directory, 'last-good.ndjson');
  const first = await started(path);
  await first.holds('a', await first.put('a'));
  await first.stop();
  running.length = 0;
  await redis.ask(`HSET ${unitKeys(UNIT).objects} eip:x bad`);
  await redis.ask(`HSET ${unitKeys(UNIT).head} count 2`);
  const { follower, target } = await started(path);
  await until('drift is raised', () => follower.status().drift?.[0] === 'eip:x is bad');
  expect(target.held.size).toBe(1);
  expect(follower.status().source).toBe('disk');
});
