// The reference model of the L4 balancer: docs/balancing.md K1 to K10 as a pure function, written
// from that page and not from bpf/. Tests hold the kernel programs to it.
import { forwardFrame, rewrite, takeHop } from '../../../shared/net/packet-rewrite.ts';
import {
  icmpKind,
  isIpv4,
  l4HeaderBytes,
  type PacketView,
  viewPacket,
  wireBytes,
} from '../../../shared/net/packet-view.ts';
import { resolveIn } from './resolve-in.ts';
import { recordReply, resolveOut } from './resolve-out.ts';
import type { Resolution, Run } from './run.ts';
import type {
  Environment,
  FibResult,
  Outcome,
  Program,
  Reason,
  State,
  Step,
  Table,
  Verdict,
} from './types.ts';

/** What `program` does with one frame. Nothing that is given is changed. */
export function balance(
  table: Table,
  state: State,
  program: Program,
  frame: Uint8Array,
  environment: Environment,
): Outcome {
  const run: Run = {
    table,
    frame,
    environment,
    steps: new Set<Step>(),
    state,
    serverSlot: 0,
    targetSlot: 0,
    hash: 0,
    opens: false,
    metered: undefined,
  };
  return program === 'lb_egress' ? egress(run) : ingress(run, program);
}

function ingress(run: Run, program: Program): Outcome {
  if (!isIpv4(run.frame)) return leave(run, 'PASS_NOT_IPV4');
  if (!run.environment.isHost) return leave(run, 'PASS_NOT_FOR_US');
  const packet = viewPacket(run.frame);
  if (packet === undefined) return leave(run, 'PASS_BAD_HEADER');
  if (isMartian(packet.source) || isMartian(packet.destination)) return leave(run, 'PASS_MARTIAN');
  noteError(run, packet);
  const resolution = resolveIn(run, packet);
  if (resolution.kind !== 'not-ours') return inbound(run, packet, resolution);
  return program === 'lb_uplink' ? leave(run, 'PASS_NOT_SERVER') : outbound(run, packet);
}

/** 0/8, 127/8, multicast and reserved. */
function isMartian(address: number): boolean {
  const first = address >>> 24;
  return first === 0 || first === 127 || first >= 224;
}

function noteError(run: Run, packet: PacketView): void {
  if (icmpKind(packet).kind === 'error') run.steps.add('ICMP_ERROR');
}

function inbound(run: Run, packet: PacketView, resolution: Resolution): Outcome {
  if (resolution.kind === 'drop') return drop(run, resolution.reason);
  if (resolution.kind === 'send') return sendDirectly(run, packet, resolution.target);
  if (resolution.kind === 'not-ours') return leave(run, 'PASS_NOT_SERVER');
  meter(run, packet, 'in');
  const frame = rewrite(packet, resolution.quoted, resolution.edit);
  if (needsStack(run, packet)) return finish(run, 'IN_TO_STACK', 'pass', frame);
  const destination = resolution.edit.destination ?? packet.destination;
  const route = askFib(run, packet, packet.source, destination);
  if (route.result !== 'success') return finish(run, 'IN_TO_STACK', 'pass', frame);
  return finish(run, 'IN_REDIRECTED', 'redirect', forwardFrame(frame, route));
}

/** K6. */
function sendDirectly(run: Run, packet: PacketView, target: number): Outcome {
  if (packet.ttl <= 1) {
    run.steps.add('TTL_EXPIRES');
    return drop(run, 'DROP_TTL_EXPIRED');
  }
  const route = askFib(run, packet, packet.source, target);
  if (route.result === 'frag-needed') return drop(run, 'DROP_TOO_LONG');
  if (route.result !== 'success' && route.result !== 'no-neighbour') {
    return drop(run, 'DROP_NO_ROUTE');
  }
  if (route.nextHop !== target) return drop(run, 'DROP_NO_ROUTE');
  meter(run, packet, 'in');
  if (route.result === 'success') {
    return finish(run, 'DSR_REDIRECTED', 'redirect', forwardFrame(run.frame, route));
  }
  return finish(run, 'DSR_TO_NEIGHBOUR', 'redirect', takeHop(run.frame));
}

function outbound(run: Run, packet: PacketView): Outcome {
  const resolution = resolveOut(run, packet);
  if (resolution.kind === 'not-ours') return leave(run, 'PASS_NOT_SERVER');
  if (needsStack(run, packet)) return leave(run, 'OUT_TO_STACK');
  const route = askFib(run, packet, packet.source, packet.destination);
  if (route.result === 'not-forwarded') return leave(run, 'PASS_NOT_SERVER');
  if (route.result !== 'success') return leave(run, 'OUT_TO_STACK');
  if (resolution.kind !== 'edit') return dropOf(run, resolution);
  recordReply(run, packet, resolution);
  meter(run, packet, 'out');
  const frame = rewrite(packet, resolution.quoted, resolution.edit);
  return finish(run, 'OUT_REDIRECTED', 'redirect', forwardFrame(frame, route));
}

/** Replies that the stack has seen, and errors that it made about what it saw translated. */
function egress(run: Run): Outcome {
  if (run.environment.translated || !isIpv4(run.frame)) return leave(run, undefined);
  const packet = viewPacket(run.frame);
  if (packet === undefined) return leave(run, undefined);
  noteError(run, packet);
  const resolution = resolveOut(run, packet);
  if (resolution.kind === 'not-ours') return leave(run, undefined);
  if (resolution.kind !== 'edit') return dropOf(run, resolution);
  recordReply(run, packet, resolution);
  meter(run, packet, 'out');
  const frame = rewrite(packet, resolution.quoted, resolution.edit);
  return finish(run, 'OUT_AT_EGRESS', 'pass', frame);
}

function dropOf(run: Run, resolution: Resolution): Outcome {
  if (resolution.kind !== 'drop') throw new Error('replies are translated or dropped');
  return drop(run, resolution.reason);
}

/** The stack must see the packet: it makes the time-exceeded, it obeys the options. */
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
  return run.environment.fib(source, destination, lengthBytes);
}

/** K9: what it is on the wire. */
function meter(run: Run, packet: PacketView, direction: 'in' | 'out'): void {
  if (run.environment.dryRun) return;
  const packets = run.environment.segments?.count ?? 1;
  const bytes = wireBytes(packet, packets);
  const { serverSlot, targetSlot } = run;
  run.metered = {
    serverSlot,
    targetSlot,
    direction,
    packets,
    bytes,
    connections: run.opens ? 1 : 0,
  };
}

function leave(run: Run, reason: Reason | undefined): Outcome {
  return finish(run, reason, 'pass', run.frame);
}

function drop(run: Run, reason: Reason): Outcome {
  return finish(run, reason, 'drop', run.frame);
}

function finish(
  run: Run,
  reason: Reason | undefined,
  verdict: Verdict,
  frame: Uint8Array,
): Outcome {
  const { steps, serverSlot, targetSlot, hash, metered, state } = run;
  return { reason, verdict, frame, steps, serverSlot, targetSlot, hash, metered, state };
}
