// Sends packets into this namespace's stack from inside the kernel (generator.bpf.c), on this
// thread.
import { join } from 'node:path';
import { structCodec } from '../../../shared/bpf/codec.ts';
import { createBpf } from '../../../shared/bpf/kernel.ts';
import type { BpfObject } from '../../../shared/bpf/types.ts';
import { CLIENT_BASE, EIP_BASE, MACS, PRIVATE_BASE } from './addresses.ts';
import { cpuNsOf } from './cpu.ts';
import { linkIndex } from './links.ts';
import type { FloodRequest, FloodResult } from './protocol.ts';

const OBJECT = join(import.meta.dirname, '../bpf/generator.bpf.o');
const FRAME_BYTES = 60;
/** As a NIC's receive loop hands packets to the stack (net.core.gro_normal_batch). */
const BATCH = 8;
const FIRST = new Uint8Array(4);

interface Plan {
  macs: Uint8Array;
  near_base: number;
  near_count: number;
  far_base: number;
  outbound: number;
  flows: number;
}
interface Progress {
  next_flow: number;
  random: number;
  packets: number;
}

let object: BpfObject | undefined;
let random = 1;

const macBytes = (text: string): number[] =>
  text.split(':').map((octet) => Number.parseInt(octet, 16));

function planOf(request: FloodRequest): Plan {
  const outbound = request.link === 'in0';
  const macs = outbound ? [MACS.in0, MACS.vm] : [MACS.up0, MACS.client];
  const near = outbound || request.addresses === 'private' ? PRIVATE_BASE : EIP_BASE;
  return {
    macs: Uint8Array.from(macs.flatMap(macBytes)),
    near_base: near,
    near_count: request.eips,
    far_base: CLIENT_BASE,
    outbound: outbound ? 1 : 0,
    flows: request.flows,
  };
}

/** Returns when all packets have gone through the stack. */
export function flood(request: FloodRequest): FloodResult {
  object ??= createBpf().load({ objectPath: OBJECT });
  const plans = object.maps.get('plans');
  const progresses = object.maps.get('progresses');
  const program = object.programs.get(request.drop ? 'generate_and_drop' : 'generate');
  if (!plans || !progresses || !program) throw new Error(`${OBJECT} lacks a part`);
  const progress = structCodec<Progress>(object.types, 'progress');
  plans.update(FIRST, structCodec<Plan>(object.types, 'plan').encode(planOf(request)));
  const start = { next_flow: request.firstFlow, random: random++, packets: 0 };
  progresses.update(FIRST, progress.encode(start));
  const ifindex = linkIndex(request.link);
  const frame = new Uint8Array(FRAME_BYTES);
  const run = { frame, ifindex, repeat: request.packets, batchSize: BATCH };
  const cpuNs = cpuNsOf(() => program.liveRun(run));
  const after = progresses.lookup(FIRST);
  if (!after) throw new Error('the generator has lost its progress');
  return { cpuNs, packets: progress.decode(after).packets };
}
