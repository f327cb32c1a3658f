// The replica on disk: for a start without Redis, and as a memory of promises that a Redis which
// went back in time has lost. A line of JSON, then each block (number, length, bytes without the
// zeros at its end), then a mark and the CRC-32 of all before it. What is not whole is refused.
import { crc32 } from 'node:zlib';
import { OperationalError } from '../../shared/errors.ts';
import type { Ground } from './ground.ts';
import type { BookDisk } from './options.ts';
import { BLOCK_BYTES, HEADER_BYTES, LINEAGE_CHARACTERS, RECORD_BYTES } from './record.ts';

const FORMAT = 1;
const END = 0xffffffff;
const MAX_LINE_BYTES = 4096;
/** In a block's header, where Redis has zeros: up to which version it is durable (R4). */
const PROVEN_AT = 40;
/** Blocks of one chunk: half a megabyte, and then others have their turn. */
const CHUNK_BLOCKS = 32;

type Uptime = { boot: string; ms: number };
type Head = {
  edgeBook: number;
  lineage: string;
  boot?: string;
  uptimeMs?: number;
  latest: number;
  uncertainty: number;
};

export async function writeSnapshot(
  disk: BookDisk,
  ground: Ground,
  uptime: (() => Uptime) | undefined,
): Promise<void> {
  await disk.writeSnapshot(chunks(ground, uptime?.()));
}

async function* chunks(ground: Ground, uptime: Uptime | undefined): AsyncGenerator<Uint8Array> {
  const { time, lineage } = ground;
  const head: Head = {
    edgeBook: FORMAT,
    lineage: lineage ?? '',
    ...(uptime === undefined ? {} : { boot: uptime.boot, uptimeMs: uptime.ms }),
    latest: time.isKnown ? time.latest : 0,
    uncertainty: time.isKnown ? time.uncertaintySeconds + 2 : 0,
  };
  let sum = 0;
  const summed = (bytes: Uint8Array) => {
    sum = crc32(bytes, sum);
    return bytes;
  };
  yield summed(new TextEncoder().encode(`${JSON.stringify(head)}\n`));
  const numbers = [...ground.replica.blocks.keys()];
  for (let at = 0; at < numbers.length; at += CHUNK_BLOCKS) {
    const parts: Uint8Array[] = [];
    for (const number of numbers.slice(at, at + CHUNK_BLOCKS)) {
      const block = ground.replica.blocks.get(number);
      // A block that was not compared yet belongs to the lineage before.
      if (block === undefined || block.epoch !== ground.epoch) continue;
      const bytes = block.bytes.slice(0, usedLength(block.bytes));
      new DataView(bytes.buffer).setBigUint64(PROVEN_AT, BigInt(block.provenVersion));
      parts.push(words(number, bytes.length), bytes);
    }
    yield summed(Buffer.concat(parts));
    await ground.clock.sleep(1);
  }
  const mark = summed(words(END));
  yield Buffer.concat([mark, words(sum)]);
}

/** Without the records at its end that are all zero; the header's lineage may be. */
function usedLength(bytes: Uint8Array): number {
  let length = BLOCK_BYTES;
  while (
    length > HEADER_BYTES &&
    bytes.subarray(length - RECORD_BYTES, length).every((b) => b === 0)
  )
    length -= RECORD_BYTES;
  return length;
}

function words(...values: number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  for (const [i, value] of values.entries()) view.setUint32(4 * i, value);
  return bytes;
}

/** Into an empty replica, whole or not at all; EDGE_SNAPSHOT_DAMAGED when it is not whole. */
export async function readSnapshot(
  disk: BookDisk,
  ground: Ground,
  uptime: Uptime | undefined,
): Promise<boolean> {
  const stream = await disk.readSnapshot();
  if (stream === undefined) return false;
  const { head, blocks } = await readWhole(stream);
  ground.noticeLineage(head.lineage.slice(0, LINEAGE_CHARACTERS * 64));
  if (uptime !== undefined && head.latest > 0 && head.boot === uptime.boot) {
    const passed = Math.ceil((uptime.ms - (head.uptimeMs ?? uptime.ms)) / 1000);
    if (passed >= 0) ground.time.restore(head.latest + passed * 1.001 + 1, head.uncertainty + 2);
  }
  for (const [number, bytes] of blocks) {
    const block = ground.replica.putBlock(number, bytes, true);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes.length >= HEADER_BYTES) block.provenVersion = Number(view.getBigUint64(PROVEN_AT));
  }
  return true;
}

type Whole = { head: Head; blocks: [number, Uint8Array][] };

async function readWhole(stream: AsyncIterable<Uint8Array>): Promise<Whole> {
  const reader = new Reader(stream);
  try {
    const head = headOf(await reader.line());
    const blocks: [number, Uint8Array][] = [];
    for (let number = await reader.word(); number !== END; number = await reader.word()) {
      const length = await reader.word();
      if (length > BLOCK_BYTES) throw damaged('a block that is too long');
      blocks.push([number, await reader.take(length)]);
    }
    const sum = reader.sum;
    if ((await reader.word()) !== sum) throw damaged('it does not add up');
    return { head, blocks };
  } finally {
    await reader.close();
  }
}

function headOf(line: string): Head {
  try {
    const head = JSON.parse(line) as Head; // checked by the next lines
    const isHead = head.edgeBook === FORMAT && typeof head.lineage === 'string';
    if (isHead && typeof head.latest === 'number' && typeof head.uncertainty === 'number')
      return head;
  } catch {
    // told below
  }
  throw damaged('no snapshot of this format');
}

class Reader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);
  sum = 0;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** The checksum is the last that is read, not the end of the stream: its file is open still. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  async take(count: number): Promise<Uint8Array> {
    const parts: Uint8Array[] = [this.#rest];
    let have = this.#rest.length;
    while (have < count) {
      const { value, done } = await this.#chunks.next();
      if (done) throw damaged('it ends too early');
      parts.push(value);
      have += value.length;
    }
    const all = parts.length === 1 ? this.#rest : Buffer.concat(parts);
    const taken = all.subarray(0, count);
    this.#rest = all.subarray(count);
    this.sum = crc32(taken, this.sum);
    return taken;
  }

  async word(): Promise<number> {
    const bytes = await this.take(4);
    return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  }

  async line(): Promise<string> {
    const bytes: number[] = [];
    for (let byte = (await this.take(1))[0]; byte !== 10; byte = (await this.take(1))[0]) {
      if (byte === undefined || bytes.length > MAX_LINE_BYTES) throw damaged('no first line');
      bytes.push(byte);
    }
    return new TextDecoder().decode(Uint8Array.from(bytes));
  }
}

function damaged(what: string): OperationalError {
  return new OperationalError('EDGE_SNAPSHOT_DAMAGED', `damaged lease snapshot: ${what}`);
}
