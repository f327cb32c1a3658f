// The reference model of the translation: docs/translation.md as a pure function, written from
// that page and not from bpf/. Tests hold the kernel programs to it.

import { forwardFrame, rewrite } from '../shared/net/packet-rewrite.ts';
import {
  icmpKind,
  isIpv4,
  l4HeaderBytes,
  type PacketView,
  viewPacket,
  wireBytes,
} from '../shared/net/packet-view.ts';
import { type Context, type Resolution, resolveIn, resolveOut } from './mapping/resolve.ts';
import type {
  Direction,
  Environment,
  FibResult,
  FragmentRecord,
  Mapping,
  Metered,
  Program,
  Reason,
  Slot,
  Step,
  Table,
  Translation,
  Verdict,
} from './mapping/types.ts';

export * from './mapping/types.ts';

/** A translation under way: what it reads and what it gathers. */
interface Run extends Context {
  frame: Uint8Array;
  environment: Environment;
  oneArmed: boolean;
  slot: number | undefined;
  fib: FibResult | undefined;
  metered: Metered[];
  recorded: FragmentRecord[];
}

type Edited = Extract<Resolution, { kind: 'edit' }>;

/**
 * What `program` does with one frame. Neither the frame nor the table is changed: fragments that a
 * later packet must be able to find come in `recorded`.
 */
export function translate(
  table: Table,
  program: Program,
  frame: Uint8Array,
  environment: Environment,
): Translation {
  const run: Run = {
    table,
    frame,
    environment,
    oneArmed: isOneArmed(table, program, environment.ifindex),
    nowNs: environment.nowNs,
    hostMade: program === 'natter_egress' && environment.hostMade === true,
    steps: new Set<Step>(),
    slot: undefined,
    fib: undefined,
    metered: [],
    recorded: [],
  };
  return program === 'natter_egress' ? egress(run) : ingress(run, program);
}

function isOneArmed(table: Table, program: Program, ifindex: number): boolean {
  if (program === 'natter_egress') return table.links.get(ifindex)?.inside === true;
  return program === 'natter_onearm';
}

/** §1. */
function ingress(run: Run, program: Program): Translation {
  if (!isIpv4(run.frame)) return leave(run, 'PASS_NOT_IPV4');
  if (!run.environment.isHost) return leave(run, 'PASS_NOT_FOR_US');
  const packet = viewPacket(run.frame);
  if (packet === undefined) return leave(run, 'PASS_BAD_HEADER');
  if (isMartian(packet.source) || isMartian(packet.destination)) return leave(run, 'PASS_MARTIAN');
  const { eipToPrivate, privateToEip } = run.table;
  const mapping = eipToPrivate.get(packet.destination);
  if (mapping !== undefined || program !== 'natter_uplink') noteError(run, packet);
  const isInbound =
    program === 'natter_uplink' || (run.oneArmed && !privateToEip.has(packet.source));
  if (mapping === undefined) {
    return program === 'natter_uplink' ? leave(run, 'PASS_NOT_EIP') : outbound(run, packet);
  }
  return isInbound ? inbound(run, packet, mapping) : hairpin(run, packet, mapping);
}

/** 0/8, 127/8, multicast and reserved. */
function isMartian(address: number): boolean {
  const first = address >>> 24;
  return first === 0 || first === 127 || first >= 224;
}

function noteError(run: Run, packet: PacketView): void {
  if (icmpKind(packet).kind === 'error') run.steps.add('ICMP_ERROR');
}

/** §2. */
function inbound(run: Run, packet: PacketView, mapping: Mapping): Translation {
  const resolution = note(run, resolveIn(packet, mapping, run));
  if (resolution.kind === 'drop') return drop(run, resolution.reason);
  if (resolution.kind === 'untouched') return leave(run, 'PASS_NOT_EIP');
  const refused = admit(run, packet, ['in', resolution]);
  if (refused !== undefined) return drop(run, refused);
  const frame = rewrite(packet, resolution.quoted, resolution.edit);
  return forward(run, packet, frame, 'IN_REDIRECTED', 'IN_TO_STACK');
}

