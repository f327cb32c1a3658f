// Which addresses and ports a packet gets: `resolve_in` and `resolve_out` of docs/translation.md.
import type { Edit } from '../../shared/net/packet-rewrite.ts';
import {
  hasPorts,
  icmpKind,
  isCutShort,
  type PacketView,
  portsOf,
} from '../../shared/net/packet-view.ts';
import type {
  Forward,
  FragmentKey,
  FragmentRecord,
  Mapping,
  Reason,
  Slot,
  Step,
  Table,
} from './types.ts';

export type Resolution =
  | { kind: 'drop'; reason: Reason }
  | { kind: 'untouched' }
  | { kind: 'edit'; edit: Edit; slot: Slot; quoted?: PacketView; recorded?: FragmentRecord };

/** What a resolution reads besides the packet; `steps` collects what it did. */
export interface Context {
  table: Table;
  nowNs: number;
  steps: Set<Step>;
  hostMade?: boolean;
}

const FRAGMENT_LIFETIME_NS = 2e9;

const drop = (reason: Reason): Resolution => ({ kind: 'drop', reason });
const untouched: Resolution = { kind: 'untouched' };

/** Inbound: the packet's destination is the EIP whose mapping this is. */
export function resolveIn(packet: PacketView, mapping: Mapping, context: Context): Resolution {
  context.steps.add('EIP_FOUND');
  const icmp = icmpKind(packet);
  if (icmp.kind === 'short') return drop('DROP_MALFORMED');
  if (icmp.kind === 'redirect') return drop('DROP_ICMP_REDIRECT');
  if (icmp.kind === 'error') return resolveErrorIn(packet, icmp.quoted, mapping, context);
  if (!mapping.eipForwards || !hasPorts(packet)) return oneToOneIn(packet, mapping);
  if (!packet.isFirst) {
    const known = findFragment(packet, false, context);
    if (known === undefined) return drop('DROP_FRAGMENT_UNKNOWN');
    return { kind: 'edit', edit: { destination: known.address }, slot: known };
  }
  if (isCutShort(packet)) return drop('DROP_MALFORMED');
  const port = portsOf(packet)?.destination;
  const { forwardsIn } = context.table;
  const hit = findForward(forwardsIn, packet.destination, packet.protocol, port, context);
  if (hit === undefined) return recordFirst(packet, false, oneToOneIn(packet, mapping), context);
  const edit = { destination: hit.target, destinationPort: hit.port };
  return recordFirst(packet, false, { kind: 'edit', edit, slot: hit }, context);
}

function oneToOneIn(packet: PacketView, mapping: Mapping): Resolution {
  if (mapping.address === 0) return drop('DROP_NO_FORWARD');
  if (isCutShort(packet)) return drop('DROP_MALFORMED');
  return { kind: 'edit', edit: { destination: mapping.address }, slot: mapping };
}

/** An ICMP error about what the EIP sent: the quoted packet's source is the EIP. */
function resolveErrorIn(
  packet: PacketView,
  quoted: PacketView | undefined,
  mapping: Mapping,
  context: Context,
): Resolution {
  if (quoted === undefined) return drop('DROP_MALFORMED');
  if (quoted.source !== packet.destination) return drop('DROP_ERROR_MISMATCH');
  const port = portsOf(quoted)?.source;
  const hit = mapping.eipForwards
    ? findForward(context.table.forwardsIn, quoted.source, quoted.protocol, port, context)
    : undefined;
  if (hit !== undefined) {
    const quotedEdit = { source: hit.target, sourcePort: hit.port };
    return {
      kind: 'edit',
      edit: { destination: hit.target, quoted: quotedEdit },
      slot: hit,
      quoted,
    };
  }
  if (mapping.address === 0) return drop('DROP_NO_FORWARD');
  const { address } = mapping;
  const edit = { destination: address, quoted: { source: address } };
  return { kind: 'edit', edit, slot: mapping, quoted };
}

/** Outbound: from a private address, or an ICMP error about what was sent to one. */
export function resolveOut(packet: PacketView, context: Context): Resolution {
  const mapping = context.table.privateToEip.get(packet.source);
  const icmp = icmpKind(packet);
  if (icmp.kind === 'error') return resolveErrorOut(icmp.quoted, mapping, context);
  if (mapping === undefined) return untouched;
  context.steps.add('PRIVATE_FOUND');
  if (icmp.kind === 'short') return drop('DROP_MALFORMED');
  if (icmp.kind === 'redirect') return drop('DROP_ICMP_REDIRECT');
  if (!mapping.privateForwarded || !hasPorts(packet)) return oneToOneOut(packet, mapping, context);
  if (!packet.isFirst) {
    const known = findFragment(packet, true, context);
    if (known === undefined) return drop('DROP_FRAGMENT_UNKNOWN');
    return { kind: 'edit', edit: { source: known.address }, slot: known };
  }
  if (isCutShort(packet)) return drop('DROP_MALFORMED');
  const port = portsOf(packet)?.source;
  const { forwardsOut } = context.table;
  const hit = findForward(forwardsOut, packet.source, packet.protocol, port, context);
  if (hit === undefined)
    return recordFirst(packet, true, oneToOneOut(packet, mapping, context), context);
  const edit = { source: hit.target, sourcePort: hit.port };
  return recordFirst(packet, true, { kind: 'edit', edit, slot: hit }, context);
}

