import { beforeEach, describe, expect, test } from 'vitest';
import { ManualClock } from '../../../../shared/clock.ts';
import type { VoteWrite } from '../../../../shared/health/board.ts';
import { type LinkMode, MemoryVoteServer } from '../../../../shared/health/memory-votes.ts';
import { Teller } from '../../../../shared/health/teller.ts';

const BOARD_MS = 1_790_000_000_000;
let server: MemoryVoteServer;
let mode: LinkMode;
let writes: VoteWrite[];
let teller: Teller;

beforeEach(() => {
  server = new MemoryVoteServer(new ManualClock());
  mode = 'up';
  teller = newTeller();
});

function newTeller(): Teller {
  writes = [];
  const board = server.connect(() => mode);
  return new Teller(
    {
      vote: (node, write) => {
        writes.push(write);
        return board.vote(node, write);
      },
    },
    'a',
  );
}

const held = () => Object.fromEntries(server.votesOf('a').votes);

describe('a teller', () => {
  beforeEach(async () => {
    teller.begin(0, new Map(), BOARD_MS);
    teller.set('one', 'up');
    teller.set('two', 'up');
    await teller.flush();
  });

  test('tells what has changed, once', async () => {
    expect(held()).toEqual({ one: 'up', two: 'up' });
    teller.set('two', 'down');
    teller.set('one', undefined);
    await teller.flush();
    expect(held()).toEqual({ two: 'down' });
    expect(writes).toHaveLength(2);
    expect(teller.isBehind).toBe(false);
    await teller.flush();
    teller.set('two', 'down');
    expect(teller.isBehind).toBe(false);
    expect(writes).toHaveLength(2);
  });

  test('tells at most 500 in a write', async () => {
    for (let at = 0; at < 1200; at++) teller.set(`t${at}`, 'up');
    await teller.flush();
    expect(writes.slice(1).map(({ changes }) => changes.size)).toEqual([500, 500, 200]);
  });

  test.each(['failing', 'lost-replies'] as const)(
    'outlives a board that is %s',
    async (trouble) => {
      mode = trouble;
      teller.set('one', 'down');
      await expect(teller.flush()).rejects.toThrow();
      teller.set('one', 'up');
      teller.set('two', 'down');
      await expect(teller.flush()).rejects.toThrow();
      mode = 'up';
      await teller.flush();
      expect(held()).toEqual({ one: 'up', two: 'down' });
      expect(teller.compare(server.votesOf('a').generation, teller.generation)).toBe(false);
    },
  );

  test('tells all again when the board has lost it, seen by itself or by a refusal', async () => {
    server.wipe();
    expect(teller.compare(0, teller.generation)).toBe(true);
    await teller.flush();
    expect(held()).toEqual({ one: 'up', two: 'up' });
    server.wipe();
    teller.set('two', 'down');
    await teller.flush();
    expect(held()).toEqual({ one: 'up', two: 'down' });
  });

  test('a loss is seen also while a write is in doubt', async () => {
    mode = 'lost-replies';
    teller.set('one', 'down');
    await expect(teller.flush()).rejects.toThrow();
    mode = 'up';
    server.wipe();
    expect(teller.compare(0, teller.generation)).toBe(true);
    await teller.flush();
    expect(held()).toEqual({ one: 'down', two: 'up' });
  });

  test('in its next life it goes on from what stands there', async () => {
    const { generation, votes } = server.votesOf('a');
    teller = newTeller();
    teller.set('two', 'up');
    teller.set('three', 'up');
    teller.begin(generation, votes, BOARD_MS);
    await teller.flush();
    expect(held()).toEqual({ two: 'up', three: 'up' });
    expect(writes.map(({ changes }) => [...changes.keys()].sort())).toEqual([['one', 'three']]);
  });

  test('after a loss its next life begins with a higher generation', async () => {
    const before = server.votesOf('a').generation;
    server.wipe();
    teller = newTeller();
    teller.begin(0, new Map(), BOARD_MS + 5000);
    teller.set('one', 'up');
    await teller.flush();
    expect(server.votesOf('a').generation).toBeGreaterThan(before);
  });
});
