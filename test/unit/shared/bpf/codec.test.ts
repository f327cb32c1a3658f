import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { structCodec } from '../../../../shared/bpf/codec.ts';
import { readObjectFile } from '../../../../shared/bpf/object-file.ts';
import { OBJECT } from '../../../support/bpf-conformance/fixture.ts';

interface Shape {
  bytes: number;
  address: number;
  port: number;
  protocol: number;
  zero: number;
  delta: number;
  words: number[];
  colour: number;
  tag: Uint8Array;
  half: number;
}

const { types } = readObjectFile(OBJECT);
const codec = structCodec<Shape>(types, 'shape');

const example: Shape = {
  bytes: 2 ** 40 + 5,
  address: 0xc6336407,
  port: 443,
  protocol: 17,
  zero: 0,
  delta: -2,
  words: [1, 2, 0xffffffff],
  colour: -1,
  tag: Uint8Array.of(1, 2, 3, 4, 5, 6),
  half: 0xabcd,
};

describe('a struct codec', () => {
  test('writes what C reads', () => {
    const hex = Buffer.from(codec.encode(example)).toString('hex');
    const fields = ['0500000000010000', 'c6336407', '01bb', '11', '00', 'feffffff'];
    const rest = ['0100000002000000ffffffff', 'ffffffff', '010203040506', 'cdab', '00000000'];
    expect(hex).toBe([...fields, ...rest].join(''));
  });

  test('reads what it wrote', () => {
    const word = fc.integer({ min: 0, max: 0xffffffff });
    const shape = fc.record({
      bytes: fc.maxSafeNat(),
      address: word,
      port: fc.integer({ min: 0, max: 0xffff }),
      protocol: fc.integer({ min: 0, max: 255 }),
      zero: fc.constant(0),
      delta: fc.integer(),
      words: fc.array(word, { minLength: 3, maxLength: 3 }),
      colour: fc.constantFrom(0, 7, -1),
      tag: fc.uint8Array({ minLength: 6, maxLength: 6 }),
      half: fc.integer({ min: 0, max: 0xffff }),
    });
    const same = (value: Shape) => {
      expect(codec.decode(codec.encode(value))).toEqual(value);
    };
    fc.assert(fc.property(shape, same));
  });

  test('works at an offset, and leaves the neighbours alone', () => {
    const into = new Uint8Array(3 * codec.size).fill(0xee);
    codec.encode(example, into, codec.size);
    expect(codec.decode(into, codec.size)).toEqual(example);
    expect(into[codec.size - 1]).toBe(0xee);
    expect(into[2 * codec.size]).toBe(0xee);
    expect(() => codec.encode(example, into, 2 * codec.size + 1)).toThrow(RangeError);
    expect(() => codec.decode(into, 2 * codec.size + 1)).toThrow(RangeError);
  });

  test('of some fields leaves the others zero and unread', () => {
    const some = structCodec<Pick<Shape, 'port' | 'half'>>(types, 'shape', ['port', 'half']);
    const bytes = some.encode({ port: 1, half: 2 }, new Uint8Array(codec.size).fill(0xff));
    expect(codec.decode(bytes)).toMatchObject({ port: 1, half: 2, bytes: 0, words: [0, 0, 0] });
    expect(some.decode(codec.encode(example))).toEqual({ port: 443, half: 0xabcd });
  });

  test('refuses fields and sizes that do not fit', () => {
    expect(() => structCodec<{ prot: number }>(types, 'shape', ['prot'])).toThrow(/no field prot/);
    expect(() => codec.encode({ ...example, tag: new Uint8Array(7) })).toThrow(RangeError);
    expect(() => codec.encode({ ...example, words: [1, 2, 3, 4] })).toThrow(RangeError);
  });
});
