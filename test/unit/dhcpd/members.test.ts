// Who else serves, by heartbeats: who is running, and who is there in whatever state.
import { expect, test } from 'vitest';
import { Membership } from '../../../dhcpd/members.ts';
import { ManualClock } from '../../../shared/clock.ts';
import { silentLog } from '../../../shared/log.ts';
import { createMemoryStore } from '../../../shared/store/memory.ts';

const clock = new ManualClock();
const store = createMemoryStore({ clock });
const states = { d1: 'running', d2: 'starting' };
const memberOf = (node: 'd1' | 'd2') =>
  new Membership({
    store,
    node,
    self: () => ({
      node,
      version: '1',
      state: states[node],
      applied: {},
      startedAt: 0,
      clockMs: clock.nowMs(),
    }),
    lan: () => undefined,
    log: silentLog,
  });

test('one that starts or drains is not running, but offers are shared with it', async () => {
  const [d1, d2] = [memberOf('d1'), memberOf('d2')];
  expect([d1.all, d1.present]).toEqual([['d1'], 1]);
  await d2.beat();
  await d1.beat();
  expect([d1.all, d1.present]).toEqual([['d1'], 2]);
  for (const state of ['running', 'draining']) {
    states.d2 = state;
    await d2.beat();
    await d1.beat();
    expect([d1.all, d1.present]).toEqual([state === 'running' ? ['d1', 'd2'] : ['d1'], 2]);
  }
  await clock.advance(6000);
  await d1.beat();
  expect([d1.all, d1.present]).toEqual([['d1'], 1]);
});
