// Attaching tc programs by tcx links (Linux 6.6): they run before the filters at clsact. A link
// lives as long as its pin, and changes its program in place. Layouts are those of <linux/bpf.h>.
import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { viewOf } from './bytes.ts';
import { BpfError, callFailed, EINVAL, ENODEV, ENOENT, noTcx } from './failure.ts';
import { libbpf, libc } from './ffi.ts';
import { makePinDirectory, openPinned } from './pin.ts';
import type { BpfProgram, TcxPlace } from './types.ts';

const ATTACH_TYPES = { ingress: 46, egress: 47 } as const;
const LINK_TYPE_TCX = 11;
/** struct bpf_link_info: type, id, prog_id, padding, then tcx's ifindex and attach_type. */
const LINK_INFO_BYTES = 24;
/** BPF_MPROG_MAX: so many programs a link has room for, in one direction. */
const MAX_PROGRAMS = 64;

const describe = (at: TcxPlace): string => `tcx ${at.direction} of link ${at.ifindex}`;

export function attachTcx(at: TcxPlace, program: BpfProgram): void {
  const replaced = withPinned(at, (fd) => {
    if (liveProgram(at, fd) === undefined) return false;
    const result = libbpf().bpf_link_update(fd, program.fd, null);
    if (result < 0) throw attachFailed(at, `replace by ${program.name}`, result);
    return true;
  });
  if (replaced) return;
  if (replaced === false) unpin(at); // its network interface is gone, or it was detached
  create(at, program);
}

export function queryTcx(at: TcxPlace): { programId: number } | undefined {
  return withPinned(at, (fd) => liveProgram(at, fd));
}

export function detachTcx(at: TcxPlace): boolean {
  const detached = withPinned(at, (fd) => {
    // Closing alone would end it too, but only some time later.
    const result = libbpf().bpf_link_detach(fd);
    if (result < 0) throw attachFailed(at, 'detach', result);
    return true;
  });
  if (detached) unpin(at);
  return detached ?? false;
}

function create(at: TcxPlace, program: BpfProgram): void {
  makePinDirectory(dirname(at.pin));
  const type = ATTACH_TYPES[at.direction];
  const fd = libbpf().bpf_link_create(program.fd, at.ifindex, type, null);
  if (fd === -EINVAL) throw noTcx(`${describe(at)}: ${program.name}`);
  if (fd < 0) throw attachFailed(at, program.name, fd);
  try {
    const result = libbpf().bpf_obj_pin(fd, at.pin);
    if (result < 0) throw callFailed('EDGE_BPF_PIN', at.pin, result);
  } finally {
    libc().close(fd);
  }
}

/** Undefined: nothing is pinned there. */
function withPinned<T>(at: TcxPlace, use: (fd: number) => T): T | undefined {
  const fd = openPinned(at.pin);
  if (fd === undefined) return undefined;
  try {
    return use(fd);
  } finally {
    libc().close(fd);
  }
}

/** Undefined when the link stands elsewhere, or nowhere: a link outlives its network interface. */
function liveProgram(at: TcxPlace, fd: number): { programId: number } | undefined {
  const info = new Uint8Array(LINK_INFO_BYTES);
  const result = libbpf().bpf_obj_get_info_by_fd(fd, info, [info.length]);
  if (result < 0) throw attachFailed(at, 'query', result);
  const view = viewOf(info);
  const word = (offset: number): number => view.getUint32(offset, true);
  const stands =
    word(0) === LINK_TYPE_TCX && word(16) === at.ifindex && word(20) === ATTACH_TYPES[at.direction];
  // The same ifindex may be that of another network namespace.
  return stands && runs(at, word(8)) ? { programId: word(8) } : undefined;
}

/** Whether the program is among those of the link that this network namespace calls so. */
function runs(at: TcxPlace, programId: number): boolean {
  const ids = new Uint32Array(MAX_PROGRAMS);
  const count: [number] = [ids.length];
  const bytes = new Uint8Array(ids.buffer);
  const type = ATTACH_TYPES[at.direction];
  const result = libbpf().bpf_prog_query(at.ifindex, type, 0, null, bytes, count);
  if (result === -ENODEV || result === -ENOENT) return false;
  if (result < 0) throw attachFailed(at, 'query', result);
  return ids.subarray(0, count[0]).includes(programId);
}

function unpin(at: TcxPlace): void {
  try {
    rmSync(at.pin, { force: true });
  } catch (cause) {
    throw new BpfError('EDGE_BPF_PIN', `${at.pin}: cannot be removed`, { cause });
  }
}

const attachFailed = (at: TcxPlace, what: string, result: number): BpfError =>
  callFailed('EDGE_BPF_ATTACH', `${describe(at)}: ${what}`, result);
