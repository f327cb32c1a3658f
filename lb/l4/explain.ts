// `explain`: sends one packet through the live program, dry (K10), and says in words what happened.

import type { TestResult } from '../../shared/bpf/types.ts';
import { OperationalError } from '../../shared/errors.ts';
import type { LinkRole, LinkState } from '../../shared/links/links.ts';
import {
  type FlowPacket,
  flowFrame,
  readFlow,
  readMac,
  TCP_FLAGS,
} from '../../shared/net/frames.ts';
import { formatIpv4, ipv4 } from '../../shared/net/ipv4.ts';
import { formatMac, mac } from '../../shared/net/mac.ts';
import { protocolHasPorts, protocolName } from '../../shared/net/protocols.ts';
import type { Datapath } from './datapath.ts';
import { MAGLEV_SLOTS } from './maglev.ts';
import type { L4Plan, PlannedPool, PlannedTarget } from './plan.ts';
import type { TableKind } from './serving.ts';
import { reasonWords, stepWords } from './words.ts';

export const INGRESS_PROGRAM: Readonly<Record<LinkRole, string>> = {
  uplink: 'lb_uplink',
  inside: 'lb_inside',
  both: 'lb_onearm',
};

/** A whole frame, or a flow. Of TCP a packet in its middle is asked for, unless `syn`. */
export type L4Question = { frame: Uint8Array } | { flow: FlowPacket; syn?: boolean };

export type L4Explanation = {
  link: string;
  program: string;
  steps: string[];
  /** `sent`: to the target as it is (dsr). */
  verdict: 'translated' | 'sent' | 'passed' | 'dropped';
  reason: string;
  server?: string;
  pool?: string;
  target?: string;
  /** Where a hash decided: its slot of the table. */
  slot?: number;
  /** The flow as it leaves; only when translated. */
  translated?: string;
};

export type ExplainContext = { datapath: Datapath; plan: L4Plan; links: readonly LinkState[] };

/** `link`: by which it comes; where such a packet comes from unless told. EDGE_LB_LINK. */
export function explain(
  { datapath, plan, links }: ExplainContext,
  question: L4Question,
  link?: string,
): L4Explanation {
  const asked = 'flow' in question ? question.flow : readFlow(question.frame);
  const at = arrivalLink(plan, links, asked, link);
  const program = INGRESS_PROGRAM[at.role];
  const frame = frameOf(question, at);
  const result = datapath.program(program).testRun({ frame, ifindex: at.link?.ifindex ?? 1 });
  const { layout } = datapath;
  const reason = nameOf(layout.reasons, result.cb[layout.words.EXPLAIN_REASON ?? 0] ?? -1);
  const found = foundBy(plan, layout.words, result);
  const taken = takenSteps(layout.steps, result.cb[layout.words.EXPLAIN_STEPS ?? 1] ?? 0);
  const after = readFlow(result.frame);
  const changed = asked !== undefined && after !== undefined && !isSameFlow(asked, after);
  const hook = at.hook === undefined ? '' : ` at ${at.hook}`;
  const what = asked === undefined ? 'a frame' : show(asked);
  const steps = [
    `comes in by ${at.name} (${at.role}), where ${program} runs${hook}: ${what}`,
    ...pathSteps(found, taken),
    reasonWords[reason] ?? reason,
  ];
  if (/REDIRECTED$/.test(reason)) {
    const [to, from] = [readMac(result.frame, 0), readMac(result.frame, 6)];
    steps.push(`to ${formatMac(mac(to))} from ${formatMac(mac(from))}`);
  }
  return {
    link: at.name,
    program,
    steps,
    verdict: verdictOf(reason, changed),
    reason,
    ...(found.server === undefined ? {} : { server: found.server }),
    ...(found.pool === undefined ? {} : { pool: found.pool.name }),
    ...(found.target === undefined ? {} : { target: found.target.id }),
    ...(taken.has('STEP_BY_TABLE') ? { slot: found.hash % MAGLEV_SLOTS } : {}),
    ...(changed ? { translated: show(after) } : {}),
  };
}

function frameOf(question: L4Question, at: LinkState): Uint8Array {
  if ('frame' in question) return question.frame;
  const flags = question.syn === true ? TCP_FLAGS.syn : TCP_FLAGS.ack;
  return flowFrame(question.flow, at.link?.mac ?? 0, 64, flags);
}

