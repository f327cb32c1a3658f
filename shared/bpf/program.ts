// A program in the kernel: its number, and BPF_PROG_RUN
// (the kernel's Documentation/bpf/bpf_prog_run.rst).
import { viewOf } from './bytes.ts';
import { callFailed, EAGAIN, EINTR } from './failure.ts';
import { libbpf, sizes, type TestRunFields } from './ffi.ts';
import type { BpfProgram, LiveRun, ProgramKind, TestResult, TestRun } from './types.ts';

/** Offsets in struct __sk_buff of <linux/bpf.h>: the fields that a test run may set or reads. */
const SKB = {
  mark: 8,
  ingressIfindex: 36,
  ifindex: 40,
  cb: 48,
  gsoSegs: 164,
  gsoSize: 176,
  bytes: 192,
} as const;
/** The same of struct xdp_md. */
const XDP = { data: 0, dataEnd: 4, ingressIfindex: 12, bytes: 24 } as const;

const CB_WORDS = 5;
/** A program may grow the frame: encapsulation, a VLAN tag. */
const GROWTH_BYTES = 256;
const BPF_F_TEST_XDP_LIVE_FRAMES = 2;
const LIVE_BATCH = 64;
/** A signal for this process ends a run early. */
const ATTEMPTS = 16;

const PROGRAM_ID_OFFSET = 4;
const PROGRAM_INFO_BYTES = 232;

export class KernelProgram implements BpfProgram {
  readonly name: string;
  readonly kind: ProgramKind;
  readonly id: number;
  #fd: number;

  constructor(name: string, kind: ProgramKind, fd: number) {
    this.name = name;
    this.kind = kind;
    this.#fd = fd;
    this.id = programId(fd, name);
  }

  get fd(): number {
    return this.#fd;
  }

  testRun(run: TestRun): TestResult {
    const context = this.kind === 'xdp' ? xdpContext(run) : skbContext(run);
    const contextOut = new Uint8Array(context?.length ?? 0);
    const frameOut = new Uint8Array(run.frame.length + GROWTH_BYTES);
    const result = this.#run({
      data_in: run.frame,
      data_size_in: run.frame.length,
      data_out: frameOut,
      data_size_out: frameOut.length,
      ctx_in: context ?? null,
      ctx_size_in: contextOut.length,
      ctx_out: context ? contextOut : null,
      ctx_size_out: contextOut.length,
      repeat: run.repeat ?? 1,
    });
    const skb = this.kind === 'tc' ? viewOf(contextOut) : undefined;
    return {
      verdict: result.retval | 0,
      frame: frameOut.subarray(0, result.data_size_out),
      cb: skb ? words(skb) : [],
      mark: skb?.getUint32(SKB.mark, true) ?? 0,
      nsPerRun: result.duration,
    };
  }

  liveRun(run: LiveRun): void {
    const context = xdpContext({ frame: run.frame, ingressIfindex: run.ifindex });
    this.#run({
      data_in: run.frame,
      data_size_in: run.frame.length,
      ctx_in: context ?? null,
      ctx_size_in: XDP.bytes,
      repeat: run.repeat,
      batch_size: run.batchSize ?? LIVE_BATCH,
      flags: BPF_F_TEST_XDP_LIVE_FRAMES,
    });
  }

  close(): void {
    this.#fd = -1;
  }

  #run(fields: Partial<TestRunFields>): TestRunFields {
    let result = 0;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const options: TestRunFields = { ...noFields, ...fields };
      result = libbpf().bpf_prog_test_run_opts(this.#fd, options);
      if (result >= 0) return options;
      if (result !== -EINTR && result !== -EAGAIN) break;
    }
    throw callFailed('EDGE_BPF_TEST_RUN', `test run of ${this.name}`, result);
  }
}

const noFields: TestRunFields = {
  sz: sizes.testRunOptions,
  data_in: null,
  data_out: null,
  data_size_in: 0,
  data_size_out: 0,
  ctx_in: null,
  ctx_out: null,
  ctx_size_in: 0,
  ctx_size_out: 0,
  retval: 0,
  repeat: 0,
  duration: 0,
  flags: 0,
  cpu: 0,
  batch_size: 0,
};

/** All other fields must be zero, or the kernel refuses the run. */
function skbContext(run: TestRun): Uint8Array {
  const bytes = new Uint8Array(SKB.bytes);
  const view = viewOf(bytes);
  view.setUint32(SKB.mark, run.mark ?? 0, true);
  view.setUint32(SKB.ingressIfindex, run.ingressIfindex ?? 0, true);
  view.setUint32(SKB.ifindex, run.ifindex ?? 0, true);
  view.setUint32(SKB.gsoSegs, run.gsoSegs ?? 0, true);
  view.setUint32(SKB.gsoSize, run.gsoSize ?? 0, true);
  const cb = run.cb ?? [];
  if (cb.length > CB_WORDS) throw new RangeError(`skb->cb has ${CB_WORDS} words`);
  cb.forEach((word, index) => {
    view.setUint32(SKB.cb + index * 4, word, true);
  });
  return bytes;
}

const words = (skb: DataView): number[] =>
  Array.from({ length: CB_WORDS }, (_, index) => skb.getUint32(SKB.cb + index * 4, true));

function xdpContext(run: TestRun): Uint8Array | undefined {
  if (run.ingressIfindex === undefined) return undefined;
  const bytes = new Uint8Array(XDP.bytes);
  const view = viewOf(bytes);
  view.setUint32(XDP.dataEnd, run.frame.length, true);
  view.setUint32(XDP.ingressIfindex, run.ingressIfindex, true);
  return bytes;
}

function programId(fd: number, name: string): number {
  const info = new Uint8Array(PROGRAM_INFO_BYTES);
  const result = libbpf().bpf_obj_get_info_by_fd(fd, info, [info.length]);
  if (result < 0) throw callFailed('EDGE_BPF_LOAD', `program ${name}`, result);
  return viewOf(info).getUint32(PROGRAM_ID_OFFSET, true);
}
