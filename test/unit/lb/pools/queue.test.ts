import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PickFailure, Place } from '../../../../lb/pools/types.ts';
import type { PoolProxy } from '../../../../shared/site/lb-objects.ts';
import { DEFAULT_PROXY } from '../../../../shared/site/lb-objects.ts';
import { balancerOf, KEY, pickOf, pool, target, WELL, weighted } from './rig.ts';

const timeouts = { ...DEFAULT_PROXY.timeouts, queueMs: 100 };
const narrow: Partial<PoolProxy> = { maxRequests: 1, maxQueue: 3, timeouts };
const isPlace = (result: Place | PickFailure): result is Place => typeof result === 'object';

function rig(targets = weighted(1), proxy: Partial<PoolProxy> = {}) {
  const balancer = balancerOf(targets, { ...narrow, ...proxy });
  const results = new Map<string, Place | PickFailure>();
  const ask = (name: string, nowMs = 0, key = KEY) =>
    balancer.acquire(key, [], nowMs, (result) => {
      if (results.has(name)) throw new Error(`${name} was answered twice`);
      results.set(name, result);
    });
  const told = () =>
    [...results].map(([name, result]) => `${name} ${isPlace(result) ? result.target.id : result}`);
  const end = (name: string, nowMs = 0) => {
    const result = results.get(name);
    if (result !== undefined && isPlace(result)) result.end(WELL, nowMs);
  };
  return { balancer, ask, told, end };
}

test('first in, first out: a place that frees serves who waits, not who comes', () => {
  const { balancer, ask, told, end } = rig();
  for (const name of ['one', 'two', 'three']) ask(name);
  expect(told()).toEqual(['one a']);
  expect(balancer.queued).toBe(2);
  end('one');
  expect(told()).toEqual(['one a', 'two a']);
  expect(balancer.pick(KEY, [], 0)).toBeUndefined();
  end('two');
  expect(told()).toEqual(['one a', 'two a', 'three a']);
  expect(balancer.queued).toBe(0);
});

test('bounded', () => {
  const { ask, told } = rig();
  for (const name of ['one', 'two', 'three', 'four', 'five']) ask(name);
  expect(told()).toEqual(['one a', 'five queue-full']);
});

test('each until its time is over', () => {
  const { balancer, ask, told } = rig();
  ask('one', 0);
  ask('two', 0);
  ask('three', 50);
  balancer.tick(99);
  expect(told()).toEqual(['one a']);
  balancer.tick(100);
  expect(told()).toEqual(['one a', 'two queue-timeout']);
  balancer.tick(150);
  expect(told()).toEqual(['one a', 'two queue-timeout', 'three queue-timeout']);
});

test('nobody waits without queueMs', () => {
  const { ask, told } = rig(weighted(1), { timeouts: { ...timeouts, queueMs: 0 } });
  ask('one');
  ask('two');
  expect(told()).toEqual(['one a', 'two queue-timeout']);
});

test('cancelled while waiting, and not after', () => {
  const { balancer, ask, told, end } = rig();
  const cancelOne = ask('one');
  const cancelTwo = ask('two');
  ask('three');
  cancelTwo();
  cancelTwo();
  cancelOne();
  expect(told()).toEqual(['one a', 'two cancelled']);
  end('one');
  expect(told()).toEqual(['one a', 'two cancelled', 'three a']);
  expect(balancer.statistics(0).failures).toMatchObject({ cancelled: 1 });
});

test('no target: at once, for those that wait, too', () => {
  const { balancer, ask, told } = rig();
  ask('one');
  ask('two');
  balancer.update(pool([target('a', { health: 'down' })], { ...narrow, failOpenPercent: 0 }), 1);
  expect(told()).toEqual(['one a', 'two no-target']);
  ask('three', 2);
  expect(told()).toContain('three no-target');
});

test('a new target, or a higher bound, serves who waits', () => {
  const { balancer, ask, told } = rig();
  for (const name of ['one', 'two', 'three']) ask(name);
  balancer.update(pool(weighted(1, 1), narrow), 1);
  expect(told()).toEqual(['one a', 'two b']);
  balancer.update(pool(weighted(1, 1), { ...narrow, maxRequests: 2 }), 2);
  expect(told()).toHaveLength(3);
});

test('a place of a draining target goes to who sticks to it', () => {
  const { balancer, ask, told, end } = rig(weighted(1, 1));
  ask('one', 0, { hash: 0, sticky: 'a' });
  ask('two', 0);
  ask('three', 0);
  ask('own', 0, { hash: 0, sticky: 'a' });
  balancer.update(pool([target('a', { health: 'drain' }), target('b')], narrow), 1);
  end('one', 2);
  expect(told()).toEqual(['one a', 'two b', 'own a']);
});

