// `drain` and `undrain`: stores what the operator wants of a node, waits until the node has it so.

import { OperationalError } from '../errors.ts';
import { formatNode } from '../site/node.ts';
import { isName } from '../site/value.ts';
import type { Change, Store } from '../store/types.ts';
import { type Arguments, type Run, UsageError } from './command.ts';
import type { Context } from './context.ts';
import { EXIT } from './exit.ts';
import { durationMs } from './flags.ts';
import { appliedVersion, formatAge, type Heard, isLive, waitForMembers } from './members.ts';
import { Progress } from './progress.ts';
import { withStore } from './session.ts';
import { SERVICE, UNIT } from './state.ts';
import { didYouMean } from './suggest.ts';

const DEFAULT_TIMEOUT_MS = 60_000;
/** States in which a node carries no traffic, and in which it does (shared/lifecycle.ts). */
const DRAINED = ['drained'];
const SERVING = ['running'];

async function knownNode(store: Store, node: string): Promise<void> {
  const members = await store.members(SERVICE);
  if (members.some((member) => member.node === node)) return;
  const names = members.map((member) => member.node);
  const known = names.length === 0 ? 'no node was heard of' : `known: ${names.join(', ')}`;
  throw new OperationalError(
    'EDGE_CTL_NO_NODE',
    `no ${SERVICE} node "${node}"${didYouMean(node, names)}`,
    { remedy: `${known}; --no-wait stores the wish for a node to come`, exitCode: EXIT.notRunning },
  );
}

async function storeWish(context: Context, store: Store, node: string, drain: boolean) {
  const { kind, id, value } = formatNode({ name: node, drain });
  // Without a wish there is no object: undrain takes it away.
  const change: Change = { kind, id, value: drain ? value : null };
  return store.apply(UNIT, [change], { author: context.author });
}

async function setDrain(context: Context, args: Arguments, drain: boolean): Promise<number> {
  const [node = ''] = args.positionals;
  if (!isName(node)) throw new UsageError(`NODE "${node}" is not a node's name`);
  const timeoutMs = durationMs(args, 'timeout', DEFAULT_TIMEOUT_MS);
  const noWait = args.switches.has('no-wait');
  return withStore(context, args, async (store) => {
    if (!noWait) await knownNode(store, node);
    const { version } = await storeWish(context, store, node, drain);
    const word = drain ? 'drained' : 'serving';
    if (noWait) {
      return answer(context, args, { node, version, state: null, done: null }, [
        `node ${node}: to be ${word}, stored as version ${version}`,
      ]);
    }
    const states = drain ? DRAINED : SERVING;
    const there = (member: Heard) =>
      member.node !== node ||
      (states.includes(member.state) && appliedVersion(member, UNIT) >= version);
    const progress = new Progress(context.err, context.clock);
    const { clock, signal } = context;
    const show = (text: string) => progress.show(text);
    const options = {
      store,
      service: SERVICE,
      unit: UNIT,
      timeoutMs,
      clock,
      signal,
      progress: show,
    };
    const result = await waitForMembers(options, there).finally(() => progress.done());
    const member = [...result.live, ...result.silent].find((heard) => heard.node === node);
    const done = member !== undefined && isLive(member) && there(member);
    const state = member?.state ?? null;
    if (done)
      return answer(context, args, { node, version, state, done }, [`node ${node} ${word}`]);
    await answer(context, args, { node, version, state, done }, []);
    await context.err.line(`edgectl: ${whyNot(node, member, version, word)}`);
    return member === undefined || !isLive(member) ? EXIT.notRunning : EXIT.failure;
  });
}

function whyNot(node: string, member: Heard | undefined, version: number, word: string): string {
  const stored = `the wish is stored as version ${version}`;
  if (member === undefined) return `${stored}, but ${node} has left`;
  const ago = formatAge(member.ageMs);
  if (!isLive(member)) return `${stored}, but ${node} has been silent for ${ago}`;
  const drift = member.drift ? `: ${member.drift}` : '';
  const applied = appliedVersion(member, UNIT);
  return `${stored}, but ${node} is not ${word} yet: ${member.state}, version ${applied}${drift}`;
}

type Answer = { node: string; version: number; state: string | null; done: boolean | null };

async function answer(
  context: Context,
  args: Arguments,
  json: Answer,
  lines: readonly string[],
): Promise<number> {
  if (args.switches.has('json')) await context.out.line(JSON.stringify(json, null, 2));
  else for (const line of lines) await context.out.line(line);
  return EXIT.ok;
}

export const drain: Run = (context, args) => setDrain(context, args, true);
export const undrain: Run = (context, args) => setDrain(context, args, false);
