// All invariants of a soak over its facts. Pure.
import type { Facts, Verdict } from '../facts.ts';
import {
  judgeBytes,
  judgeFailures,
  judgeFlows,
  judgeLines,
  judgeNaks,
  judgeOverflow,
} from './clients.ts';
import { judgeErrors, judgeGrowth, judgePids, judgeRecovery } from './daemons.ts';
import { judgeLeases } from './leases.ts';

function judgeEnd({ end }: Facts): Verdict {
  const breaches = end.flatMap(({ what, problems }) =>
    problems.map((problem) => `${what}: ${problem}`),
  );
  const invariant = 'at the end all is well, and nothing is left';
  return { invariant, checked: end.length, breaches };
}

export function judge(facts: Facts): Verdict[] {
  return [
    judgeLeases(facts),
    judgeFlows(facts),
    judgeBytes(facts),
    judgeLines(facts),
    judgeOverflow(facts),
    judgeNaks(facts),
    judgeFailures(facts),
    judgePids(facts),
    judgeGrowth(facts),
    judgeErrors(facts),
    judgeRecovery(facts.faults),
    judgeEnd(facts),
  ];
}

/** What was not looked at is not kept; only where a run was too short for it, or had no faults. */
export const isBroken = ({ breaches }: Verdict): boolean => breaches.length > 0;
