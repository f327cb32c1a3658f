// What becomes of a packet of a target, or of a router before it. docs/balancing.md K5, K7, K8.
// Pure.
import type { Endpoints } from '../../../shared/net/packet-rewrite.ts';
import {
  hasPorts,
  icmpKind,
  isCutShort,
  type PacketView,
  portsOf,
} from '../../../shared/net/packet-view.ts';
import { findFragment, isTarget, onlyOne, recordFragment, reverseOf, reversesOf } from './find.ts';
import { drop, notOurs, type Resolution, type Run } from './run.ts';
import type { Reverse } from './types.ts';

/** Records only first fragments that are no server's; `recordReply` the others. */
export function resolveOut(run: Run, packet: PacketView): Resolution {
  if (hasPorts(packet)) {
    return packet.isFirst ? resolveFirst(run, packet) : resolveLater(run, packet);
  }
  const icmp = icmpKind(packet);
  if (icmp.kind === 'redirect' && isTarget(run.table, packet.source)) {
    return drop('DROP_ICMP_REDIRECT');
  }
  return icmp.kind === 'error' ? resolveError(run, packet, icmp.quoted) : notOurs;
}

/** Once it is sure that this reply is translated here: where its later fragments go. */
export function recordReply(run: Run, packet: PacketView, resolution: Resolution): void {
  const isFirst = packet.isFirst && packet.moreFragments && hasPorts(packet);
  if (!isFirst || resolution.kind !== 'edit' || resolution.edit.source === undefined) return;
  recordFragment(run, packet, true, resolution.edit.source);
}

function resolveFirst(run: Run, packet: PacketView): Resolution {
  const isKnown = reversesOf(run.table, packet.source, packet.protocol).length > 0;
  if (isCutShort(packet)) return isKnown ? drop('DROP_MALFORMED') : notOurs;
  const port = portsOf(packet)?.source ?? 0;
  const reverse = reverseOf(run.table, packet.source, packet.protocol, port);
  if (reverse === undefined) {
    if (isKnown && packet.moreFragments) recordFragment(run, packet, true, 0);
    return notOurs;
  }
  note(run, reverse);
  const sourcePort = movedPort(port, reverse);
  return { kind: 'edit', edit: { source: reverse.address, sourcePort } };
}

function resolveLater(run: Run, packet: PacketView): Resolution {
  const reverses = reversesOf(run.table, packet.source, packet.protocol);
  if (reverses.length === 0) return notOurs;
  const first = findFragment(run, packet, true);
  if (first === undefined) {
    const reverse = onlyOne(reverses);
    if (reverse === undefined) return drop('DROP_FRAGMENT_UNKNOWN');
    note(run, reverse);
    return { kind: 'edit', edit: { source: reverse.address } };
  }
  if (first.address === 0) return notOurs;
  note(run, first);
  return { kind: 'edit', edit: { source: first.address } };
}

/** An error about what a target was sent. */
function resolveError(run: Run, packet: PacketView, quoted: PacketView | undefined): Resolution {
  const { table } = run;
  if (quoted === undefined) {
    return isTarget(table, packet.source) ? drop('DROP_MALFORMED') : notOurs;
  }
  if (!hasPorts(quoted)) return notOurs;
  const ports = portsOf(quoted);
  const exact = ports && reverseOf(table, quoted.destination, quoted.protocol, ports.destination);
  const all = reversesOf(table, quoted.destination, quoted.protocol);
  if (ports === undefined ? all.length === 0 : exact === undefined) return notOurs;
  const reverse = ports === undefined ? onlyOne(all) : exact;
  if (reverse === undefined || quoted.source !== packet.destination) {
    return drop('DROP_ERROR_MISMATCH');
  }
  note(run, reverse);
  const ofQuoted: Endpoints = { destination: reverse.address };
  if (ports !== undefined) ofQuoted.destinationPort = movedPort(ports.destination, reverse);
  const isOfTarget = packet.source === quoted.destination;
  const edit = { ...(isOfTarget && { source: reverse.address }), quoted: ofQuoted };
  return { kind: 'edit', edit, quoted };
}

function note(run: Run, of: { serverSlot: number; targetSlot: number }): void {
  run.steps.add('REVERSE_FOUND');
  run.serverSlot = of.serverSlot;
  run.targetSlot = of.targetSlot;
}

const movedPort = (port: number, reverse: Reverse): number => (port + reverse.portOffset) & 0xffff;
