// Memory for answering over UDP without copies in between: one recvmmsg(2) fills it with queries,
// each is answered right into what one sendmmsg(2) sends, with the asker's address and the address
// that was asked (ip(7) IP_PKTINFO, ipv6(7) IPV6_PKTINFO). Laid out once.
import { viewOf } from './bytes.ts';
import { callFailed, EAGAIN, EINTR } from './failure.ts';
import { allocate, errno, forgetView, libc, release, viewBytes } from './ffi.ts';

/** What a message may have at most, either way. */
export const MESSAGE_BYTES = 4096;
/** No power of two: the beginnings of all messages would share a few lines of the cache. */
const SLOT_BYTES = MESSAGE_BYTES + 192;
const NAME_BYTES = 32;
const CONTROL_BYTES = 64;
const IOVEC_BYTES = 16;
const HEADER_BYTES = 64;
const ENTRY_BYTES = HEADER_BYTES + IOVEC_BYTES + NAME_BYTES + CONTROL_BYTES + SLOT_BYTES;

/** Words in struct mmsghdr, of 64-bit systems. */
const HEADER_WORDS = HEADER_BYTES / 4;
const IOVEC_WORDS = IOVEC_BYTES / 4;
const NAME_WORDS = NAME_BYTES / 4;
const CONTROL_WORDS = CONTROL_BYTES / 4;
const [NAME, NAME_LENGTH, IOV, IOV_COUNT] = [0, 2, 4, 6];
const [CONTROL, CONTROL_LENGTH, FLAGS, LENGTH] = [8, 10, 12, 14];
const MSG_TRUNC = 0x20;
const MSG_DONTWAIT_NOSIGNAL = 0x40 | 0x4000;
/** struct cmsghdr with in_pktinfo (index, own address, ...), in6_pktinfo (address, index). */
const V4 = { space: 32, words: 8, indexAt: 4 };
const V6 = { space: 40, words: 10, indexAt: 8, addressAt: 4 };
const NAME_V4_BYTES = 16;

/** An asker and the address that was asked, for `reply`. Plain data. */
export type ReturnAddress = Int32Array;

class Half {
  readonly memory: bigint;
  readonly words: Int32Array;
  readonly slots: readonly Uint8Array[];
  readonly names: readonly Uint8Array[];
  /** First word of entry n's name and control: n times what is between two of them further. */
  readonly nameWord: number;
  readonly controlWord: number;
  readonly #bytes: Uint8Array;

