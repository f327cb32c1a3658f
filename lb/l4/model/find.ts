// Whose a packet is: servers by VIP, protocol and port, replies by target, protocol and port, later
// fragments by the first. docs/balancing.md K1, K5, K8. Pure.
import type { PacketView } from '../../../shared/net/packet-view.ts';
import type { Run } from './run.ts';
import {
  type FragmentKey,
  type FragmentRecord,
  fragmentKey,
  type Reverse,
  type Server,
  type Table,
} from './types.ts';

export const FRAGMENT_LIFETIME_NS = 30e9;

type Ported = { protocol: number; first: number; last: number };

const serves = (of: Ported, protocol: number, port: number): boolean =>
  of.protocol === protocol && port !== 0 && of.first <= port && port <= of.last;

export function serverOf(
  table: Table,
  address: number,
  protocol: number,
  port: number,
): Server | undefined {
  return table.servers.find(
    (server) => server.address === address && serves(server, protocol, port),
  );
}

/** All servers of a VIP and protocol. */
export const serversOf = (table: Table, address: number, protocol: number): readonly Server[] =>
  table.servers.filter((server) => server.address === address && server.protocol === protocol);

export const isVip = (table: Table, address: number): boolean =>
  table.servers.some((server) => server.address === address);

export function reverseOf(
  table: Table,
  target: number,
  protocol: number,
  port: number,
): Reverse | undefined {
  return table.reverse.find((row) => row.target === target && serves(row, protocol, port));
}

export const reversesOf = (table: Table, target: number, protocol: number): readonly Reverse[] =>
  table.reverse.filter((row) => row.target === target && row.protocol === protocol);

export const isTarget = (table: Table, address: number): boolean =>
  table.reverse.some((row) => row.target === address);

/** The one thing that there is, when it is just one. */
export const onlyOne = <T>(all: readonly T[]): T | undefined =>
  all.length === 1 ? all[0] : undefined;

export function findFragment(
  run: Run,
  packet: PacketView,
  outbound: boolean,
): FragmentRecord | undefined {
  const found = run.state.fragments.get(fragmentKey(keyOf(packet, outbound)));
  if (found === undefined || found.expiresNs <= run.environment.nowNs) return undefined;
  run.steps.add('FRAGMENT_FOUND');
  return found;
}

/** Tells the later fragments, which show no ports, where the first went. */
export function recordFragment(
  run: Run,
  packet: PacketView,
  outbound: boolean,
  address: number,
  isDsr = false,
): void {
  if (run.environment.dryRun) return;
  const record: FragmentRecord = {
    expiresNs: run.environment.nowNs + FRAGMENT_LIFETIME_NS,
    address,
    serverSlot: run.serverSlot,
    targetSlot: run.targetSlot,
    isDsr,
  };
  const fragments = new Map(run.state.fragments);
  run.state = {
    ...run.state,
    fragments: fragments.set(fragmentKey(keyOf(packet, outbound)), record),
  };
}

function keyOf(packet: PacketView, outbound: boolean): FragmentKey {
  const { source, destination, id, protocol } = packet;
  return { source, destination, id, protocol, outbound };
}
