// From "stored" to "in force": waits for every live instance, and says so or says who lags and why.

import { FOLLOWERS, type Unit } from '../site/place.ts';
import type { Store } from '../store/types.ts';
import type { Outcome } from './change.ts';
import { type Arguments, UsageError } from './command.ts';
import type { Context } from './context.ts';
import { EXIT } from './exit.ts';
import { durationMs } from './flags.ts';
import { formatAge, type Heard, lagLines, type WaitResult, waitApplied } from './members.ts';
import type { Progress } from './progress.ts';

const DEFAULT_WAIT_MS = 10_000;

/** Undefined: --no-wait. */
export type Wait = { timeoutMs: number } | undefined;

export function readWait(args: Arguments): Wait {
  const waits = args.values.has('wait');
  if (args.switches.has('no-wait')) {
    if (waits) throw new UsageError('--wait and --no-wait exclude each other');
    return undefined;
  }
  return { timeoutMs: durationMs(args, 'wait', DEFAULT_WAIT_MS) };
}

/** What was seen of the services that follow each unit; undefined: nobody waited. */
export type Effect = ReadonlyMap<Unit, WaitResult> | undefined;

/** One unit after the other, within one time for all. */
export async function awaitEffect(
  work: { context: Context; store: Store; progress: Progress; wait: Wait },
  versions: ReadonlyMap<Unit, number>,
): Promise<Effect> {
  const { context, store, progress, wait } = work;
  if (wait === undefined) return undefined;
  const { clock, signal } = context;
  const deadline = clock.monotonicMs() + wait.timeoutMs;
  const effect = new Map<Unit, WaitResult>();
  for (const [unit, version] of versions) {
    const timeoutMs = deadline - clock.monotonicMs();
    const show = (text: string) => progress.show(text);
    const options = {
      store,
      services: FOLLOWERS[unit],
      unit,
      timeoutMs,
      clock,
      signal,
      progress: show,
    };
    effect.set(unit, await waitApplied(options, version));
  }
  return effect;
}

function unitCode(seen: WaitResult | undefined): number {
  if (seen === undefined) return EXIT.ok;
  if (seen.live.length === 0) return EXIT.notRunning;
  return seen.lagging.length > 0 ? EXIT.failure : EXIT.ok;
}

/** One that lags tells more than one where nothing runs. */
function effectCode(effect: Effect): number {
  const codes = [...(effect?.values() ?? [])].map(unitCode);
  if (codes.includes(EXIT.failure)) return EXIT.failure;
  return codes.find((code) => code !== EXIT.ok) ?? EXIT.ok;
}

function memberJson(unit: Unit) {
  return (member: Heard) => ({
    node: member.node,
    service: member.service,
    applied: member.applied[unit] ?? 0,
    state: member.state,
    drift: member.drift ?? null,
    ageMs: member.ageMs,
  });
}

function unitJson(unit: Unit, version: number, effect: Effect) {
  const seen = effect?.get(unit);
  const show = memberJson(unit);
  return {
    unit,
    version,
    inForce: seen === undefined ? null : unitCode(seen) === EXIT.ok,
    live: seen?.live.map(show) ?? [],
    lagging: seen?.lagging.map(show) ?? [],
    silent: seen?.silent.map(show) ?? [],
  };
}

/** `version` is null when several units are concerned, or none: each has its own in `units`. */
function outcomeJson(outcome: Outcome, effect: Effect) {
  const count = (sign: string) =>
    outcome.differences.filter((difference) => difference.sign === sign).length;
  const units = [...outcome.versions].map(([unit, version]) => unitJson(unit, version, effect));
  return {
    version: units.length === 1 ? (units[0]?.version ?? null) : null,
    added: count('+'),
    changed: count('~'),
    deleted: count('-'),
    unchanged: outcome.unchanged,
    warnings: outcome.warnings,
    waited: effect !== undefined,
    inForce: effect === undefined ? null : effectCode(effect) === EXIT.ok,
    live: units.flatMap(({ live }) => live),
    lagging: units.flatMap(({ lagging }) => lagging),
    silent: units.flatMap(({ silent }) => silent),
    units,
  };
}

/** The last lines, one a unit, and the exit code. */
export async function reportEffect(
  context: Context,
  args: Arguments,
  outcome: Outcome,
  effect: Effect,
): Promise<number> {
  const { out, err } = context;
  const isJson = args.switches.has('json');
  if (isJson) await out.line(JSON.stringify(outcomeJson(outcome, effect), null, 2));
  const several = outcome.versions.size > 1;
  for (const [unit, version] of outcome.versions) {
    const seen = effect?.get(unit);
    const before = several ? `${unit}: ` : '';
    if (!isJson && unitCode(seen) === EXIT.ok) {
      const live = seen?.live.length ?? 0;
      const where = `in force on ${live} ${live === 1 ? 'instance' : 'instances'}`;
      await out.line(`${before}version ${version}: ${seen === undefined ? 'stored' : where}`);
    }
    for (const text of warnings(unit, version, seen)) await err.line(`edgectl: ${before}${text}`);
  }
  return effectCode(effect);
}

function warnings(unit: Unit, version: number, seen: WaitResult | undefined): string[] {
  if (seen === undefined) return [];
  const silent = seen.silent.map(
    (member) =>
      `${member.node} has been silent for ${formatAge(member.ageMs)} and was not waited for`,
  );
  if (seen.live.length === 0) {
    const missing = FOLLOWERS[unit].join(' or ');
    return [...silent, `stored as version ${version}, but no live ${missing} is there to apply it`];
  }
  if (seen.lagging.length === 0) return silent;
  const lagging = `${seen.lagging.length} of ${seen.live.length}`;
  return [
    `stored as version ${version}, but not in force on ${lagging} live instances:`,
    ...lagLines(seen.lagging, unit, version),
    ...silent,
  ];
}
