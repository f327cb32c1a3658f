// `confirm`: a store that was wiped, or went back in time, is meant so. For all instances by way
// of the store, whose version is raised over all that they hold; for the local one by its socket.

import { OperationalError } from '../errors.ts';
import { FOLLOWERS, UNITS, type Unit } from '../site/place.ts';
import type { Head, Store } from '../store/types.ts';
import type { Outcome } from './change.ts';
import { type Arguments, type Run, UsageError } from './command.ts';
import type { Context } from './context.ts';
import { controlOf, fieldsOf, listOf, numberOf } from './control.ts';
import { awaitEffect, readWait, reportEffect } from './effect.ts';
import { EXIT } from './exit.ts';
import { durationMs } from './flags.ts';
import { appliedVersion, type Heard, nodeNames } from './members.ts';
import { Progress } from './progress.ts';
import { withStore } from './session.ts';

const LOCAL_WAIT_MS = 10_000;
const LOCAL_POLL_MS = 100;

type Seen = { unit: Unit; head: Head; ahead: Heard[]; known: boolean };

/** `ahead`: they hold a later version than the store has, which is not the one they followed. */
async function look(store: Store, unit: Unit): Promise<Seen> {
  const heard = await Promise.all(FOLLOWERS[unit].map((service) => store.members(service)));
  const members = heard.flat();
  const head = await store.head(unit); // after the members: by rights none is ahead of it
  const ahead = members.filter((one) => appliedVersion(one, unit) > head.version);
  return { unit, head, ahead, known: members.length > 0 };
}

function latest({ unit, ahead }: Seen): number {
  return Math.max(...ahead.map((one) => appliedVersion(one, unit)));
}

async function ask({ input, err }: Context, args: Arguments, seen: Seen): Promise<void> {
  const { head, ahead } = seen;
  const stands = `the store stands at version ${head.version} with ${head.count} objects`;
  const text = `${stands}, instances at version ${latest(seen)}: ${nodeNames(ahead)}`;
  if (args.switches.has('yes')) return;
  const question = `${text}. Drop what they hold, and take the store as it is?`;
  if (input.isTty && err.isTty && (await input.confirm(question))) return;
  throw new OperationalError('EDGE_CTL_UNCONFIRMED', text, {
    remedy: 'if the store is meant as it is, repeat it with --yes',
  });
}

function confirmStore(context: Context, args: Arguments): Promise<number> {
  const wait = readWait(args);
  return withStore(context, args, async (store) => {
    const all = await Promise.all(UNITS.map((unit) => look(store, unit)));
    const behind = all.filter(({ ahead }) => ahead.length > 0);
    for (const seen of behind) await ask(context, args, seen);
    const lines: string[] = [];
    const versions = new Map<Unit, number>();
    for (const seen of concerned(all)) {
      versions.set(seen.unit, await confirmUnit(context, store, seen, lines));
    }
    if (behind.length === 0) lines.push('nothing to confirm: no instance is ahead of the store');
    const progress = new Progress(context.err, context.clock);
    const effect = await awaitEffect({ context, store, progress, wait }, versions).finally(() =>
      progress.done(),
    );
    if (!args.switches.has('json')) for (const line of lines) await context.out.line(line);
    const unchanged = all.reduce((sum, { head }) => sum + head.count, 0);
    const nothing = { differences: [], massDeletes: [], warnings: [], dryRun: false } as const;
    const outcome: Outcome = { ...nothing, unchanged, versions, lines };
    return reportEffect(context, args, outcome, effect);
  });
}

/** Where somebody is ahead; else where somebody is at all. */
function concerned(all: readonly Seen[]): readonly Seen[] {
  const behind = all.filter(({ ahead }) => ahead.length > 0);
  if (behind.length > 0) return behind;
  const known = all.filter((seen) => seen.known);
  return known.length > 0 ? known : all.slice(0, 1);
}

async function confirmUnit(
  context: Context,
  store: Store,
  seen: Seen,
  lines: string[],
): Promise<number> {
  const { unit, head, ahead } = seen;
  if (ahead.length === 0) return head.version;
  const own = { expectedVersion: head.version, author: context.author };
  const version = await store.raise(unit, latest(seen) + 1, own);
  lines.push(`${head.count} objects confirmed: version ${head.version} is now ${version}`);
  return version;
}

/** What the local daemon holds of its store, as it says itself. */
/** natter has one table, dhcpd one plan, dns and lb several units: the first that lags counts. */
function tableOf(status: unknown) {
  const fields = fieldsOf(status, 'status');
  const units = Object.values(fieldsOf(fields.units ?? {}, 'status'));
  const parts = fields.units === undefined ? [fields.table ?? fields.plan] : units;
  const all = parts.map((part) => {
    const table = fieldsOf(part, 'status');
    return { version: numberOf(table, 'version'), desired: numberOf(table, 'desiredVersion') };
  });
  const table = all.find(({ version, desired }) => version !== desired) ?? all[0];
  return { version: 0, desired: 0, ...table, drift: listOf(fields, 'drift').map(String) };
}

async function confirmLocal(context: Context, args: Arguments): Promise<number> {
  if (args.switches.has('no-wait')) throw new UsageError('--local waits: it takes no --no-wait');
  const control = controlOf(context, args);
  const { clock, signal } = context;
  const deadlineMs = clock.monotonicMs() + durationMs(args, 'wait', LOCAL_WAIT_MS);
  await control.post('/confirm', {});
  for (;;) {
    const table = tableOf(await control.get('/status'));
    const done = table.version === table.desired && table.drift.length === 0;
    if (done || clock.monotonicMs() >= deadlineMs) return tellLocal(context, args, table, done);
    await clock.sleep(LOCAL_POLL_MS, signal);
  }
}

async function tellLocal(
  { out, err }: Context,
  args: Arguments,
  table: ReturnType<typeof tableOf>,
  done: boolean,
): Promise<number> {
  const { version, desired, drift } = table;
  if (args.switches.has('json')) await out.line(JSON.stringify({ ...table, done }, null, 2));
  else if (done) await out.line(`version ${version}: in force on this host`);
  if (done) return EXIT.ok;
  const why = drift.length === 0 ? '' : `: ${drift.join('; ')}`;
  await err.line(`edgectl: confirmed, but this host is at version ${version} of ${desired}${why}`);
  return EXIT.failure;
}

export const confirm: Run = async (context, args) => {
  if (args.switches.has('local')) return confirmLocal(context, args);
  if (args.values.has('socket')) throw new UsageError('--socket goes with --local');
  return confirmStore(context, args);
};
