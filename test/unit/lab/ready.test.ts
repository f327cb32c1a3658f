// until(): the only waiting in the lab.
import { expect, it } from 'vitest';
import { until } from '../../../lab/ready.ts';

const soon = { timeoutMs: 50, everyMs: 1 };
const enough = { timeoutMs: 20_000, everyMs: 1 };

it('returns the first value that is neither undefined nor false', async () => {
  const answers = [undefined, false as const, 0];
  expect(await until('an answer', () => answers.shift(), enough)).toBe(0);
});

it('takes an error for "not yet"', async () => {
  let asked = 0;
  const probe = (): boolean => {
    if (++asked < 3) throw new Error('not listening');
    return true;
  };
  expect(await until('it listens', probe, enough)).toBe(true);
});

it('says what it waited for, and the last error', async () => {
  const probe = (): boolean => {
    throw new Error('connection refused');
  };
  await expect(until('redis answers', probe, soon)).rejects.toThrow(
    /redis answers: connection refused/,
  );
});

it('ends at once when told to', async () => {
  const stop = AbortSignal.abort(new Error('the process ended'));
  const waiting = until('it is ready', () => false as const, { signal: stop });
  await expect(waiting).rejects.toThrow('the process ended');
});

it('takes an abort for no "not yet"', async () => {
  const stop = AbortSignal.abort();
  const probe = (): boolean => stop.throwIfAborted() ?? true;
  await expect(until('it listens', probe, enough)).rejects.toThrow(/aborted/);
});
