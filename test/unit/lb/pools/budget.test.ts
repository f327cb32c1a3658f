import { expect, test } from 'vitest';
import { balancerOf, weighted } from './rig.ts';

function rig(budgetPercent = 20) {
  const balancer = balancerOf(weighted(1), {
    retries: { count: 2, budgetPercent, statuses: [] },
  });
  const requests = (count: number, nowMs: number) => {
    for (let at = 0; at < count; at++) balancer.countRequest(nowMs);
  };
  const retries = (nowMs: number) => {
    let count = 0;
    while (count < 10_000 && balancer.mayRetry(nowMs)) count++;
    return count;
  };
  return { balancer, requests, retries };
}

test('three a second without any requests', () => {
  const { retries } = rig();
  expect(retries(0)).toBe(30);
  expect(retries(9999)).toBe(0);
  expect(retries(10_000)).toBe(30);
});

test('and a share of the requests of ten seconds', () => {
  const { requests, retries } = rig();
  requests(1000, 500);
  expect(retries(700)).toBe(230);
  requests(100, 5000);
  expect(retries(5000)).toBe(20);
  // The first thousand is out of the window, and so are its retries.
  expect(retries(10_500)).toBe(30);
  expect(retries(60_000)).toBe(30);
});

test('an overload is not multiplied: all requests fail, and a fifth is tried again', () => {
  const { balancer, requests } = rig();
  let tried = 0;
  for (let nowMs = 0; nowMs < 60_000; nowMs += 10) {
    requests(10, nowMs);
    for (let at = 0; at < 10; at++) if (balancer.mayRetry(nowMs)) tried++;
  }
  expect(tried / 60_000).toBeGreaterThan(0.19);
  expect(tried / 60_000).toBeLessThan(0.205);
  expect(balancer.statistics(0)).toMatchObject({ retries: tried, retriesRefused: 60_000 - tried });
});
