// Raw frames of one link, both ways: packet(7), AF_PACKET with SOCK_RAW.
import { viewOf } from './bytes.ts';
import { callFailed, EAGAIN, EINTR } from './failure.ts';
import { allocate, errno, forgetView, libc, receiveMessage, release, viewBytes } from './ffi.ts';

const AF_PACKET = 17;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const ETH_P_ALL = 3;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const SOL_PACKET = 263;
const PACKET_AUXDATA = 8;
const PACKET_IGNORE_OUTGOING = 23;
const TP_STATUS_VLAN_VALID = 1 << 4;

/** Where things lie in the memory of one receive: struct msghdr, struct iovec, control, frame. */
const MESSAGE = { iov: 16, iovCount: 24, control: 32, controlSize: 40, bytes: 56 } as const;
const IOVEC_AT = 64;
const CONTROL_AT = 128;
const CONTROL_BYTES = 128;
const FRAME_AT = 256;
const FRAME_BYTES = 2 ** 17;
const MEMORY_BYTES = FRAME_AT + FRAME_BYTES;
/** struct cmsghdr, then struct tpacket_auxdata. */
const CMSG_HEADER_BYTES = 16;
const AUXDATA = { status: 0, vlanTci: 16, vlanProtocol: 18 } as const;
const VLAN_AT = 12;

export interface PacketSocket {
  /** Sends a frame that starts with its Ethernet header; it may carry a VLAN tag. */
  send(frame: Uint8Array): void;
  /**
   * The next frame that came in by the link, with its VLAN tag where it has one; undefined when
   * there was none in time. One receive at a time.
   */
  receive(timeoutMs: number): Promise<Uint8Array | undefined>;
  /** At once, or when the receive that waits has ended. */
  close(): void;
}

/** Of the calling thread's network namespace. Needs CAP_NET_RAW. */
export function openPacketSocket(ifindex: number): PacketSocket {
  // Protocol 0 hears nothing until it is bound, so that no other link's frames get in.
  const fd = libc().socket(AF_PACKET, SOCK_RAW_CLOEXEC, 0);
  if (fd < 0) throw callFailed('EDGE_PACKET_SOCKET', 'packet socket', -errno());
  try {
    setOption(fd, SOL_PACKET, PACKET_AUXDATA, int32(1));
    setOption(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, int32(1));
    const address = linkAddress(ifindex);
    check(libc().bind(fd, address, address.length), `bind to link ${ifindex}`);
  } catch (error) {
    libc().close(fd);
    throw error;
  }
  return new Socket(fd);
}

class Socket implements PacketSocket {
  readonly #fd: number;
  readonly #memory = allocate(MEMORY_BYTES);
  readonly #bytes = viewBytes(this.#memory, MEMORY_BYTES);
  readonly #view = viewOf(this.#bytes);
  #receiving = false;
  #closing = false;
  #timeoutMs = -1;

  constructor(fd: number) {
    this.#fd = fd;
  }

  send(frame: Uint8Array): void {
    if (this.#closing) throw new Error('packet socket is closed');
    check(libc().send(this.#fd, frame, frame.length, 0), 'send');
  }

  async receive(timeoutMs: number): Promise<Uint8Array | undefined> {
    if (this.#receiving || this.#closing) throw new Error('packet socket is busy or closed');
    this.#receiving = true;
    try {
      this.#setTimeout(timeoutMs);
      this.#prepare();
      const received = await receiveMessage(this.#fd, this.#memory);
      if (received === -EAGAIN || received === -EINTR) return undefined;
      check(received, 'receive');
      return this.#frame(received);
    } finally {
      this.#receiving = false;
      if (this.#closing) this.#release();
    }
  }

  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    if (!this.#receiving) this.#release();
  }

  #setTimeout(timeoutMs: number): void {
    if (timeoutMs === this.#timeoutMs) return;
    const timeval = new Uint8Array(16);
    // A timeval of zero would wait for ever.
    const microseconds = Math.max(1, Math.round(timeoutMs * 1000));
    viewOf(timeval).setBigInt64(0, BigInt(Math.floor(microseconds / 1e6)), true);
    viewOf(timeval).setBigInt64(8, BigInt(microseconds % 1e6), true);
    setOption(this.#fd, SOL_SOCKET, SO_RCVTIMEO, timeval);
    this.#timeoutMs = timeoutMs;
  }

  #prepare(): void {
    this.#bytes.fill(0, 0, FRAME_AT);
    const pointer = (at: number, value: bigint) => this.#view.setBigUint64(at, value, true);
    pointer(MESSAGE.iov, this.#memory + BigInt(IOVEC_AT));
    pointer(MESSAGE.iovCount, 1n);
    pointer(MESSAGE.control, this.#memory + BigInt(CONTROL_AT));
    pointer(MESSAGE.controlSize, BigInt(CONTROL_BYTES));
    pointer(IOVEC_AT, this.#memory + BigInt(FRAME_AT));
    pointer(IOVEC_AT + 8, BigInt(FRAME_BYTES));
  }

  /** A copy of the frame; the kernel took the VLAN tag out and tells it aside. */
  #frame(length: number): Uint8Array {
    const frame = this.#bytes.subarray(FRAME_AT, FRAME_AT + length);
    const aux = CONTROL_AT + CMSG_HEADER_BYTES;
    const status = this.#view.getUint32(aux + AUXDATA.status, true);
    if ((status & TP_STATUS_VLAN_VALID) === 0) return frame.slice();
    const tagged = new Uint8Array(length + 4);
    tagged.set(frame.subarray(0, VLAN_AT));
    const protocol = this.#view.getUint16(aux + AUXDATA.vlanProtocol, true);
    viewOf(tagged).setUint16(VLAN_AT, protocol);
    viewOf(tagged).setUint16(VLAN_AT + 2, this.#view.getUint16(aux + AUXDATA.vlanTci, true));
    tagged.set(frame.subarray(VLAN_AT), VLAN_AT + 4);
    return tagged;
  }

  #release(): void {
    libc().close(this.#fd);
    forgetView(this.#bytes);
    release(this.#memory);
  }
}

function check(result: number, what: string): void {
  if (result < 0) throw callFailed('EDGE_PACKET_SOCKET', what, result === -1 ? -errno() : result);
}

function setOption(fd: number, level: number, name: number, value: Uint8Array): void {
  check(libc().setsockopt(fd, level, name, value, value.length), `socket option ${name}`);
}

function int32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  viewOf(bytes).setInt32(0, value, true);
  return bytes;
}

/** struct sockaddr_ll; the protocol stands in network order. */
function linkAddress(ifindex: number): Uint8Array {
  const bytes = new Uint8Array(20);
  const view = viewOf(bytes);
  view.setUint16(0, AF_PACKET, true);
  view.setUint16(2, ETH_P_ALL);
  view.setInt32(4, ifindex, true);
  return bytes;
}
