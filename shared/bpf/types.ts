// The kernel as the services see it: objects, maps, programs, tc. Two implementations: kernel.ts
// through libbpf, fake.ts in memory. Keys and values are bytes in the kernel's layout (codec.ts).
import type { Btf } from './btf.ts';

/** Numbers and names as in enum bpf_map_type. */
export const MAP_TYPES = {
  hash: 1,
  array: 2,
  prog_array: 3,
  perf_event_array: 4,
  percpu_hash: 5,
  percpu_array: 6,
  lru_hash: 9,
  lru_percpu_hash: 10,
  lpm_trie: 11,
  array_of_maps: 12,
  hash_of_maps: 13,
  devmap: 14,
  queue: 22,
  stack: 23,
  ringbuf: 27,
} as const;
export type MapType = keyof typeof MAP_TYPES;

export interface MapShape {
  readonly name: string;
  readonly type: MapType;
  /** Bytes. */
  readonly keySize: number;
  /** Bytes of one cell; rounded up to 8 for per-CPU maps. */
  readonly valueSize: number;
  readonly maxEntries: number;
  /** BPF_F_* of the map's definition. */
  readonly flags: number;
}

export type UpdateFlag = 'any' | 'noexist' | 'exist';

/** All failures are BpfErrors; EDGE_BPF_MAP_FULL and batches say in `done` how far they came. */
export interface BpfMap extends MapShape {
  readonly fd: number;
  /** Cells of a value: the possible CPUs for a per-CPU map, else 1. */
  readonly cells: number;
  /** The value; of a per-CPU map all cells, one after the other. */
  lookup(key: Uint8Array): Uint8Array | undefined;
  update(key: Uint8Array, value: Uint8Array, flag?: UpdateFlag): void;
  /** false: was not there. */
  delete(key: Uint8Array): boolean;
  /** Packed keys and values. Blocks for about a microsecond an entry: cut up what is large. */
  updateBatch(keys: Uint8Array, values: Uint8Array, count: number): void;
  /** Keys that are not there are no error. */
  deleteBatch(keys: Uint8Array, count: number): void;
  /**
   * Walks the map, about `count` entries at a time. Each batch is valid until the next is asked
   * for. What others change during the walk may be seen or not; nothing else is missed.
   */
  batches(count?: number): Generator<{ keys: Uint8Array; values: Uint8Array; count: number }>;
  /**
   * The live memory of an array with BPF_F_MMAPABLE: entry n at n × valueSize rounded up to 8.
   * Undefined for other maps. Empty once the object is closed.
   */
  view(): Uint8Array | undefined;
}

/** A map that was opened by its path; it lives on when this is closed. */
export interface PinnedMap extends BpfMap {
  close(): void;
}

/** A map to be put into a map of maps, which holds it from then on. */
export interface InnerMap extends PinnedMap {
  /** The kernel's number of the map, as in `bpftool map`. */
  readonly id: number;
}

export type ProgramKind = 'tc' | 'xdp' | 'other';

/** A frame starts with its Ethernet header: at least 14 bytes, at most about a page less 600. */
export interface TestRun {
  frame: Uint8Array;
  /** The device whose frame it is; its address decides pkt_type. Default: loopback. */
  ifindex?: number;
  /** tc: skb->ingress_ifindex. xdp: the device it came in by (ifindex is not used). */
  ingressIfindex?: number;
  mark?: number;
  gsoSegs?: number;
  gsoSize?: number;
  /** skb->cb, up to 5 words. */
  cb?: readonly number[];
  /** Default 1. Each run sees the frame as the run before left it. */
  repeat?: number;
}

export interface TestResult {
  /** Signed: TC_ACT_UNSPEC is -1. */
  verdict: number;
  frame: Uint8Array;
  /** 5 words; empty for xdp. */
  cb: number[];
  mark: number;
  /** Whole nanoseconds, averaged over `repeat`. */
  nsPerRun: number;
}

