// lb's object loaded, unattached, with a table of the reference model's in its maps: the packet
// table's world in the kernel.
import { join } from 'node:path';
import {
  type Connection,
  type FragmentRecord,
  flowKey,
  fragmentKey,
  type Program,
  type Server,
  type State,
  type Table,
  type Target,
  type Verdict,
} from '../../../../lb/l4/model/types.ts';
import { type StructCodec, structCodec } from '../../../../shared/bpf/codec.ts';
import { createBpf } from '../../../../shared/bpf/kernel.ts';
import { readObjectFile } from '../../../../shared/bpf/object-file.ts';
import type { BpfMap, BpfObject } from '../../../../shared/bpf/types.ts';

const objectPath = join(import.meta.dirname, '../../../../lb/l4/bpf/lb.bpf.o');
const { types } = readObjectFile(objectPath);

const REASONS = types.enum('reason');
const STEPS = types.enum('explain_step');

type Numbers = Record<string, number>;
const codec = (name: string, fields?: string[]): StructCodec<Numbers> =>
  structCodec<Numbers>(types, name, fields);
const codecs = {
  serverKey: codec('server_key', ['address', 'port', 'protocol']),
  rangeKey: codec('range_key', ['prefix_bits', 'address', 'protocol', 'port']),
  server: codec('server', ['slot', 'pool_slot', 'flags', 'first_port']),
  target: codec('target'),
  reverse: codec('reverse'),
  connectionKey: codec('connection_key', [
    'source',
    'destination',
    'source_port',
    'destination_port',
    'protocol',
  ]),
  connection: codec('connection'),
  fragmentKey: codec('fragment_key'),
  fragment: codec('fragment'),
  meter: codec('meter'),
  counter: codec('counter'),
  newConnections: codec('new_connections'),
};

/** As in lb.h. */
const SERVER = { dsr: 1, hashSource: 2, leave: 4, hasRanges: 8, only: 16 };
const REVERSE = { hasRanges: 1, only: 2 };

export type Capacity = { servers?: number; targets?: number; pools?: number; connections?: number };

/**
 * The caller closes it. Of an LRU map 128 entries a CPU may be set aside: 400 flows need more than
 * 512.
 */
export function loadLb(table: Table, capacity: Capacity = {}): BpfObject {
  const { servers = 1024, targets = 1024, pools = 64, connections = 8192 } = capacity;
  const maxEntries = {
    servers,
    server_ranges: 4096,
    tables: pools,
    targets,
    reverse: targets * 2,
    reverse_ranges: 4096,
    connections,
    fragments: 512,
    server_meters: servers,
    target_meters: targets,
  };
  const object = createBpf().load({ objectPath, maxEntries });
  writeServers(object, table.servers);
  writeReverse(object, table);
  for (const [slot, target] of table.targets) writeTarget(object, slot, target);
  for (const [pool, slots] of table.tables) writeTable(object, pool, slots);
  return object;
}

export function map(object: BpfObject, name: string): BpfMap {
  const found = object.maps.get(name);
  if (found === undefined) throw new Error(`lb.bpf.o has no map ${name}`);
  return found;
}