  constructor(batch: number) {
    const size = batch * ENTRY_BYTES;
    this.memory = allocate(size);
    this.#bytes = viewBytes(this.memory, size);
    this.words = new Int32Array(this.#bytes.buffer, 0, size >>> 2);
    const iovecs = batch * HEADER_BYTES;
    const names = iovecs + batch * IOVEC_BYTES;
    const controls = names + batch * NAME_BYTES;
    const data = controls + batch * CONTROL_BYTES;
    this.nameWord = names >>> 2;
    this.controlWord = controls >>> 2;
    const view = viewOf(this.#bytes);
    const pointer = (at: number, to: number) =>
      view.setBigUint64(at, this.memory + BigInt(to), true);
    const part = (from: number, length: number) => this.#bytes.subarray(from, from + length);
    for (let index = 0; index < batch; index++) {
      const header = index * HEADER_BYTES;
      const iovec = iovecs + index * IOVEC_BYTES;
      pointer(header + 4 * NAME, names + index * NAME_BYTES);
      pointer(header + 4 * IOV, iovec);
      view.setUint32(header + 4 * IOV_COUNT, 1, true);
      pointer(header + 4 * CONTROL, controls + index * CONTROL_BYTES);
      pointer(iovec, data + index * SLOT_BYTES);
      view.setUint32(iovec + 8, MESSAGE_BYTES, true);
    }
    const each = Array.from({ length: batch }, (_, index) => index);
    this.slots = each.map((index) => part(data + index * SLOT_BYTES, MESSAGE_BYTES));
    this.names = each.map((index) => part(names + index * NAME_BYTES, NAME_BYTES));
    this.lengthWord = (iovecs + 8) >>> 2;
  }

  /** Of entry 0's iov_len; the next are 4 words further each. */
  readonly lengthWord: number;

  free(): void {
    forgetView(this.#bytes);
    release(this.memory);
  }
}

/** One a thread; for sockets of both families, one call after the other. */
export class UdpRing {
  readonly batch: number;
  readonly #in: Half;
  readonly #out: Half;
  /** In network order: views of where the asker's address of each query is. */
  readonly #clientsV4: readonly Uint8Array[];
  readonly #clientsV6: readonly Uint8Array[];
  /** Headers that recvmmsg has changed. */
  #used: number;

  constructor(batch: number) {
    this.batch = batch;
    this.#in = new Half(batch);
    this.#out = new Half(batch);
    this.#clientsV4 = this.#in.names.map((name) => name.subarray(4, 8));
    this.#clientsV6 = this.#in.names.map((name) => name.subarray(8, 24));
    this.#used = batch;
  }

  /** How many came, 0 to `batch`; never waits. EDGE_UDP when the socket is none any more. */
  receive(fd: number): number {
    const { words } = this.#in;
    for (let index = 0, at = 0; index < this.#used; index++, at += HEADER_WORDS) {
      words[at + NAME_LENGTH] = NAME_BYTES;
      words[at + CONTROL_LENGTH] = CONTROL_BYTES;
    }
    this.#used = 0;
    const { memory } = this.#in;
    const count = libc().recvmmsg(fd, memory, this.batch, MSG_DONTWAIT_NOSIGNAL, null);
    if (count >= 0) {
      this.#used = count;
      return count;
    }
    const failed = errno();
    if (failed === EAGAIN || failed === EINTR) return 0;
    throw callFailed('EDGE_UDP', 'receive', -failed);
  }

  query(index: number): Uint8Array {
    return this.#in.slots[index] as Uint8Array;
  }

  /** Bytes of the query; −1 when it was longer than there is room for. */
  length(index: number): number {
    const { words } = this.#in;
    const at = index * HEADER_WORDS;
    if (((words[at + FLAGS] as number) & MSG_TRUNC) !== 0) return -1;
    return words[at + LENGTH] as number;
  }

  /** A view, good until the next receive(). */
  client(index: number): Uint8Array {
    const isV4 = this.#in.words[index * HEADER_WORDS + NAME_LENGTH] === NAME_V4_BYTES;
    return (isV4 ? this.#clientsV4 : this.#clientsV6)[index] as Uint8Array;
  }

  clientPort(index: number): number {
    const name = this.#in.names[index] as Uint8Array;
    return ((name[2] as number) << 8) | (name[3] as number);
  }

  /** Where the answer that leaves as number `index` is to be written. */
  answer(index: number): Uint8Array {
    return this.#out.slots[index] as Uint8Array;
  }

  /** Answer `to` has `length` bytes and is to whoever asked `from`, as who was asked. */
  address(to: number, from: number, length: number): void {
    const source = this.#in.words;
    const target = this.#out.words;
    const fromHeader = from * HEADER_WORDS;
    const toHeader = to * HEADER_WORDS;
    const nameLength = source[fromHeader + NAME_LENGTH] as number;
    target[toHeader + NAME_LENGTH] = nameLength;
    target[this.#out.lengthWord + to * IOVEC_WORDS] = length;
    const nameFrom = this.#in.nameWord + from * NAME_WORDS;
    const nameTo = this.#out.nameWord + to * NAME_WORDS;
    for (let word = 0; word < nameLength >>> 2; word++) {
      target[nameTo + word] = source[nameFrom + word] as number;
    }
    const shape = nameLength === NAME_V4_BYTES ? V4 : V6;
    if ((source[fromHeader + CONTROL_LENGTH] as number) < shape.space) {
      target[toHeader + CONTROL_LENGTH] = 0; // bound to one address: it is the source
      return;
    }
    target[toHeader + CONTROL_LENGTH] = shape.space;
    const controlFrom = this.#in.controlWord + from * CONTROL_WORDS;
    const controlTo = this.#out.controlWord + to * CONTROL_WORDS;
    for (let word = 0; word < shape.words; word++) {
      target[controlTo + word] = source[controlFrom + word] as number;
    }
    // Routes decide where it leaves, but of a link-local address only its link knows.
    if (shape === V6 && isLinkLocal(source[controlFrom + V6.addressAt] as number)) return;
    target[controlTo + shape.indexAt] = 0;
  }

  /** The first `count` answers. Never waits: how many have left; others are lost. */
  send(fd: number, count: number): number {
    let left = 0;
    for (let next = 0; next < count; ) {
      const at = next === 0 ? this.#out.memory : this.#out.memory + BigInt(next * HEADER_BYTES);
      const sent = libc().sendmmsg(fd, at, count - next, MSG_DONTWAIT_NOSIGNAL);
      if (sent > 0) {
        left += sent;
        next += sent;
        continue;
      }
      const failed = errno();
      if (failed === EAGAIN) return left; // its queue is full: it is for all of them
      if (failed !== EINTR) next++;
    }
    return left;
  }

  /**
   * Who asked query `from`, and whom: for `reply`, at any time and on any thread. `scratch` is the
   * number of an answer that is not in use.
   */
  returnAddress(from: number, scratch: number): ReturnAddress {
    this.address(scratch, from, 0);
    const { words, nameWord, controlWord } = this.#out;
    const packed = new Int32Array(2 + NAME_WORDS + CONTROL_WORDS);
    packed[0] = words[scratch * HEADER_WORDS + NAME_LENGTH] as number;
    packed[1] = words[scratch * HEADER_WORDS + CONTROL_LENGTH] as number;
    const name = nameWord + scratch * NAME_WORDS;
    const control = controlWord + scratch * CONTROL_WORDS;
    packed.set(words.subarray(name, name + NAME_WORDS), 2);
    packed.set(words.subarray(control, control + CONTROL_WORDS), 2 + NAME_WORDS);
    return packed;
  }

  /** Whether it has left. */
  reply(fd: number, address: ReturnAddress, bytes: Uint8Array): boolean {
    if (bytes.length > MESSAGE_BYTES) return false;
    const { words, nameWord, controlWord, lengthWord } = this.#out;
    words[NAME_LENGTH] = address[0] as number;
    words[CONTROL_LENGTH] = address[1] as number;
    words[lengthWord] = bytes.length;
    words.set(address.subarray(2, 2 + NAME_WORDS), nameWord);
    words.set(address.subarray(2 + NAME_WORDS), controlWord);
    this.answer(0).set(bytes);
    return this.send(fd, 1) === 1;
  }

  free(): void {
    this.#in.free();
    this.#out.free();
  }
}

/** fe80::/10, of an address' first four bytes as the machine reads them (little-endian). */
function isLinkLocal(word: number): boolean {
  return (word & 0xc0ff) === 0x80fe;
}
