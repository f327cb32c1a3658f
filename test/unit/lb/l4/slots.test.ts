// Numbers stay with their owners, and come to others late and with a new generation.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Slots } from '../../../../lb/l4/slots.ts';

const same = (key: string) => key;
const assign = (slots: Slots, ...keys: string[]) => slots.assign(new Set(keys), same);

describe('slots', () => {
  test('stay as others come and go', () => {
    const slots = new Slots(1, 10);
    expect(assign(slots, 'a', 'b', 'c')).toEqual([1, 2, 3]);
    expect(assign(slots, 'c', 'd')).toEqual([4]);
    expect([slots.of('c').slot, slots.of('d').slot]).toEqual([3, 4]);
    expect(() => slots.of('a')).toThrow('a has no slot');
  });

  test('wait for their owner, generation and all', () => {
    const slots = new Slots(1, 10);
    assign(slots, 'a', 'b');
    const before = slots.of('a');
    assign(slots, 'b');
    expect(assign(slots, 'a', 'b')).toEqual([]);
    expect(slots.of('a')).toEqual(before);
  });

  test('go to another when none is unused, the longest left first, as a new generation', () => {
    const slots = new Slots(1, 4);
    assign(slots, 'a', 'b');
    assign(slots, 'b');
    assign(slots);
    expect(assign(slots, 'c')).toEqual([3]);
    const { generation } = slots.of('c');
    expect(assign(slots, 'c', 'd')).toEqual([1]);
    expect(slots.of('d')).toEqual({ slot: 1, generation: generation + 1 });
    assign(slots, 'c', 'd', 'b');
    expect(slots.of('b')).toEqual({ slot: 2, generation });
    expect(() => assign(slots, 'c', 'd', 'b', 'a')).toThrow('capacity was not checked');
  });

  test('of an earlier run are found by what is known of the owner', () => {
    const recovered = [
      { slot: 2, generation: 7, alias: 'x' },
      { slot: 3, generation: 5, alias: 'x' },
      { slot: 1, generation: 9, alias: 'y' },
      { slot: 99, generation: 1, alias: 'z' },
    ];
    const slots = new Slots(1, 5, recovered);
    const fresh = slots.assign(new Set(['p x', 'q x', 'r x', 'p z']), (key) => key.slice(2));
    expect(slots.of('p x')).toEqual({ slot: 2, generation: 7 });
    expect(slots.of('q x')).toEqual({ slot: 3, generation: 5 });
    expect(fresh).toEqual([4, 1]);
    expect(slots.of('p z')).toEqual({ slot: 1, generation: 10 });
  });

  test('are each of one owner, and never seen twice with one generation', () => {
    const anyKeys = fc.uniqueArray(fc.constantFrom(...'abcdefgh'), { maxLength: 5 });
    fc.assert(
      fc.property(fc.array(anyKeys, { maxLength: 30 }), (rounds) => {
        const slots = new Slots(1, 8);
        const owners = new Map<string, string>();
        for (const keys of rounds) {
          assign(slots, ...keys);
          const numbers = keys.map((key) => slots.of(key));
          expect(new Set(numbers.map(({ slot }) => slot)).size).toBe(keys.length);
          for (const [index, { slot, generation }] of numbers.entries()) {
            const name = `${slot} ${generation}`;
            const key = keys[index] ?? '';
            expect(owners.get(name) ?? key).toBe(key);
            owners.set(name, key);
          }
        }
      }),
    );
  });
});