export function word(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

export function writeTarget(object: BpfObject, slot: number, target: Target): void {
  const { address, port, gone, generation } = target;
  const value = codecs.target.encode({ address, port, flags: gone ? 1 : 0, generation });
  map(object, 'targets').update(word(slot), value);
}

/** A new inner array, put in by one write. */
export function writeTable(object: BpfObject, pool: number, slots: ArrayLike<number>): void {
  const inner = object.createInner('tables');
  const keys = Uint32Array.from({ length: slots.length }, (_, index) => index);
  const values = Uint32Array.from(slots);
  inner.updateBatch(new Uint8Array(keys.buffer), new Uint8Array(values.buffer), slots.length);
  map(object, 'tables').update(word(pool), word(inner.fd));
  inner.close();
}

const serverValue = (server: Server, more = 0): Uint8Array =>
  codecs.server.encode({
    slot: server.slot,
    pool_slot: server.poolSlot,
    flags:
      (server.mode === 'dsr' ? SERVER.dsr : 0) |
      (server.hash === 'source' ? SERVER.hashSource : 0) |
      (server.lost === 'leave' ? SERVER.leave : 0) |
      more,
    first_port: server.first,
  });

function writeServers(object: BpfObject, servers: readonly Server[]): void {
  for (const server of servers) {
    writePorts(object, 'server', server.address, server, serverValue(server));
  }
  for (const [group, first] of groups(servers, ({ address }) => address)) {
    const flags =
      (group.some(isRange) ? SERVER.hasRanges : 0) | (group.length === 1 ? SERVER.only : 0);
    writeAny(object, 'servers', first.address, first.protocol, serverValue(first, flags));
  }
}

function writeReverse(object: BpfObject, { reverse }: Table): void {
  const encoded = (row: (typeof reverse)[number], flags = 0): Uint8Array =>
    codecs.reverse.encode({
      address: row.address,
      port_offset: row.portOffset,
      flags,
      server_slot: row.serverSlot,
      target_slot: row.targetSlot,
    });
  for (const row of reverse) writePorts(object, 'reverse', row.target, row, encoded(row));
  for (const [group, first] of groups(reverse, ({ target }) => target)) {
    const flags =
      (group.some(isRange) ? REVERSE.hasRanges : 0) | (group.length === 1 ? REVERSE.only : 0);
    writeAny(object, 'reverse', first.target, first.protocol, encoded(first, flags));
  }
}

type Ported = { protocol: number; first: number; last: number };
const isRange = ({ first, last }: Ported): boolean => first !== last;

/** By address and protocol. */
function groups<T extends Ported>(all: readonly T[], addressOf: (row: T) => number): [T[], T][] {
  const found = Map.groupBy(all, (row) => `${addressOf(row)} ${row.protocol}`);
  return [...found.values()].flatMap((group): [T[], T][] =>
    group[0] === undefined ? [] : [[group, group[0]]],
  );
}

function writePorts(
  object: BpfObject,
  kind: 'server' | 'reverse',
  address: number,
  { protocol, first, last }: Ported,
  value: Uint8Array,
): void {
  if (first === last) {
    const key = codecs.serverKey.encode({ address, port: first, protocol });
    map(object, kind === 'server' ? 'servers' : 'reverse').update(key, value);
    return;
  }
  for (const [port, bits] of prefixes(first, last)) {
    const key = codecs.rangeKey.encode({ prefix_bits: 48 + bits, address, protocol, port });
    map(object, kind === 'server' ? 'server_ranges' : 'reverse_ranges').update(key, value);
  }
}

/** A range as the fewest prefixes of 16 bits. */
function prefixes(first: number, last: number): [port: number, bits: number][] {
  if (first > last) return [];
  let size = 1;
  while (first % (size * 2) === 0 && first + size * 2 - 1 <= last) size *= 2;
  return [[first, 16 - Math.log2(size)], ...prefixes(first + size, last)];
}

function writeAny(
  object: BpfObject,
  name: string,
  address: number,
  protocol: number,
  value: Uint8Array,
): void {
  map(object, name).update(codecs.serverKey.encode({ address, port: 0, protocol }), value);
}

// ---- Runs

const VERDICTS: Record<number, Verdict> = { 0: 'pass', 2: 'drop', 7: 'redirect' }; // TC_ACT_*
const UNTOUCHED = 0xffffffff;

export type KernelRun = {
  verdict: Verdict | undefined;
  reason: string | undefined; // undefined: cb[0] is as it was
  steps: string[];
  serverSlot: number;
  targetSlot: number;
  hash: number;
  frame: Uint8Array;
};

export type KernelInput = {
  program: Program;
  frame: Uint8Array;
  ifindex: number;
  dryRun?: boolean;
  segments?: { count: number; payloadBytes: number };
};

export function runKernel(object: BpfObject, input: KernelInput): KernelRun {
  const program = object.programs.get(input.program);
  if (program === undefined) throw new Error(`lb.bpf.o has no program ${input.program}`);
  const { segments } = input;
  const { verdict, frame, cb } = program.testRun({
    frame: input.frame,
    ifindex: input.ifindex,
    ingressIfindex: input.dryRun ? 0 : input.ifindex,
    cb: [UNTOUCHED, 0, 0, 0, 0],
    ...(segments && { gsoSegs: segments.count, gsoSize: segments.payloadBytes }),
  });
  const [reason = 0, steps = 0, serverSlot = 0, targetSlot = 0, hash = 0] = cb;
  return {
    verdict: VERDICTS[verdict],
    reason: Object.keys(REASONS).find((name) => REASONS[name] === reason),
    steps: Object.entries(STEPS)
      .filter(([, bit]) => (steps & bit) !== 0)
      .map(([name]) => name.replace('STEP_', '')),
    serverSlot,
    targetSlot,
    hash,
    frame,
  };
}

// ---- What the program writes

export const monotonicNs = (): number => Number(process.hrtime.bigint());

/** Leaves exactly this state. */
export function writeState(object: BpfObject, state: State): void {
  clear(map(object, 'connections'));
  clear(map(object, 'fragments'));
  for (const [key, { seenNs, targetSlot, generation }] of state.connections) {
    const [source = 0, destination = 0, source_port = 0, destination_port = 0, protocol = 0] = key
      .split(' ')
      .map(Number);
    const flow = { source, destination, source_port, destination_port, protocol };
    const value = { seen_ns: seenNs, target_slot: targetSlot, generation };
    map(object, 'connections').update(
      codecs.connectionKey.encode(flow),
      codecs.connection.encode(value),
    );
  }
  for (const [key, record] of state.fragments) {
    const [source = 0, destination = 0, id = 0, protocol = 0, outbound = 0] = key
      .split(' ')
      .map(Number);
    const value = {
      expires_ns: record.expiresNs,
      address: record.address,
      server_slot: record.serverSlot,
      target_slot: record.targetSlot,
      flags: record.isDsr ? SERVER.dsr : 0,
    };
    map(object, 'fragments').update(
      codecs.fragmentKey.encode({ source, destination, id, protocol, outbound }),
      codecs.fragment.encode(value),
    );
  }
  writeGate(object, state.gate);
}

/** The same on all CPUs. */
function writeGate(object: BpfObject, { sinceNs, count }: State['gate']): void {
  const gates = map(object, 'new_connections');
  const one = codecs.newConnections.encode({ since_ns: sinceNs, count });
  const all = new Uint8Array(one.length * gates.cells);
  for (let cell = 0; cell < gates.cells; cell += 1) all.set(one, cell * one.length);
  gates.update(word(0), all);
}

/** What the program wrote; the gate is as the busiest CPU has it. */
export function readState(object: BpfObject): State {
  const connections = new Map<string, Connection>();
  for (const [key, value] of entries(map(object, 'connections'))) {
    const {
      source = 0,
      destination = 0,
      source_port,
      destination_port,
      protocol = 0,
    } = codecs.connectionKey.decode(key);
    const flow = { source, destination, protocol };
    const ports = { sourcePort: source_port ?? 0, destinationPort: destination_port ?? 0 };
    const { seen_ns = 0, target_slot = 0, generation = 0 } = codecs.connection.decode(value);
    connections.set(flowKey({ ...flow, ...ports }), {
      seenNs: seen_ns,
      targetSlot: target_slot,
      generation,
    });
  }
  const fragments = new Map<string, FragmentRecord>();
  for (const [key, value] of entries(map(object, 'fragments'))) {
    const {
      source = 0,
      destination = 0,
      id = 0,
      protocol = 0,
      outbound,
    } = codecs.fragmentKey.decode(key);
    const record = codecs.fragment.decode(value);
    fragments.set(fragmentKey({ source, destination, id, protocol, outbound: outbound === 1 }), {
      expiresNs: record.expires_ns ?? 0,
      address: record.address ?? 0,
      serverSlot: record.server_slot ?? 0,
      targetSlot: record.target_slot ?? 0,
      isDsr: ((record.flags ?? 0) & SERVER.dsr) !== 0,
    });
  }
  return { connections, fragments, gate: readGate(object) };
}

function readGate(object: BpfObject): State['gate'] {
  const cells = cellsOf(map(object, 'new_connections'), 0, codecs.newConnections);
  const busiest = Math.max(...cells.map(({ count = 0 }) => count));
  const since = Math.max(...cells.map(({ since_ns = 0 }) => since_ns));
  return { sinceNs: since, count: busiest };
}

function* entries(of: BpfMap): Generator<[Uint8Array, Uint8Array]> {
  for (const { keys, values, count } of of.batches()) {
    for (let index = 0; index < count; index += 1) {
      const key = keys.slice(index * of.keySize, (index + 1) * of.keySize);
      yield [key, values.slice(index * of.valueSize, (index + 1) * of.valueSize)];
    }
  }
}

function clear(of: BpfMap): void {
  for (const [key] of [...entries(of)]) of.delete(key);
}

function cellsOf(of: BpfMap, key: number, as: StructCodec<Numbers>): Numbers[] {
  const bytes = of.lookup(word(key)) ?? new Uint8Array();
  return Array.from({ length: bytes.length / as.size }, (_, cell) =>
    as.decode(bytes, cell * as.size),
  );
}

function sumOf(of: BpfMap, key: number, as: StructCodec<Numbers>): Numbers {
  const sum: Numbers = {};
  for (const cell of cellsOf(of, key, as)) {
    for (const [name, value] of Object.entries(cell)) sum[name] = (sum[name] ?? 0) + value;
  }
  return sum;
}

export type Totals = Record<string, Numbers>;

/** Counters by reason, meters by `server N` and `target N`; what is all zero is left out. */
export function readTotals(object: BpfObject, table: Table): Totals {
  const totals: Totals = {};
  const add = (name: string, sum: Numbers): void => {
    if (Object.values(sum).some((value) => value !== 0)) totals[name] = sum;
  };
  for (const [reason, key] of Object.entries(REASONS)) {
    if (reason !== 'REASON_COUNT') add(reason, sumOf(map(object, 'counters'), key, codecs.counter));
  }
  for (const { slot } of table.servers) {
    add(`server ${slot}`, sumOf(map(object, 'server_meters'), slot, codecs.meter));
  }
  for (const slot of table.targets.keys()) {
    add(`target ${slot}`, sumOf(map(object, 'target_meters'), slot, codecs.meter));
  }
  return totals;
}
