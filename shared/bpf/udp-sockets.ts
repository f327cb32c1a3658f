// UDP sockets that several threads answer on, one each (socket(7) SO_REUSEPORT): the kernel spreads
// askers over them. Opened by one thread, used by another: a descriptor is the process'.
import { viewOf } from './bytes.ts';
import { callFailed, EINTR } from './failure.ts';
import { allocate, errno, forgetView, libc, release, viewBytes } from './ffi.ts';

const AF = { v4: 2, v6: 10 };
const SOCK_DGRAM_CLOEXEC_NONBLOCK = 2 | 0o2000000 | 0o4000;
const SOL_SOCKET = 1;
const SO = { sendBytes: 7, receiveBytes: 8, reusePort: 15, memory: 55 };
const FORCED = { sendBytes: 32, receiveBytes: 33 };
/** Levels and names of ip(7) and ipv6(7). */
const IP = { level: 0, packetInfo: 8, mtuDiscover: 10 };
const IPV6 = { level: 41, mtuDiscover: 23, only: 26, packetInfo: 49 };
/** Answers take no part in the discovery of MTUs: who forges it cannot make them be cut. */
const PMTUDISC_OMIT = 5;
/** Of SO_MEMINFO's words, what the queue lost. */
const [MEMORY_WORDS, DROPS] = [9, 8];
const EFD_CLOEXEC_NONBLOCK = 0o2000000 | 0o4000;
const POLLIN = 1;
const POLLFD_BYTES = 8;

/** `address`: 4 or 16 bytes; all 0 is every address of its family. */
export type UdpAddress = { address: Uint8Array; port: number };

/**
 * `count` sockets that share an address. Throws EDGE_UDP when somebody has it already, be it to
 * share: only after the first bind may others of ours join.
 */
export function openShared(address: UdpAddress, count: number, bufferBytes: number): number[] {
  const fds: number[] = [];
  try {
    for (let index = 0; index < count; index++) {
      fds.push(openOne(address, bufferBytes, index > 0));
    }
    return fds;
  } catch (error) {
    for (const fd of fds) libc().close(fd);
    throw error;
  }
}

export function closeFd(fd: number): void {
  libc().close(fd);
}

function openOne({ address, port }: UdpAddress, bufferBytes: number, isNext: boolean): number {
  const isV4 = address.length === 4;
  const fd = libc().socket(isV4 ? AF.v4 : AF.v6, SOCK_DGRAM_CLOEXEC_NONBLOCK, 0);
  if (fd < 0) throw callFailed('EDGE_UDP', 'UDP socket', -errno());
  try {
    const set = (level: number, name: number, value: number): number =>
      libc().setsockopt(fd, level, name, int32(value), 4);
    const ip = isV4 ? IP : IPV6;
    // Of one bound to an address that address is the source anyhow.
    if (address.every((byte) => byte === 0)) set(ip.level, ip.packetInfo, 1);
    if (!isV4) set(IPV6.level, IPV6.only, 1);
    set(ip.level, ip.mtuDiscover, PMTUDISC_OMIT);
    for (const which of ['sendBytes', 'receiveBytes'] as const) {
      // Forced: beyond net.core.rmem_max, with CAP_NET_ADMIN.
      if (set(SOL_SOCKET, FORCED[which], bufferBytes) < 0) set(SOL_SOCKET, SO[which], bufferBytes);
    }
    if (isNext) set(SOL_SOCKET, SO.reusePort, 1);
    const name = socketAddress(address, port);
    if (libc().bind(fd, name, name.length) < 0) throw callFailed('EDGE_UDP', 'bind', -errno());
    set(SOL_SOCKET, SO.reusePort, 1);
    return fd;
  } catch (error) {
    libc().close(fd);
    throw error;
  }
}

/** What the socket's full queue lost since it was opened, modulo 2^32. */
export function queueDrops(fd: number): number {
  const words = new Uint8Array(4 * MEMORY_WORDS);
  const size: [number] = [words.length];
  if (libc().getsockopt(fd, SOL_SOCKET, SO.memory, words, size) < 0) return 0;
  return size[0] < words.length ? 0 : viewOf(words).getUint32(4 * DROPS, true);
}

/** Waits for any of a few sockets, or to be woken by another thread. */
export class UdpWait {
  readonly #memory: bigint;
  readonly #bytes: Uint8Array;
  readonly #count: number;
  readonly #wake: number;

  /** `wake`: of createWake(). */
  constructor(fds: readonly number[], wake: number) {
    this.#wake = wake;
    this.#count = fds.length + 1;
    this.#memory = allocate(this.#count * POLLFD_BYTES);
    this.#bytes = viewBytes(this.#memory, this.#count * POLLFD_BYTES);
    for (const [index, fd] of [...fds, wake].entries()) {
      viewOf(this.#bytes).setInt32(index * POLLFD_BYTES, fd, true);
      viewOf(this.#bytes).setInt16(index * POLLFD_BYTES + 4, POLLIN, true);
    }
  }

  /** Blocks the thread. */
  wait(timeoutMs: number): void {
    const ready = libc().poll(this.#memory, this.#count, timeoutMs);
    if (ready < 0) {
      const failed = errno();
      if (failed !== EINTR) throw callFailed('EDGE_UDP', 'poll', -failed);
    } else if (this.isReady(this.#count - 1)) libc().read(this.#wake, new Uint8Array(8), 8);
  }

  /** Whether there was something for the socket of this number when the last wait() ended. */
  isReady(index: number): boolean {
    return this.#bytes[index * POLLFD_BYTES + 6] !== 0;
  }

  free(): void {
    forgetView(this.#bytes);
    release(this.#memory);
  }
}

/** For UdpWait; closed with closeFd(). */
export function createWake(): number {
  const fd = libc().eventfd(0, EFD_CLOEXEC_NONBLOCK);
  if (fd < 0) throw callFailed('EDGE_UDP', 'eventfd', -errno());
  return fd;
}

export function wake(fd: number): void {
  const one = new Uint8Array(8);
  one[0] = 1;
  libc().write(fd, one, one.length);
}

/** Blocks the thread for about so long, and no less. */
export function sleepMicroseconds(microseconds: number): void {
  libc().usleep(microseconds);
}

function socketAddress(address: Uint8Array, port: number): Uint8Array {
  const isV4 = address.length === 4;
  const name = new Uint8Array(isV4 ? 16 : 28);
  viewOf(name).setUint16(0, isV4 ? AF.v4 : AF.v6, true);
  viewOf(name).setUint16(2, port);
  name.set(address, isV4 ? 4 : 8);
  return name;
}

function int32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  viewOf(bytes).setInt32(0, value, true);
  return bytes;
}
