// What TypeScript believes of the kernel's side: names and flags against natter.h, bytes of each
// structure against the compiled object's BTF.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Slot } from '../../../natter/entries.ts';
import { reasonWords } from '../../../natter/explain-words.ts';
import { createLayout } from '../../../natter/layout.ts';
import { REASONS, STEPS } from '../../../natter/mapping.ts';
import { readObjectFile } from '../../../shared/bpf/object-file.ts';

const bpf = join(import.meta.dirname, '../../../natter/bpf');
const header = readFileSync(join(bpf, 'natter.h'), 'utf8');
const { types } = readObjectFile(join(bpf, 'natter.bpf.o'));
const layout = createLayout(types);

/** The value of `#define name`, a number or a shift. */
function defined(name: string): number | undefined {
  const match = new RegExp(`#define ${name} \\(?(\\w+?)u?(?: << (\\d+))?\\)?\\s`).exec(header);
  return match === null ? undefined : Number(match[1]) * 2 ** Number(match[2] ?? 0);
}

describe('natter.h', () => {
  it('has the slot flags that the table writes', () => {
    expect(Slot).toEqual({
      mask: defined('SLOT_MASK'),
      eipForwards: defined('SLOT_EIP_FORWARDS'),
      limitIn: defined('SLOT_LIMIT_IN'),
      limitOut: defined('SLOT_LIMIT_OUT'),
      privateForwarded: defined('SLOT_PRIVATE_FORWARDED'),
      present: defined('SLOT_PRESENT'),
    });
  });

  it('has the reasons, in this order', () => {
    expect(Object.keys(layout.reasons)).toEqual([...REASONS, 'REASON_COUNT']);
    expect(Object.values(layout.reasons)).toEqual([...REASONS.keys(), REASONS.length]);
    expect(Object.keys(reasonWords).sort()).toEqual([...REASONS].sort());
  });

  it('has the steps, in the order of their bits', () => {
    expect(Object.entries(layout.steps)).toEqual(
      STEPS.map((step, bit) => [`STEP_${step}`, 2 ** bit]),
    );
  });

  it('has the words of cb[] that explain reads', () => {
    expect(Object.keys(layout.words)).toEqual([
      'EXPLAIN_REASON',
      'EXPLAIN_STEPS',
      'EXPLAIN_SLOT',
      'EXPLAIN_IFINDEX',
      'EXPLAIN_FIB',
    ]);
  });
});

/** Written by hand from natter.h, for a little-endian host; addresses and ports are big-endian. */
describe('bytes', () => {
  const bytes = (size: number, encode: (into: Uint8Array) => void): string => {
    const into = new Uint8Array(size);
    encode(into);
    return Buffer.from(into).toString('hex');
  };
  const eip = 0xc6336407;

  it('of a mapping', () => {
    const mapping = { address: eip, slotFlags: Slot.eipForwards + 7 };
    expect(bytes(8, (into) => layout.encodeMapping(mapping, into, 0))).toBe('c633640707000080');
  });

  it('of a forward and its key', () => {
    const key = { prefixBits: 60, address: eip, protocol: 17, port: 0x1f40 };
    expect(bytes(12, (into) => layout.encodeForwardKey(key, into, 0))).toBe(
      `3c000000${'c6336407'}11001f40`,
    );
    const forward = { address: 0x0a000005, portOffset: 0x0304, slotFlags: 9 };
    expect(bytes(12, (into) => layout.encodeForward(forward, into, 0))).toBe(
      '0a0000050403000009000000',
    );
  });

  it('of limits', () => {
    const limits = { inBucket: 1, outBucket: 2, inGroupBucket: 3, outGroupBucket: 4 };
    expect(bytes(16, (into) => layout.encodeSlotLimits(limits, into, 0))).toBe(
      '01000000020000000300000004000000',
    );
    const config = { costPerByte: 0x1_0000_0002, burstNs: 5, reserveNs: 6 };
    expect(bytes(24, (into) => layout.encodeBucketConfig(config, into, 0))).toBe(
      '020000000100000005000000000000000600000000000000',
    );
  });

  it('of links and internal prefixes', () => {
    const role = layout.link.encode({ role: 3 });
    expect(Buffer.from(role).toString('hex')).toBe('03000000');
    const key = layout.prefixKey.encode({ prefix_bits: 8, address: 0x0a000000 });
    expect(Buffer.from(key).toString('hex')).toBe('080000000a000000');
  });

  it('of a meter and of a trace filter', () => {
    const meter = Buffer.from(
      `${'01'.padEnd(16, '0')}${'02'.padEnd(16, '0')}${'00'.repeat(16)}`,
      'hex',
    );
    expect(layout.meter.decode(meter)).toEqual({
      in_packets: 1,
      in_bytes: 2,
      out_packets: 0,
      out_bytes: 0,
    });
    const trace = { enabled: 1, address: eip, reason: -1, snap_bytes: 96 };
    expect(Buffer.from(layout.traceConfig.encode(trace)).toString('hex')).toBe(
      '01000000c6336407ffffffff60000000',
    );
  });
});
