// pcapng writer (IETF draft-ietf-opsawg-pcapng): section, one interface block a link, packets.
// Each packet carries a comment: the reason, and whether it is as it came or as it left.

const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE_DESCRIPTION = 1;
const ENHANCED_PACKET = 6;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
const LINKTYPE_ETHERNET = 1;
const OPTION_END = 0;
const OPTION_COMMENT = 1;
const OPTION_IF_NAME = 2;
const OPTION_IF_TSRESOL = 9;
const NANOSECONDS = 9;
const MAX_COMMENT_BYTES = 200;

export type CapturedFrame = {
  timeNs: bigint; // since 1970, UTC
  interface: string;
  comment: string;
  frameBytes: number; // the whole frame; `frame` may be shorter
  frame: Uint8Array;
};

const padded = (bytes: number) => (bytes + 3) & ~3;

function option(code: number, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + padded(value.length));
  const view = new DataView(bytes.buffer);
  view.setUint16(0, code, true);
  view.setUint16(2, value.length, true);
  bytes.set(value, 4);
  return bytes;
}

const END_OF_OPTIONS = option(OPTION_END, new Uint8Array(0));

function block(type: number, parts: readonly Uint8Array[]): Uint8Array {
  const body = parts.reduce((sum, part) => sum + padded(part.length), 0);
  const bytes = new Uint8Array(12 + body);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, bytes.length, true);
  let at = 8;
  for (const part of parts) {
    bytes.set(part, at);
    at += padded(part.length);
  }
  view.setUint32(at, bytes.length, true);
  return bytes;
}

function words(...values: readonly (readonly [bytes: 2 | 4, value: number])[]): Uint8Array {
  const bytes = new Uint8Array(values.reduce((sum, [size]) => sum + size, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [size, value] of values) {
    if (size === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += size;
  }
  return bytes;
}

function sectionHeader(): Uint8Array {
  const unknownLength = [0xffffffff, 0xffffffff] as const;
  const body = words(
    [4, BYTE_ORDER_MAGIC],
    [2, 1], // version 1.0
    [2, 0],
    [4, unknownLength[0]],
    [4, unknownLength[1]],
  );
  return block(SECTION_HEADER, [body]);
}

function interfaceBlock(name: string): Uint8Array {
  const body = words([2, LINKTYPE_ETHERNET], [2, 0], [4, 0]);
  const options = [
    option(OPTION_IF_NAME, new TextEncoder().encode(name)),
    option(OPTION_IF_TSRESOL, Uint8Array.of(NANOSECONDS)),
    END_OF_OPTIONS,
  ];
  return block(INTERFACE_DESCRIPTION, [body, ...options]);
}

/** Gives the blocks to append, in order; interfaces are described when they first occur. */
export class PcapngWriter {
  readonly #interfaces = new Map<string, number>();

  start(): Uint8Array {
    return sectionHeader();
  }

  frame(captured: CapturedFrame): Uint8Array[] {
    const blocks: Uint8Array[] = [];
    let index = this.#interfaces.get(captured.interface);
    if (index === undefined) {
      index = this.#interfaces.size;
      this.#interfaces.set(captured.interface, index);
      blocks.push(interfaceBlock(captured.interface));
    }
    const body = words(
      [4, index],
      [4, Number(captured.timeNs >> 32n)],
      [4, Number(captured.timeNs & 0xffffffffn)],
      [4, captured.frame.length],
      [4, captured.frameBytes],
    );
    const comment = new TextEncoder().encode(captured.comment).subarray(0, MAX_COMMENT_BYTES);
    const options = [option(OPTION_COMMENT, comment), END_OF_OPTIONS];
    blocks.push(block(ENHANCED_PACKET, [body, captured.frame, ...options]));
    return blocks;
  }
}
