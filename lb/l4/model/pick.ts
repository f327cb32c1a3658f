// Which target serves a packet: by the flow's connection, or by the pool's table.
// docs/balancing.md K2, K4, K8. Pure.
import { type PacketView, read8, TCP, UDP } from '../../../shared/net/packet-view.ts';
import { hashAddresses, hashFlow, hashSource, maglevSlot } from './hash.ts';
import type { Run } from './run.ts';
import { type Connection, type Flow, flowKey, type Server, type Target } from './types.ts';

export const IDLE_NS: ReadonlyMap<number, number> = new Map([
  [TCP, 7200e9],
  [UDP, 60e9],
]);
export const NEW_CONNECTIONS_PER_SECOND = 125_000;
const REFRESH_NS = 1e9;
const SECOND_NS = 1e9;

/** Of TCP's flags those that matter; none for UDP. */
export type TcpFlags = { syn: boolean; rst: boolean };

export function tcpFlags(packet: PacketView): TcpFlags {
  if (packet.protocol !== TCP) return { syn: false, rst: false };
  const flags = read8(packet.frame, packet.l4 + 13);
  return { syn: (flags & 2) !== 0, rst: (flags & 4) !== 0 };
}

/** A packet whose ports are known. Writes and refreshes the flow's connection. */
export function pickForFlow(
  run: Run,
  server: Server,
  flow: Flow,
  flags: TcpFlags,
): Target | undefined {
  if (flags.syn) return pickForSyn(run, server, flow);
  const known = liveConnection(run, flow);
  const stays = known && targetOf(run, server, known);
  if (known !== undefined && stays !== undefined) {
    refresh(run, flow, known);
    return stays;
  }
  const picked = pickByTable(run, server, hashOf(server, flow));
  if (picked !== undefined && !flags.rst) write(run, flow, picked);
  return picked;
}

/** As `pickForFlow`, but errors leave connections alone (RFC 5508 REQ-6). */
export function pickForError(run: Run, server: Server, flow: Flow): Target | undefined {
  const known = liveConnection(run, flow);
  const stays = known && targetOf(run, server, known);
  return stays ?? pickByTable(run, server, hashOf(server, flow));
}

/** Of what shows no ports, and of fragments of UDP. */
export function pickByAddresses(
  run: Run,
  server: Server,
  flow: Pick<Flow, 'source' | 'destination'>,
): Target | undefined {
  const { source, destination } = flow;
  const hash = server.hash === 'source' ? hashSource(source) : hashAddresses(source, destination);
  return pickByTable(run, server, hash);
}

function pickForSyn(run: Run, server: Server, flow: Flow): Target | undefined {
  const picked = pickByTable(run, server, hashOf(server, flow));
  if (picked === undefined) return undefined;
  run.opens = true;
  const known = run.state.connections.get(flowKey(flow));
  const isOther =
    known !== undefined &&
    (known.targetSlot !== run.targetSlot || known.generation !== picked.generation);
  if (isOther) setConnection(run, flow, undefined);
  return picked;
}

const hashOf = (server: Server, flow: Flow): number =>
  server.hash === 'source' ? hashSource(flow.source) : hashFlow(flow);

function pickByTable(run: Run, server: Server, hash: number): Target | undefined {
  run.steps.add('BY_TABLE');
  run.hash = hash;
  run.targetSlot = 0;
  const slot = run.table.tables.get(server.poolSlot)?.[maglevSlot(hash)] ?? 0;
  const target = slot === 0 ? undefined : run.table.targets.get(slot);
  if (target !== undefined) run.targetSlot = slot;
  return target;
}

function liveConnection(run: Run, flow: Flow): Connection | undefined {
  const known = run.state.connections.get(flowKey(flow));
  const idleNs = IDLE_NS.get(flow.protocol) ?? 0;
  return known !== undefined && run.environment.nowNs - known.seenNs < idleNs ? known : undefined;
}

/** The target that the flow may stay with. */
function targetOf(run: Run, server: Server, known: Connection): Target | undefined {
  const target = run.table.targets.get(known.targetSlot);
  const isSame = target !== undefined && target.generation === known.generation;
  if (!isSame || (target.gone && server.lost !== 'leave')) {
    run.steps.add('CONNECTION_LOST');
    return undefined;
  }
  run.steps.add('CONNECTION_FOUND');
  run.targetSlot = known.targetSlot;
  return target;
}

function refresh(run: Run, flow: Flow, known: Connection): void {
  const { nowNs } = run.environment;
  if (nowNs - known.seenNs >= REFRESH_NS) setConnection(run, flow, { ...known, seenNs: nowNs });
}

function write(run: Run, flow: Flow, target: Target): void {
  const { nowNs, dryRun } = run.environment;
  if (dryRun) return;
  const { gate } = run.state;
  const current = nowNs - gate.sinceNs >= SECOND_NS ? { sinceNs: nowNs, count: 0 } : gate;
  if (current.count >= NEW_CONNECTIONS_PER_SECOND) {
    run.steps.add('FLOOD_GATE');
    return;
  }
  run.state = { ...run.state, gate: { ...current, count: current.count + 1 } };
  const { targetSlot } = run;
  setConnection(run, flow, { seenNs: nowNs, targetSlot, generation: target.generation });
  run.steps.add('CONNECTION_WRITTEN');
  if (flow.protocol === UDP) run.opens = true;
}

function setConnection(run: Run, flow: Flow, connection: Connection | undefined): void {
  if (run.environment.dryRun) return;
  const connections = new Map(run.state.connections);
  if (connection === undefined) connections.delete(flowKey(flow));
  else connections.set(flowKey(flow), connection);
  run.state = { ...run.state, connections };
}
