// A server that answers may still be at work, for what it loaded: it is measured once that is over.
import { until } from '../../../lab/ready.ts';
import { cpuSeconds } from '../dhcpd/processes.ts';

const EVERY_MS = 500;
const LIMIT_MS = 60_000;
const QUIET_SHARE = 0.1;

/**
 * Resolves with how long it took, in ms; with the limit when it never is quiet. `looks`: so many in
 * a row have to find it so.
 */
export async function untilQuiet(pids: readonly number[], looks: number): Promise<number> {
  const startMs = performance.now();
  let before = Number.NEGATIVE_INFINITY;
  let quiet = 0;
  const look = (): boolean => {
    const now = cpuSeconds(pids);
    quiet = now - before < (QUIET_SHARE * EVERY_MS) / 1000 ? quiet + 1 : 0;
    before = now;
    return quiet >= looks || performance.now() - startMs > LIMIT_MS;
  };
  await until('the server is quiet', look, { everyMs: EVERY_MS, timeoutMs: 2 * LIMIT_MS });
  return performance.now() - startMs;
}
