// What each type of map does.
import { expect, test } from 'vitest';
import { contents, type Fixture, frame, keyOf, prefix, u32, u64 } from './fixture.ts';

export function hashCases({ failure, load, mapOf }: Fixture): void {
  const value = new Uint8Array(48).fill(7);

  test('keeps, replaces and forgets', () => {
    const hash = mapOf('hash');
    expect(hash.lookup(u32(1))).toBeUndefined();
    hash.update(u32(1), new Uint8Array(48));
    hash.update(u32(1), value);
    expect(hash.lookup(u32(1))).toEqual(value);
    expect(hash.delete(u32(1))).toBe(true);
    expect(hash.delete(u32(1))).toBe(false);
    expect(hash.lookup(u32(1))).toBeUndefined();
  });

  test('asks for presence or absence', () => {
    const hash = mapOf('hash');
    expect(() => hash.update(u32(1), value, 'exist')).toThrow(
      failure('EDGE_BPF_MAP', { errno: 'ENOENT' }),
    );
    hash.update(u32(1), value, 'noexist');
    expect(() => hash.update(u32(1), value, 'noexist')).toThrow(
      failure('EDGE_BPF_EXISTS', { errno: 'EEXIST' }),
    );
    hash.update(u32(1), value, 'exist');
  });

  test('that is full says so, and how far a batch came', () => {
    const hash = mapOf('hash', load({ maxEntries: { hash: 4 } }));
    hash.update(u32(100), value);
    const keys = u32(0, 1, 2, 3, 4);
    const full = failure('EDGE_BPF_MAP_FULL', { errno: 'E2BIG', done: 3 });
    expect(() => hash.updateBatch(keys, new Uint8Array(48 * 5), 5)).toThrow(full);
    expect(hash.lookup(u32(2))).toBeDefined();
    expect(hash.lookup(u32(3))).toBeUndefined();
    hash.update(u32(100), value);
  });

  test('deletes in batches, present or not', () => {
    const hash = mapOf('hash');
    hash.updateBatch(u32(1, 2, 3, 4), new Uint8Array(48 * 4), 4);
    hash.deleteBatch(u32(9, 1, 8, 2, 3, 7), 6);
    expect(contents(hash)).toEqual(new Map([[keyOf(u32(4)), new Uint8Array(48)]]));
    hash.deleteBatch(new Uint8Array(0), 0);
  });

  test('refuses keys and values of another length', () => {
    const hash = mapOf('hash');
    expect(() => hash.lookup(new Uint8Array(3))).toThrow(RangeError);
    expect(() => hash.update(u32(1), new Uint8Array(47))).toThrow(RangeError);
    expect(() => hash.updateBatch(u32(1), new Uint8Array(96), 2)).toThrow(RangeError);
    expect(() => hash.deleteBatch(u32(1), 2)).toThrow(RangeError);
  });
}

export function arrayCases({ failure, load, mapOf, programOf }: Fixture): void {
  test('has all its entries from the start', () => {
    const array = mapOf('array');
    expect(array.lookup(u32(7))).toEqual(u64(0));
    expect(array.lookup(u32(8))).toBeUndefined();
    array.update(u32(7), u64(9));
    expect(array.lookup(u32(7))).toEqual(u64(9));
  });

  test('has no entries to add or take away', () => {
    const array = mapOf('array');
    expect(() => array.update(u32(8), u64(1))).toThrow(failure('EDGE_BPF_MAP', { errno: 'E2BIG' }));
    expect(() => array.update(u32(0), u64(1), 'noexist')).toThrow(failure('EDGE_BPF_EXISTS'));
    expect(() => array.delete(u32(0))).toThrow(failure('EDGE_BPF_MAP', { errno: 'EINVAL' }));
  });

  test('shows its memory, if it can be mapped', () => {
    const object = load();
    const mapped = mapOf('mapped', object);
    const view = mapped.view();
    mapped.update(u32(2), u32(4, 5, 6));
    expect(view?.length).toBe(8 * 16);
    expect(view?.slice(32, 44)).toEqual(u32(4, 5, 6));
    programOf('observe', object).testRun({ frame, repeat: 3 });
    expect(view?.slice(0, 12)).toEqual(u32(3, 0, 0));
    expect(mapped.view()).toBe(view);
    expect(mapOf('array', object).view()).toBeUndefined();
    expect(mapOf('hash', object).view()).toBeUndefined();
  });
}

