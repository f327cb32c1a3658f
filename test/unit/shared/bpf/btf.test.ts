import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { BtfTable } from '../../../../shared/bpf/btf.ts';
import { readElf } from '../../../../shared/bpf/elf.ts';
import { readObjectFile, setConstants } from '../../../../shared/bpf/object-file.ts';
import { OBJECT } from '../../../support/bpf-conformance/fixture.ts';

const NATTER = join(import.meta.dirname, '../../../../natter/bpf/natter.bpf.o');

describe('the layout of a struct', () => {
  const { types } = readObjectFile(OBJECT);

  test('is what the compiler made of it', () => {
    const { size, fields } = types.struct('shape');
    expect(size).toBe(48);
    expect(fields.map(({ name, offset, size: bytes }) => [name, offset, bytes])).toEqual([
      ['bytes', 0, 8],
      ['address', 8, 4],
      ['port', 12, 2],
      ['protocol', 14, 1],
      ['zero', 15, 1],
      ['delta', 16, 4],
      ['words', 20, 12],
      ['colour', 32, 4],
      ['tag', 36, 6],
      ['half', 42, 2],
    ]);
  });

  test('tells byte order and sign', () => {
    const byName = new Map(types.struct('shape').fields.map((field) => [field.name, field.type]));
    const integer = { kind: 'integer', signed: false, byteOrder: 'host' };
    expect(byName.get('bytes')).toMatchObject(integer);
    expect(byName.get('address')).toMatchObject({ ...integer, byteOrder: 'network' });
    expect(byName.get('port')).toMatchObject({ ...integer, byteOrder: 'network' });
    expect(byName.get('delta')).toMatchObject({ ...integer, signed: true });
    expect(byName.get('words')).toMatchObject({ kind: 'array', length: 3, element: integer });
  });

  test('of the natter agrees with its header', () => {
    const natter = readObjectFile(NATTER).types;
    const offsets = (name: string) => {
      const { size, fields } = natter.struct(name);
      return [size, ...fields.map((field) => `${field.name}@${field.offset}`)];
    };
    expect(offsets('mapping')).toEqual([8, 'address@0', 'slot_flags@4']);
    expect(offsets('forward_key')).toEqual([
      12,
      'prefix_bits@0',
      'address@4',
      'protocol@8',
      'zero@9',
      'port@10',
    ]);
    expect(offsets('meter')).toEqual([
      32,
      'in_packets@0',
      'in_bytes@8',
      'out_packets@16',
      'out_bytes@24',
    ]);
  });

  test('is asked for by a name that exists', () => {
    expect(() => types.struct('shapes')).toThrow(/no shapes/);
    expect(() => types.struct('colour')).toThrow(/no colour/);
    expect(types.structNames).toContain('shape');
  });
});

test('the values of an enum', () => {
  const { types } = readObjectFile(OBJECT);
  expect(types.enum('colour')).toEqual({ RED: 0, GREEN: 7, BLUE: -1 });
  expect(() => types.enum('color')).toThrow(/no color/);
});

describe('constants', () => {
  const { constants, rodata } = readObjectFile(OBJECT);

  test('are found in .rodata', () => {
    const sizes = constants.map(({ name, size }) => [name, size]);
    expect(sizes.toSorted()).toEqual([
      ['small', 2],
      ['verdict', 4],
    ]);
    const small = constants.find((one) => one.name === 'small');
    expect(rodata[small?.offset ?? -1]).toBe(3);
  });

  test('are set in a copy, modulo their size', () => {
    const set = setConstants(rodata, constants, { verdict: -1, small: 0x12345n });
    const at = (name: string) => constants.find((one) => one.name === name)?.offset ?? -1;
    const view = new DataView(set.buffer);
    expect(view.getUint32(at('verdict'), true)).toBe(0xffffffff);
    expect(view.getUint16(at('small'), true)).toBe(0x2345);
    expect(rodata[at('small')]).toBe(3);
  });
});

describe('what is no object', () => {
  const object = readFileSync(OBJECT);

  test('is refused', () => {
    expect(() => readElf(new Uint8Array(0))).toThrow(/not a 64-bit/);
    expect(() => readElf(object.subarray(4))).toThrow(/not a 64-bit/);
    expect(() => new BtfTable(new Uint8Array(24))).toThrow(/no BTF/);
    expect(() => readObjectFile(import.meta.filename)).toThrow(
      expect.objectContaining({ code: 'EDGE_BPF_OBJECT' }),
    );
  });

  test('or is cut short, never crashes the reader with another kind of error', () => {
    for (let length = 64; length < object.length; length += 997) {
      expect(() => readElf(object.subarray(0, length))).toThrow(RangeError);
    }
  });
});
