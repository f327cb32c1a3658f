// UDP sockets for many small messages: recvmmsg and sendmmsg, up to 64 datagrams a call, with the
// address that each was sent to (ip(7), IP_PKTINFO) and the choice of the one to send from.
//
// While messages come, they are gathered for a millisecond, as a card would moderate interrupts;
// the first one after a silence is taken at once. For that, poll(2) waits on a thread, for all
// sockets together.
import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises';
import { viewOf } from './bytes.ts';
import { callFailed, EAGAIN, EINTR } from './failure.ts';
import { allocate, errno, forgetView, libc, pollFds, release, viewBytes } from './ffi.ts';
import { BATCH, DATA_BYTES, MessageRing, type Received } from './message-ring.ts';

export type { Received };

const AF_INET = 2;
const SOCK_DGRAM_CLOEXEC_NONBLOCK = 2 | 0o2000000 | 0o4000;
const EFD_CLOEXEC_NONBLOCK = 0o2000000 | 0o4000;
const MSG_DONTWAIT_NOSIGNAL = 0x40 | 0x4000;
const SOL_SOCKET = 1;
const SO = { reuse: 2, broadcast: 6, sendBytes: 7, receiveBytes: 8, overflows: 40 };
const FORCED = { sendBytes: 32, receiveBytes: 33 };
const IPPROTO_IP = 0;
const IP_PKTINFO = 8;
const POLLIN = 1;
const POLLFD_BYTES = 8;
const GATHER_MS = 1;
/** A process that ends without close() waits so long at most. */
const POLL_MS = 500;

/** `mute`: bound and sent from, but nobody reads it: what comes is thrown away. */
export type BatchAddress = { address: number; port: number; mute?: boolean };

export type BatchCounts = {
  received: number;
  truncated: number;
  /** Lost by the kernel because a socket's queue was full. */
  overflowed: number;
  sent: number;
  sendFailed: number;
  /** Left with another source, because the wanted one is no address of this machine. */
  sourceRefused: number;
};

export type UdpBatchOptions = {
  sockets: readonly BatchAddress[];
  bufferBytes: number;
  onDatagram: (datagram: Received, socket: number) => void;
  /** Receiving ended for a reason that is none of close(). */
  onError: (error: unknown) => void;
};

type Socket = { fd: number; mute: boolean; dropped: number; queue: Outgoing[] };
type Outgoing = { bytes: Uint8Array; source: number; address: number; port: number };

/** Opens at once: EDGE_UDP when an address cannot be bound. */
export class UdpBatch {
  readonly counts: BatchCounts = {
    received: 0,
    truncated: 0,
    overflowed: 0,
    sent: 0,
    sendFailed: 0,
    sourceRefused: 0,
  };
  readonly #options: UdpBatchOptions;
  readonly #sockets: Socket[] = [];
  readonly #incoming = new MessageRing();
  readonly #outgoing = new MessageRing();
  readonly #wake: number;
  #flushing = false;
  #stopping = false;
  readonly #ended: Promise<void>;

  constructor(options: UdpBatchOptions) {
    this.#options = options;
    this.#wake = libc().eventfd(0, EFD_CLOEXEC_NONBLOCK);
    try {
      for (const each of options.sockets) this.#sockets.push(openSocket(each, options.bufferBytes));
    } catch (error) {
      this.#release();
      throw error;
    }
    this.#ended = this.#run().catch(options.onError);
  }

  /** By the socket of this number. Goes out, with all of this turn, at its end. */
  send(socket: number, outgoing: Outgoing): void {
    const own = this.#sockets[socket];
    if (own === undefined || this.#stopping || outgoing.bytes.length > DATA_BYTES) {
      this.counts.sendFailed++;
      return;
    }
    own.queue.push(outgoing);
    if (own.queue.length === BATCH) this.#flush(own);
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => {
      this.#flushing = false;
      for (const each of this.#sockets) this.#flush(each);
    });
  }

