import { beforeEach, describe, expect, test } from 'vitest';
import { Replica } from '../../../../shared/health/replica.ts';

const up = 'up 3 1000 up ok';
const down = 'down 2 2000 up refused';
let replica: Replica;

const lease = (node: string, ageMs = 0, generation = 0) => ({ node, ageMs, generation });

beforeEach(() => {
  replica = new Replica();
});

describe('leases', () => {
  test('ten seconds old is alive, older is not', () => {
    expect(replica.list([lease('b', 10_000), lease('a'), lease('c', 10_001)])).toEqual({
      others: true,
      hasLost: false,
    });
    expect(replica.live).toEqual(['a', 'b']);
    expect(replica.list([lease('a', 100), lease('b', 9000), lease('c', 12_000)])).toEqual({
      others: false,
      hasLost: false,
    });
  });

  test('a board that does not know who it knew has lost something', () => {
    replica.list([lease('a'), lease('b')]);
    expect(replica.list([lease('a')])).toEqual({ others: true, hasLost: true });
    expect(replica.list([lease('a')])).toEqual({ others: false, hasLost: false });
  });
});

describe('votes', () => {
  beforeEach(() => {
    replica.list([lease('a', 0, 5), lease('b')]);
    replica.replace('a', 5, new Map([['one', up]]));
  });

  test('are stale when the board has another generation', () => {
    expect(replica.stale()).toEqual([]);
    replica.list([lease('a', 0, 6), lease('b', 0, 1)]);
    expect(replica.stale()).toEqual(['a', 'b']);
    replica.list([lease('a', 0, 4)]);
    expect(replica.stale(), 'a lower one, too').toEqual(['a']);
  });

  test('an entry that joins on is taken, and tells what it is about', () => {
    const changes = new Map([
      ['one', null],
      ['two', down],
    ]);
    const entry = { node: 'a', from: 5, generation: 7, changes };
    expect(replica.take(entry)).toEqual(new Set(['one', 'two']));
    expect(replica.vote('a', 'one')).toBeUndefined();
    expect(replica.vote('a', 'two')).toMatchObject({ state: 'down', reason: 'refused' });
    expect(replica.take(entry), 'a second time it is nothing new').toEqual(new Set());
  });

  test.each([
    ['a gap', { from: 6, generation: 7, changes: new Map([['one', down]]) }],
    ['one without its changes', { from: 5, generation: 6 }],
  ])('an entry with %s asks for all of them', (_, entry) => {
    expect(replica.take({ node: 'a', ...entry })).toBeUndefined();
    expect(replica.vote('a', 'one')).toMatchObject({ state: 'up' });
  });

  test('all of them read again tell what differs', () => {
    const texts = new Map([
      ['two', down],
      ['bad', 'whatever'],
    ]);
    replica.replace('a', 8, new Map([['one', up]]));
    expect(replica.replace('a', 9, texts)).toEqual(new Set(['one', 'two', 'bad']));
    expect([...replica.textsOf('a').keys()], 'what is no vote is none').toEqual(['two']);
    expect(replica.generationOf('a')).toBe(9);
  });

  test('what is held of a target is what one holds who lives', () => {
    expect(replica.heldOf('one', 'me')).toBe('up');
    replica.list([lease('a', 60_000, 5), lease('b', 0, 1)]);
    expect(replica.heldOf('one', 'me'), 'who is dead, if nobody else').toBe('up');
    replica.replace('b', 1, new Map([['one', 'down 1 3000 down refused']]));
    expect(replica.heldOf('one', 'me')).toBe('down');
    replica.list([lease('a', 0, 5), lease('b', 0, 1)]);
    expect(replica.heldOf('one', 'b'), 'others before oneself').toBe('up');
    expect(replica.heldOf('two', 'me')).toBe('unknown');
  });
});
