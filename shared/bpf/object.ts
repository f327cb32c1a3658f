// Loads an object into the kernel: constants, sizes, pinned maps, then the verifier.
import { join } from 'node:path';
import { callFailed, EAGAIN, EMFILE, ENFILE, ENOMEM, EPERM } from './failure.ts';
import { allocate, errno, libbpf, libc, type Pointer, readString, release } from './ffi.ts';
import { KernelMap } from './map.ts';
import { expectShape, isPerCpu, isPinned } from './map-rules.ts';
import {
  checkNames,
  innerShape,
  type ObjectFile,
  readObjectFile,
  setConstants,
} from './object-file.ts';
import { lockPinDirectory, makePinDirectory, openPinned, shapeOf } from './pin.ts';
import { createInnerMap } from './pinned-map.ts';
import { KernelProgram } from './program.ts';
import type { BpfObject, LoadOptions, MapShape, ProgramKind } from './types.ts';
import { summarizeLog } from './verifier-log.ts';

/** As much as the verifier takes; memory is only used where something is written. */
const LOG_BYTES = 2 ** 24 - 1;
const PROGRAM_KINDS: Readonly<Record<number, ProgramKind>> = { 3: 'tc', 6: 'xdp' };

export function loadObject(options: LoadOptions): BpfObject {
  const { exclusive, pinDirectory } = options;
  const unlock =
    exclusive === true && pinDirectory !== undefined ? lockPinDirectory(pinDirectory) : () => {};
  try {
    return loadUnlocked(options, unlock);
  } catch (error) {
    unlock();
    throw error;
  }
}

function loadUnlocked(options: LoadOptions, onClose: () => void): BpfObject {
  const file = readObjectFile(options.objectPath);
  checkNames(options, file);
  const handle = libbpf().bpf_object__open_file(options.objectPath, null);
  if (handle === null) throw callFailed('EDGE_BPF_OBJECT', options.objectPath, -errno());
  try {
    const maps = each(handle, libbpf().bpf_object__next_map);
    const programs = each(handle, libbpf().bpf_object__next_program);
    prepareConstants(maps, file, options);
    const named = new Map(
      maps
        .filter((map) => !libbpf().bpf_map__is_internal(map))
        .map((map) => [libbpf().bpf_map__name(map), map]),
    );
    for (const [name, entries] of Object.entries(options.maxEntries ?? {})) {
      check(libbpf().bpf_map__set_max_entries(named.get(name) ?? null, entries), `map ${name}`);
    }
    const pins = reusePinned(named, file, options);
    verify(handle, programs, options.objectPath);
    pinNew(named, pins);
    return wrap(handle, named, programs, file, onClose);
  } catch (error) {
    libbpf().bpf_object__close(handle);
    throw error;
  }
}

/** The elements that a libbpf iterator walks. */
function each(object: Pointer, next: (object: Pointer, previous: Pointer) => Pointer): bigint[] {
  const all: bigint[] = [];
  for (let one = next(object, null); one !== null; one = next(object, one)) all.push(one);
  return all;
}

function check(result: number, what: string): void {
  if (result < 0) throw callFailed('EDGE_BPF_LOAD', what, result);
}

function prepareConstants(maps: bigint[], file: ObjectFile, options: LoadOptions): void {
  if (options.constants === undefined) return;
  const bytes = setConstants(file.rodata, file.constants, options.constants);
  const rodata = maps.find((map) => libbpf().bpf_map__name(map).endsWith('.rodata'));
  if (rodata === undefined) return;
  check(libbpf().bpf_map__set_initial_value(rodata, bytes, bytes.length), '.rodata');
}

/** The shape that libbpf will create, with the sizes as overridden. */
const wantedShape = (file: ObjectFile, name: string, map: Pointer): MapShape | undefined => {
  const shape = file.maps.find((one) => one.name === name);
  return shape && { ...shape, maxEntries: libbpf().bpf_map__max_entries(map) };
};

/** Where each map is pinned, and whether it was there already. */
type Pins = Map<string, { path: string; reused: boolean }>;

