// The only door to native code: libbpf.so.1 and libc through koffi, loaded at the first use.
// Names, arguments and structures are those of <bpf/libbpf.h>, <bpf/bpf.h> and the C library.
import koffi from 'koffi';
import { BpfError } from './failure.ts';

/** An address in this process; null is NULL. */
export type Pointer = bigint | null;
/** Memory handed to C for the time of one call, or an address that outlives it. */
export type Memory = Uint8Array | Pointer;

const TcHook = koffi.struct({
  sz: 'size_t',
  ifindex: 'int',
  attach_point: 'int',
  parent: 'uint32_t',
});

const TcOptions = koffi.struct({
  sz: 'size_t',
  prog_fd: 'int',
  flags: 'uint32_t',
  prog_id: 'uint32_t',
  handle: 'uint32_t',
  priority: 'uint32_t',
});

const MapCreateOptions = koffi.struct({
  sz: 'size_t',
  btf_fd: 'uint32_t',
  btf_key_type_id: 'uint32_t',
  btf_value_type_id: 'uint32_t',
  btf_vmlinux_value_type_id: 'uint32_t',
  inner_map_fd: 'uint32_t',
  map_flags: 'uint32_t',
  map_extra: 'uint64_t',
  numa_node: 'uint32_t',
  map_ifindex: 'uint32_t',
});

const TestRunOptions = koffi.struct({
  sz: 'size_t',
  data_in: 'void *',
  data_out: 'void *',
  data_size_in: 'uint32_t',
  data_size_out: 'uint32_t',
  ctx_in: 'void *',
  ctx_out: 'void *',
  ctx_size_in: 'uint32_t',
  ctx_size_out: 'uint32_t',
  retval: 'uint32_t',
  repeat: 'int',
  duration: 'uint32_t',
  flags: 'uint32_t',
  cpu: 'uint32_t',
  batch_size: 'uint32_t',
});

const SampleCallback = koffi.proto('int', ['void *', 'void *', 'size_t']);

/** sizeof of the option structures, which each carries in its `sz`. */
export const sizes = {
  tcHook: koffi.sizeof(TcHook),
  tcOptions: koffi.sizeof(TcOptions),
  testRunOptions: koffi.sizeof(TestRunOptions),
  mapCreateOptions: koffi.sizeof(MapCreateOptions),
} as const;

export interface TcHookFields {
  sz: number;
  ifindex: number;
  attach_point: number;
  parent: number;
}

export interface TcOptionFields {
  sz: number;
  prog_fd: number;
  flags: number;
  prog_id: number;
  handle: number;
  priority: number;
}

/** In and out. */
export interface TestRunFields {
  sz: number;
  data_in: Memory;
  data_out: Memory;
  data_size_in: number;
  data_size_out: number;
  ctx_in: Memory;
  ctx_out: Memory;
  ctx_size_in: number;
  ctx_size_out: number;
  retval: number;
  repeat: number;
  duration: number;
  flags: number;
  cpu: number;
  batch_size: number;
}

const pointer = 'void *';
const memory = 'void *';
const u32 = 'uint32_t';
const u64 = 'uint64_t';
type TypeSpec = Parameters<typeof koffi.sizeof>[0];
const inOut = (type: TypeSpec) => koffi.inout(koffi.pointer(type));

type Signature = [result: string, ...parameters: TypeSpec[]];