test('two of them, freed in one turn', () => {
  const { balancer, ask, told, end } = rig(weighted(1, 1), { maxRequests: 2, maxQueue: 9 });
  const own = { hash: 0, sticky: 'a' };
  for (const name of ['one', 'two']) ask(name, 0, own);
  for (const name of ['three', 'four', 'five']) ask(name, 0);
  for (const name of ['six', 'seven']) ask(name, 0, own);
  const draining = [target('a', { health: 'drain' }), target('b')];
  balancer.update(pool(draining, { ...narrow, maxRequests: 2 }), 1);
  end('one', 2);
  end('two', 2);
  expect(told().slice(4)).toEqual(['six a', 'seven a']);
  expect(balancer.queued).toBe(1);
});

test('a place is ended once', () => {
  const place = pickOf(balancerOf(weighted(1)));
  place.end(WELL, 0);
  expect(() => place.end(WELL, 0)).toThrow(/twice/);
});

test('places that end as they are given', () => {
  const balancer = balancerOf(weighted(1), { ...narrow, maxQueue: 1000 });
  const first = pickOf(balancer);
  let served = 0;
  for (let at = 0; at < 1000; at++) {
    balancer.acquire(KEY, [], 0, (result) => {
      served++;
      if (isPlace(result)) result.end(WELL, 0);
    });
  }
  first.end(WELL, 0);
  expect(served).toBe(1000);
  expect(balancer.statistics(0).targets[0]?.open).toBe(0);
});

/** The queue as it is meant: a list. */
type Command = { do: 'ask' | 'end' | 'cancel' | 'wait'; which: number };

describe('random histories', () => {
  const commands = fc.array(
    fc.record({
      do: fc.constantFrom(
        'ask' as const,
        'ask' as const,
        'end' as const,
        'cancel' as const,
        'wait' as const,
      ),
      which: fc.nat(30),
    }),
    { maxLength: 80 },
  );

  test('as a list would do it', () => {
    fc.assert(fc.property(commands, fc.integer({ min: 1, max: 3 }), follow));
  });

  function follow(history: readonly Command[], room: number): void {
    const balancer = balancerOf(weighted(1), { ...narrow, maxRequests: room });
    const cancels: (() => void)[] = [];
    const results: (Place | PickFailure | undefined)[] = [];
    const model = { open: [] as number[], queue: [] as { id: number; untilMs: number }[] };
    const expected: (PickFailure | 'place' | undefined)[] = [];
    let nowMs = 0;
    const admit = () => {
      while (model.open.length < room) {
        const next = model.queue.shift();
        if (next === undefined) return;
        model.open.push(next.id);
        expected[next.id] = 'place';
      }
    };
    const steps = {
      ask(): void {
        const id = results.push(undefined) - 1;
        const done = (result: Place | PickFailure) => {
          results[id] = result;
        };
        cancels.push(balancer.acquire(KEY, [], nowMs, done));
        if (model.open.length < room) model.open.push(id);
        expected[id] = model.open.includes(id) ? 'place' : undefined;
        if (expected[id] === 'place') return;
        if (model.queue.length >= 3) expected[id] = 'queue-full';
        else model.queue.push({ id, untilMs: nowMs + 100 });
      },
      end(which: number): void {
        const id = model.open.splice(which % Math.max(1, model.open.length), 1)[0];
        const place = id === undefined ? undefined : results[id];
        if (place !== undefined && isPlace(place)) place.end(WELL, nowMs);
        admit();
      },
      cancel(which: number): void {
        const id = which % Math.max(1, cancels.length);
        cancels[id]?.();
        const at = model.queue.findIndex((each) => each.id === id);
        if (at < 0) return;
        model.queue.splice(at, 1);
        expected[id] = 'cancelled';
      },
      wait(which: number): void {
        nowMs += which * 3;
        balancer.tick(nowMs);
        for (const { id } of model.queue.filter(({ untilMs }) => nowMs >= untilMs)) {
          expected[id] = 'queue-timeout';
        }
        model.queue = model.queue.filter(({ untilMs }) => nowMs < untilMs);
      },
    };
    for (const each of history) {
      steps[each.do](each.which);
      const told = results.map((result) =>
        result !== undefined && isPlace(result) ? 'place' : result,
      );
      expect(told).toEqual(Array.from(told, (_, id) => expected[id]));
      expect(balancer.queued).toBe(model.queue.length);
      expect(balancer.statistics(nowMs).targets[0]?.open).toBe(model.open.length);
    }
  }
});