/** XDP only: the frames really leave by the verdict (BPF_F_TEST_XDP_LIVE_FRAMES). */
export interface LiveRun {
  frame: Uint8Array;
  /** The device the frames appear to come from. */
  ifindex: number;
  repeat: number;
  /** Default 64. */
  batchSize?: number;
}

export interface BpfProgram {
  readonly name: string;
  readonly kind: ProgramKind;
  readonly fd: number;
  /** The kernel's number of the program, as in `bpftool prog`. */
  readonly id: number;
  testRun(run: TestRun): TestResult;
  liveRun(run: LiveRun): void;
}

export interface BpfObject {
  readonly maps: ReadonlyMap<string, BpfMap>;
  readonly programs: ReadonlyMap<string, BpfProgram>;
  readonly types: Btf;
  /**
   * A new map of the shape that this array_of_maps has in it. An entry of the outer map is written
   * as a descriptor (InnerMap.fd, 4 bytes in host order), whatever was there before, and read as
   * the number of the map (InnerMap.id). The caller closes it; a batch of writes waits once until
   * no program sees what was there before.
   */
  createInner(outer: string): InnerMap;
  /** Gives back all descriptors and memory; what is pinned or attached lives on. */
  close(): void;
}

export interface LoadOptions {
  objectPath: string;
  /** On a bpffs; made when absent. Its maps are reused when their shape is the same. */
  pinDirectory?: string;
  /**
   * Until the object is closed or the process ends no other may load with this pin directory:
   * EDGE_ALREADY_RUNNING.
   */
  exclusive?: boolean;
  /** Which maps; default: all but ring buffers, program arrays and the object's own variables. */
  pinned?: readonly string[];
  /** Map → entries, in place of what the object says. */
  maxEntries?: Readonly<Record<string, number>>;
  /** `const volatile` variable → value, set before the verifier sees the program. */
  constants?: Readonly<Record<string, number | bigint>>;
}

export interface TcPlace {
  ifindex: number;
  direction: 'ingress' | 'egress';
  handle: number;
  priority: number;
}

/** Of a link in the kernel's sense, too: what is attached at the network interface. */
export interface TcxPlace {
  ifindex: number;
  direction: 'ingress' | 'egress';
  /** A path on a bpffs; its directory is made. The program is attached as long as it is there. */
  pin: string;
}

export interface RingBuffer {
  /** Hands over what is there, at most `limit` records (default 4096); how many. */
  consume(limit?: number): number;
  close(): void;
}

export interface Bpf {
  load(options: LoadOptions): BpfObject;
  /** Named as the last part of the path. Undefined: nothing is pinned there. */
  openPinned(path: string): PinnedMap | undefined;
  /**
   * Renames a directory of pins; what is open or attached goes on. false: it is not there, or `to`
   * has pins already. EDGE_ALREADY_RUNNING while another has it exclusively.
   */
  movePins(from: string, to: string): boolean;
  /** A directory and the maps that are pinned in it; other directories in it are an error. */
  removePins(directory: string): void;
  /** Creates clsact; what this handle and priority held is replaced in place. */
  attachTc(at: TcPlace, program: BpfProgram): void;
  /** Takes away this one filter and leaves clsact. false: there was none. */
  detachTc(at: TcPlace): boolean;
  queryTc(at: TcPlace): { programId: number } | undefined;
  /**
   * Runs after other tcx programs and before all tc filters, which see only what the verdict
   * TC_ACT_UNSPEC lets through. What the pin held is replaced in place; a pin whose network
   * interface is gone gives way. EDGE_BPF_NO_TCX before Linux 6.6.
   */
  attachTcx(at: TcxPlace, program: BpfProgram): void;
  /** Takes away the pin and what it held. false: there was none. */
  detachTcx(at: TcxPlace): boolean;
  /** Undefined too when the pin's program is no longer at this place. */
  queryTcx(at: TcxPlace): { programId: number } | undefined;
  /** Replaces what is there. Native where the driver can, else generic. */
  attachXdp(ifindex: number, program: BpfProgram): void;
  detachXdp(ifindex: number): boolean;
  ringBuffer(map: BpfMap, onRecord: (bytes: Uint8Array) => void): RingBuffer;
}
