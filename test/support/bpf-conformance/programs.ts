// Programs: run, attached, and heard through a ring buffer.
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { needs, tcx as tcxLinks } from '../skip.ts';
import { type Fixture, frame, LOOPBACK, u32 } from './fixture.ts';

export function runCases({ failure, load, mapOf, programOf }: Fixture): void {
  test('tells the program what it is asked to, and returns what it left', () => {
    const run = { frame, ifindex: LOOPBACK, ingressIfindex: LOOPBACK, mark: 41, gsoSegs: 3 };
    const result = programOf('observe').testRun({ ...run, gsoSize: 10, cb: [9, 9, 9, 9, 9] });
    expect(result).toMatchObject({ verdict: 0, mark: 42, cb: [1, 1, 3, 12, 9] });
    expect(result.frame).toEqual(frame);
  });

  test('returns the frame and a signed verdict', () => {
    const result = programOf('mirror').testRun({ frame });
    expect(result.verdict).toBe(-1);
    expect(result.frame).toEqual(Uint8Array.of(...frame.subarray(6, 12), ...frame.subarray(6)));
    expect(frame[0]).toBe(0);
  });

  test('runs XDP programs', () => {
    const result = programOf('bounce').testRun({ frame });
    expect(result.verdict).toBe(3);
    expect(result.frame[0]).toBe(0xee);
    expect(result.cb).toEqual([]);
  });

  test('repeats', () => {
    const object = load();
    programOf('observe', object).testRun({ frame, repeat: 1000 });
    expect(mapOf('mapped', object).lookup(u32(0))).toEqual(u32(1000, 0, 0));
  });

  test('refuses what is no frame', () => {
    const program = programOf('observe');
    const refused = failure('EDGE_BPF_TEST_RUN', { errno: 'EINVAL' });
    expect(() => program.testRun({ frame: frame.subarray(0, 13) })).toThrow(refused);
    expect(() => program.testRun({ frame, cb: [1, 2, 3, 4, 5, 6] })).toThrow(RangeError);
  });
}

const at = { ifindex: LOOPBACK, direction: 'ingress', handle: 1, priority: 7 } as const;

export function linkCases({ load, programOf, setup }: Fixture): void {
  test('a program is attached, replaced and detached', () => {
    const { bpf } = setup();
    expect(bpf.queryTc(at)).toBeUndefined();
    expect(bpf.detachTc(at)).toBe(false);
    const object = load();
    const [first, second] = [programOf('observe', object), programOf('mirror', object)];
    bpf.attachTc(at, first);
    expect(bpf.queryTc(at)).toEqual({ programId: first.id });
    bpf.attachTc(at, second);
    expect(bpf.queryTc(at)).toEqual({ programId: second.id });
    object.close();
    expect(setup().restart().queryTc(at)).toEqual({ programId: second.id });
    expect(bpf.detachTc(at)).toBe(true);
    expect(bpf.detachTc(at)).toBe(false);
    expect(bpf.queryTc(at)).toBeUndefined();
  });

  test('directions and priorities have a program each', () => {
    const { bpf } = setup();
    const object = load();
    const places = [at, { ...at, priority: 8 }, { ...at, direction: 'egress' as const }];
    for (const place of places) bpf.attachTc(place, programOf('observe', object));
    expect(bpf.detachTc(at)).toBe(true);
    expect(places.map((place) => bpf.queryTc(place) !== undefined)).toEqual([false, true, true]);
    for (const place of places) bpf.detachTc(place);
  });

  test('XDP programs are attached and detached', () => {
    expect(setup().bpf.detachXdp(LOOPBACK)).toBe(false);
    setup().bpf.attachXdp(LOOPBACK, programOf('bounce'));
    expect(setup().bpf.detachXdp(LOOPBACK)).toBe(true);
    expect(setup().bpf.detachXdp(LOOPBACK)).toBe(false);
  });
}

