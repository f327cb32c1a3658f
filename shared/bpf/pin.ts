// The bpffs: where pinned maps live on between two runs of a daemon.
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  statfsSync,
  statSync,
  unlinkSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { OperationalError } from '../errors.ts';
import { viewOf } from './bytes.ts';
import { BpfError, callFailed, ENOENT } from './failure.ts';
import { libbpf, libc } from './ffi.ts';
import { isPerCpu, mapTypeName } from './map-rules.ts';
import type { MapShape } from './types.ts';

const BPF_FS_MAGIC = 0xcafe4a11;
const MAP_INFO_BYTES = 88;
const LOCK_EX_NB = 2 | 4;

const isBpffs = (path: string): boolean => statfsSync(path).type === BPF_FS_MAGIC;

function nearestExisting(path: string): string {
  let current = resolve(path);
  while (!existsSync(current)) current = dirname(current);
  return current;
}

/** Mounts a bpffs at the path unless it lies on one already. Needs CAP_SYS_ADMIN. */
export function ensureBpffs(path: string): void {
  if (isBpffs(nearestExisting(path))) return;
  mkdirSync(path, { recursive: true });
  const mount = spawnSync('mount', ['-t', 'bpf', 'bpf', path], { encoding: 'utf8' });
  if (mount.status === 0) return;
  const why = mount.error?.message ?? mount.stderr.trim();
  throw noBpffs(path, why);
}

/** EDGE_BPF_NO_BPFFS: the directory must lie on a mounted bpffs. */
export function makePinDirectory(path: string): void {
  if (!isBpffs(nearestExisting(path))) throw noBpffs(path, 'it does not lie on a bpffs');
  try {
    mkdirSync(path, { recursive: true });
  } catch (cause) {
    // A bpffs refuses names with a dot in them.
    const remedy = 'run as root, and keep dots out of the path below the bpffs';
    throw new BpfError('EDGE_BPF_PIN', `${path}: cannot be made`, { cause, remedy });
  }
}

/**
 * For one process at a time: EDGE_ALREADY_RUNNING while another has it. Released by the returned
 * function, and by the kernel when the process ends, however it ends.
 */
export function lockPinDirectory(path: string): () => void {
  makePinDirectory(path);
  const fd = openSync(path, 'r');
  // Another may have moved it away between the two: then what is locked is not what is there.
  const isOurs = libc().flock(fd, LOCK_EX_NB) === 0 && isAt(path, fd);
  if (!isOurs) {
    closeSync(fd);
    throw new OperationalError('EDGE_ALREADY_RUNNING', `another daemon has the maps in ${path}`, {
      remedy: 'stop it, or give this one another instance',
    });
  }
  return () => closeSync(fd);
}

const isAt = (path: string, fd: number): boolean =>
  statSync(path, { throwIfNoEntry: false })?.ino === fstatSync(fd).ino;

export function movePins(from: string, to: string): boolean {
  if (!existsSync(from)) return false;
  const unlock = lockPinDirectory(from);
  try {
    makePinDirectory(dirname(to));
    renameSync(from, to);
    return true;
  } catch (cause) {
    if (errnoOf(cause) === 'ENOTEMPTY') return false;
    throw new BpfError('EDGE_BPF_PIN', `${from}: cannot be moved`, { cause });
  } finally {
    unlock();
  }
}

export function removePins(directory: string): void {
  if (!existsSync(directory)) return;
  try {
    for (const name of readdirSync(directory)) unlinkSync(join(directory, name));
    rmdirSync(directory);
  } catch (cause) {
    throw new BpfError('EDGE_BPF_PIN', `${directory}: cannot be removed`, { cause });
  }
}

const errnoOf = (error: unknown): unknown => Object(error).code;

const noBpffs = (path: string, why: string): BpfError =>
  new BpfError('EDGE_BPF_NO_BPFFS', `${path}: ${why}`, {
    remedy: 'mount -t bpf bpf /sys/fs/bpf',
  });

/** The descriptor of a pinned map, for the caller to close; undefined: nothing is pinned there. */
export function openPinned(path: string): number | undefined {
  const fd = libbpf().bpf_obj_get(path);
  if (fd === -ENOENT) return undefined;
  if (fd < 0) throw callFailed('EDGE_BPF_PIN', path, fd);
  return fd;
}

/** struct bpf_map_info of <linux/bpf.h>. */
export function mapInfo(fd: number, name: string): Uint8Array {
  const info = new Uint8Array(MAP_INFO_BYTES);
  const result = libbpf().bpf_obj_get_info_by_fd(fd, info, [info.length]);
  if (result < 0) throw callFailed('EDGE_BPF_MAP', `map ${name}`, result);
  return info;
}

/** What a map's descriptor says of it. */
export function shapeOf(fd: number, name: string): MapShape {
  const view = viewOf(mapInfo(fd, name));
  const type = mapTypeName(view.getUint32(0, true));
  const valueSize = view.getUint32(12, true);
  return {
    name,
    type,
    keySize: view.getUint32(8, true),
    valueSize: isPerCpu(type) ? Math.ceil(valueSize / 8) * 8 : valueSize,
    maxEntries: view.getUint32(16, true),
    flags: view.getUint32(20, true),
  };
}
