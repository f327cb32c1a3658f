// The reference model's names against lb.h, by the compiled object's BTF.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MAGLEV_SLOTS } from '../../../../lb/l4/model/hash.ts';
import { REASONS, STEPS } from '../../../../lb/l4/model/types.ts';
import { readObjectFile } from '../../../../shared/bpf/object-file.ts';

const objectPath = join(import.meta.dirname, '../../../../lb/l4/bpf/lb.bpf.o');
const { types } = readObjectFile(objectPath);

describe('lb.h', () => {
  it('has the reasons, in this order', () => {
    expect(Object.keys(types.enum('reason'))).toEqual([...REASONS, 'REASON_COUNT']);
  });

  it('has the steps, in the order of their bits', () => {
    expect(Object.entries(types.enum('explain_step'))).toEqual(
      STEPS.map((step, bit) => [`STEP_${step}`, 2 ** bit]),
    );
  });

  it('has the words of cb[]', () => {
    expect(Object.keys(types.enum('explain_word'))).toEqual([
      'EXPLAIN_REASON',
      'EXPLAIN_STEPS',
      'EXPLAIN_SERVER',
      'EXPLAIN_TARGET',
      'EXPLAIN_HASH',
    ]);
  });

  it('has structures without holes that a key would leak', () => {
    const sizes = ['server_key', 'range_key', 'connection_key', 'fragment_key'].map(
      (name) => types.struct(name).size,
    );
    expect(sizes).toEqual([8, 12, 16, 12]);
    expect(MAGLEV_SLOTS).toBe(2 ** 16 + 1);
  });
});
