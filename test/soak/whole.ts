// The soak of a whole site, from its options to its report and exit code.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeError } from '../../shared/errors.ts';
import type { Arguments } from './arguments.ts';
import type { Facts, Verdict } from './facts.ts';
import { isBroken, judge } from './judge/index.ts';
import { htmlReport } from './report/html.ts';
import { jsonReport } from './report/json.ts';
import { markdownReport } from './report/markdown.ts';
import { soak } from './run.ts';
import { type Planned, schedule } from './schedule.ts';

const COUNTS = { natter: 2, dhcpd: 2, dns: 2, lb: 2, redis: 1, appliance: 1 } as const;
const EXIT = { kept: 0, broken: 1, interrupted: 130 } as const;

const plannedLine = ({ atMs, fault, kind, which, holdMs }: Planned): string =>
  `${String(Math.round(atMs / 1000)).padStart(6)} s  ${fault} of ${kind} ${which}, ` +
  `for ${(holdMs / 1000).toFixed(1)} s`;

const verdictLine = ({ invariant, checked, breaches }: Verdict): string =>
  `${breaches.length === 0 ? 'ok  ' : 'FAIL'}  ${invariant} (${checked} looked at)`;

function outcomeOf({ isInterrupted }: Facts, verdicts: readonly Verdict[]): string {
  const broken = verdicts.filter(isBroken).length;
  const words =
    broken === 0 ? 'every invariant held' : `${broken} of ${verdicts.length} invariants broken`;
  return isInterrupted ? `interrupted; until then ${words}` : words;
}

/** As a page, as Markdown, and as data. */
export function writeReport(out: string, facts: Facts, verdicts: readonly Verdict[]): void {
  const outcome = outcomeOf(facts, verdicts);
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, 'report.html'), htmlReport(facts, verdicts, outcome));
  writeFileSync(join(out, 'report.md'), markdownReport(facts, verdicts, outcome));
  writeFileSync(join(out, 'report.json'), jsonReport(facts, verdicts));
}

/** Its exit code. */
export async function soakWhole(options: Arguments, words: readonly string[]): Promise<number> {
  const { minutes, seed, faults, isOverlapping, out } = options;
  const durationMs = minutes * 60_000;
  const planned = schedule({ seed, durationMs, faults, counts: COUNTS, isOverlapping });
  const command = `npm run soak -- ${words.join(' ')}`.trim();
  console.log(`soak of a whole site: ${minutes} min, seed ${seed}; at the earliest`);
  for (const each of planned) console.log(plannedLine(each));
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => stop.abort());
  }
  let facts: Facts;
  try {
    const print = console.log;
    const { signal } = stop;
    facts = await soak({ seed, durationMs, planned, isOverlapping, command, print, signal });
  } catch (error) {
    console.error(`soak: ${describeError(error)}`);
    return stop.signal.aborted ? EXIT.interrupted : EXIT.broken;
  }
  const verdicts = judge(facts);
  writeReport(out, facts, verdicts);
  for (const verdict of verdicts) {
    console.log(verdictLine(verdict));
    for (const breach of verdict.breaches.slice(0, 5)) console.log(`        ${breach}`);
  }
  console.log(`report: ${join(out, 'report.html')}, report.md and report.json beside it`);
  if (facts.isInterrupted) return EXIT.interrupted;
  return verdicts.some(isBroken) ? EXIT.broken : EXIT.kept;
}
