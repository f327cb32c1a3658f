// The self-test: sends a packet to a virtual server, and its target's reply, through the live
// programs, dry, and looks whether they go where the plan says. Nothing is counted or sent.

import type { LinkState } from '../../shared/links/links.ts';
import { checksumsHold, type FlowPacket, flowFrame, readFlow } from '../../shared/net/frames.ts';
import { formatIpv4, ipv4 } from '../../shared/net/ipv4.ts';
import { pick, type Random } from '../../shared/random.ts';
import { targetPorts } from '../../shared/site/check-l4.ts';
import type { Datapath } from './datapath.ts';
import { INGRESS_PROGRAM, nameOf } from './explain.ts';
import { MAGLEV_SLOTS, maglevTable } from './maglev.ts';
import type { L4Plan, PlannedServer, PlannedTarget } from './plan.ts';

/** TEST-NET-1 holds nobody's clients. */
const OUTSIDER = 0xc000_0201;
const CLIENT_PORTS = { first: 20_000, count: 40_000 };

export type SelfTestOptions = {
  datapath: Datapath;
  plan: L4Plan;
  links: readonly LinkState[];
  random: Random;
};

/** What is wrong; undefined: all is well, or there is no server with a target. */
export function selfTest({ datapath, plan, links, random }: SelfTestOptions): string | undefined {
  const serving = plan.servers.filter(({ pool }) => pool.kind !== 'empty');
  if (serving.length === 0) return undefined;
  const uplink = links.find(({ role, link }) => role !== 'inside' && link !== undefined);
  if (uplink === undefined) return 'a link is missing';
  const server = pick(random, serving);
  const { port, lastPort, mode } = server.server;
  const asked = {
    source: OUTSIDER,
    sourcePort: CLIENT_PORTS.first + random.integer(CLIENT_PORTS.count),
    destination: server.address,
    destinationPort: port + random.integer(lastPort - port + 1),
    protocol: server.protocol,
  };
  const sent = testInbound(datapath, uplink, server, asked);
  if (typeof sent === 'string') return sent;
  const inside = links.find(({ role, link }) => role !== 'uplink' && link !== undefined);
  if (mode === 'dsr' || inside === undefined) return undefined;
  return testReply(datapath, inside, server, { asked, target: sent });
}

/** A dsr target without a route is one server's trouble, and no reason to withdraw them all. */
const EXPECTED = {
  nat: ['IN_REDIRECTED', 'IN_TO_STACK'],
  dsr: ['DSR_REDIRECTED', 'DSR_TO_NEIGHBOUR', 'DROP_NO_ROUTE'],
} as const;

/** The target; or what is wrong. */
function testInbound(
  datapath: Datapath,
  at: LinkState,
  server: PlannedServer,
  asked: FlowPacket,
): PlannedTarget | string {
  const { reason, target, hash, frame } = run(datapath, at, asked);
  const expected: readonly string[] = EXPECTED[server.server.mode];
  if (!expected.includes(reason)) {
    return `${server.id}: the program says ${reason}, not ${expected.join(' or ')}`;
  }
  const inTable = server.pool.targets.filter(({ weight }) => weight > 0);
  const wanted = inTable[maglevTable(inTable)[hash % MAGLEV_SLOTS] ?? -1];
  if (wanted === undefined || wanted.slot !== target) {
    const picked = server.pool.targets.find(({ slot }) => slot === target)?.id ?? `slot ${target}`;
    return `${server.id}: the kernel's table says ${picked}, not ${wanted?.id}`;
  }
  if (server.server.mode === 'dsr') return wanted;
  return compare(server, frame, inner(server, asked, wanted)) ?? wanted;
}

/** Without a route that way the stack has the reply, as it came. */
const REPLIES = ['OUT_REDIRECTED', 'OUT_TO_STACK', 'PASS_NOT_SERVER'];

function testReply(
  datapath: Datapath,
  at: LinkState,
  server: PlannedServer,
  { asked, target }: { asked: FlowPacket; target: PlannedTarget },
): string | undefined {
  const { reason, frame } = run(datapath, at, turned(inner(server, asked, target)));
  if (!REPLIES.includes(reason)) {
    return `${server.id}: of a reply of ${target.id} the program says ${reason}`;
  }
  return reason === 'OUT_REDIRECTED' ? compare(server, frame, turned(asked)) : undefined;
}

function inner(server: PlannedServer, asked: FlowPacket, target: PlannedTarget): FlowPacket {
  const { first } = targetPorts(server.server, target.target);
  const destinationPort = first + asked.destinationPort - server.server.port;
  return { ...asked, destination: target.address, destinationPort };
}

const turned = (flow: FlowPacket): FlowPacket => ({
  source: flow.destination,
  sourcePort: flow.destinationPort,
  destination: flow.source,
  destinationPort: flow.sourcePort,
  protocol: flow.protocol,
});

function run(datapath: Datapath, { role, link }: LinkState, packet: FlowPacket) {
  const frame = flowFrame(packet, link?.mac ?? 0);
  const program = datapath.program(INGRESS_PROGRAM[role]);
  const result = program.testRun({ frame, ifindex: link?.ifindex ?? 1 });
  const { words, reasons } = datapath.layout;
  const word = (name: string): number => result.cb[words[name] ?? -1] ?? 0;
  return {
    reason: nameOf(reasons, word('EXPLAIN_REASON')),
    target: word('EXPLAIN_TARGET'),
    hash: word('EXPLAIN_HASH'),
    frame: result.frame,
  };
}

function compare({ id }: PlannedServer, frame: Uint8Array, wanted: FlowPacket): string | undefined {
  const got = readFlow(frame);
  if (got === undefined) return `${id}: came out as no packet`;
  const same =
    got.source === wanted.source &&
    got.sourcePort === wanted.sourcePort &&
    got.destination === wanted.destination &&
    got.destinationPort === wanted.destinationPort;
  const end = (address: number, port: number) => `${formatIpv4(ipv4(address))}:${port}`;
  const flow = `${end(got.source, got.sourcePort)} > ${end(got.destination, got.destinationPort)}`;
  if (!same) return `${id}: came out as ${flow}`;
  return checksumsHold(frame) ? undefined : `${id}: came out with a wrong checksum`;
}
