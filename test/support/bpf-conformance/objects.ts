// Objects as a whole, and what they leave pinned.
import { expect, test } from 'vitest';
import { type Fixture, frame, u32, u64 } from './fixture.ts';

export function objectCases({ failure, load, mapOf, programOf }: Fixture): void {
  test('has its maps, as declared', () => {
    const shapes = [...load().maps.values()].map(
      ({ name, type, keySize, valueSize, maxEntries, flags }) =>
        [name, type, keySize, valueSize, maxEntries, flags] as const,
    );
    expect(shapes.toSorted()).toEqual([
      ['array', 'array', 4, 8, 8, 0],
      ['events', 'ringbuf', 0, 0, 4096, 0],
      ['hash', 'hash', 4, 48, 64, 0],
      ['lpm', 'lpm_trie', 8, 4, 32, 1],
      ['lru', 'lru_hash', 4, 4, 256, 0],
      ['mapped', 'array', 4, 12, 8, 1024],
      ['outer', 'array_of_maps', 4, 4, 3, 0],
      ['percpu_array', 'percpu_array', 4, 16, 4, 0],
      ['percpu_hash', 'percpu_hash', 4, 8, 16, 0],
    ]);
  });

  test('has its programs', () => {
    const kinds = [...load().programs.values()].map(({ name, kind }) => [name, kind]);
    expect(kinds.toSorted()).toEqual([
      ['bounce', 'xdp'],
      ['look_inside', 'tc'],
      ['mirror', 'tc'],
      ['observe', 'tc'],
    ]);
    const ids = [...load().programs.values()].map(({ id }) => id);
    expect(new Set(ids).size).toBe(4);
  });

  test('takes constants before it is loaded', () => {
    const object = load({ constants: { verdict: 2, small: 500 } });
    const result = programOf('observe', object).testRun({ frame, cb: [0, 0, 0, 1] });
    expect(result.verdict).toBe(2);
    expect(result.cb[3]).toBe(501);
  });

  test('refuses names that it does not have', () => {
    expect(() => load({ constants: { verdikt: 2 } })).toThrow(/no constant verdikt.*verdict/);
    expect(() => load({ maxEntries: { hsah: 2 } })).toThrow(/no map hsah/);
    expect(() => load({ pinned: ['hsah'] })).toThrow(/no map hsah/);
    expect(() => load({ objectPath: '/nowhere.bpf.o' })).toThrow(failure('EDGE_BPF_OBJECT'));
  });

  test('can be given other sizes', () => {
    expect(mapOf('hash', load({ maxEntries: { hash: 3 } })).maxEntries).toBe(3);
  });

  test('can be closed twice; its maps fail then', () => {
    const object = load();
    object.close();
    object.close();
    const closed = failure('EDGE_BPF_MAP', { errno: 'EBADF' });
    for (const name of ['hash', 'array', 'lpm']) {
      const map = mapOf(name, object);
      expect(() => map.lookup(new Uint8Array(map.keySize))).toThrow(closed);
      expect(() => [...map.batches()]).toThrow(closed);
    }
  });
}

export function pinCases({ failure, load, mapOf, setup }: Fixture): void {
  test('are found again, with what they hold', () => {
    const first = load({ pinDirectory: setup().pinDirectory, maxEntries: { lru: 512 } });
    mapOf('lru', first).update(u32(1), u32(42));
    mapOf('mapped', first).update(u32(3), u32(7, 8, 9));
    first.close();
    const again = load(
      { pinDirectory: setup().pinDirectory, maxEntries: { lru: 512 } },
      setup().restart(),
    );
    expect(mapOf('lru', again).lookup(u32(1))).toEqual(u32(42));
    expect(mapOf('mapped', again).view()?.slice(48, 60)).toEqual(u32(7, 8, 9));
    expect(mapOf('lru').lookup(u32(1))).toBeUndefined();
  });

  test('of another shape are refused, and nothing is touched', () => {
    const { pinDirectory } = setup();
    const first = load({ pinDirectory });
    mapOf('lru', first).update(u32(1), u32(42));
    const refused = () => load({ pinDirectory, maxEntries: { hash: 65 } }, setup().restart());
    expect(refused).toThrow(failure('EDGE_BPF_PIN_MISMATCH'));
    expect(refused).toThrow(/map hash is pinned as .*64 entries.*65 entries/);
    expect(mapOf('lru', load({ pinDirectory }, setup().restart())).lookup(u32(1))).toBeDefined();
  });

  test('can be chosen', () => {
    const options = { pinDirectory: setup().pinDirectory, pinned: ['array'] };
    const first = load(options);
    mapOf('array', first).update(u32(0), u64(5));
    mapOf('lru', first).update(u32(0), u32(5));
    const again = load(options, setup().restart());
    expect(mapOf('array', again).lookup(u32(0))).toEqual(u64(5));
    expect(mapOf('lru', again).lookup(u32(0))).toBeUndefined();
  });
}

export function pinDirectoryCases({ failure, load, mapOf, setup }: Fixture): void {
  test('can be opened by their path, by others, and live on when closed', () => {
    const { pinDirectory, bpf } = setup();
    const first = load({ pinDirectory });
    mapOf('mapped', first).update(u32(3), u32(7, 8, 9));
    const opened = setup().restart().openPinned(`${pinDirectory}/mapped`);
    expect(opened).toMatchObject({ name: 'mapped', type: 'array', valueSize: 12, maxEntries: 8 });
    expect(opened?.lookup(u32(3))).toEqual(u32(7, 8, 9));
    opened?.view()?.set(u32(5), 48);
    opened?.close();
    expect(() => opened?.lookup(u32(3))).toThrow(failure('EDGE_BPF_MAP', { errno: 'EBADF' }));
    expect(mapOf('mapped', first).lookup(u32(3))).toEqual(u32(5, 8, 9));
    expect(bpf.openPinned(`${pinDirectory}/nothing`)).toBeUndefined();
  });

  test('can be moved aside while they are in use, and removed', () => {
    const { pinDirectory, bpf } = setup();
    const aside = `${pinDirectory}-aside`;
    const first = load({ pinDirectory });
    mapOf('lru', first).update(u32(1), u32(42));
    expect(bpf.movePins(`${pinDirectory}-none`, aside)).toBe(false);
    expect(bpf.movePins(pinDirectory, aside)).toBe(true);
    expect(bpf.openPinned(`${pinDirectory}/lru`)).toBeUndefined();
    const opened = bpf.openPinned(`${aside}/lru`);
    expect(opened?.lookup(u32(1))).toEqual(u32(42));
    opened?.close();
    const second = load({ pinDirectory, maxEntries: { hash: 65 } });
    expect(mapOf('lru', second).lookup(u32(1))).toBeUndefined();
    expect(bpf.movePins(pinDirectory, aside)).toBe(false);
    bpf.removePins(aside);
    bpf.removePins(aside);
    expect(bpf.openPinned(`${aside}/lru`)).toBeUndefined();
    expect(mapOf('lru', first).lookup(u32(1))).toEqual(u32(42));
    expect(bpf.movePins(pinDirectory, aside)).toBe(true);
    bpf.removePins(aside);
  });
}
