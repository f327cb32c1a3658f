// `drain` and `undrain`: stores what the operator wants of a node, waits until the node has it so.

import { OperationalError } from '../errors.ts';
import { formatNode, nodeOf } from '../site/node.ts';
import { isService, SERVICES, type Service, storedChange } from '../site/place.ts';
import { isName } from '../site/value.ts';
import type { Store } from '../store/types.ts';
import { type Arguments, type Run, UsageError } from './command.ts';
import type { Context } from './context.ts';
import { EXIT } from './exit.ts';
import { durationMs } from './flags.ts';
import { appliedVersion, formatAge, type Heard, isLive, waitForMembers } from './members.ts';
import { Progress } from './progress.ts';
import { withStore } from './session.ts';
import { didYouMean } from './suggest.ts';

const DEFAULT_TIMEOUT_MS = 60_000;
/** States in which a node carries no traffic, and in which it does (shared/lifecycle.ts). */
const DRAINED = ['drained'];
const SERVING = ['running'];

/** The service that has such a node; live ones count before silent ones. */
async function serviceOf(store: Store, node: string, args: Arguments): Promise<Service> {
  const asked = args.values.get('service');
  if (asked !== undefined && !isService(asked)) {
    throw new UsageError(`unknown service "${asked}"${didYouMean(asked, SERVICES)}`);
  }
  const heard = await Promise.all(
    (asked === undefined ? SERVICES : [asked]).map(async (service) => {
      return { service, members: await store.members(service) };
    }),
  );
  const having = (wanted: (member: Heard) => boolean) =>
    heard.filter(({ members }) => members.some((one) => one.node === node && wanted(one)));
  const live = having(isLive);
  const found = live.length > 0 ? live : having(() => true);
  if (found.length > 1) {
    const names = found.map(({ service }) => service).join(' and ');
    throw new UsageError(`${node} runs ${names}: say which one with --service`);
  }
  if (found[0] !== undefined) return found[0].service;
  const peopled = heard.filter(({ members }) => members.length > 0);
  if (!args.switches.has('no-wait')) throw unknownNode(node, peopled);
  return asked ?? (peopled.length === 1 ? peopled[0]?.service : undefined) ?? 'natter';
}

function unknownNode(node: string, peopled: readonly { service: Service; members: Heard[] }[]) {
  const names = peopled.flatMap(({ members }) => members.map((member) => member.node));
  const known = names.length === 0 ? 'no node was heard of' : `known: ${names.join(', ')}`;
  const what = peopled.length === 1 ? `${peopled[0]?.service} node` : 'node';
  return new OperationalError(
    'EDGE_CTL_NO_NODE',
    `no ${what} "${node}"${didYouMean(node, names)}`,
    { remedy: `${known}; --no-wait stores the wish for a node to come`, exitCode: EXIT.notRunning },
  );
}

type Wish = { service: Service; name: string; drain: boolean };

async function storeWish(context: Context, store: Store, { service, name, drain }: Wish) {
  const { kind, id, value } = formatNode(nodeOf({ name, drain, service }));
  // Without a wish there is no object: undrain takes it away.
  const change = storedChange({ kind, id, value: drain ? value : null });
  return store.apply(service, [change], { author: context.author });
}

async function setDrain(context: Context, args: Arguments, drain: boolean): Promise<number> {
  const [node = ''] = args.positionals;
  if (!isName(node)) throw new UsageError(`NODE "${node}" is not a node's name`);
  const timeoutMs = durationMs(args, 'timeout', DEFAULT_TIMEOUT_MS);
  const noWait = args.switches.has('no-wait');
  return withStore(context, args, async (store) => {
    const service = await serviceOf(store, node, args);
    const { version } = await storeWish(context, store, { service, name: node, drain });
    const word = drain ? 'drained' : 'serving';
    if (noWait) {
      return answer(context, args, { node, service, version, state: null, done: null }, [
        `node ${node}: to be ${word}, stored as version ${version}`,
      ]);
    }
    const states = drain ? DRAINED : SERVING;
    const there = (member: Heard) =>
      member.node !== node ||
      (states.includes(member.state) && appliedVersion(member, service) >= version);
    const progress = new Progress(context.err, context.clock);
    const { clock, signal } = context;
    const show = (text: string) => progress.show(text);
    const options = {
      store,
      services: [service],
      unit: service,
      timeoutMs,
      clock,
      signal,
      progress: show,
    };
    const result = await waitForMembers(options, there).finally(() => progress.done());
    const member = [...result.live, ...result.silent].find((heard) => heard.node === node);
    const done = member !== undefined && isLive(member) && there(member);
    const state = member?.state ?? null;
    const told = { node, service, version, state, done };
    if (done) return answer(context, args, told, [`node ${node} ${word}`]);
    await answer(context, args, told, []);
    await context.err.line(`edgectl: ${whyNot(told, member, word)}`);
    return member === undefined || !isLive(member) ? EXIT.notRunning : EXIT.failure;
  });
}

function whyNot(
  { node, service, version }: Answer,
  member: Heard | undefined,
  word: string,
): string {
  const stored = `the wish is stored as version ${version}`;
  if (member === undefined) return `${stored}, but ${node} has left`;
  const ago = formatAge(member.ageMs);
  if (!isLive(member)) return `${stored}, but ${node} has been silent for ${ago}`;
  const drift = member.drift ? `: ${member.drift}` : '';
  const applied = appliedVersion(member, service);
  return `${stored}, but ${node} is not ${word} yet: ${member.state}, version ${applied}${drift}`;
}

type Answer = {
  node: string;
  service: Service;
  version: number;
  state: string | null;
  done: boolean | null;
};

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
