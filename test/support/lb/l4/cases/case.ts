// One row of lb's packet table, and the short ways to write one.
import { hashFlow, hashSource, maglevSlot } from '../../../../../lb/l4/model/hash.ts';
import {
  type Connection,
  type FragmentRecord,
  flowKey,
  fragmentKey,
  type Program,
  type Reason,
  type State,
  type Step,
  type Verdict,
} from '../../../../../lb/l4/model/types.ts';
import { address, describeFrame, TCP, UDP } from '../../../packet.ts';
import { arriving, CLIENT, LINK_OF, type LinkName, leaving, siteTable } from '../site.ts';

export type LbCase = {
  what: string;
  program: Program;
  link: LinkName;
  frame: Uint8Array;
  isHost: boolean;
  segments?: { count: number; payloadBytes: number };
  /** What is known before; times count from now. */
  connections: Record<string, Connection>;
  fragments: Record<string, FragmentRecord>;
  gateCount: number;
  reason: Reason | undefined; // undefined: left alone at egress
  verdict: Verdict;
  out: Uint8Array;
  steps: Step[]; // must have been taken; others may have been
  server: number; // whose meter counts it; 0: none's
  target: number;
  opens: number; // connections that the meters count
  /** Afterwards: the target slot of each flow, and the address of each datagram. */
  flows: Record<string, number>;
  datagrams: Record<string, number>;
};

export type Given = Partial<Omit<LbCase, 'what' | 'program' | 'frame' | 'reason' | 'out'>>;

export function row(
  what: string,
  program: Program,
  frame: Uint8Array,
  reason: Reason | undefined,
  out: Uint8Array = frame,
  given: Given = {},
): LbCase {
  const { connections = {}, fragments = {} } = given;
  return {
    what,
    program,
    link: LINK_OF[program],
    frame,
    isHost: true,
    connections,
    fragments,
    gateCount: 0,
    reason,
    verdict: verdictOf(reason),
    out,
    steps: [],
    server: 0,
    target: 0,
    opens: 0,
    flows: Object.fromEntries(
      Object.entries(connections).map(([key, { targetSlot }]) => [key, targetSlot]),
    ),
    datagrams: Object.fromEntries(
      Object.entries(fragments).map(([key, { address: to }]) => [key, to]),
    ),
    ...given,
  };
}

function verdictOf(reason: Reason | undefined): Verdict {
  if (reason?.startsWith('DROP_')) return 'drop';
  const redirects = ['IN_REDIRECTED', 'DSR_REDIRECTED', 'DSR_TO_NEIGHBOUR', 'OUT_REDIRECTED'];
  return reason !== undefined && redirects.includes(reason) ? 'redirect' : 'pass';
}

/** A packet that a program drops or passes as it is. */
export function alone(
  what: string,
  program: Program,
  packet: Uint8Array,
  reason: Reason | undefined,
  given: Given = {},
): LbCase {
  const link = given.link ?? LINK_OF[program];
  const frame = program === 'lb_egress' ? leaving('192.0.2.1', packet) : arriving(link, packet);
  return row(what, program, frame, reason, frame, given);
}

/** For a VIP: translated, and on to the neighbour. */
export function into(
  what: string,
  packet: Uint8Array,
  after: Uint8Array,
  hop: string,
  given: Given,
): LbCase {
  const frame = arriving('uplink', packet);
  return row(what, 'lb_uplink', frame, 'IN_REDIRECTED', leaving(hop, after), given);
}

/** For a VIP: translated, and to the stack, which nothing else is changed for. */
export function toStack(what: string, packet: Uint8Array, after: Uint8Array, given: Given): LbCase {
  const frame = arriving('uplink', packet);
  return row(what, 'lb_uplink', frame, 'IN_TO_STACK', arriving('uplink', after), given);
}

/** A target's: translated, and on to the router. */
export function outOf(
  what: string,
  packet: Uint8Array,
  after: Uint8Array,
  given: Given,
  hop = '192.0.2.1',
): LbCase {
  const frame = arriving('inside', packet);
  return row(what, 'lb_inside', frame, 'OUT_REDIRECTED', leaving(hop, after), given);
}

