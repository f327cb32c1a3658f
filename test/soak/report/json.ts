// The verdict as data: what the page says, and the samples of the daemons. Pure.
import type { Facts, Verdict } from '../facts.ts';
import { charge } from '../judge/clients.ts';
import { trends } from '../judge/daemons.ts';
import { totals } from './totals.ts';

export function jsonReport(facts: Facts, verdicts: readonly Verdict[]): string {
  const { seed, command, machine, versions, startedAtMs, endedAtMs, isInterrupted, faults } = facts;
  const { charges } = charge(facts);
  const report = {
    ok: verdicts.every(({ breaches }) => breaches.length === 0) && !isInterrupted,
    isInterrupted,
    seed,
    command,
    machine,
    versions,
    startedAt: new Date(startedAtMs).toISOString(),
    seconds: Math.round((endedAtMs - startedAtMs) / 1000),
    invariants: verdicts.map((verdict) => ({ ...verdict, ok: verdict.breaches.length === 0 })),
    loads: totals(facts),
    faults: faults.map((fault) => ({
      ...fault,
      atSeconds: (fault.struckAtMs - startedAtMs) / 1000,
      seen: charges
        .filter((each) => each.fault === fault)
        .map(({ load, count, allowed }) => ({ load, count, allowed })),
    })),
    trends: trends(facts),
    errors: facts.errors,
    troubles: facts.troubles,
    samples: facts.samples,
  };
  return `${JSON.stringify(report, null, 1)}\n`;
}