function arrivalLink(
  plan: L4Plan,
  links: readonly LinkState[],
  asked: FlowPacket | undefined,
  name: string | undefined,
): LinkState {
  const isReply = plan.pools.some(({ targets }) =>
    targets.some(({ address }) => address === asked?.source),
  );
  const wanted = isReply ? 'inside' : 'uplink';
  const attached = links.filter((state) => state.attached);
  const found =
    name === undefined
      ? (attached.find(({ role }) => role === wanted || role === 'both') ?? attached[0])
      : attached.find((state) => state.name === name);
  if (found !== undefined) return found;
  throw new OperationalError('EDGE_LB_LINK', `no link ${name ?? wanted} is attached`, {
    remedy: 'see the status: is the link there?',
  });
}

type Found = {
  server: string | undefined;
  pool: PlannedPool | undefined;
  target: PlannedTarget | undefined;
  hash: number;
};

function foundBy(plan: L4Plan, words: Record<string, number>, { cb }: TestResult): Found {
  const word = (name: string): number => cb[words[name] ?? -1] ?? 0;
  const [serverSlot, targetSlot] = [word('EXPLAIN_SERVER'), word('EXPLAIN_TARGET')];
  const server = plan.servers.find(({ slot }) => slot === serverSlot);
  const target = server?.pool.targets.find(({ slot }) => slot === targetSlot);
  return { server: server?.id, pool: server?.pool, target, hash: word('EXPLAIN_HASH') };
}

const KIND_WORDS: Record<TableKind, string> = {
  up: '',
  'last-resort': ' (only targets of weight 0 are up)',
  'fail-open': ' (nobody is up: health is ignored)',
  empty: ' (nobody serves)',
};

function pathSteps({ server, pool, target, hash }: Found, taken: ReadonlySet<string>): string[] {
  const steps: string[] = [];
  if (taken.has('STEP_SERVER_FOUND') && pool !== undefined) {
    steps.push(`virtual server ${server}, pool ${pool.name}${KIND_WORDS[pool.kind]}`);
  }
  if (taken.has('STEP_CONNECTION_FOUND')) {
    steps.push(`a known flow: it stays with ${target?.id ?? 'its target, which is removed'}`);
  }
  for (const [step, words] of Object.entries(stepWords)) if (taken.has(step)) steps.push(words);
  if (taken.has('STEP_BY_TABLE')) {
    const picked = target === undefined ? 'nobody' : `${target.id}${shareOf(pool, target)}`;
    steps.push(`hash ${hash.toString(16)}, slot ${hash % MAGLEV_SLOTS} of the table: ${picked}`);
  }
  if (taken.has('STEP_REVERSE_FOUND')) {
    steps.push(`${target?.id ?? 'a target that is removed'} answers for ${server}`);
  }
  return steps;
}

function shareOf(pool: PlannedPool | undefined, target: PlannedTarget): string {
  const sum = pool?.targets.reduce((all, { weight }) => all + weight, 0) ?? 0;
  return sum === 0 ? '' : `, which has ${((100 * target.weight) / sum).toFixed(1)} % of it`;
}

function verdictOf(reason: string, changed: boolean): L4Explanation['verdict'] {
  if (reason.startsWith('DROP_')) return 'dropped';
  if (reason.startsWith('DSR_')) return 'sent';
  return changed ? 'translated' : 'passed';
}

function takenSteps(steps: Record<string, number>, bits: number): ReadonlySet<string> {
  return new Set(Object.keys(steps).filter((name) => (bits & (steps[name] ?? 0)) !== 0));
}

export function nameOf(names: Record<string, number>, number: number): string {
  return Object.keys(names).find((name) => names[name] === number) ?? `${number}`;
}

function isSameFlow(a: FlowPacket, b: FlowPacket): boolean {
  return (
    a.source === b.source &&
    a.destination === b.destination &&
    a.sourcePort === b.sourcePort &&
    a.destinationPort === b.destinationPort
  );
}

function show({ source, sourcePort, destination, destinationPort, protocol }: FlowPacket): string {
  const end = (address: number, port: number): string =>
    `${formatIpv4(ipv4(address))}${protocolHasPorts(protocol) ? `:${port}` : ''}`;
  const to = end(destination, destinationPort);
  return `${end(source, sourcePort)} > ${to}/${protocolName(protocol)}`;
}
