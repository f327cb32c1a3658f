// The kernel in memory, for tests without root. Types, maps and program names come from the same
// compiled object; the programs themselves are functions that the test gives. What outlives a
// daemon (pinned maps, attached programs) lives in a FakeKernel, so that restarts can be played.
import { dirname, join } from 'node:path';
import { BpfError, callFailed, EINVAL, noTcx } from './failure.ts';
import { FakeMap } from './fake-map.ts';
import { expectShape, isPinned } from './map-rules.ts';
import {
  checkNames,
  innerShape,
  type ObjectFile,
  readObjectFile,
  setConstants,
} from './object-file.ts';
import type {
  Bpf,
  BpfMap,
  BpfObject,
  BpfProgram,
  LoadOptions,
  MapShape,
  ProgramKind,
  RingBuffer,
  TcPlace,
  TcxPlace,
  TestResult,
  TestRun,
} from './types.ts';

const CB_WORDS = 5;
const ETHERNET_HEADER_BYTES = 14;
const CONSUME_LIMIT = 4096;
const POSSIBLE_CPUS = 2;

/** What a program sees. It may write `frame`, `cb` and `mark`, or put a new frame in place. */
export interface FakeContext {
  frame: Uint8Array;
  ifindex: number;
  ingressIfindex: number;
  mark: number;
  gsoSegs: number;
  gsoSize: number;
  cb: number[];
  readonly maps: ReadonlyMap<string, FakeMap>;
  /** As they were given to load(). */
  readonly constants: Readonly<Record<string, number | bigint>>;
}

/** Returns the verdict. */
export type FakeProgram = (context: FakeContext) => number;

export interface FakeFilter extends TcPlace {
  program: BpfProgram;
}

/** What outlives the process that made it. */
export interface FakeKernel {
  /** By path. */
  readonly pins: Map<string, FakeMap>;
  /** What attachTc() attached, in that order. */
  readonly filters: FakeFilter[];
  /** What attachTcx() attached, by pin. */
  readonly tcx: Map<string, TcxPlace & { program: BpfProgram }>;
  /** false: a kernel before 6.6. */
  hasTcx: boolean;
  /** By ifindex. */
  readonly xdp: Map<number, BpfProgram>;
  /** Maps that were made to be put into others, by descriptor. */
  readonly inner: Map<number, FakeMap>;
  /** The last number given to a program or a map. */
  lastId: number;
}

export const createFakeKernel = (): FakeKernel => ({
  pins: new Map(),
  filters: [],
  tcx: new Map(),
  hasTcx: true,
  xdp: new Map(),
  inner: new Map(),
  lastId: 0,
});

export interface FakeOptions {
  kernel?: FakeKernel;
  /** By name, for all objects. A program without a function can be loaded and attached, not run. */
  programs?: Readonly<Record<string, FakeProgram>>;
}

/** Fails with the errors of the kernel's twin. Any directory serves as a bpffs. */
export function createFakeBpf(options: FakeOptions = {}): Bpf {
  const kernel = options.kernel ?? createFakeKernel();
  const at = (place: TcPlace) =>
    kernel.filters.findIndex(
      (one) =>
        one.ifindex === place.ifindex &&
        one.direction === place.direction &&
        one.handle === place.handle &&
        one.priority === place.priority,
    );
  return {
    load: (load) => loadFake(kernel, options.programs ?? {}, load),
    openPinned: (path) => kernel.pins.get(path)?.reopen(++kernel.lastId),
    movePins: (from, to) => movePins(kernel, from, to),
    removePins(directory) {
      const inside = [...kernel.pins.keys()].filter((path) => dirname(path) === directory);
      for (const path of inside) kernel.pins.delete(path);
    },
    attachTc(place, program) {
      const { ifindex, direction, handle, priority } = place;
      const filter = { ifindex, direction, handle, priority, program };
      const index = at(place);
      if (index < 0) kernel.filters.push(filter);
      else kernel.filters[index] = filter;
    },
    detachTc(place) {
      const index = at(place);
      if (index >= 0) kernel.filters.splice(index, 1);
      return index >= 0;
    },
    queryTc(place) {
      const filter = kernel.filters[at(place)];
      return filter && { programId: filter.program.id };
    },
    attachTcx({ ifindex, direction, pin }, program) {
      if (!kernel.hasTcx) throw noTcx(`tcx ${direction} of link ${ifindex}: ${program.name}`);
      kernel.tcx.set(pin, { ifindex, direction, pin, program });
    },
    detachTcx: ({ pin }) => kernel.tcx.delete(pin),
    queryTcx({ ifindex, direction, pin }) {
      const link = kernel.tcx.get(pin);
      const stands = link?.ifindex === ifindex && link.direction === direction;
      return stands ? { programId: link.program.id } : undefined;
    },
    attachXdp: (ifindex, program) => void kernel.xdp.set(ifindex, program),
    detachXdp: (ifindex) => kernel.xdp.delete(ifindex),
    ringBuffer: openFakeRing,
  };
}

function movePins({ pins, tcx }: FakeKernel, from: string, to: string): boolean {
  const below = (directory: string) =>
    [...pins.keys(), ...tcx.keys()].filter((path) => path.startsWith(`${directory}/`));
  if (below(from).length === 0 || below(to).length > 0) return false;
  for (const path of below(from)) {
    const moved = join(to, path.slice(from.length));
    rename(pins, path, moved);
    rename(tcx, path, moved);
  }
  return true;
}

