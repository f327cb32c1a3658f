// Maps that are built aside and put into another in one write.
import { expect, test } from 'vitest';
import type { BpfObject, BpfProgram } from '../../../shared/bpf/types.ts';
import { contents, type Fixture, frame, keyOf, u32 } from './fixture.ts';

export function nestedCases({ failure, load, mapOf, programOf, setup }: Fixture): void {
  const look = (program: BpfProgram, at: number, key: number) => {
    const { verdict, cb } = program.testRun({ frame, cb: [at, key] });
    return verdict === 0 ? cb[2] : undefined;
  };

  /** An inner map full of one number, put in; its number. */
  function put(object: BpfObject, at: number, fill: number): number {
    const inner = object.createInner('outer');
    inner.updateBatch(u32(0, 1, 2, 3, 4), u32(fill, fill, fill, fill, fill), 5);
    mapOf('outer', object).update(u32(at), u32(inner.fd));
    const { id } = inner;
    inner.close();
    return id;
  }

  test('is empty at first, and shows what is put in, whole', () => {
    const object = load();
    const outer = mapOf('outer', object);
    const program = programOf('look_inside', object);
    expect(look(program, 1, 0)).toBeUndefined();
    expect(outer.lookup(u32(1))).toBeUndefined();
    const id = put(object, 1, 7);
    expect(outer.lookup(u32(1))).toEqual(u32(id));
    expect([look(program, 1, 0), look(program, 1, 4)]).toEqual([7, 7]);
    expect([look(program, 1, 5), look(program, 0, 0)]).toEqual([0, undefined]);
    const next = put(object, 1, 8);
    expect(next).not.toBe(id);
    expect([look(program, 1, 0), look(program, 1, 4)]).toEqual([8, 8]);
  });

  test('takes several in one batch, and lets go of them', () => {
    const object = load();
    const outer = mapOf('outer', object);
    const inners = [object.createInner('outer'), object.createInner('outer')];
    const [fds, ids] = [inners.map(({ fd }) => fd), inners.map(({ id }) => id)];
    outer.updateBatch(u32(0, 2), u32(...fds), 2);
    for (const inner of inners) inner.close();
    const [first = 0, second = 0] = ids;
    const all = [0, 2].map((at, index) => [keyOf(u32(at)), u32([first, second][index] ?? 0)]);
    expect(contents(outer)).toEqual(new Map(all as [string, Uint8Array][]));
    expect(outer.delete(u32(0))).toBe(true);
    expect(outer.delete(u32(0))).toBe(false);
    expect(contents(outer).size).toBe(1);
  });

  test('that is pinned keeps what is in it', () => {
    const { pinDirectory } = setup();
    const first = load({ pinDirectory });
    const id = put(first, 2, 9);
    first.close();
    const second = load({ pinDirectory }, setup().restart());
    expect(mapOf('outer', second).lookup(u32(2))).toEqual(u32(id));
    expect(look(programOf('look_inside', second), 2, 3)).toBe(9);
  });

  test('refuses what does not fit', () => {
    const object = load();
    const outer = mapOf('outer', object);
    const inner = object.createInner('outer');
    const refused = (errno: string) => failure('EDGE_BPF_MAP', { errno });
    expect(() => outer.update(u32(3), u32(inner.fd))).toThrow(refused('E2BIG'));
    expect(() => outer.update(u32(0), u32(inner.fd), 'exist')).toThrow(refused('EINVAL'));
    inner.close();
    expect(() => outer.update(u32(0), u32(1_000_000))).toThrow(refused('EBADF'));
    expect(() => object.createInner('hash')).toThrow(failure('EDGE_BPF_OBJECT'));
  });
}
