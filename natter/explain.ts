// `explain`: sends one packet of a flow through the live program, dry, and says in words what
// happened.

import { OperationalError } from '../shared/errors.ts';
import type { LinkState } from '../shared/links/links.ts';
import { type FlowPacket, flowFrame, readFlow, readMac } from '../shared/net/frames.ts';
import { formatIpv4, ipv4 } from '../shared/net/ipv4.ts';
import { formatMac, mac } from '../shared/net/mac.ts';
import { protocolHasPorts, protocolName } from '../shared/net/protocols.ts';
import { formatRate } from '../shared/net/units.ts';
import { fibWords, reasonWords } from './explain-words.ts';
import { REASONS } from './mapping/types.ts';
import type { NatterService } from './service.ts';
import type { TableState } from './state.ts';

export type Explanation = {
  link: string;
  program: string;
  steps: string[];
  verdict: 'translated' | 'passed' | 'dropped';
  reason: string;
  /** The flow as it leaves; only when translated. */
  translated?: string;
};

const SHOT = 2;

/**
 * A source that a natter would put on the wire (an EIP) is asked for as the VM behind it sends: a
 * flow may be written as it looks inside or outside.
 */
export function explainFlow(natter: NatterService, asked: FlowPacket): Explanation {
  const { keeper, links, datapath } = natter;
  const state = keeper.table?.state;
  if (state === undefined) throw new Error('explain without a table');
  const steps: string[] = [];
  const packet = fromInside(state, asked, steps);
  const at = arrivalLink(state, links.states, packet);
  const program = programAt(at, state, packet);
  const hook = at.hook === undefined ? '' : ` at ${at.hook}`;
  steps.push(`comes in by ${at.name} (${at.role}), where ${program} runs${hook}: ${show(packet)}`);
  const frame = flowFrame(packet, at.link?.mac ?? 0);
  const ifindex = at.link?.ifindex ?? 1;
  const result = datapath.program(program).testRun({ frame, ifindex });
  const { layout } = datapath;
  const reason = REASONS.find((name) => layout.reasons[name] === result.cb[0]);
  const taken = stepNames(layout.steps, result.cb[1] ?? 0);
  const after = readFlow(result.frame);
  steps.push(...tableSteps(state, packet, taken));
  steps.push(...limitSteps(state, result.cb[2] ?? 0, taken));
  if (taken.has('STEP_TTL_EXPIRES')) steps.push('the TTL ends here: the stack answers');
  if (taken.has('STEP_FIB_ASKED')) {
    const out = links.states.find(({ link }) => link?.ifindex === result.cb[3]);
    const by = out === undefined ? '' : `, by ${out.name}`;
    steps.push(`routing table: ${fibWords(toSigned(result.cb[4] ?? 0))}${by}`);
  }
  if (reason !== undefined) steps.push(reasonWords[reason]);
  const dropped = result.verdict === SHOT;
  const changed = after !== undefined && !sameFlow(after, packet);
  if (changed && reason?.endsWith('_REDIRECTED')) {
    const [to, from] = [readMac(result.frame, 0), readMac(result.frame, 6)];
    steps.push(`sent to ${formatMac(mac(to))} from ${formatMac(mac(from))}`);
  }
  return {
    link: at.name,
    program,
    steps,
    verdict: dropped ? 'dropped' : changed ? 'translated' : 'passed',
    reason: reason ?? 'unknown',
    ...(changed && !dropped ? { translated: show(after) } : {}),
  };
}

function fromInside(state: TableState, asked: FlowPacket, steps: string[]): FlowPacket {
  const slot = state.slotOfEip.get(asked.source);
  if (slot === undefined) return asked;
  const forward = state.forwardsOfEip.get(asked.source)?.find((one) => {
    const { protocol, first, last } = one;
    return protocol === asked.protocol && first <= asked.sourcePort && asked.sourcePort <= last;
  });
  if (forward !== undefined) {
    const sourcePort = asked.sourcePort - forward.first + forward.toFirst;
    const packet = { ...asked, source: forward.to, sourcePort };
    steps.push(
      `${end(asked, 'source')} is what forward ${forward.id} makes of ${end(packet, 'source')}`,
    );
    return packet;
  }
  const mapped = state.privateAt(slot);
  if (mapped === 0) return asked;
  steps.push(`${ip(asked.source)} is the EIP of ${ip(mapped)}, which sends this`);
  return { ...asked, source: mapped };
}

function isInside(state: TableState, address: number): boolean {
  return state.slotOfPrivate.has(address) || state.forwardsOfPrivate.has(address);
}