/** §3. */
function outbound(run: Run, packet: PacketView): Translation {
  if (!concernsPrivate(run.table, packet)) return leave(run, 'PASS_NOT_EIP');
  if (run.oneArmed && isInternal(run.table, packet.destination)) {
    return leave(run, 'PASS_NOT_OUTBOUND');
  }
  if (needsStack(run, packet)) return leave(run, 'PASS_TO_STACK_OUT');
  const route = askFib(run, packet, packet.source, packet.destination);
  if (!leadsOut(run.table, route)) return leave(run, 'PASS_NOT_OUTBOUND');
  if (route.result !== 'success') return leave(run, 'PASS_TO_STACK_OUT');
  const resolution = note(run, resolveOut(packet, run));
  if (resolution.kind === 'drop') return drop(run, resolution.reason);
  if (resolution.kind === 'untouched') return leave(run, 'PASS_NOT_EIP');
  const refused = admit(run, packet, ['out', resolution]);
  if (refused !== undefined) return drop(run, refused);
  const frame = rewrite(packet, resolution.quoted, resolution.edit);
  return finish(run, 'OUT_REDIRECTED', 'redirect', forwardFrame(frame, route));
}

/** §4: a private address talks to another one by its EIP. */
function hairpin(run: Run, packet: PacketView, target: Mapping): Translation {
  run.steps.add('HAIRPIN');
  if (!concernsPrivate(run.table, packet)) return leave(run, 'PASS_HAIRPIN_UNMAPPED');
  const out = note(run, resolveOut(packet, run));
  if (out.kind === 'drop') return drop(run, out.reason);
  if (out.kind === 'untouched') return leave(run, 'PASS_HAIRPIN_UNMAPPED');
  const halfway = viewPacket(rewrite(packet, out.quoted, out.edit));
  if (halfway === undefined) throw new Error('a rewrite of addresses broke the IPv4 header');
  const into = note(run, resolveIn(halfway, target, run));
  if (into.kind === 'drop') return drop(run, into.reason);
  if (into.kind === 'untouched') return leave(run, 'PASS_HAIRPIN_UNMAPPED');
  const refused = admit(run, packet, ['out', out], ['in', into]);
  if (refused !== undefined) return drop(run, refused);
  const frame = rewrite(halfway, into.quoted, into.edit);
  return forward(run, packet, frame, 'HAIRPIN_REDIRECTED', 'HAIRPIN_TO_STACK');
}

/** §6. */
function egress(run: Run): Translation {
  if (run.environment.translated || !isIpv4(run.frame)) return leave(run, undefined);
  const packet = viewPacket(run.frame);
  if (packet === undefined) return leave(run, undefined);
  if (run.oneArmed && isInternal(run.table, packet.destination)) return leave(run, undefined);
  noteError(run, packet);
  const resolution = note(run, resolveOut(packet, run));
  if (resolution.kind === 'drop') return drop(run, resolution.reason);
  if (resolution.kind === 'untouched') return leave(run, undefined);
  const refused = admit(run, packet, ['out', resolution]);
  if (refused !== undefined) return drop(run, refused);
  const frame = rewrite(packet, resolution.quoted, resolution.edit);
  return finish(run, 'OUT_AT_EGRESS', 'pass', frame);
}

/** §3.1: from a mapped private address, or an ICMP error about what was sent to one. */
function concernsPrivate(table: Table, packet: PacketView): boolean {
  if (table.privateToEip.has(packet.source)) return true;
  const icmp = icmpKind(packet);
  if (icmp.kind !== 'error' || icmp.quoted === undefined) return false;
  return table.privateToEip.has(icmp.quoted.destination);
}

function isInternal(table: Table, destination: number): boolean {
  if (table.privateToEip.has(destination)) return true;
  return table.internalPrefixes.some(
    ({ address, bits }) => bits === 0 || (destination ^ address) >>> (32 - bits) === 0,
  );
}