function rename<Pinned>(pins: Map<string, Pinned>, from: string, to: string): void {
  const pinned = pins.get(from);
  if (pinned === undefined) return;
  pins.delete(from);
  pins.set(to, pinned);
}

function loadFake(
  kernel: FakeKernel,
  functions: Readonly<Record<string, FakeProgram>>,
  options: LoadOptions,
): BpfObject {
  const file = readObjectFile(options.objectPath);
  checkNames(options, file);
  setConstants(file.rodata, file.constants, options.constants ?? {});
  const maps = new Map(placeMaps(kernel, file, options).map((map) => [map.name, map]));
  const constants = options.constants ?? {};
  const programs = file.programs.map(({ name, kind }) => {
    const run = functions[name];
    return new FakeLoadedProgram(name, kind, ++kernel.lastId, run, { maps, constants });
  });
  return {
    maps,
    programs: new Map(programs.map((program) => [program.name, program])),
    types: file.types,
    createInner(outer) {
      const map = new FakeMap(innerShape(file, outer), ++kernel.lastId, POSSIBLE_CPUS);
      kernel.inner.set(map.fd, map);
      return map;
    },
    close() {
      for (const map of maps.values()) map.close();
    },
  };
}

/** All maps are checked before the first is pinned. */
function placeMaps(kernel: FakeKernel, file: ObjectFile, options: LoadOptions): FakeMap[] {
  const placed = file.maps.map((defined) => {
    const shape = {
      ...defined,
      maxEntries: options.maxEntries?.[defined.name] ?? defined.maxEntries,
    };
    const pin = options.pinDirectory !== undefined && isPinned(shape, options);
    const path = pin ? join(options.pinDirectory ?? '', shape.name) : undefined;
    const pinned = path === undefined ? undefined : kernel.pins.get(path);
    if (pinned) expectShape(path ?? '', pinned, shape);
    const map =
      pinned ?? new FakeMap(shape, ++kernel.lastId, POSSIBLE_CPUS, innerOf(kernel, file, shape));
    return { path, map };
  });
  return placed.map(({ path, map }) => {
    if (path !== undefined) kernel.pins.set(path, map);
    return map.reopen(++kernel.lastId);
  });
}

function innerOf({ inner }: FakeKernel, file: ObjectFile, { name }: MapShape) {
  const shape = file.inner.get(name);
  if (shape === undefined) return undefined;
  const find = (fd: number) => (inner.get(fd)?.isOpen ? inner.get(fd) : undefined);
  return { shape, find };
}

class FakeLoadedProgram implements BpfProgram {
  readonly name: string;
  readonly kind: ProgramKind;
  readonly id: number;
  readonly fd: number;
  readonly #run: FakeProgram | undefined;
  readonly #surroundings: Pick<FakeContext, 'maps' | 'constants'>;

  constructor(
    name: string,
    kind: ProgramKind,
    id: number,
    run: FakeProgram | undefined,
    surroundings: Pick<FakeContext, 'maps' | 'constants'>,
  ) {
    this.name = name;
    this.kind = kind;
    this.id = id;
    this.fd = id;
    this.#run = run;
    this.#surroundings = surroundings;
  }

  testRun(run: TestRun): TestResult {
    if (!this.#run) throw new Error(`createFakeBpf() was given no function for ${this.name}`);
    const cb = run.cb ?? [];
    if (cb.length > CB_WORDS) throw new RangeError(`skb->cb has ${CB_WORDS} words`);
    if (run.frame.length < ETHERNET_HEADER_BYTES) {
      throw callFailed('EDGE_BPF_TEST_RUN', `test run of ${this.name}`, -EINVAL);
    }
    const context: FakeContext = {
      frame: run.frame.slice(),
      ifindex: run.ifindex ?? 1,
      ingressIfindex: run.ingressIfindex ?? 0,
      mark: run.mark ?? 0,
      gsoSegs: run.gsoSegs ?? 0,
      gsoSize: run.gsoSize ?? 0,
      cb: Array.from({ length: CB_WORDS }, (_, index) => cb[index] ?? 0),
      ...this.#surroundings,
    };
    let verdict = 0;
    for (let index = 0; index < (run.repeat ?? 1); index++) verdict = this.#run(context);
    const skb = this.kind === 'tc';
    return {
      verdict,
      frame: context.frame,
      cb: skb ? context.cb : [],
      mark: skb ? context.mark : 0,
      nsPerRun: 0,
    };
  }

  liveRun(): void {
    throw new BpfError('EDGE_BPF_TEST_RUN', `live run of ${this.name}: the fake has no links`);
  }
}

function openFakeRing(map: BpfMap, onRecord: (bytes: Uint8Array) => void): RingBuffer {
  if (map.type !== 'ringbuf' || !(map instanceof FakeMap)) {
    throw new BpfError('EDGE_BPF_MAP', `map ${map.name}: no ring buffer`);
  }
  let open = true;
  return {
    consume(limit = CONSUME_LIMIT) {
      if (!open) throw new Error(`ring buffer ${map.name} is closed`);
      let taken = 0;
      while (taken < limit) {
        const record = map.take();
        if (!record) break;
        taken++;
        onRecord(record);
      }
      return taken;
    },
    close() {
      open = false;
    },
  };
}