function oneToOneOut(packet: PacketView, mapping: Mapping, context: Context): Resolution {
  if (mapping.address === 0) return untouched;
  if (isCutShort(packet)) return drop('DROP_MALFORMED');
  const port = mapping.eipForwards ? portsOf(packet)?.source : undefined;
  const taken = lookUp(context.table.forwardsIn, mapping.address, packet.protocol, port);
  if (taken !== undefined) return drop('DROP_PORT_TAKEN');
  return { kind: 'edit', edit: { source: mapping.address }, slot: mapping };
}

function resolveErrorOut(
  quoted: PacketView | undefined,
  mapping: Mapping | undefined,
  context: Context,
): Resolution {
  if (quoted === undefined) return mapping === undefined ? untouched : drop('DROP_MALFORMED');
  const own = mapping === undefined || mapping.address === 0 ? undefined : mapping;
  const target = quotedTarget(quoted, context);
  if (target === undefined) {
    if (own === undefined) return untouched;
    context.steps.add('PRIVATE_FOUND');
    return { kind: 'edit', edit: { source: own.address }, slot: own };
  }
  context.steps.add('PRIVATE_FOUND');
  const edit: Edit = { quoted: target.edit };
  if (!context.hostMade) edit.source = own?.address ?? target.edit.destination;
  return { kind: 'edit', edit, slot: target.slot, quoted };
}

/** The EIP that stood in the quoted packet's destination before it was translated inbound. */
function quotedTarget(
  quoted: PacketView,
  context: Context,
): { edit: { destination: number; destinationPort?: number }; slot: Slot } | undefined {
  const mapping = context.table.privateToEip.get(quoted.destination);
  if (mapping === undefined) return undefined;
  const port = mapping.privateForwarded ? portsOf(quoted)?.destination : undefined;
  const { forwardsOut } = context.table;
  const hit = findForward(forwardsOut, quoted.destination, quoted.protocol, port, context);
  if (hit !== undefined) {
    return { edit: { destination: hit.target, destinationPort: hit.port }, slot: hit };
  }
  return mapping.address === 0
    ? undefined
    : { edit: { destination: mapping.address }, slot: mapping };
}

function findForward(
  forwards: readonly Forward[],
  address: number,
  protocol: number,
  port: number | undefined,
  context: Context,
): (Forward & { port: number }) | undefined {
  const hit = lookUp(forwards, address, protocol, port);
  if (hit === undefined || port === undefined) return undefined;
  context.steps.add('FORWARD_FOUND');
  return { ...hit, port: (port + hit.portOffset) & 0xffff };
}

function lookUp(
  forwards: readonly Forward[],
  address: number,
  protocol: number,
  port: number | undefined,
): Forward | undefined {
  if (port === undefined) return undefined;
  return forwards
    .filter((forward) => forward.address === address && forward.protocol === protocol)
    .find((forward) => forward.first <= port && port <= forward.last);
}

/** A first fragment tells the later ones, which have no ports, where it went. */
function recordFirst(
  packet: PacketView,
  outbound: boolean,
  resolution: Resolution,
  context: Context,
): Resolution {
  if (resolution.kind !== 'edit' || !packet.moreFragments) return resolution;
  const { edit, slot } = resolution;
  const address = outbound ? edit.source : edit.destination;
  if (address === undefined) return resolution;
  const expiresNs = context.nowNs + FRAGMENT_LIFETIME_NS;
  const recorded = { ...fragmentKey(packet, outbound), ...slotOf(slot), address, expiresNs };
  return { ...resolution, recorded };
}

function slotOf({ slot, limitIn = false, limitOut = false }: Slot): Slot {
  return { slot, limitIn, limitOut };
}

function fragmentKey(packet: PacketView, outbound: boolean): FragmentKey {
  const { source, destination, id, protocol } = packet;
  return { source, destination, id, protocol, outbound };
}

function findFragment(
  packet: PacketView,
  outbound: boolean,
  context: Context,
): FragmentRecord | undefined {
  const key = fragmentKey(packet, outbound);
  const known = context.table.fragments.find((record) => sameKey(record, key));
  if (known === undefined || known.expiresNs <= context.nowNs) return undefined;
  context.steps.add('FRAGMENT_FOUND');
  return known;
}

export function sameKey(a: FragmentKey, b: FragmentKey): boolean {
  return (
    a.source === b.source &&
    a.destination === b.destination &&
    a.id === b.id &&
    a.protocol === b.protocol &&
    a.outbound === b.outbound
  );
}