/** The route may lead to the outside: by an uplink, or nobody can say by which link. */
function leadsOut(table: Table, route: FibResult): boolean {
  if (route.result === 'not-forwarded') return false;
  if (route.result !== 'success' && route.result !== 'no-neighbour') return true;
  return table.links.get(route.ifindex)?.uplink === true;
}

/** The stack must see the packet as it is: it makes the time-exceeded, it obeys the options. */
function needsStack(run: Run, packet: PacketView): boolean {
  if (packet.ttl <= 1) run.steps.add('TTL_EXPIRES');
  if (packet.hasOptions) run.steps.add('IP_OPTIONS');
  return packet.ttl <= 1 || packet.hasOptions;
}

function askFib(run: Run, packet: PacketView, source: number, destination: number): FibResult {
  run.steps.add('FIB_ASKED');
  const { segments } = run.environment;
  const headerBytes = packet.l4 - packet.offset;
  const lengthBytes =
    segments === undefined
      ? packet.totalLength
      : headerBytes + l4HeaderBytes(packet) + segments.payloadBytes;
  run.fib = run.environment.fib(source, destination, lengthBytes);
  return run.fib;
}

/** The way out of a packet that is translated inwards; `before` is it before the translation. */
function forward(
  run: Run,
  before: PacketView,
  frame: Uint8Array,
  redirected: Reason,
  toStack: Reason,
): Translation {
  const after = viewPacket(frame);
  if (after === undefined) throw new Error('a rewrite of addresses broke the IPv4 header');
  if (needsStack(run, before)) return finish(run, toStack, 'pass', frame);
  const route = askFib(run, before, after.source, after.destination);
  if (route.result !== 'success') return finish(run, toStack, 'pass', frame);
  return finish(run, redirected, 'redirect', forwardFrame(frame, route));
}

/** A first fragment is remembered as soon as its way is known, whatever becomes of it then. */
function note(run: Run, resolution: Resolution): Resolution {
  const recorded = resolution.kind === 'edit' ? resolution.recorded : undefined;
  if (recorded !== undefined && !run.environment.dryRun) run.recorded.push(recorded);
  return resolution;
}

/** §5: asks the slot's limits; the reason when one refuses. What none refuses is metered. */
function admit(
  run: Run,
  packet: PacketView,
  ...ways: readonly (readonly [Direction, Edited])[]
): Reason | undefined {
  const segments = run.environment.segments?.count ?? 1;
  const bytes = wireBytes(packet, segments);
  for (const [direction, { slot }] of ways) {
    run.slot = slot.slot;
    const refused = run.environment.dryRun ? undefined : askLimit(run, slot, direction, bytes);
    if (refused !== undefined) return LIMIT_REASONS[direction][refused];
  }
  if (run.environment.dryRun) return undefined;
  for (const [direction, { slot }] of ways) {
    run.metered.push({ slot: slot.slot, direction, packets: segments, bytes });
  }
  return undefined;
}

const LIMIT_REASONS = {
  in: { own: 'DROP_LIMIT_IN', group: 'DROP_GROUP_LIMIT_IN' },
  out: { own: 'DROP_LIMIT_OUT', group: 'DROP_GROUP_LIMIT_OUT' },
} as const;

function askLimit(
  run: Run,
  slot: Slot,
  direction: Direction,
  bytes: number,
): 'own' | 'group' | undefined {
  const limited = direction === 'in' ? slot.limitIn : slot.limitOut;
  if (!limited) return undefined;
  run.steps.add('LIMIT_CHECKED');
  return run.environment.limit?.(slot.slot, direction, bytes);
}

function leave(run: Run, reason: Reason | undefined): Translation {
  return finish(run, reason, 'pass', run.frame);
}

function drop(run: Run, reason: Reason): Translation {
  return finish(run, reason, 'drop', run.frame);
}

function finish(
  run: Run,
  reason: Reason | undefined,
  verdict: Verdict,
  frame: Uint8Array,
): Translation {
  const { steps, slot, fib, metered, recorded } = run;
  return { reason, verdict, frame, steps, slot, fib, metered, recorded };
}