export function tcxCases({ load, programOf, setup }: Fixture): void {
  beforeEach((context) => needs(context, tcxLinks()));

  const tcx = (direction: 'ingress' | 'egress') => ({
    ifindex: LOOPBACK,
    direction,
    pin: join(setup().pinDirectory, 'tcx', direction),
  });

  test('a program is attached by a tcx link, replaced and detached', () => {
    const { bpf } = setup();
    expect(bpf.queryTcx(tcx('ingress'))).toBeUndefined();
    expect(bpf.detachTcx(tcx('ingress'))).toBe(false);
    const object = load();
    const [first, second] = [programOf('observe', object), programOf('mirror', object)];
    bpf.attachTcx(tcx('ingress'), first);
    expect(bpf.queryTcx(tcx('ingress'))).toEqual({ programId: first.id });
    bpf.attachTcx(tcx('ingress'), second);
    expect(bpf.queryTcx(tcx('ingress'))).toEqual({ programId: second.id });
    object.close();
    expect(setup().restart().queryTcx(tcx('ingress'))).toEqual({ programId: second.id });
    expect(bpf.detachTcx(tcx('ingress'))).toBe(true);
    expect(bpf.detachTcx(tcx('ingress'))).toBe(false);
    expect(bpf.queryTcx(tcx('ingress'))).toBeUndefined();
  });

  test('a tcx link whose pin is moved is the same, by its new path', () => {
    const { bpf, pinDirectory } = setup();
    const aside = `${pinDirectory}-aside`;
    const program = programOf('observe');
    bpf.attachTcx(tcx('ingress'), program);
    expect(bpf.movePins(pinDirectory, aside)).toBe(true);
    expect(bpf.queryTcx(tcx('ingress'))).toBeUndefined();
    expect(bpf.movePins(join(aside, 'tcx'), join(pinDirectory, 'tcx'))).toBe(true);
    expect(bpf.queryTcx(tcx('ingress'))).toEqual({ programId: program.id });
    expect(bpf.detachTcx(tcx('ingress'))).toBe(true);
    bpf.removePins(aside);
  });

  test('a tcx link stands in its direction only, beside tc filters', () => {
    const { bpf } = setup();
    const object = load();
    bpf.attachTc(at, programOf('observe', object));
    bpf.attachTcx(tcx('ingress'), programOf('observe', object));
    bpf.attachTcx(tcx('egress'), programOf('mirror', object));
    expect(bpf.queryTcx({ ...tcx('ingress'), direction: 'egress' })).toBeUndefined();
    expect(bpf.detachTcx(tcx('ingress'))).toBe(true);
    expect(bpf.queryTc(at)).toBeDefined();
    expect(bpf.queryTcx(tcx('egress'))).toBeDefined();
    expect([bpf.detachTc(at), bpf.detachTcx(tcx('egress'))]).toEqual([true, true]);
  });
}

export function ringCases({ failure, load, mapOf, programOf, setup }: Fixture): void {
  function open(onRecord?: (bytes: Uint8Array) => void) {
    const object = load();
    const seen: Uint8Array[] = [];
    const ring = setup().bpf.ringBuffer(
      mapOf('events', object),
      onRecord ?? ((bytes) => seen.push(bytes)),
    );
    const submit = (bytes: number) =>
      programOf('observe', object).testRun({ frame: new Uint8Array(bytes) });
    return { object, ring, seen, submit };
  }

  test('hands over records in order, once', () => {
    const { ring, seen, submit } = open();
    expect(ring.consume()).toBe(0);
    for (const bytes of [64, 100, 200]) submit(bytes);
    expect(ring.consume()).toBe(3);
    expect(ring.consume()).toBe(0);
    expect(seen).toEqual([u32(64), u32(100), u32(200)]);
    ring.close();
  });

  test('keeps to the limit', () => {
    const { ring, seen, submit } = open();
    for (const bytes of [64, 65, 66]) submit(bytes);
    expect(ring.consume(2)).toBe(2);
    expect(ring.consume(2)).toBe(1);
    expect(seen).toEqual([u32(64), u32(65), u32(66)]);
    ring.close();
  });

  test('loses what there is no room for, and goes on', () => {
    const { object, ring, seen } = open();
    programOf('observe', object).testRun({ frame, repeat: 1000 });
    // 8 bytes of header and 8 of record; the kernel leaves the last place empty.
    expect(ring.consume()).toBeGreaterThan(250);
    expect(seen.length).toBeLessThanOrEqual(256);
    programOf('observe', object).testRun({ frame });
    expect(ring.consume()).toBe(1);
    ring.close();
  });

  test('passes on what its reader throws', () => {
    const { ring, submit } = open(() => {
      throw new Error('reader failed');
    });
    submit(64);
    submit(65);
    expect(() => ring.consume()).toThrow('reader failed');
    expect(() => ring.consume()).toThrow('reader failed');
    expect(ring.consume()).toBe(0);
    ring.close();
    ring.close();
    expect(() => ring.consume()).toThrow(/closed/);
  });

  test('is no other map', () => {
    expect(() => setup().bpf.ringBuffer(mapOf('hash'), () => {})).toThrow(failure('EDGE_BPF_MAP'));
  });
}
