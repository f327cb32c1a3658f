// How long the loaded programs take for a packet, by BPF_PROG_RUN; run as root:
// node test/support/lb/l4/ns-per-packet.ts
//
// A test run that repeats sees the frame as the run before left it. So here a target is the next
// server: each run picks one by its flow and walks on to it, through all servers and tables in an
// order that no cache knows, until the TTL is used up.
import { MAGLEV_SLOTS } from '../../../../lb/l4/model/hash.ts';
import type { Reverse, Server, Table, Target } from '../../../../lb/l4/model/types.ts';
import type { BpfObject } from '../../../../shared/bpf/types.ts';
import { seededRandom } from '../../../../shared/random.ts';
import { buildLinks } from '../../natter-kernel.ts';
import { address, filler, ipv4, TCP, tcp } from '../../packet.ts';
import { loadLb, monotonicNs, writeState } from './kernel.ts';
import { arriving, CLIENT, vm } from './site.ts';

const STEPS = 250; // runs of a frame: TTL 255 down to 5
const FRAMES = 400; // 100,000 packets: below the flood gate
const FIRST_PORT = 1000;
const HERE = vm(5);

function walk(count: number, targetsEach: number): Table {
  const random = seededRandom(1);
  const targets = new Map<number, Target>();
  const tables = new Map<number, Uint32Array>();
  const servers: Server[] = [];
  const reverse: Reverse[] = [];
  for (let index = 0; index < count; index += 1) {
    const port = FIRST_PORT + index;
    const slots = Array.from({ length: targetsEach }, (_, at) => index * targetsEach + at + 1);
    for (const slot of slots) {
      const next = FIRST_PORT + ((index + 1 + random.integer(count - 1)) % count);
      targets.set(slot, { address: address(HERE), port: next, gone: false, generation: 1 });
    }
    const table = Uint32Array.from(
      { length: MAGLEV_SLOTS },
      () => slots[random.integer(targetsEach)] ?? 0,
    );
    tables.set(index, table);
    const at = { address: address(HERE), protocol: TCP, first: port, last: port };
    const slot = { slot: index + 1, poolSlot: index };
    servers.push({ ...at, ...slot, mode: 'nat', hash: 'flow', lost: 'reset' });
    const portOffset =
      (1 + random.integer(count - 1) + (index === count - 1 ? -count : 0)) & 0xffff;
    reverse.push({ ...at, target: at.address, portOffset, serverSlot: index + 1, targetSlot: 1 });
  }
  return { servers, tables, targets, reverse: reverse.map((row) => inside(row, count)) };
}

/** Moved by as much as stays among the ports. */
function inside(row: Reverse, count: number): Reverse {
  const index = row.first - FIRST_PORT;
  const next = (index + row.portOffset) % count;
  return { ...row, portOffset: ((next === index ? (index + 1) % count : next) - index) & 0xffff };
}

/** Nanoseconds a packet, over all frames. */
function measure(object: BpfObject, name: string, frames: Uint8Array[], ifindex: number): number {
  const program = object.programs.get(name);
  if (program === undefined) throw new Error(`no program ${name}`);
  const times = frames.map(
    (frame) => program.testRun({ frame, ifindex, ingressIfindex: ifindex, repeat: STEPS }).nsPerRun,
  );
  return times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0; // median of frames
}

const ifindex = buildLinks();
for (const [servers, targetsEach] of [
  [2, 1],
  [1000, 100],
] as const) {
  const object = loadLb(walk(servers, targetsEach), {
    servers: 2048,
    targets: 131_072,
    pools: 1024,
    connections: 1_048_576,
  });
  const gate = { sinceNs: monotonicNs(), count: 0 };
  writeState(object, { connections: new Map(), fragments: new Map(), gate });
  const to = (flags: number): Uint8Array[] =>
    Array.from({ length: FRAMES }, (_, at) => {
      const layer = tcp(4000 + at, FIRST_PORT, filler(0), { flags });
      return arriving('uplink', ipv4(CLIENT, HERE, layer, { ttl: 255 }));
    });
  const from = Array.from({ length: FRAMES }, (_, at) => {
    const layer = tcp(FIRST_PORT + (at % servers), 4000, filler(0), { flags: 0x10 });
    return arriving('inside', ipv4(HERE, CLIENT, layer, { ttl: 255 }));
  });
  const rows: [string, string, Uint8Array[], number][] = [
    ['in, SYN', 'lb_uplink', to(0x02), ifindex.uplink],
    ['in, first ACK (written)', 'lb_uplink', to(0x10), ifindex.uplink],
    ['in, known flow', 'lb_uplink', to(0x10), ifindex.uplink],
    ['out', 'lb_inside', from, ifindex.inside],
    ["nobody's", 'lb_inside', to(0x10).map(aside), ifindex.uplink],
  ];
  for (const [what, name, frames, link] of rows) {
    const ns = measure(object, name, frames, link);
    process.stdout.write(`${servers} servers of ${targetsEach} targets: ${what}: ${ns} ns\n`);
  }
  object.close();
}

/** To an address that is no VIP. */
function aside(frame: Uint8Array): Uint8Array {
  const copy = frame.slice();
  copy[33] = 200;
  return copy;
}