/** int results of libbpf are 0 or more, or a negative errno; a NULL leaves errno. */
const libbpfSignatures = {
  libbpf_set_print: ['void *', pointer],
  bpf_object__open_file: ['void *', 'str', pointer],
  bpf_object__load: ['int', pointer],
  bpf_object__close: ['void', pointer],
  bpf_object__next_map: ['void *', pointer, pointer],
  bpf_object__next_program: ['void *', pointer, pointer],
  bpf_map__name: ['str', pointer],
  bpf_map__fd: ['int', pointer],
  bpf_map__type: ['int', pointer],
  bpf_map__key_size: [u32, pointer],
  bpf_map__value_size: [u32, pointer],
  bpf_map__max_entries: [u32, pointer],
  bpf_map__map_flags: [u32, pointer],
  bpf_map__is_internal: ['bool', pointer],
  bpf_map__set_max_entries: ['int', pointer, u32],
  bpf_map__initial_value: ['void *', pointer, inOut('size_t')],
  bpf_map__set_initial_value: ['int', pointer, memory, 'size_t'],
  bpf_map__set_pin_path: ['int', pointer, 'str'],
  bpf_map__reuse_fd: ['int', pointer, 'int'],
  bpf_map__pin: ['int', pointer, 'str'],
  bpf_map__unpin: ['int', pointer, 'str'],
  bpf_program__name: ['str', pointer],
  bpf_program__fd: ['int', pointer],
  bpf_program__type: ['int', pointer],
  bpf_program__set_log_buf: ['int', pointer, pointer, 'size_t'],
  bpf_obj_get: ['int', 'str'],
  bpf_obj_pin: ['int', 'int', 'str'],
  bpf_obj_get_info_by_fd: ['int', 'int', memory, inOut(u32)],
  bpf_map_create: ['int', 'int', 'str', u32, u32, u32, koffi.pointer(MapCreateOptions)],
  bpf_map_update_elem: ['int', 'int', memory, memory, u64],
  bpf_map_lookup_elem: ['int', 'int', memory, memory],
  bpf_map_delete_elem: ['int', 'int', memory],
  bpf_map_get_next_key: ['int', 'int', memory, memory],
  bpf_map_update_batch: ['int', 'int', memory, memory, inOut(u32), pointer],
  bpf_map_delete_batch: ['int', 'int', memory, inOut(u32), pointer],
  bpf_map_lookup_batch: ['int', 'int', memory, memory, memory, memory, inOut(u32), pointer],
  bpf_prog_test_run_opts: ['int', 'int', inOut(TestRunOptions)],
  bpf_tc_hook_create: ['int', inOut(TcHook)],
  bpf_tc_attach: ['int', koffi.pointer(TcHook), inOut(TcOptions)],
  bpf_tc_detach: ['int', koffi.pointer(TcHook), koffi.pointer(TcOptions)],
  bpf_tc_query: ['int', koffi.pointer(TcHook), inOut(TcOptions)],
  bpf_link_create: ['int', 'int', 'int', 'int', pointer],
  bpf_link_update: ['int', 'int', 'int', pointer],
  bpf_link_detach: ['int', 'int'],
  bpf_prog_query: ['int', 'int', 'int', u32, pointer, memory, inOut(u32)],
  bpf_xdp_attach: ['int', 'int', 'int', u32, pointer],
  bpf_xdp_detach: ['int', 'int', u32, pointer],
  bpf_xdp_query_id: ['int', 'int', 'int', inOut(u32)],
  ring_buffer__new: ['void *', 'int', pointer, pointer, pointer],
  ring_buffer__consume: ['int', pointer],
  ring_buffer__free: ['void', pointer],
  libbpf_num_possible_cpus: ['int'],
} satisfies Record<string, Signature>;

type Fill<Fields> = Partial<Fields> & { sz: number };

