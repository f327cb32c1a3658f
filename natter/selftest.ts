// The self-test: sends packets of known flows through the live programs, dry, and looks whether
// they come out as the table says. Nothing is counted, charged or sent.

import type { BpfProgram } from '../shared/bpf/types.ts';
import type { LinkState } from '../shared/links/links.ts';
import { checksumsHold, type FlowPacket, flowFrame, readFlow } from '../shared/net/frames.ts';
import { formatIpv4, ipv4 } from '../shared/net/ipv4.ts';
import { pick, type Random } from '../shared/random.ts';
import type { Datapath } from './datapath.ts';
import { INGRESS_PROGRAM } from './links.ts';
import type { TableState } from './state.ts';

/** TEST-NET-1 and 2 hold nobody's clients. */
const OUTSIDERS = [0xc000_0201, 0xc000_0202, 0xc633_6401];
const PORTS = { client: 40_000, service: 9 };
const TCP = 6;
const SHOT = 2;

export type SelfTestOptions = {
  datapath: Datapath;
  state: TableState;
  links: readonly LinkState[];
  random: Random;
};

/** What is wrong; undefined: all is well, or the table is empty. */
export function selfTest({ datapath, state, links, random }: SelfTestOptions): string | undefined {
  const probes = [pickMapping(state, random), pickForward(state, random)].filter((p) => !!p);
  if (probes.length === 0) return undefined;
  const outsider = OUTSIDERS.find((one) => isUnknown(state, one));
  if (outsider === undefined) return undefined;
  const uplink = links.find(({ role, link }) => role !== 'inside' && link !== undefined);
  const inside = links.find(({ role, link }) => role !== 'uplink' && link !== undefined);
  if (uplink === undefined || inside === undefined) return 'a link is missing';
  for (const probe of probes) {
    const problem =
      testInbound(datapath, uplink, probe, outsider) ??
      testOutbound(datapath, inside, probe, outsider);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

type Probe = {
  eip: number;
  eipPort: number;
  private: number;
  privatePort: number;
  protocol: number;
};

/** A mapping anywhere in the table, without forwards, which have ports of their own. */
function pickMapping(state: TableState, random: Random): Probe | undefined {
  const { eips } = state.capacity;
  const highest = Math.min(eips, state.slotsInSight);
  if (highest === 0) return undefined;
  const start = random.integer(highest);
  for (let step = 0; step < highest; step += 1) {
    const slot = (start + step) % highest;
    const [eip, mapped] = [state.eipAt(slot), state.privateAt(slot)];
    if (mapped === 0) continue;
    if (state.forwardsOfEip.has(eip) || state.forwardsOfPrivate.has(mapped)) continue;
    const port = PORTS.service;
    return { eip, eipPort: port, private: mapped, privatePort: port, protocol: TCP };
  }
  return undefined;
}

function pickForward(state: TableState, random: Random): Probe | undefined {
  const { forwardsOfEip } = state;
  if (forwardsOfEip.size === 0) return undefined;
  // No list of them all: this runs every two seconds, and there may be millions.
  let skip = random.integer(forwardsOfEip.size);
  for (const forwards of forwardsOfEip.values()) {
    skip -= 1;
    if (skip >= 0) continue;
    const { eip, first, to, toFirst, protocol } = pick(random, forwards);
    return { eip, eipPort: first, private: to, privatePort: toFirst, protocol };
  }
  return undefined;
}

function isUnknown(state: TableState, address: number): boolean {
  return !state.slotOfEip.has(address) && !state.slotOfPrivate.has(address);
}

function testInbound(datapath: Datapath, at: LinkState, probe: Probe, outsider: number) {
  const program = datapath.program(INGRESS_PROGRAM[at.role]);
  const { protocol } = probe;
  const client = { address: outsider, port: PORTS.client };
  const packet = flow(protocol, client, outer(probe));
  const wanted = flow(protocol, client, inner(probe));
  const what = `${show(outsider)} > ${show(probe.eip)}`;
  return compare(what, run(program, at, packet), wanted, datapath.layout.reasons, [
    'IN_REDIRECTED',
    'IN_TO_STACK',
  ]);
}

function testOutbound(datapath: Datapath, at: LinkState, probe: Probe, outsider: number) {
  const program = datapath.program(INGRESS_PROGRAM[at.role]);
  const { protocol } = probe;
  const client = { address: outsider, port: PORTS.client };
  const packet = flow(protocol, inner(probe), client);
  const { reasons } = datapath.layout;
  const result = run(program, at, packet);
  // Without a route or a neighbour that way the stack has the packet, as it came.
  const left = ['PASS_TO_STACK_OUT', 'PASS_NOT_OUTBOUND'].map((name) => reasons[name]);
  const isLeft = left.includes(result.cb[0]);
  const wanted = isLeft ? packet : flow(protocol, outer(probe), client);
  const expected = isLeft ? ['PASS_TO_STACK_OUT', 'PASS_NOT_OUTBOUND'] : ['OUT_REDIRECTED'];
  return compare(`${show(probe.private)} > ${show(outsider)}`, result, wanted, reasons, expected);
}

type Endpoint = { address: number; port: number };

const outer = ({ eip, eipPort }: Probe): Endpoint => ({ address: eip, port: eipPort });
const inner = (probe: Probe): Endpoint => ({ address: probe.private, port: probe.privatePort });

const flow = (protocol: number, source: Endpoint, destination: Endpoint): FlowPacket => ({
  source: source.address,
  destination: destination.address,
  protocol,
  sourcePort: source.port,
  destinationPort: destination.port,
});

function run(program: BpfProgram, { link }: LinkState, packet: FlowPacket) {
  const frame = flowFrame(packet, link?.mac ?? 0);
  return program.testRun({ frame, ifindex: link?.ifindex ?? 1 });
}

function compare(
  what: string,
  result: ReturnType<BpfProgram['testRun']>,
  wanted: FlowPacket,
  reasons: Record<string, number>,
  expected: readonly string[],
): string | undefined {
  const reason = Object.keys(reasons).find((name) => reasons[name] === result.cb[0]);
  if (result.verdict === SHOT || reason === undefined || !expected.includes(reason)) {
    return `${what}: the program says ${reason ?? 'nothing'}, not ${expected.join(' or ')}`;
  }
  const got = readFlow(result.frame);
  const same = got !== undefined && got.source === wanted.source;
  if (!same || got.destination !== wanted.destination) {
    const seen = got === undefined ? 'no packet' : `${show(got.source)} > ${show(got.destination)}`;
    return `${what}: came out as ${seen}`;
  }
  if (got.sourcePort !== wanted.sourcePort || got.destinationPort !== wanted.destinationPort) {
    return `${what}: came out with ports ${got.sourcePort} > ${got.destinationPort}`;
  }
  return checksumsHold(result.frame) ? undefined : `${what}: came out with a wrong checksum`;
}

const show = (address: number): string => formatIpv4(ipv4(address));