  /** What was queued to send goes first. */
  async close(): Promise<void> {
    if (this.#stopping) return this.#ended;
    for (const each of this.#sockets) this.#flush(each);
    this.#stopping = true;
    const one = new Uint8Array(8).fill(1, 0, 1);
    libc().write(this.#wake, one, one.length);
    await this.#ended;
    this.#release();
  }

  async #run(): Promise<void> {
    const heard = this.#sockets.filter(({ mute }) => !mute);
    const fds = pollMemory([this.#wake, ...heard.map(({ fd }) => fd)]);
    try {
      while (!this.#stopping) {
        let received = 0;
        for (const [index, socket] of this.#sockets.entries()) {
          if (!socket.mute) received += this.#receive(socket, index);
        }
        if (received >= BATCH) await turn();
        else if (received > 0) await pause(GATHER_MS);
        else await waitFor(fds);
      }
    } finally {
      fds.free();
    }
  }

  #receive(socket: Socket, index: number): number {
    const ring = this.#incoming;
    ring.prepareReceive();
    const flags = MSG_DONTWAIT_NOSIGNAL;
    const count = libc().recvmmsg(socket.fd, ring.memory, BATCH, flags, null);
    if (count < 0) {
      const failed = errno();
      if (failed === EAGAIN || failed === EINTR) return 0;
      throw callFailed('EDGE_UDP', 'receive', -failed);
    }
    for (let at = 0; at < count; at++) this.#take(ring.received(at), socket, index);
    return count;
  }

  #take(datagram: Received, socket: Socket, index: number): void {
    this.counts.received++;
    if (datagram.dropped > socket.dropped) {
      this.counts.overflowed += datagram.dropped - socket.dropped;
      socket.dropped = datagram.dropped;
    }
    if (datagram.isTruncated) this.counts.truncated++;
    else this.#options.onDatagram(datagram, index);
  }

  #flush(socket: Socket): void {
    const batch = socket.queue;
    if (batch.length === 0) return;
    socket.queue = [];
    const ring = this.#outgoing;
    for (const [at, each] of batch.entries()) {
      ring.put(at, each.bytes, each.source, each.address, each.port);
    }
    let next = 0;
    let withoutSource = -1; // the one that is tried again, its source left to the kernel
    while (next < batch.length) {
      const left = batch.length - next;
      const sent = libc().sendmmsg(socket.fd, ring.at(next), left, MSG_DONTWAIT_NOSIGNAL);
      if (sent > 0) {
        if (withoutSource === next) this.counts.sourceRefused++;
        this.counts.sent += sent;
        next += sent;
      } else if (errno() !== EAGAIN && withoutSource !== next && batch[next]?.source !== 0) {
        ring.leaveSource(next); // EINVAL or ENETUNREACH where it is no address of ours
        withoutSource = next;
      } else {
        this.counts.sendFailed++;
        next++;
      }
    }
  }

  #release(): void {
    for (const { fd } of this.#sockets) libc().close(fd);
    libc().close(this.#wake);
    this.#incoming.free();
    this.#outgoing.free();
  }
}

function openSocket({ address, port, mute = false }: BatchAddress, bufferBytes: number): Socket {
  const fd = libc().socket(AF_INET, SOCK_DGRAM_CLOEXEC_NONBLOCK, 0);
  if (fd < 0) throw callFailed('EDGE_UDP', 'UDP socket', -errno());
  try {
    const set = (level: number, name: number, value: number): number =>
      libc().setsockopt(fd, level, name, int32(value), 4);
    set(SOL_SOCKET, SO.broadcast, 1);
    set(SOL_SOCKET, SO.overflows, 1);
    set(IPPROTO_IP, IP_PKTINFO, 1);
    for (const which of ['sendBytes', 'receiveBytes'] as const) {
      const bytes = mute && which === 'receiveBytes' ? 1 : bufferBytes;
      // Forced: beyond net.core.rmem_max, with CAP_NET_ADMIN.
      if (set(SOL_SOCKET, FORCED[which], bytes) < 0) set(SOL_SOCKET, SO[which], bytes);
    }
    const name = new Uint8Array(16);
    viewOf(name).setUint16(0, AF_INET, true);
    viewOf(name).setUint16(2, port);
    viewOf(name).setUint32(4, address);
    // A mute one for every address stands beside those for one. To share is allowed only after the
    // bind, so that two daemons do not take the same address.
    if (mute) set(SOL_SOCKET, SO.reuse, 1);
    if (libc().bind(fd, name, name.length) < 0) throw callFailed('EDGE_UDP', 'bind', -errno());
    set(SOL_SOCKET, SO.reuse, 1);
    return { fd, mute, dropped: 0, queue: [] };
  } catch (error) {
    libc().close(fd);
    throw error;
  }
}

type PollMemory = { address: bigint; count: number; free(): void };

function pollMemory(fds: readonly number[]): PollMemory {
  const bytes = fds.length * POLLFD_BYTES;
  const address = allocate(bytes);
  const view = viewBytes(address, bytes);
  for (const [index, fd] of fds.entries()) {
    viewOf(view).setInt32(index * POLLFD_BYTES, fd, true);
    viewOf(view).setInt16(index * POLLFD_BYTES + 4, POLLIN, true);
  }
  forgetView(view);
  return { address, count: fds.length, free: () => release(address) };
}

async function waitFor({ address, count }: PollMemory): Promise<void> {
  const result = await pollFds(address, count, POLL_MS);
  if (result < 0 && result !== -EINTR) throw callFailed('EDGE_UDP', 'poll', result);
}

function int32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  viewOf(bytes).setInt32(0, value, true);
  return bytes;
}