function reusePinned(named: Map<string, bigint>, file: ObjectFile, options: LoadOptions): Pins {
  const pins: Pins = new Map();
  if (options.pinDirectory === undefined) return pins;
  makePinDirectory(options.pinDirectory);
  for (const [name, map] of named) {
    const wanted = wantedShape(file, name, map);
    if (!wanted) continue;
    if (!isPinned(wanted, options)) continue;
    const path = join(options.pinDirectory, name);
    pins.set(name, { path, reused: reuse(map, path, wanted) });
  }
  return pins;
}

function reuse(map: bigint, path: string, wanted: MapShape): boolean {
  const fd = openPinned(path);
  if (fd === undefined) return false;
  try {
    expectShape(path, shapeOf(fd, wanted.name), wanted);
    check(libbpf().bpf_map__reuse_fd(map, fd), `map ${wanted.name}: reuse`);
    return true;
  } finally {
    libc().close(fd);
  }
}

/** Pins what was not pinned; on failure takes back what this call pinned. */
function pinNew(named: Map<string, bigint>, pins: Pins): void {
  const done: [map: Pointer, path: string][] = [];
  for (const [name, { path, reused }] of pins) {
    if (reused) continue;
    const map = named.get(name) ?? null;
    const result = libbpf().bpf_map__pin(map, path);
    if (result < 0) {
      for (const [pinned, at] of done) libbpf().bpf_map__unpin(pinned, at);
      throw callFailed('EDGE_BPF_PIN', path, result);
    }
    done.push([map, path]);
  }
}

/** Each program has a log of its own, so that the one which has text is the one that failed. */
function verify(handle: Pointer, programs: bigint[], objectPath: string): void {
  const logs = programs.map((program) => ({ program, log: allocate(LOG_BYTES) }));
  try {
    for (const { program, log } of logs) {
      check(libbpf().bpf_program__set_log_buf(program, log, LOG_BYTES), objectPath);
    }
    const result = libbpf().bpf_object__load(handle);
    if (result >= 0) return;
    if (!isVerdict(result)) throw callFailed('EDGE_BPF_LOAD', objectPath, result);
    for (const { program, log } of logs) {
      const text = readString(log);
      if (text === '') continue;
      const what = `program ${libbpf().bpf_program__name(program)}: ${summarizeLog(text)}`;
      throw callFailed('EDGE_BPF_VERIFIER', what, result, { log: text });
    }
    throw callFailed('EDGE_BPF_LOAD', objectPath, result);
  } finally {
    for (const { program, log } of logs) {
      libbpf().bpf_program__set_log_buf(program, null, 0);
      release(log);
    }
  }
}

/** What the verifier says of a program; other failures leave the logs of those that it took. */
function isVerdict(result: number): boolean {
  return ![EMFILE, ENFILE, ENOMEM, EPERM, EAGAIN].includes(-result);
}

function wrap(
  handle: Pointer,
  named: Map<string, bigint>,
  programs: bigint[],
  file: ObjectFile,
  onClose: () => void,
): BpfObject {
  const possibleCpus = libbpf().libbpf_num_possible_cpus();
  const maps = [...named].map(([name, map]) => {
    const fd = libbpf().bpf_map__fd(map);
    const shape = shapeOf(fd, name);
    return new KernelMap(shape, fd, isPerCpu(shape.type) ? possibleCpus : 1);
  });
  const wrapped = programs.map((program) => {
    const { bpf_program__name: name, bpf_program__fd: fd, bpf_program__type: type } = libbpf();
    return new KernelProgram(name(program), PROGRAM_KINDS[type(program)] ?? 'other', fd(program));
  });
  let open = true;
  return {
    maps: new Map(maps.map((map) => [map.name, map])),
    programs: new Map(wrapped.map((program) => [program.name, program])),
    types: file.types,
    createInner: (outer) => createInnerMap(innerShape(file, outer)),
    close(): void {
      if (!open) return;
      open = false;
      for (const one of [...maps, ...wrapped]) one.close();
      libbpf().bpf_object__close(handle);
      onClose();
    },
  };
}
