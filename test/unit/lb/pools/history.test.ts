// No place leaks, whatever happens in whatever order.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Outcome, Place, TargetState } from '../../../../lb/pools/types.ts';
import { ALGORITHMS } from '../../../../shared/site/lb-objects.ts';
import { balancerOf, FAILED, pool, target, WELL } from './rig.ts';

const OUTCOMES: readonly Outcome[] = [
  WELL,
  FAILED,
  { kind: 'cancelled' },
  { kind: 'connect-failed' },
];
const IDS = ['a', 'b', 'c', 'd'];
const states = fc.array(
  fc.record({
    health: fc.constantFrom('up' as const, 'up' as const, 'down' as const, 'drain' as const),
    weight: fc.constantFrom(0, 1, 3),
    tier: fc.constantFrom(0, 0, 1),
    isThere: fc.boolean(),
  }),
  { minLength: 4, maxLength: 4 },
);
const command = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('acquire' as const), hash: fc.nat() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('end' as const), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel' as const), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(3000) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('update' as const), states }) },
);

test.each(ALGORITHMS)('%s: what is open is what was not ended', (algorithm) => {
  const history = fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
    const passive = { failures: 2, ejectMs: 500, maxPercent: 50 };
    const proxy = { algorithm, passive, maxRequests: 2, maxQueue: 4, slowStartMs: 1000 };
    const balancer = balancerOf(
      IDS.map((id) => target(id)),
      proxy,
    );
    const places: Place[] = [];
    const cancels: (() => void)[] = [];
    let [nowMs, asked, answered] = [0, 0, 0];
    const steps = (each: (typeof commands)[number]): void => {
      if (each.do === 'wait') {
        nowMs += each.ms;
        balancer.tick(nowMs);
      }
      if (each.do === 'cancel') cancels[each.which % Math.max(1, cancels.length)]?.();
      if (each.do === 'end') {
        const place = places.splice(each.which % Math.max(1, places.length), 1)[0];
        place?.end(OUTCOMES[each.which % OUTCOMES.length] ?? WELL, nowMs);
      }
      if (each.do === 'update') balancer.update(pool(targetsOf(each.states), proxy), nowMs);
      if (each.do !== 'acquire') return;
      asked++;
      const sticky = IDS[each.hash % 9];
      const key = { hash: each.hash, ...(sticky === undefined ? {} : { sticky }) };
      const done = (result: Place | string) => {
        answered++;
        if (typeof result !== 'string') places.push(result);
      };
      cancels.push(balancer.acquire(key, [], nowMs, done));
    };
    for (const each of commands) {
      steps(each);
      expect(asked - answered).toBe(balancer.queued);
      for (const { target } of balancer.explain({ hash: 0 }, nowMs)) {
        expect(target.open).toBe(places.filter((place) => place.target === target).length);
        expect(target.open).toBeLessThanOrEqual(2);
      }
    }
    balancer.update(
      pool(
        IDS.map((id) => target(id)),
        proxy,
      ),
      nowMs,
    );
    while (places.length > 0) places.pop()?.end(WELL, nowMs);
    balancer.tick(nowMs + 10_000);
    while (places.length > 0) places.pop()?.end(WELL, nowMs);
    expect(balancer.queued).toBe(0);
    expect(answered).toBe(asked);
    expect(balancer.statistics(nowMs).targets.map(({ open }) => open)).toEqual([0, 0, 0, 0]);
  });
  fc.assert(history, { numRuns: 60 });
});

function targetsOf(
  states: readonly (Pick<TargetState, 'health' | 'weight' | 'tier'> & { isThere: boolean })[],
): TargetState[] {
  return states.flatMap(({ isThere, ...state }, at) =>
    isThere ? [target(IDS[at] ?? '', state)] : [],
  );
}
