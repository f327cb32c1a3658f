// The programs of ../bpf/conformance.bpf.c once more, for the fake.
import type { FakeProgram } from '../../../shared/bpf/fake.ts';
import { u32 } from './fixture.ts';

export const fakePrograms: Record<string, FakeProgram> = {
  observe(context) {
    const { maps, constants, cb } = context;
    const counted = maps.get('mapped')?.lookup(u32(0)) ?? new Uint8Array(12);
    const view = new DataView(counted.buffer);
    view.setUint32(0, view.getUint32(0, true) + 1, true);
    maps.get('mapped')?.update(u32(0), counted);
    maps.get('events')?.submit(u32(context.frame.length));
    cb[0] = context.ifindex;
    cb[1] = context.ingressIfindex;
    cb[2] = context.gsoSegs;
    cb[3] = (cb[3] ?? 0) + Number(constants.small ?? 3);
    context.mark += 1;
    return Number(constants.verdict ?? 0);
  },
  mirror(context) {
    context.frame.copyWithin(0, 6, 12);
    return -1;
  },
  look_inside({ maps, cb }) {
    const inner = maps.get('outer')?.innerAt(cb[0] ?? 0);
    if (inner === undefined) return 2;
    const value = inner.lookup(u32(cb[1] ?? 0));
    cb[2] = value === undefined ? 0 : new DataView(value.buffer).getUint32(0, true);
    return 0;
  },
  bounce(context) {
    context.frame[0] = 0xee;
    return 3;
  },
};
