// From "stored" to "in force": waits for every live instance, and says so or says who lags and why.

import type { Store } from '../store/types.ts';
import type { Outcome } from './change.ts';
import { type Arguments, UsageError } from './command.ts';
import type { Context } from './context.ts';
import { EXIT } from './exit.ts';
import { durationMs } from './flags.ts';
import { formatAge, type Heard, lagLines, type WaitResult, waitApplied } from './members.ts';
import type { Progress } from './progress.ts';
import { SERVICE, UNIT } from './state.ts';

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

/** Undefined: nobody waited. */
export async function awaitEffect(
  work: { context: Context; store: Store; progress: Progress; wait: Wait },
  version: number,
): Promise<WaitResult | undefined> {
  const { context, store, progress, wait } = work;
  if (wait === undefined) return undefined;
  return waitApplied(
    {
      store,
      service: SERVICE,
      unit: UNIT,
      timeoutMs: wait.timeoutMs,
      clock: context.clock,
      signal: context.signal,
      progress: (text) => progress.show(text),
    },
    version,
  );
}

function effectCode(effect: WaitResult | undefined): number {
  if (effect === undefined) return EXIT.ok;
  if (effect.live.length === 0) return EXIT.notRunning;
  return effect.lagging.length > 0 ? EXIT.failure : EXIT.ok;
}

function memberJson(member: Heard) {
  return {
    node: member.node,
    applied: member.applied[UNIT] ?? 0,
    state: member.state,
    drift: member.drift ?? null,
    ageMs: member.ageMs,
  };
}

function outcomeJson(outcome: Outcome, effect: WaitResult | undefined) {
  const count = (sign: string) =>
    outcome.differences.filter((difference) => difference.sign === sign).length;
  return {
    version: outcome.version,
    added: count('+'),
    changed: count('~'),
    deleted: count('-'),
    unchanged: outcome.unchanged,
    waited: effect !== undefined,
    inForce: effect === undefined ? null : effectCode(effect) === EXIT.ok,
    live: effect?.live.map(memberJson) ?? [],
    lagging: effect?.lagging.map(memberJson) ?? [],
    silent: effect?.silent.map(memberJson) ?? [],
  };
}

/** The last line, and the exit code. */
export async function reportEffect(
  context: Context,
  args: Arguments,
  outcome: Outcome,
  effect: WaitResult | undefined,
): Promise<number> {
  const { out, err } = context;
  if (args.switches.has('json')) {
    await out.line(JSON.stringify(outcomeJson(outcome, effect), null, 2));
  } else if (effectCode(effect) === EXIT.ok) {
    const live = effect?.live.length ?? 0;
    const where = `in force on ${live} ${live === 1 ? 'instance' : 'instances'}`;
    await out.line(`version ${outcome.version}: ${effect === undefined ? 'stored' : where}`);
  }
  for (const text of warnings(outcome, effect)) await err.line(`edgectl: ${text}`);
  return effectCode(effect);
}

function warnings(outcome: Outcome, effect: WaitResult | undefined): string[] {
  if (effect === undefined) return [];
  const { version } = outcome;
  const silent = effect.silent.map(
    (member) =>
      `${member.node} has been silent for ${formatAge(member.ageMs)} and was not waited for`,
  );
  if (effect.live.length === 0) {
    return [...silent, `stored as version ${version}, but no live ${SERVICE} is there to apply it`];
  }
  if (effect.lagging.length === 0) return silent;
  const lagging = `${effect.lagging.length} of ${effect.live.length}`;
  return [
    `stored as version ${version}, but not in force on ${lagging} live instances:`,
    ...lagLines(effect.lagging, UNIT, version),
    ...silent,
  ];
}