function arrivalLink(
  state: TableState,
  links: readonly LinkState[],
  packet: FlowPacket,
): LinkState {
  const wanted = isInside(state, packet.source) ? 'inside' : 'uplink';
  const found = links.find(
    ({ role, attached }) => attached && (role === wanted || role === 'both'),
  );
  if (found !== undefined) return found;
  throw new OperationalError('EDGE_NATTER_LINK', `no ${wanted} link is attached`, {
    remedy: 'see the status: is the link there?',
  });
}

function programAt({ role }: LinkState, state: TableState, packet: FlowPacket): string {
  if (role === 'both') return 'natter_onearm';
  return isInside(state, packet.source) ? 'natter_inside' : 'natter_uplink';
}

function tableSteps(state: TableState, packet: FlowPacket, taken: ReadonlySet<string>): string[] {
  const steps: string[] = [];
  if (taken.has('STEP_PRIVATE_FOUND')) {
    const slot = state.slotOfPrivate.get(packet.source);
    const eip = slot === undefined ? 'port forwards only' : `eip ${ip(state.eipAt(slot))}`;
    steps.push(`source ${ip(packet.source)} has ${eip}`);
  } else if (isInside(state, packet.destination)) {
    steps.push(`destination ${ip(packet.destination)} is an inside address`);
  }
  if (taken.has('STEP_HAIRPIN')) steps.push('the destination is an EIP of this site: hairpin');
  if (taken.has('STEP_EIP_FOUND')) {
    const slot = state.slotOfEip.get(packet.destination);
    const mapped = slot === undefined ? 0 : state.privateAt(slot);
    const what = mapped === 0 ? 'has port forwards only' : `maps to ${ip(mapped)}`;
    steps.push(`eip ${ip(packet.destination)} ${what}`);
  }
  if (taken.has('STEP_FORWARD_FOUND')) {
    const forward = findForward(state, packet);
    if (forward !== undefined) steps.push(`forward ${forward.id} leads to ${ip(forward.to)}`);
  }
  return steps;
}

function findForward(state: TableState, packet: FlowPacket) {
  const inward = state.forwardsOfEip.get(packet.destination)?.find((one) => {
    const { protocol, first, last } = one;
    const port = packet.destinationPort;
    return protocol === packet.protocol && first <= port && port <= last;
  });
  if (inward !== undefined) return inward;
  return state.forwardsOfPrivate.get(packet.source)?.find((one) => {
    const { protocol, first, last, toFirst } = one;
    const offset = packet.sourcePort - toFirst;
    return protocol === packet.protocol && offset >= 0 && offset <= last - first;
  });
}

function limitSteps(state: TableState, slot: number, taken: ReadonlySet<string>): string[] {
  const limited = state.limited.get(slot);
  const steps: string[] = [];
  const words = (rates: { in?: number; out?: number }): string => {
    const parts = [
      ...(rates.in === undefined ? [] : [`in ${formatRate(rates.in)}`]),
      ...(rates.out === undefined ? [] : [`out ${formatRate(rates.out)}`]),
    ];
    return parts.join(', ');
  };
  if (taken.has('STEP_LIMIT_CHECKED') && limited !== undefined) {
    steps.push(`own limit: ${words(limited)}`);
  }
  const group = limited?.group === undefined ? undefined : state.groups.get(limited.group);
  if (taken.has('STEP_GROUP_LIMIT_CHECKED') && group !== undefined) {
    steps.push(`limit of group ${group.name}: ${words(group)}`);
  }
  return steps;
}

function stepNames(steps: Record<string, number>, bits: number): Set<string> {
  return new Set(Object.keys(steps).filter((name) => (bits & (steps[name] ?? 0)) !== 0));
}

function sameFlow(a: FlowPacket, b: FlowPacket): boolean {
  return (
    a.source === b.source &&
    a.destination === b.destination &&
    a.sourcePort === b.sourcePort &&
    a.destinationPort === b.destinationPort
  );
}

const toSigned = (word: number): number => word | 0;
const ip = (address: number): string => formatIpv4(ipv4(address));

function end(packet: FlowPacket, side: 'source' | 'destination'): string {
  const port = side === 'source' ? packet.sourcePort : packet.destinationPort;
  return protocolHasPorts(packet.protocol) ? `${ip(packet[side])}:${port}` : ip(packet[side]);
}

function show(packet: FlowPacket): string {
  const flow = `${end(packet, 'source')} > ${end(packet, 'destination')}`;
  return `${flow}/${protocolName(packet.protocol)}`;
}