export function atEgress(
  what: string,
  packet: Uint8Array,
  after: Uint8Array,
  given: Given,
): LbCase {
  const [frame, out] = [leaving('192.0.2.1', packet), leaving('192.0.2.1', after)];
  return row(what, 'lb_egress', frame, 'OUT_AT_EGRESS', out, given);
}

const PROTOCOLS = { tcp: TCP, udp: UDP };
type Protocol = keyof typeof PROTOCOLS;

/** The slot of the server at a VIP's port. */
export function serverAt(vip: string, protocol: Protocol, port: number): number {
  const found = siteTable.servers.find(
    (server) =>
      server.address === address(vip) &&
      server.protocol === PROTOCOLS[protocol] &&
      server.first <= port &&
      port <= server.last,
  );
  if (found === undefined) throw new Error(`no server at ${vip}:${port}/${protocol}`);
  return found.slot;
}

export const flow = (
  protocol: Protocol,
  sourcePort: number,
  vip: string,
  port: number,
  source = CLIENT,
): string =>
  flowKey({
    source: address(source),
    destination: address(vip),
    sourcePort,
    destinationPort: port,
    protocol: PROTOCOLS[protocol],
  });

/** A client's port from which a new flow goes to this target. */
export function portTo(target: number, protocol: Protocol, vip: string, port: number): number {
  const server = siteTable.servers[serverAt(vip, protocol, port) - 1];
  for (let sourcePort = 40_000; sourcePort < 41_000; sourcePort += 1) {
    const key = {
      source: address(CLIENT),
      destination: address(vip),
      sourcePort,
      destinationPort: port,
      protocol: PROTOCOLS[protocol],
    };
    const hash = server?.hash === 'source' ? hashSource(key.source) : hashFlow(key);
    const table = siteTable.tables.get(server?.poolSlot ?? 0);
    if (table?.[maglevSlot(hash)] === target) return sourcePort;
  }
  throw new Error(`no port leads to target ${target}`);
}

/** Last seen so many seconds ago. */
export function known(targetSlot: number, seconds = 3, otherGeneration = false): Connection {
  const generation = siteTable.targets.get(targetSlot)?.generation ?? 0;
  return {
    seenNs: -seconds * 1e9,
    targetSlot,
    generation: generation + (otherGeneration ? 1 : 0),
  };
}

export const ID = 0x1d1d;

export const datagram = (
  source: string,
  destination: string,
  protocol: Protocol,
  outbound = false,
): string =>
  fragmentKey({
    source: address(source),
    destination: address(destination),
    id: ID,
    protocol: PROTOCOLS[protocol],
    outbound,
  });

/** For so many seconds more. */
export const went = (
  to: string,
  serverSlot: number,
  targetSlot: number,
  { seconds = 20, isDsr = false } = {},
): FragmentRecord => ({
  expiresNs: seconds * 1e9,
  address: address(to),
  serverSlot,
  targetSlot,
  isDsr,
});

/** A row's state with the clock at nowNs. */
export function stateOf({ connections, fragments, gateCount }: LbCase, nowNs: number): State {
  return {
    connections: new Map(
      Object.entries(connections).map(([key, value]) => [
        key,
        { ...value, seenNs: nowNs + value.seenNs },
      ]),
    ),
    fragments: new Map(
      Object.entries(fragments).map(([key, value]) => [
        key,
        { ...value, expiresNs: nowNs + value.expiresNs },
      ]),
    ),
    gate: { sinceNs: nowNs, count: gateCount },
  };
}

/** Which target each flow has and where each datagram went, as in `flows` and `datagrams`. */
export const placesOf = (state: State): Pick<LbCase, 'flows' | 'datagrams'> => ({
  flows: Object.fromEntries(
    [...state.connections].map(([key, { targetSlot }]) => [key, targetSlot]),
  ),
  datagrams: Object.fromEntries([...state.fragments].map(([key, { address: to }]) => [key, to])),
});

export function describeCase({ what, program, frame }: LbCase): string {
  return `${what} (${program})\n${describeFrame(frame)}`;
}
