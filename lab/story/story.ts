// The story that a site tells: its steps in their order, each only of what the site has.
import type { Site } from '../site.ts';
import { type Passed, witness } from '../witness.ts';
import { balance } from './balance.ts';
import { eips } from './eips.ts';
import { failures } from './failures.ts';
import { leases } from './leases.ts';
import { names } from './names.ts';
import { redis } from './redis.ts';
import type { Check, Outcome, Report, Step } from './step.ts';

export const steps = (site: Site): Step[] =>
  [leases, eips, names, balance, failures, redis]
    .map((step) => step(site))
    .filter((step) => step !== undefined);

/** A check that fails by an error says so, and the next one goes on; an abort ends all. */
async function outcome(run: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof Error && error.name === 'AbortError') throw error;
    return { ok: false, result: error instanceof Error ? error.message : String(error) };
  }
}

export async function perform(site: Site, check: Check): Promise<Report> {
  const { what, path, run, counted } = check;
  if (!counted) return { what, path, ...(await outcome(run)) };
  const { result, passed }: { result: Outcome; passed: Passed } = await witness(site, () =>
    outcome(run),
  );
  return { what, path, ...result, passed };
}
