// Memory for one recvmmsg(2) or sendmmsg(2): struct mmsghdr, iovec, sockaddr_in, control and data,
// each as many times as there are messages in a batch; laid out once.
import { viewOf } from './bytes.ts';
import { allocate, forgetView, release, viewBytes } from './ffi.ts';

export const BATCH = 64;
/** What a datagram may have at most; a longer one is cut off and said to be. */
export const DATA_BYTES = 4096;
const SLAB_BYTES = 8 * DATA_BYTES;
const CONTROL_BYTES = 64;
const ADDRESS_BYTES = 16;
const HEADER_BYTES = 64;
const IOVEC_BYTES = 16;

/** Offsets in struct mmsghdr. */
const HEADER = { nameLength: 8, iov: 16, iovCount: 24, control: 32, controlLength: 40, flags: 48 };
const HEADER_LENGTH_AT = 56;
const AREA = {
  iovec: BATCH * HEADER_BYTES,
  address: BATCH * (HEADER_BYTES + IOVEC_BYTES),
  control: BATCH * (HEADER_BYTES + IOVEC_BYTES + ADDRESS_BYTES),
  data: BATCH * (HEADER_BYTES + IOVEC_BYTES + ADDRESS_BYTES + CONTROL_BYTES),
};
const MEMORY_BYTES = AREA.data + BATCH * DATA_BYTES;

const AF_INET = 2;
const MSG_TRUNC = 0x20;
const [SOL_SOCKET, SO_RXQ_OVFL] = [1, 40];
const [IPPROTO_IP, IP_PKTINFO] = [0, 8];
/** struct cmsghdr with its struct in_pktinfo: index, specific destination, destination. */
const PKTINFO_BYTES = 28;

/** Addresses and ports in host order. `dropped`: what the socket's queue lost so far. */
export type Received = {
  bytes: Uint8Array;
  isTruncated: boolean;
  address: number;
  port: number;
  interfaceIndex: number;
  destination: number;
  dropped: number;
};

export class MessageRing {
  readonly memory = allocate(MEMORY_BYTES);
  readonly #bytes = viewBytes(this.memory, MEMORY_BYTES);
  readonly #view = viewOf(this.#bytes);
  #slab = new Uint8Array(0);
  #used = 0;

  constructor() {
    const pointer = (at: number, to: number) =>
      this.#view.setBigUint64(at, this.memory + BigInt(to), true);
    for (let index = 0; index < BATCH; index++) {
      const header = index * HEADER_BYTES;
      pointer(header, AREA.address + index * ADDRESS_BYTES);
      pointer(header + HEADER.iov, AREA.iovec + index * IOVEC_BYTES);
      this.#view.setUint32(header + HEADER.iovCount, 1, true);
      pointer(header + HEADER.control, AREA.control + index * CONTROL_BYTES);
      pointer(AREA.iovec + index * IOVEC_BYTES, AREA.data + index * DATA_BYTES);
      this.#view.setUint16(AREA.address + index * ADDRESS_BYTES, AF_INET, true);
    }
  }

  at(index: number): bigint {
    return this.memory + BigInt(index * HEADER_BYTES);
  }

  /** What the kernel shortened is whole again. */
  prepareReceive(): void {
    for (let index = 0; index < BATCH; index++) {
      const header = index * HEADER_BYTES;
      this.#view.setUint32(header + HEADER.nameLength, ADDRESS_BYTES, true);
      this.#view.setUint32(header + HEADER.controlLength, CONTROL_BYTES, true);
      this.#view.setUint32(AREA.iovec + index * IOVEC_BYTES + 8, DATA_BYTES, true);
    }
  }

  /** A copy, cut from larger pieces: memory of its own for each datagram is slow. */
  #copy(from: number, length: number): Uint8Array {
    if (this.#used + length > this.#slab.length) {
      this.#slab = new Uint8Array(SLAB_BYTES);
      this.#used = 0;
    }
    const at = this.#used;
    this.#used += length;
    this.#slab.set(this.#bytes.subarray(from, from + length), at);
    return this.#slab.subarray(at, at + length);
  }

  /** The bytes are a copy. */
  received(index: number): Received {
    const header = index * HEADER_BYTES;
    const data = AREA.data + index * DATA_BYTES;
    const address = AREA.address + index * ADDRESS_BYTES;
    const result: Received = {
      bytes: this.#copy(data, this.#view.getUint32(header + HEADER_LENGTH_AT, true)),
      isTruncated: (this.#view.getUint32(header + HEADER.flags, true) & MSG_TRUNC) !== 0,
      address: this.#view.getUint32(address + 4),
      port: this.#view.getUint16(address + 2),
      interfaceIndex: 0,
      destination: 0,
      dropped: 0,
    };
    this.#readControl(index, result);
    return result;
  }

  #readControl(index: number, into: Received): void {
    const start = AREA.control + index * CONTROL_BYTES;
    const controlLength = index * HEADER_BYTES + HEADER.controlLength;
    const end = start + this.#view.getUint32(controlLength, true);
    for (let at = start; at + 16 <= end; ) {
      const length = this.#view.getUint32(at, true);
      const level = this.#view.getInt32(at + 8, true);
      const type = this.#view.getInt32(at + 12, true);
      if (level === IPPROTO_IP && type === IP_PKTINFO) {
        into.interfaceIndex = this.#view.getInt32(at + 16, true);
        into.destination = this.#view.getUint32(at + 24);
      } else if (level === SOL_SOCKET && type === SO_RXQ_OVFL) {
        into.dropped = this.#view.getUint32(at + 16, true);
      }
      if (length < 16) return;
      at += (length + 7) & ~7;
    }
  }

  /** `source` 0: whichever the kernel chooses. At most DATA_BYTES. */
  put(index: number, bytes: Uint8Array, source: number, address: number, port: number): void {
    const header = index * HEADER_BYTES;
    const name = AREA.address + index * ADDRESS_BYTES;
    this.#bytes.set(bytes, AREA.data + index * DATA_BYTES);
    this.#view.setUint32(AREA.iovec + index * IOVEC_BYTES + 8, bytes.length, true);
    this.#view.setUint32(header + HEADER.nameLength, ADDRESS_BYTES, true);
    this.#view.setUint16(name + 2, port);
    this.#view.setUint32(name + 4, address);
    if (source === 0) {
      this.leaveSource(index);
      return;
    }
    const control = AREA.control + index * CONTROL_BYTES;
    this.#view.setUint32(header + HEADER.controlLength, (PKTINFO_BYTES + 7) & ~7, true);
    this.#view.setUint32(control, PKTINFO_BYTES, true);
    this.#view.setInt32(control + 8, IPPROTO_IP, true);
    this.#view.setInt32(control + 12, IP_PKTINFO, true);
    this.#view.setInt32(control + 16, 0, true);
    this.#view.setUint32(control + 20, source);
    this.#view.setUint32(control + 24, 0);
  }

  leaveSource(index: number): void {
    this.#view.setUint32(index * HEADER_BYTES + HEADER.controlLength, 0, true);
  }

  free(): void {
    forgetView(this.#bytes);
    release(this.memory);
  }
}
