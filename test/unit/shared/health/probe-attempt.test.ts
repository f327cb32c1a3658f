import { expect, test } from 'vitest';
import { ManualClock } from '../../../../shared/clock.ts';
import {
  attempt,
  bad,
  good,
  settleBy,
  type Verdict,
} from '../../../../shared/health/probe-attempt.ts';

const { signal } = new AbortController();

test('the first verdict counts, and gives back what was opened', async () => {
  const clock = new ManualClock();
  let released = 0;
  const probed = attempt({ clock, timeoutMs: 1000, signal }, (settle) => {
    clock.after(40, () => {
      settle(good('first'));
      settle(bad('second'));
    });
    return () => released++;
  });
  await clock.advance(100);
  expect(await probed).toEqual({ verdict: 'good', reason: 'first', latencyMs: 40 });
  expect([released, clock.pending]).toEqual([1, 0]);
});

test('a verdict at once gives back, too', async () => {
  let released = 0;
  const begin = (settle: (verdict: Verdict) => void) => {
    settle(bad('so'));
    return () => released++;
  };
  expect(await attempt({ clock: new ManualClock(), timeoutMs: 1000, signal }, begin)).toMatchObject(
    { reason: 'so' },
  );
  expect(released).toBe(1);
});

test('the deadline is a verdict', async () => {
  const clock = new ManualClock();
  const probed = attempt({ clock, timeoutMs: 1000, signal }, () => () => {});
  await clock.advance(1000);
  expect(await probed).toEqual({ verdict: 'bad', reason: 'timeout', latencyMs: 1000 });
});

test('what has come when the deadline fires, and is read after it, counts', async () => {
  const clock = new ManualClock();
  let read = () => {};
  const after: typeof clock.after = (delayMs, fire) =>
    clock.after(delayMs, () => {
      setImmediate(read); // as what the event loop reads after its timers
      fire();
    });
  const probed = attempt(
    { clock: { ...wrap(clock), after }, timeoutMs: 1000, signal },
    (settle) => {
      read = () => settle(good('read now'));
      return () => {};
    },
  );
  await clock.advance(1000);
  expect(await probed).toMatchObject({ verdict: 'good', reason: 'read now' });
});

test('stopped, also before it begins, nothing is probed', async () => {
  const stop = new AbortController();
  const clock = new ManualClock();
  const deadline = { clock, timeoutMs: 1000, signal: stop.signal };
  let begun = 0;
  const begin = () => {
    begun++;
    return () => {};
  };
  const probed = attempt(deadline, begin);
  stop.abort();
  for (const each of [probed, attempt(deadline, begin)]) {
    expect(await each).toMatchObject({ verdict: 'not-probed', reason: 'stopped' });
  }
  expect([begun, clock.pending]).toEqual([1, 0]);
});

test('a deadline that fires late says nothing of the target', async () => {
  const clock = new ManualClock();
  const late: typeof clock.after = (_, fire) => clock.after(9000, fire);
  const standing = { ...wrap(clock), after: late };
  const probed = attempt({ clock: standing, timeoutMs: 1000, signal }, () => () => {});
  await clock.advance(9000);
  expect(await probed).toMatchObject({
    verdict: 'not-probed',
    reason: 'this instance stood still',
  });
});

test('what cannot be begun is not probed', async () => {
  const probed = attempt({ clock: new ManualClock(), timeoutMs: 1000, signal }, () => {
    throw Object.assign(new Error('no'), { code: 'EDGE_ICMP' });
  });
  expect(await probed).toMatchObject({
    verdict: 'not-probed',
    reason: 'cannot be asked: EDGE_ICMP',
  });
});

// There is a route to loopback; a socket that may not broadcast has none to everybody.
test.each([
  ['EMFILE', '127.0.0.1', 'not-probed: EMFILE'],
  ['ENOBUFS', '127.0.0.1', 'not-probed: ENOBUFS'],
  ['EADDRNOTAVAIL', '127.0.0.1', 'not-probed: EADDRNOTAVAIL'],
  ['ECONNREFUSED', '127.0.0.1', 'bad: refused'],
  ['ECONNRESET', '127.0.0.1', 'bad: closed by the target'],
  ['ETIMEDOUT', '127.0.0.1', 'bad: timeout'],
  ['EHOSTUNREACH', '127.0.0.1', 'bad: unreachable'],
  ['ENETUNREACH', '127.0.0.1', 'bad: unreachable'],
  ['ENETUNREACH', '::1', 'bad: unreachable'],
  ['ENETUNREACH', '255.255.255.255', 'not-probed: no route: EACCES'],
  ['EODD', '127.0.0.1', 'bad: EODD'],
])('%s of %s is %s', async (code, address, expected) => {
  const settled = new Promise<Verdict>((resolve) => settleBy({ code }, address, resolve));
  const { verdict, reason } = await settled;
  expect(`${verdict}: ${reason}`).toBe(expected);
});

function wrap(clock: ManualClock) {
  return {
    nowMs: () => clock.nowMs(),
    monotonicMs: () => clock.monotonicMs(),
    sleep: (delayMs: number, signal?: AbortSignal) => clock.sleep(delayMs, signal),
  };
}
