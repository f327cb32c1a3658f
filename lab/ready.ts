// Waits until something is so, with a deadline. The lab and the tests never sleep instead;
// EDGE_SLOW=4 gives everything four times as long.
import { setTimeout as pause } from 'node:timers/promises';

export type UntilOptions = { timeoutMs?: number; everyMs?: number; signal?: AbortSignal };

// A slow or busy machine may take longer; it must not decide a test.
const slowness = Math.max(1, Number(process.env.EDGE_SLOW ?? 1) || 1);

/**
 * Asks `probe` until it returns something other than undefined or false, and returns that.
 * An error of the probe counts as "not yet"; the last one is told when the time is up. An
 * AbortError is thrown on: what the probe asked is being taken down.
 */
export async function until<T>(
  what: string,
  probe: () => T | undefined | false | Promise<T | undefined | false>,
  options: UntilOptions = {},
): Promise<T> {
  const timeoutMs = (options.timeoutMs ?? 15_000) * slowness;
  const deadline = performance.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    options.signal?.throwIfAborted();
    try {
      const value = await probe();
      if (value !== undefined && value !== false) return value;
      last = undefined;
    } catch (error) {
      if (error instanceof Error && error.name === 'AbortError') throw error;
      last = error;
    }
    if (performance.now() >= deadline) {
      const why = last instanceof Error ? `: ${last.message}` : '';
      throw new Error(`not so within ${timeoutMs} ms: ${what}${why}`, { cause: last });
    }
    await pause(options.everyMs ?? 25);
  }
}