export interface Libbpf {
  libbpf_set_print(print: null): Pointer;
  bpf_object__open_file(path: string, options: null): Pointer;
  bpf_object__load(object: Pointer): number;
  bpf_object__close(object: Pointer): void;
  bpf_object__next_map(object: Pointer, previous: Pointer): Pointer;
  bpf_object__next_program(object: Pointer, previous: Pointer): Pointer;
  bpf_map__name(map: Pointer): string;
  bpf_map__fd(map: Pointer): number;
  bpf_map__type(map: Pointer): number;
  bpf_map__key_size(map: Pointer): number;
  bpf_map__value_size(map: Pointer): number;
  bpf_map__max_entries(map: Pointer): number;
  bpf_map__map_flags(map: Pointer): number;
  bpf_map__is_internal(map: Pointer): boolean;
  bpf_map__set_max_entries(map: Pointer, maxEntries: number): number;
  bpf_map__initial_value(map: Pointer, size: [number]): Pointer;
  bpf_map__set_initial_value(map: Pointer, data: Memory, size: number): number;
  bpf_map__set_pin_path(map: Pointer, path: string | null): number;
  bpf_map__reuse_fd(map: Pointer, fd: number): number;
  bpf_map__pin(map: Pointer, path: string): number;
  bpf_map__unpin(map: Pointer, path: string): number;
  bpf_program__name(program: Pointer): string;
  bpf_program__fd(program: Pointer): number;
  bpf_program__type(program: Pointer): number;
  bpf_program__set_log_buf(program: Pointer, log: Pointer, size: number): number;
  bpf_obj_get(path: string): number;
  bpf_obj_pin(fd: number, path: string): number;
  bpf_obj_get_info_by_fd(fd: number, info: Memory, size: [number]): number;
  bpf_map_create(
    type: number,
    name: string,
    keySize: number,
    valueSize: number,
    maxEntries: number,
    options: { sz: number; map_flags: number },
  ): number;
  bpf_map_update_elem(fd: number, key: Memory, value: Memory, flags: number): number;
  bpf_map_lookup_elem(fd: number, key: Memory, value: Memory): number;
  bpf_map_delete_elem(fd: number, key: Memory): number;
  bpf_map_get_next_key(fd: number, key: Memory, next: Memory): number;
  bpf_map_update_batch(
    fd: number,
    keys: Memory,
    values: Memory,
    count: [number],
    options: null,
  ): number;
  bpf_map_delete_batch(fd: number, keys: Memory, count: [number], options: null): number;
  bpf_map_lookup_batch(
    fd: number,
    from: Memory,
    to: Memory,
    keys: Memory,
    values: Memory,
    count: [number],
    options: null,
  ): number;
  bpf_prog_test_run_opts(fd: number, options: Fill<TestRunFields>): number;
  bpf_tc_hook_create(hook: Fill<TcHookFields>): number;
  bpf_tc_attach(hook: Fill<TcHookFields>, options: Fill<TcOptionFields>): number;
  bpf_tc_detach(hook: Fill<TcHookFields>, options: Fill<TcOptionFields>): number;
  bpf_tc_query(hook: Fill<TcHookFields>, options: Fill<TcOptionFields>): number;
  bpf_link_create(programFd: number, ifindex: number, attachType: number, options: null): number;
  bpf_link_update(linkFd: number, programFd: number, options: null): number;
  bpf_link_detach(linkFd: number): number;
  bpf_prog_query(
    ifindex: number,
    attachType: number,
    flags: number,
    attachFlags: null,
    ids: Memory,
    count: [number],
  ): number;
  bpf_xdp_attach(ifindex: number, programFd: number, flags: number, options: null): number;
  bpf_xdp_detach(ifindex: number, flags: number, options: null): number;
  bpf_xdp_query_id(ifindex: number, flags: number, id: [number]): number;
  ring_buffer__new(fd: number, callback: Pointer, context: null, options: null): Pointer;
  ring_buffer__consume(ring: Pointer): number;
  ring_buffer__free(ring: Pointer): void;
  libbpf_num_possible_cpus(): number;
}

const libcSignatures = {
  close: ['int', 'int'],
  flock: ['int', 'int', 'int'],
  mmap: ['void *', pointer, 'size_t', 'int', 'int', 'int', 'int64_t'],
  munmap: ['int', pointer, 'size_t'],
  unshare: ['int', 'int'],
  socket: ['int', 'int', 'int', 'int'],
  setsockopt: ['int', 'int', 'int', 'int', memory, u32],
  getsockopt: ['int', 'int', 'int', 'int', memory, inOut(u32)],
  bind: ['int', 'int', memory, u32],
  send: ['int64_t', 'int', memory, 'size_t', 'int'],
  sendto: ['int64_t', 'int', memory, 'size_t', 'int', memory, u32],
  recvmsg: ['int64_t', 'int', pointer, 'int'],
  recvmmsg: ['int', 'int', pointer, 'uint32_t', 'int', pointer],
  sendmmsg: ['int', 'int', pointer, 'uint32_t', 'int'],
  poll: ['int', pointer, 'uint64_t', 'int'],
  usleep: ['int', u32],
  eventfd: ['int', 'uint32_t', 'int'],
  read: ['int64_t', 'int', memory, 'size_t'],
  write: ['int64_t', 'int', memory, 'size_t'],
} satisfies Record<string, Signature>;

