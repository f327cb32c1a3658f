// The board of votes: one suite for memory, a Redis server, a Cluster and a Sentinel group; and
// what a Redis has besides: other writers, a memory that is lost, bounds.
import { writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../../lab/ready.ts';
import { systemClock } from '../../shared/clock.ts';
import { OperationalError } from '../../shared/errors.ts';
import {
  MAX_VOTES_PER_WRITE,
  type VoteBoard,
  type VoteChanges,
  type VoteEntry,
} from '../../shared/health/board.ts';
import { MemoryVoteServer } from '../../shared/health/memory-votes.ts';
import { RedisVotes } from '../../shared/health/redis-votes.ts';
import { freePorts, type RedisProcess, startRedis } from '../support/redis.ts';
import { startCluster } from '../support/redis-cluster.ts';

const { signal } = new AbortController();
const servers: RedisProcess[] = [];
/** Ample, for a machine that is busy with other tests. */
const commandTimeoutMs = 5000;

async function start(port: number, ...args: string[]): Promise<RedisProcess> {
  const server = await startRedis({ port, arguments: args });
  servers.push(server);
  return server;
}

async function endServers(): Promise<void> {
  await Promise.all(servers.splice(0).map((each) => each.stop()));
}

let named = 0;
/** A prober of a test's own. */
const nodeOf = (name: string) => `${name}-${++named}`;

const changes = (...pairs: [string, string | null][]): VoteChanges => new Map(pairs);

function many(count: number): VoteChanges {
  return new Map(Array.from({ length: count }, (_, index) => [`id${index}`, 'up 1 0 up ok']));
}

async function leaseOf(board: VoteBoard, node: string) {
  const { leases } = await board.renew('', false);
  return leases.find((each) => each.node === node);
}

/** What others tell comes between: entries of that node alone, until there are so many. */
async function heard(board: VoteBoard, node: string, from: string, count: number) {
  const entries: VoteEntry[] = [];
  let at = from;
  await until(`${count} entries of ${node}`, async () => {
    const found = await board.follow(at, 200, signal);
    at = found.lastId;
    entries.push(...found.entries.filter((each) => each.node === node));
    return entries.length >= count;
  });
  return entries;
}

type Opened = { board: VoteBoard; other: VoteBoard };

function describeBoard(name: string, open: () => Promise<Opened>): void {
  describe(name, () => {
    let [board, other] = [] as unknown as [VoteBoard, VoteBoard]; // before each use, below

    beforeAll(async () => {
      ({ board, other } = await open());
    });
    afterAll(async () => {
      board.close();
      other.close();
      await endServers();
    });

    test('a lease is one as soon as its prober joins, and others see it', async () => {
      const node = nodeOf('joins');
      await board.renew(node, false);
      expect(await leaseOf(other, node)).toBeUndefined();
      const { nowMs, leases } = await board.renew(node, true);
      expect(Math.abs(nowMs - Date.now())).toBeLessThan(60_000);
      expect(leases).toContainEqual({ node, ageMs: 0, generation: 0 });
      expect(await leaseOf(other, node)).toMatchObject({ node, generation: 0 });
    });

    test('a lease ages by the clock of the board, and renewing makes it young', async () => {
      const node = nodeOf('ages');
      const { nowMs } = await board.renew(node, true);
      await until('it is older', async () => ((await leaseOf(other, node))?.ageMs ?? 0) >= 50);
      const renewed = await board.renew(node, true);
      expect(renewed.nowMs).toBeGreaterThanOrEqual(nowMs + 50);
      expect(renewed.leases).toContainEqual({ node, ageMs: 0, generation: 0 });
    });

    test('a write renews the lease, and its generation stays with it', async () => {
      const node = nodeOf('writes');
      const write = { base: 0, generation: 3, changes: changes(['a', 'up']), whole: false };
      expect(await board.vote(node, write)).toEqual({ accepted: true, generation: 3 });
      expect(await leaseOf(other, node)).toMatchObject({ generation: 3 });
      const { leases } = await board.renew(node, true);
      expect(leases).toContainEqual({ node, ageMs: 0, generation: 3 });
    });

    test('votes are added, changed and taken away', async () => {
      const node = nodeOf('votes');
      expect(await other.votesOf(node)).toEqual({ generation: 0, votes: new Map() });
      const steps: [VoteChanges, [string, string][]][] = [
        [
          changes(['a', 'up 1'], ['b', 'down x']),
          [
            ['a', 'up 1'],
            ['b', 'down x'],
          ],
        ],
        [
          changes(['b', 'up 2'], ['c', 'up 3']),
          [
            ['a', 'up 1'],
            ['b', 'up 2'],
            ['c', 'up 3'],
          ],
        ],
        [changes(['a', null], ['c', null], ['d', null]), [['b', 'up 2']]],
        [changes(['b', null]), []],
      ];
      for (const [at, [changes, expected]] of steps.entries()) {
        await board.vote(node, { base: at, generation: at + 1, changes, whole: false });
        const { generation, votes } = await other.votesOf(node);
        expect([generation, [...votes].sort()]).toEqual([at + 1, expected]);
      }
    });

    test.each([
      { base: 0, generation: 5, whole: false, accepted: false }, // made before
      { base: 0, generation: 4, whole: false, accepted: false }, // overtaken
      { base: 6, generation: 7, whole: false, accepted: false }, // something lies between
      { base: 0, generation: 5, whole: true, accepted: false },
      { base: 5, generation: 6, whole: false, accepted: true },
      { base: 2, generation: 9, whole: false, accepted: true },
      { base: 0, generation: 6, whole: true, accepted: true },
    ])('at generation 5, %o', async ({ accepted, ...next }) => {
      const node = nodeOf('follows');
      const first = { base: 0, generation: 5, changes: changes(['a', 'one']), whole: false };
      await board.vote(node, first);
      const receipt = await board.vote(node, { ...next, changes: changes(['b', 'two']) });
      expect(receipt).toEqual({ accepted, generation: accepted ? next.generation : 5 });
      const held = [...(next.whole && accepted ? [] : ['a']), ...(accepted ? ['b'] : [])];
      expect([...(await board.votesOf(node)).votes.keys()].sort()).toEqual(held);
    });

    test('who follows hears each accepted write once, in order, with what it changed', async () => {
      const node = nodeOf('told');
      const from = await other.tail();
      const told = changes(['a', 'up'], ['b', null]);
      await board.vote(node, { base: 0, generation: 2, changes: told, whole: false });
      await board.vote(node, { base: 0, generation: 2, changes: told, whole: false }); // again
      await board.vote(node, {
        base: 2,
        generation: 3,
        changes: changes(['a', 'x y']),
        whole: false,
      });
      await board.vote(node, {
        base: 0,
        generation: 4,
        changes: changes(['c', 'up']),
        whole: true,
      });
      expect(await heard(other, node, from, 3)).toEqual([
        { node, from: 0, generation: 2, changes: told },
        { node, from: 2, generation: 3, changes: changes(['a', 'x y']) },
        { node, from: 3, generation: 4 },
      ]);
    });

    test.each([
      [MAX_VOTES_PER_WRITE, true],
      [MAX_VOTES_PER_WRITE + 1, false],
      [5000, false],
    ])('%i votes at once are told in the stream: %s', async (count, isTold) => {
      const node = nodeOf('many');
      const from = await other.tail();
      await board.vote(node, { base: 0, generation: 1, changes: many(count), whole: false });
      expect((await other.votesOf(node)).votes).toEqual(many(count));
      const [entry] = await heard(other, node, from, 1);
      expect(entry?.changes?.size).toBe(isTold ? count : undefined);
      const none = new Map([...many(count).keys()].map((id) => [id, null]));
      await board.vote(node, { base: 1, generation: 2, changes: none, whole: false });
      expect(await other.votesOf(node)).toEqual({ generation: 2, votes: new Map() });
    });

    test('who waits hears at once', async () => {
      const node = nodeOf('waits');
      const waiting = other.follow(await other.tail(), 60_000, signal);
      await board.vote(node, {
        base: 0,
        generation: 1,
        changes: changes(['a', 'up']),
        whole: false,
      });
      const { entries, lastId } = await waiting;
      expect(entries.map((each) => each.node)).toEqual([node]);
      expect(await other.tail()).toBe(lastId);
    });

    test('where nothing comes, following ends where it began', async () => {
      const from = await board.tail();
      expect(await board.follow(from, 20, signal)).toEqual({ lastId: from, entries: [] });
    });

    test('following can be stopped, and be taken up again', async () => {
      const node = nodeOf('stops');
      const [from, stop] = [await other.tail(), new AbortController()];
      const waiting = other.follow(from, 60_000, stop.signal);
      const reason = new Error('enough');
      setImmediate(() => stop.abort(reason));
      await expect(waiting).rejects.toBe(reason);
      await expect(other.follow(from, 10, stop.signal)).rejects.toBe(reason);
      await board.vote(node, {
        base: 0,
        generation: 1,
        changes: changes(['a', 'up']),
        whole: false,
      });
      expect(await heard(other, node, from, 1)).toHaveLength(1);
    });
  });
}

describeBoard('in memory', async () => {
  const server = new MemoryVoteServer(systemClock);
  return { board: server.connect(), other: server.connect() };
});

function both(url: string): Opened {
  const config = { url, commandTimeoutMs };
  return { board: new RedisVotes(config), other: new RedisVotes(config) };
}

describeBoard('in Redis', async () => both((await start(0)).url));

describeBoard('in a Redis Cluster', async () => both(await startCluster(start)));

describeBoard('behind a Sentinel', async () => {
  const [port = 0, sentinelPort = 0] = await freePorts(2);
  const { directory } = await start(port);
  const file = `${directory}/sentinel.conf`;
  writeFileSync(file, `sentinel monitor mymaster 127.0.0.1 ${port} 1\n`);
  const command = ['redis-server', file, '--sentinel'];
  servers.push(await startRedis({ port: sentinelPort, command }));
  return both(`redis+sentinel://127.0.0.1:${sentinelPort}/mymaster`);
});

describe('a Redis', () => {
  let [server, board] = [] as unknown as [RedisProcess, VoteBoard]; // before each use, below
  const one = { base: 0, generation: 1, changes: changes(['a', 'up']), whole: false };

  beforeAll(async () => {
    server = await start(0);
    board = new RedisVotes({ url: server.url, commandTimeoutMs });
  });
  afterEach(() => server.ask('FLUSHALL'));
  afterAll(async () => {
    board.close();
    await endServers();
  });

  test('holds what docs/health.md says, for a day', async () => {
    await board.vote('n1', one);
    const keys = ['probers', 'votes:n1', 'changes'].map((each) => `edge:1:{health}:${each}`);
    for (const key of keys) {
      const left = Number((await server.ask(`TTL ${key}`)).slice(1));
      expect(left).toBeGreaterThan(86_000);
      expect(left).toBeLessThanOrEqual(86_400);
    }
    expect(await server.ask('DBSIZE')).toBe(':3\r\n');
  });

  test('has a stream of bounded length', async () => {
    for (let generation = 1; generation <= 1500; generation++) {
      await board.vote('n1', { ...one, base: generation - 1, generation });
    }
    const length = Number((await server.ask('XLEN edge:1:{health}:changes')).slice(1));
    expect(length).toBeGreaterThanOrEqual(1000);
    expect(length).toBeLessThan(1300);
  });

  test('which has lost the scripts, or everything, goes on', async () => {
    await board.vote('n1', one);
    await server.ask('SCRIPT FLUSH');
    expect(await board.vote('n1', { ...one, base: 1, generation: 2 })).toMatchObject({
      accepted: true,
    });
    await server.ask('FLUSHALL');
    expect((await board.renew('n1', true)).leases).toEqual([
      { node: 'n1', ageMs: 0, generation: 0 },
    ]);
    expect(await board.vote('n1', { ...one, base: 2, generation: 3 })).toEqual({
      accepted: false,
      generation: 0,
    });
    expect(await board.vote('n1', { ...one, generation: 3, whole: true })).toMatchObject({
      accepted: true,
    });
  });

  const junk = [
    'HSET edge:1:{health}:probers n1 nonsense n2 "1 99999999999999999999" n3 "-5 1" n4 ""',
    'HSET edge:1:{health}:probers n5 "9999999999999999999999 1" n6 "1e5 1e5" n7 "1 2 3"',
    'HSET edge:1:{health}:votes:n1 "" "" a "\\xff\\x00" b up',
    'XADD edge:1:{health}:changes * node n1',
    'XADD edge:1:{health}:changes * a b',
    'XADD edge:1:{health}:changes * node n1 from 0.5 generation 0.5 changes ""',
    'XADD edge:1:{health}:changes * node n1 from -1 generation 2 changes ""',
    'XADD edge:1:{health}:changes * node n1 from 0 generation x changes []',
    'XADD edge:1:{health}:changes * node n8 from 0 generation 1 changes {',
    'XADD edge:1:{health}:changes * node n8 from 0 generation 1 changes "{\\"a\\":1}"',
    'XADD edge:1:{health}:changes * node n8 from 0 generation 1 changes [[],null,{},7]',
  ];

  test('where others write passes over what nobody can read', async () => {
    const from = await board.tail();
    for (const command of junk) expect(await server.ask(command)).not.toMatch(/^-/);
    const { leases } = await board.renew('n9', true);
    for (const { ageMs, generation } of leases) {
      expect(Number.isSafeInteger(ageMs) && ageMs >= 0).toBe(true);
      expect(Number.isSafeInteger(generation) && generation >= 0).toBe(true);
    }
    const { entries } = await board.follow(from, 100, signal);
    expect(new Set(entries.map((each) => each.node))).toEqual(new Set(['n8']));
    expect((await board.votesOf('n1')).generation).toBe(0);
    // And who lives there has the last word.
    for (const node of ['n1', 'n2', 'n3', 'n4', 'n5', 'n6', 'n7']) {
      expect(await board.vote(node, one)).toEqual({ accepted: true, generation: 1 });
    }
  });

  test('whose clock went back does not keep a dead prober alive', async () => {
    const future = Date.now() + 3_600_000;
    await server.ask(`HSET edge:1:{health}:probers dead "${future} 7"`);
    expect(await leaseOf(board, 'dead')).toMatchObject({ generation: 7 });
    await until('its lease ages', async () => ((await leaseOf(board, 'dead'))?.ageMs ?? 0) >= 50);
  });

  test('forgets who has been silent for a day', async () => {
    const past = Date.now() - 86_400_000 - 60_000;
    await server.ask(`HSET edge:1:{health}:probers gone "${past} 7"`);
    await board.renew('n1', true);
    expect(await server.ask('HEXISTS edge:1:{health}:probers gone')).toBe(':0\r\n');
  });

  test.each(['renew', 'vote', 'votesOf', 'tail', 'follow'] as const)(
    'whose keys are of another type says so: %s',
    async (method) => {
      for (const key of ['probers', 'votes:n1', 'changes']) {
        await server.ask(`SET edge:1:{health}:${key} x`);
      }
      const calls = {
        renew: () => board.renew('n1', true),
        vote: () => board.vote('n1', one),
        votesOf: () => board.votesOf('n1'),
        tail: () => board.tail(),
        follow: () => board.follow('0-0', 10, signal),
      };
      await expect(calls[method]()).rejects.toMatchObject({ code: 'EDGE_STORE_DAMAGED' });
    },
  );

  test('that is gone is told of, by who waits, too; back, it is used again', async () => {
    const waiting = board.follow(await board.tail(), 60_000, signal);
    const told = expect(waiting).rejects.toBeInstanceOf(OperationalError);
    await server.kill();
    await told;
    await expect(board.renew('n1', true)).rejects.toBeInstanceOf(OperationalError);
    await server.start();
    await until('it is used again', async () => (await board.renew('n1', true)).leases.length > 0);
    await board.vote('n1', one);
    expect((await board.follow('0-0', 1000, signal)).entries).toHaveLength(1);
  });
});