export function perCpuCases({ mapOf }: Fixture): void {
  for (const name of ['percpu_array', 'percpu_hash']) {
    test(`${name} has a cell for each CPU`, () => {
      const map = mapOf(name);
      expect(map.cells).toBeGreaterThan(0);
      const words = (map.valueSize / 4) * map.cells;
      const value = u32(...Array.from({ length: words }, (_, index) => index + 1));
      // Of 12 bytes the kernel keeps 12; the rounding up is filled with zeroes.
      if (name === 'percpu_array') {
        for (let cell = 0; cell < map.cells; cell++) value.fill(0, cell * 16 + 12, cell * 16 + 16);
      }
      map.update(u32(1), value);
      expect(map.lookup(u32(1))).toEqual(value);
      expect(() => map.update(u32(1), value.subarray(1))).toThrow(RangeError);
    });
  }
}

export function lruCases({ mapOf }: Fixture): void {
  test('makes room for what is new', () => {
    const lru = mapOf('lru');
    for (let index = 0; index < 2000; index++) lru.update(u32(index), u32(index));
    expect(lru.lookup(u32(1999))).toEqual(u32(1999));
    expect(contents(lru).size).toBeLessThanOrEqual(256);
  });
}

export function prefixCases({ failure, load, mapOf }: Fixture): void {
  test('answers with the longest prefix', () => {
    const lpm = mapOf('lpm');
    lpm.update(prefix(0, 0, 0, 0, 0), u32(1));
    lpm.update(prefix(8, 10, 0, 0, 0), u32(2));
    lpm.update(prefix(23, 10, 1, 2, 0), u32(3));
    lpm.update(prefix(32, 10, 1, 2, 3), u32(4));
    expect(lpm.lookup(prefix(32, 192, 0, 2, 1))).toEqual(u32(1));
    expect(lpm.lookup(prefix(32, 10, 255, 0, 1))).toEqual(u32(2));
    expect(lpm.lookup(prefix(32, 10, 1, 3, 255))).toEqual(u32(3));
    expect(lpm.lookup(prefix(32, 10, 1, 2, 3))).toEqual(u32(4));
    // A shorter question is answered by a prefix that is no longer than itself.
    expect(lpm.lookup(prefix(16, 10, 1, 0, 0))).toEqual(u32(2));
    expect(lpm.delete(prefix(8, 10, 0, 0, 0))).toBe(true);
    expect(lpm.delete(prefix(9, 10, 0, 0, 0))).toBe(false);
    expect(lpm.lookup(prefix(32, 10, 255, 0, 1))).toEqual(u32(1));
  });

  test('knows a prefix again, whatever follows it', () => {
    const lpm = mapOf('lpm');
    lpm.update(prefix(8, 10, 0, 0, 0), u32(1));
    lpm.update(prefix(8, 10, 9, 9, 9), u32(2));
    expect(contents(lpm).size).toBe(1);
    expect(lpm.delete(prefix(8, 10, 8, 8, 8))).toBe(true);
  });

  test('refuses what is too long or too much', () => {
    const lpm = mapOf('lpm', load({ maxEntries: { lpm: 2 } }));
    expect(() => lpm.update(prefix(33, 1, 2, 3, 4), u32(1))).toThrow(
      failure('EDGE_BPF_MAP', { errno: 'EINVAL' }),
    );
    const keys = Uint8Array.of(...prefix(8, 1), 0, 0, 0, ...prefix(8, 2), 0, 0, 0);
    const three = Uint8Array.of(...keys, ...prefix(8, 3), 0, 0, 0);
    expect(() => lpm.updateBatch(three, u32(1, 2, 3), 3)).toThrow(
      failure('EDGE_BPF_MAP_FULL', { errno: 'ENOSPC', done: 2 }),
    );
    lpm.deleteBatch(keys, 2);
    expect(contents(lpm).size).toBe(0);
  });
}

export function walkCases({ mapOf }: Fixture): void {
  for (const [name, size] of [
    ['hash', 64],
    ['array', 8],
    ['mapped', 8],
    ['percpu_array', 4],
    ['percpu_hash', 16],
    ['lpm', 32],
  ] as const) {
    test.for([1, 3, 4096])(`of ${name} sees every entry once, by %i`, (count) => {
      const map = mapOf(name);
      const wanted = new Map<string, Uint8Array>();
      for (let index = 0; index < size; index++) {
        const key = name === 'lpm' ? prefix(32, 10, 0, 0, index) : u32(index);
        const value = new Uint8Array(map.valueSize * map.cells);
        value[0] = index + 1;
        map.update(key, value);
        wanted.set(keyOf(key), value);
      }
      let entries = 0;
      for (const batch of map.batches(count)) entries += batch.count;
      expect(entries).toBe(size);
      expect(contents(map, count)).toEqual(wanted);
    });
  }

  test('of an empty map ends at once', () => {
    expect([...mapOf('hash').batches()]).toEqual([]);
    expect([...mapOf('lpm').batches()]).toEqual([]);
  });
}