export interface Libc {
  close(fd: number): number;
  flock(fd: number, operation: number): number;
  mmap(
    address: null,
    length: number,
    protection: number,
    flags: number,
    fd: number,
    offset: number,
  ): Pointer;
  munmap(address: Pointer, length: number): number;
  unshare(flags: number): number;
  socket(family: number, type: number, protocol: number): number;
  setsockopt(fd: number, level: number, name: number, value: Memory, size: number): number;
  getsockopt(fd: number, level: number, name: number, value: Memory, size: [number]): number;
  bind(fd: number, address: Memory, size: number): number;
  send(fd: number, bytes: Memory, size: number, flags: number): number;
  sendto(
    fd: number,
    bytes: Memory,
    size: number,
    flags: number,
    address: Memory,
    addressSize: number,
  ): number;
  recvmsg(fd: number, message: Pointer, flags: number): number;
  recvmmsg(fd: number, messages: Pointer, count: number, flags: number, timeout: null): number;
  sendmmsg(fd: number, messages: Pointer, count: number, flags: number): number;
  poll(fds: Pointer, count: number, timeoutMs: number): number;
  usleep(microseconds: number): number;
  eventfd(initial: number, flags: number): number;
  read(fd: number, bytes: Memory, size: number): number;
  write(fd: number, bytes: Memory, size: number): number;
}

function bind(library: string, remedy: string, signatures: Record<string, Signature>): object {
  try {
    const handle = koffi.load(library);
    const entries = Object.entries(signatures).map(([name, [result, ...parameters]]) => [
      name,
      handle.func(name, result, parameters),
    ]);
    return Object.fromEntries(entries);
  } catch (cause) {
    throw new BpfError('EDGE_BPF_LIBRARY', `${library} cannot be used`, { cause, remedy });
  }
}

let loadedLibbpf: Libbpf | undefined;
let loadedLibc: Libc | undefined;

/** libbpf 1.x. EDGE_BPF_LIBRARY where it is not installed. */
export function libbpf(): Libbpf {
  if (loadedLibbpf === undefined) {
    const remedy = 'install libbpf 1.x (Debian: apt-get install libbpf1)';
    // as: the table above and the interface name the same functions, one for C and one for tsc.
    loadedLibbpf = bind('libbpf.so.1', remedy, libbpfSignatures) as Libbpf;
    loadedLibbpf.libbpf_set_print(null);
  }
  return loadedLibbpf;
}

export function libc(): Libc {
  // as: see libbpf().
  loadedLibc ??= bind('libc.so.6', 'run on Linux with glibc', libcSignatures) as Libc;
  return loadedLibc;
}

/** errno as the last call into C left it. */
export const errno = (): number => koffi.errno();

/** Zeroed memory that stays where it is until release(). */
export const allocate = (bytes: number): bigint => koffi.alloc('uint8_t', bytes);
export const release = (address: bigint): void => koffi.free(address);

/** A copy of memory. */
export const copyBytes = (address: bigint, bytes: number): Uint8Array =>
  bytes === 0 ? new Uint8Array(0) : koffi.decode(address, 'uint8_t', bytes);

/** A NUL-terminated string. */
export const readString = (address: bigint): string => koffi.decode.string(address);

/** The memory itself, without a copy: detach with forgetView() before it is unmapped or freed. */
export const viewBytes = (address: bigint, bytes: number): Uint8Array =>
  new Uint8Array(koffi.view(address, bytes));

/** Leaves the view empty, so that nothing reads memory that is gone. */
export function forgetView(view: Uint8Array): void {
  // as: viewBytes() made it over an ArrayBuffer.
  (view.buffer as ArrayBuffer).transfer();
}

/** Hands `onSample(address, size) → 0 or a negative number to stop` to C; unregister it. */
export const registerSampleCallback = (
  onSample: (context: Pointer, address: bigint, size: number | bigint) => number,
): bigint => koffi.register(onSample, koffi.pointer(SampleCallback));
export const unregisterCallback = (callback: bigint): void => koffi.unregister(callback);

/** Calls libc's recvmsg on a thread of its own: resolves with its result or a negative errno. */
export const receiveMessage = (fd: number, message: bigint): Promise<number> =>
  onThread(libc().recvmsg, fd, message, 0);

/** The same of poll(2). The process cannot exit before it returns. */
export const pollFds = (fds: bigint, count: number, timeoutMs: number): Promise<number> =>
  onThread(libc().poll, fds, count, timeoutMs);

function onThread<Arguments extends unknown[]>(
  call: (...args: Arguments) => number,
  ...args: Arguments
): Promise<number> {
  // as: koffi's functions carry an asynchronous twin that the interface above does not show.
  const twin = call as unknown as {
    async(...args: [...Arguments, (error: unknown, result: number) => void]): void;
  };
  return new Promise((resolve, reject) => {
    twin.async(...args, (error, result) => {
      if (error) reject(error);
      else resolve(result < 0 ? -koffi.errno() : result);
    });
  });
}
