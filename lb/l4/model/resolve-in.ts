// What becomes of a packet for a VIP. docs/balancing.md K1, K4 to K8. Pure.
import {
  hasPorts,
  icmpKind,
  isCutShort,
  type PacketView,
  portsOf,
  UDP,
} from '../../../shared/net/packet-view.ts';
import { findFragment, isVip, onlyOne, recordFragment, serverOf, serversOf } from './find.ts';
import { pickByAddresses, pickForError, pickForFlow, tcpFlags } from './pick.ts';
import { drop, notOurs, type Resolution, type Run } from './run.ts';
import type { Flow, Server, Target } from './types.ts';

export function resolveIn(run: Run, packet: PacketView): Resolution {
  if (hasPorts(packet)) {
    return packet.isFirst ? resolveFirst(run, packet) : resolveLater(run, packet);
  }
  const icmp = icmpKind(packet);
  if (icmp.kind === 'redirect' && isVip(run.table, packet.destination)) {
    return drop('DROP_ICMP_REDIRECT');
  }
  return icmp.kind === 'error' ? resolveError(run, packet, icmp.quoted) : notOurs;
}

/** Also: not fragmented at all. */
function resolveFirst(run: Run, packet: PacketView): Resolution {
  const { destination, protocol, moreFragments } = packet;
  const isKnown = serversOf(run.table, destination, protocol).length > 0;
  if (isCutShort(packet)) return isKnown ? drop('DROP_MALFORMED') : notOurs;
  const flow = flowOf(packet);
  const server = serverOf(run.table, destination, protocol, flow.destinationPort);
  if (server === undefined) {
    if (isKnown && moreFragments) recordFragment(run, packet, false, 0);
    return notOurs;
  }
  note(run, server);
  const byAddresses = moreFragments && server.protocol === UDP;
  const target = byAddresses
    ? pickByAddresses(run, server, packet)
    : pickForFlow(run, server, flow, tcpFlags(packet));
  if (target === undefined) return drop('DROP_NO_TARGET');
  if (moreFragments) recordFragment(run, packet, false, target.address, server.mode === 'dsr');
  return leadTo(server, target, flow.destinationPort);
}

function resolveLater(run: Run, packet: PacketView): Resolution {
  const servers = serversOf(run.table, packet.destination, packet.protocol);
  if (servers.length === 0) return notOurs;
  const first = findFragment(run, packet, false);
  if (first === undefined) {
    const server = onlyOne(servers);
    if (server === undefined) return drop('DROP_FRAGMENT_UNKNOWN');
    note(run, server);
    const target = pickByAddresses(run, server, packet);
    return target === undefined ? drop('DROP_NO_TARGET') : leadTo(server, target, undefined);
  }
  if (first.address === 0) return notOurs;
  run.serverSlot = first.serverSlot;
  run.targetSlot = first.targetSlot;
  return first.isDsr
    ? { kind: 'send', target: first.address }
    : { kind: 'edit', edit: { destination: first.address } };
}

/** An error about what a server's target sent to `quoted.destination`. */
function resolveError(run: Run, packet: PacketView, quoted: PacketView | undefined): Resolution {
  const { table } = run;
  if (quoted === undefined) {
    return isVip(table, packet.destination) ? drop('DROP_MALFORMED') : notOurs;
  }
  if (!hasPorts(quoted)) return notOurs;
  const ports = portsOf(quoted);
  const candidates =
    ports === undefined
      ? serversOf(table, packet.destination, quoted.protocol)
      : [serverOf(table, packet.destination, quoted.protocol, ports.source)].filter(isThere);
  if (candidates.length === 0) return notOurs;
  const server = onlyOne(candidates);
  if (server === undefined || quoted.source !== packet.destination) {
    return drop('DROP_ERROR_MISMATCH');
  }
  note(run, server);
  const turned: Flow = {
    source: quoted.destination,
    destination: quoted.source,
    sourcePort: ports?.destination ?? 0,
    destinationPort: ports?.source ?? 0,
    protocol: quoted.protocol,
  };
  const target =
    ports === undefined ? pickByAddresses(run, server, turned) : pickForError(run, server, turned);
  if (target === undefined) return drop('DROP_NO_TARGET');
  if (server.mode === 'dsr') return { kind: 'send', target: target.address };
  const sourcePort = ports && targetPort(server, target, ports.source);
  const ofQuoted = { source: target.address, ...(sourcePort !== undefined && { sourcePort }) };
  return { kind: 'edit', edit: { destination: target.address, quoted: ofQuoted }, quoted };
}

const isThere = <T>(value: T | undefined): value is T => value !== undefined;

function note(run: Run, server: Server): void {
  run.steps.add('SERVER_FOUND');
  run.serverSlot = server.slot;
}

function flowOf(packet: PacketView): Flow {
  const { source, destination, protocol } = packet;
  const ports = portsOf(packet);
  if (ports === undefined) throw new Error('a whole TCP or UDP header has ports');
  return {
    source,
    destination,
    sourcePort: ports.source,
    destinationPort: ports.destination,
    protocol,
  };
}

function leadTo(server: Server, target: Target, port: number | undefined): Resolution {
  if (server.mode === 'dsr') return { kind: 'send', target: target.address };
  const destination = target.address;
  if (port === undefined) return { kind: 'edit', edit: { destination } };
  return { kind: 'edit', edit: { destination, destinationPort: targetPort(server, target, port) } };
}

function targetPort(server: Server, target: Target, port: number): number {
  return target.port === 0 ? port : (target.port + port - server.first) & 0xffff;
}
