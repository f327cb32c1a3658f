// Calls of the C library that Node has no door to: datagrams to unix sockets, network namespaces.
import { viewOf } from './bytes.ts';
import { callFailed } from './failure.ts';
import { errno, libc } from './ffi.ts';

const AF_UNIX = 1;
const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000;
const MSG_DONTWAIT_NOSIGNAL = 0x40 | 0x4000;
const SUN_PATH_BYTES = 108;
const CLONE_NEWNET = 0x40000000;

/**
 * One datagram to a unix socket; a path that starts with @ is an abstract name. Does not wait.
 * EDGE_DATAGRAM when nobody listens, or its queue is full.
 */
export function sendUnixDatagram(path: string, bytes: Uint8Array): void {
  const address = unixAddress(path);
  const socket = libc().socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0);
  if (socket < 0) throw callFailed('EDGE_DATAGRAM', path, -errno());
  try {
    const { sendto } = libc();
    const flags = MSG_DONTWAIT_NOSIGNAL;
    const sent = sendto(socket, bytes, bytes.length, flags, address, address.length);
    if (sent < 0) throw callFailed('EDGE_DATAGRAM', path, -errno());
  } finally {
    libc().close(socket);
  }
}

function unixAddress(path: string): Uint8Array {
  const abstract = path.startsWith('@');
  const name = Buffer.from(abstract ? `\0${path.slice(1)}` : `${path}\0`);
  if (name.length > SUN_PATH_BYTES) throw new RangeError(`unix socket path too long: ${path}`);
  const address = new Uint8Array(2 + name.length);
  viewOf(address).setUint16(0, AF_UNIX, true);
  address.set(name, 2);
  return address;
}

/**
 * Moves the calling thread, and what it starts from now on, into a new network namespace: empty but
 * for a loopback that is down. It ends with its last process. Needs CAP_SYS_ADMIN.
 */
export function unshareNetwork(): void {
  if (libc().unshare(CLONE_NEWNET) < 0) {
    throw callFailed('EDGE_NAMESPACE', 'new network namespace', -errno());
  }
}
