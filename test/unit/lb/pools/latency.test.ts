import { describe, expect, test } from 'vitest';
import { Member } from '../../../../lb/pools/member.ts';
import { seededRandom } from '../../../../shared/random.ts';
import { balancerOf, KEY, pickOf, pool, target, weighted } from './rig.ts';

const response = (latencyMs: number, status = 200) =>
  ({ kind: 'response', status, latencyMs }) as const;

describe('latency', () => {
  test('a peak counts at once, and fades', () => {
    const member = new Member(target('a'));
    member.learn(response(10), 0);
    member.learn(response(500), 0);
    expect(member.latencyAt(0, 0)).toBe(500);
    expect(member.latencyAt(10_000, 0)).toBeCloseTo(500 / Math.E);
    expect(member.latencyAt(600_000, 0)).toBe(1);
  });

  test('what is faster comes in by and by', () => {
    const member = new Member(target('a'));
    member.learn(response(500), 0);
    member.learn(response(10), 100);
    expect(member.latencyMs).toBeGreaterThan(480);
    for (let nowMs = 200; nowMs <= 30_000; nowMs += 100) member.learn(response(10), nowMs);
    expect(member.latencyMs).toBeLessThan(50);
    expect(member.latencyMs).toBeGreaterThanOrEqual(10);
  });

  test('failures teach no latency: a target that fails at once is not fast', () => {
    const member = new Member(target('a'));
    member.learn(response(50), 0);
    for (let at = 0; at < 50; at++) member.learn(response(1, 503), 0);
    member.learn({ kind: 'connect-failed' }, 0);
    expect(member.latencyMs).toBe(50);
  });

  test('below a millisecond all are the same', () => {
    const member = new Member(target('a'));
    member.learn(response(0.01), 0);
    expect(member.latencyMs).toBe(1);
  });
});

describe('how well a target is', () => {
  test.each([
    [1, 0.9],
    [2, 0.81],
    [10, 0.9 ** 10],
    [100, 0.01],
  ])('after %i failures: %f', (count, well) => {
    const member = new Member(target('a'));
    for (let at = 0; at < count; at++) member.learn({ kind: 'failed' }, 0);
    expect(member.wellAt(0)).toBeCloseTo(well, 2);
    expect(member.wellAt(60_000)).toBe(1);
  });

  test('successes bring it back; a client that left says nothing', () => {
    const member = new Member(target('a'));
    for (let at = 0; at < 10; at++) member.learn({ kind: 'failed' }, 0);
    const before = member.wellAt(0);
    member.learn({ kind: 'cancelled' }, 0);
    expect(member.wellAt(0)).toBe(before);
    for (let at = 0; at < 40; at++) member.learn(response(1), 0);
    expect(member.wellAt(0)).toBe(1);
  });
});

describe('peak-EWMA', () => {
  /** One request after the other, each as long as its target takes; the share of target a. */
  function shareOfFirst(latencies: readonly number[], weights = latencies.map(() => 1)): number {
    const balancer = balancerOf(weighted(...weights), { algorithm: 'peak-ewma' });
    let nowMs = 0;
    let first = 0;
    for (let at = 0; at < 4000; at++) {
      const place = pickOf(balancer, KEY, nowMs);
      const latencyMs = latencies[place.target.id.charCodeAt(0) - 97] ?? 0;
      nowMs += latencyMs;
      place.end(response(latencyMs), nowMs);
      if (place.target.id === 'a') first++;
    }
    return first / 4000;
  }

  test('of two targets the faster one has most: it is not a draw', () => {
    expect(shareOfFirst([10, 50])).toBeGreaterThan(0.9);
    expect(shareOfFirst([50, 10])).toBeLessThan(0.1);
  });

  test('what hardly differs is shared by weight', () => {
    expect(shareOfFirst([10, 10.5])).toBeCloseTo(0.5, 1);
    expect(shareOfFirst([10, 10.5], [3, 1])).toBeCloseTo(0.75, 1);
  });

  test('the slow one of two is tried again', () => {
    expect(shareOfFirst([50, 10])).toBeGreaterThan(0);
  });

  test('a new target is not flooded', () => {
    const proxy = { algorithm: 'peak-ewma' } as const;
    const balancer = balancerOf(weighted(1, 1, 1, 1), proxy, seededRandom(2));
    for (let at = 0; at < 400; at++) pickOf(balancer, KEY, at).end(response(100), at);
    balancer.update(pool([...weighted(1, 1, 1, 1), target('new')], proxy), 400);
    const places = Array.from({ length: 100 }, () => pickOf(balancer, KEY, 400));
    const fresh = places.filter((place) => place.target.id === 'new').length;
    expect(fresh).toBeGreaterThan(10);
    expect(fresh).toBeLessThan(30);
  });
});
