// Our own kernel side, loaded and fed without the daemon: for forwarding, and for test runs.
import { OBJECT_PATH } from '../../../natter/daemon.ts';
import { Datapath } from '../../../natter/datapath.ts';
import type { Mapping } from '../../../natter/entries.ts';
import { FILTER_PRIORITY } from '../../../natter/links.ts';
import { createBpf } from '../../../shared/bpf/kernel.ts';
import type { BpfMap } from '../../../shared/bpf/types.ts';
import { Hooks } from '../../../shared/links/hook.ts';
import { CLIENT_BASE, EIP_BASE, MACS, PRIVATE_BASE, permutation } from './addresses.ts';
import { linkIndex } from './links.ts';
import type { NatterSettings, ProgRunRequest } from './protocol.ts';

const ROLE = { uplink: 1, inside: 2 } as const;
const BATCH = 65536;
type Entry = (index: number) => [from: number, mapping: Mapping];
const TC_ACT_REDIRECT = 7;

const bpf = createBpf();
let datapath: Datapath | undefined;

const loaded = (): Datapath => {
  if (!datapath) throw new Error('natter is not loaded');
  return datapath;
};

function load(eips: number): void {
  const capacity = { eips: Math.max(eips, 1024), forwards: 1024, limits: 1024 };
  datapath = new Datapath({ bpf, objectPath: OBJECT_PATH, capacity });
}

/** Entry i: from → {to, slot}. Addresses in host order. */
function fill(map: BpfMap, count: number, entry: Entry): void {
  const { layout } = loaded();
  for (let first = 0; first < count; first += BATCH) {
    const some = Math.min(BATCH, count - first);
    const keys = new DataView(new ArrayBuffer(some * map.keySize));
    const values = new Uint8Array(some * map.valueSize);
    for (let index = 0; index < some; index++) {
      const [from, mapping] = entry(first + index);
      keys.setUint32(index * map.keySize, from);
      layout.encodeMapping(mapping, values, index * map.valueSize);
    }
    map.updateBatch(new Uint8Array(keys.buffer), values, some);
  }
}

/** Either side: entry i, as the daemon would write and settle it. */
function fillSides(count: number, entryOf: (from: number, to: number) => Entry): void {
  fill(loaded().map('eip_to_private'), count, entryOf(EIP_BASE, PRIVATE_BASE));
  fill(loaded().map('private_to_eip'), count, entryOf(PRIVATE_BASE, EIP_BASE));
  for (const _ of loaded().settle());
}

const u32 = (value: number): Uint8Array => new Uint8Array(Uint32Array.of(value).buffer);

function setRoles(): void {
  const links = loaded().map('links');
  links.update(u32(linkIndex('up0')), u32(ROLE.uplink));
  links.update(u32(linkIndex('in0')), u32(ROLE.inside));
}

export function attachNatter({ eips, hook, pinDirectory }: NatterSettings): null {
  load(eips);
  const order = permutation(eips);
  const slot = (index: number): number => order[index] ?? 0;
  fillSides(eips, (from, to) => (index) => [
    from + index,
    { address: to + index, slotFlags: slot(index) },
  ]);
  setRoles();
  const hooks = new Hooks(bpf, pinDirectory, FILTER_PRIORITY);
  const [up0, in0] = [linkIndex('up0'), linkIndex('in0')];
  hooks.attach(hook, { ifindex: up0, direction: 'ingress' }, loaded().program('natter_uplink'));
  hooks.attach(hook, { ifindex: up0, direction: 'egress' }, loaded().program('natter_egress'));
  hooks.attach(hook, { ifindex: in0, direction: 'ingress' }, loaded().program('natter_inside'));
  return null;
}

/**
 * A test run sees the packet as the run before left it. So the keys form one ring in random order:
 * EIP → the next EIP, and each run looks up, rewrites and meters another one.
 */
export function loadRing({ eips }: { eips: number }): null {
  load(eips);
  const order = permutation(eips);
  fillSides(eips, (base) => (index) => [
    base + (order[index] ?? 0),
    { address: base + (order[(index + 1) % eips] ?? 0), slotFlags: order[index] ?? 0 },
  ]);
  setRoles();
  return null;
}

/** A UDP packet in a 64-byte frame; its checksums need not be right: they are only updated. */
function frameOf(direction: 'in' | 'out', near: number): Uint8Array {
  const frame = new Uint8Array(60);
  const view = new DataView(frame.buffer);
  const macs = direction === 'in' ? [MACS.up0, MACS.client] : [MACS.in0, MACS.vm];
  frame.set(macs.flatMap((mac) => mac.split(':').map((octet) => Number.parseInt(octet, 16))));
  view.setUint16(12, 0x0800);
  view.setUint16(14, 0x4500);
  view.setUint16(16, frame.length - 14);
  view.setUint16(20, 0x4000);
  view.setUint16(22, (255 << 8) | 17);
  const far = CLIENT_BASE + 1;
  view.setUint32(26, direction === 'in' ? far : near);
  view.setUint32(30, direction === 'in' ? near : far);
  view.setUint32(34, 0x40001092);
  view.setUint16(38, frame.length - 34);
  view.setUint16(40, 0x1234);
  return frame;
}

/** The TTL sinks by one a run. */
const RUNS_A_CALL = 253;

export function progRun({ direction, eips, packets }: ProgRunRequest): { nsPerPacket: number } {
  const order = permutation(eips);
  const ifindex = linkIndex(direction === 'in' ? 'up0' : 'in0');
  const program = loaded().program(direction === 'in' ? 'natter_uplink' : 'natter_inside');
  const base = direction === 'in' ? EIP_BASE : PRIVATE_BASE;
  const calls = Math.ceil(packets / RUNS_A_CALL);
  let ns = 0;
  for (let call = 0; call < calls; call++) {
    const frame = frameOf(direction, base + (order[(call * RUNS_A_CALL) % eips] ?? 0));
    const run = { frame, ifindex, ingressIfindex: ifindex, repeat: RUNS_A_CALL };
    const result = program.testRun(run);
    if (result.verdict !== TC_ACT_REDIRECT) throw new Error(`verdict ${result.verdict}`);
    ns += result.nsPerRun;
  }
  return { nsPerPacket: ns / calls };
}
