// Attaching programs to links: cls_bpf under clsact, so that `tc filter show` shows them, and XDP.
// Both act in the network namespace of the calling thread.
import { callFailed, EEXIST, EINVAL, ENOENT } from './failure.ts';
import { libbpf, sizes } from './ffi.ts';
import type { BpfProgram, TcPlace } from './types.ts';

const INGRESS = 1;
const EGRESS = 2;
const BPF_TC_F_REPLACE = 1;

const hookOf = (at: TcPlace) => ({
  sz: sizes.tcHook,
  ifindex: at.ifindex,
  attach_point: at.direction === 'ingress' ? INGRESS : EGRESS,
  parent: 0,
});

const optionsOf = (at: TcPlace, programFd = 0, flags = 0) => ({
  sz: sizes.tcOptions,
  prog_fd: programFd,
  flags,
  prog_id: 0,
  handle: at.handle,
  priority: at.priority,
});

const describe = (at: TcPlace): string =>
  `tc ${at.direction} of link ${at.ifindex}, handle ${at.handle}, priority ${at.priority}`;

export function attachTc(at: TcPlace, program: BpfProgram): void {
  const created = libbpf().bpf_tc_hook_create(hookOf(at));
  if (created < 0 && created !== -EEXIST) {
    throw callFailed('EDGE_BPF_ATTACH', `${describe(at)}: add clsact`, created);
  }
  const options = optionsOf(at, program.fd, BPF_TC_F_REPLACE);
  const result = libbpf().bpf_tc_attach(hookOf(at), options);
  if (result >= 0) return;
  // EINVAL: a filter of another kind has this priority.
  const remedy = `tc filter show ${at.direction}, tc qdisc show of that link: who else is there?`;
  throw callFailed('EDGE_BPF_ATTACH', `${describe(at)}: ${program.name}`, result, { remedy });
}

export function queryTc(at: TcPlace): { programId: number } | undefined {
  const options = optionsOf(at);
  const result = libbpf().bpf_tc_query(hookOf(at), options);
  if (isNone(result)) return undefined;
  if (result < 0) throw callFailed('EDGE_BPF_ATTACH', `${describe(at)}: query`, result);
  return { programId: options.prog_id };
}

export function detachTc(at: TcPlace): boolean {
  const result = libbpf().bpf_tc_detach(hookOf(at), optionsOf(at));
  if (isNone(result)) return false;
  if (result < 0) throw callFailed('EDGE_BPF_ATTACH', `${describe(at)}: detach`, result);
  return true;
}

/** No such filter; EINVAL: not even a clsact. */
const isNone = (result: number) => result === -ENOENT || result === -EINVAL;

export function attachXdp(ifindex: number, program: BpfProgram): void {
  const result = libbpf().bpf_xdp_attach(ifindex, program.fd, 0, null);
  if (result >= 0) return;
  throw callFailed('EDGE_BPF_ATTACH', `xdp of link ${ifindex}: ${program.name}`, result);
}

export function detachXdp(ifindex: number): boolean {
  const id: [number] = [0];
  const queried = libbpf().bpf_xdp_query_id(ifindex, 0, id);
  const result = queried < 0 || id[0] === 0 ? queried : libbpf().bpf_xdp_detach(ifindex, 0, null);
  if (result < 0) throw callFailed('EDGE_BPF_ATTACH', `xdp of link ${ifindex}: detach`, result);
  return id[0] !== 0;
}
