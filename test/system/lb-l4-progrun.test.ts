// lb's loaded L4 programs, packet by packet through BPF_PROG_RUN, against the packet table:
// verdict, reason, every byte of the frame, counters, meters, and what is remembered.
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import type { BpfObject } from '../../shared/bpf/types.ts';
import { describeCase, type LbCase, lbCases, placesOf, stateOf } from '../support/lb/l4/cases.ts';
import {
  type KernelInput,
  loadLb,
  monotonicNs,
  readState,
  readTotals,
  runKernel,
  writeState,
} from '../support/lb/l4/kernel.ts';
import { type LinkName, siteTable } from '../support/lb/l4/site.ts';
import { expectedTotals } from '../support/lb/l4/totals.ts';
import { buildLinks } from '../support/natter-kernel.ts';
import { describeDifference } from '../support/packet.ts';
import { needs, program, root } from '../support/skip.ts';

let ifindex: Record<LinkName, number>;
let object: BpfObject;

beforeAll(() => {
  if (!root().met) return;
  ifindex = buildLinks();
  object = loadLb(siteTable);
});
afterAll(() => {
  if (root().met) object.close();
});

const ready = (context: TestContext): void => needs(context, root(), program('ip'));

/** BPF_PROG_RUN takes no IPv4 frame without a whole header (EINVAL): those rows are the model's. */
const isRunnable = ({ frame }: LbCase): boolean =>
  frame.length >= 34 || frame[12] !== 0x08 || frame[13] !== 0x00;
const rows = lbCases.filter(isRunnable);

const inputOf = ({ program: name, frame, link, segments }: LbCase): KernelInput => ({
  program: name,
  frame,
  ifindex: ifindex[link],
  ...(segments && { segments }),
});

describe('the packet table in the kernel', () => {
  it.for(rows)('$what ($program)', (row, context) => {
    ready(context);
    writeState(object, stateOf(row, monotonicNs()));
    const before = readTotals(object, siteTable);
    const run = runKernel(object, inputOf(row));
    const difference = `${describeCase(row)}\n${describeDifference(run.frame, row.out)}`;
    expect({ reason: run.reason, verdict: run.verdict }, difference).toEqual({
      reason: row.reason,
      verdict: row.verdict,
    });
    expect(Buffer.compare(run.frame, row.out), difference).toBe(0);
    expect(run.steps).toEqual(expect.arrayContaining(row.steps));
    expect(placesOf(readState(object))).toEqual({ flows: row.flows, datagrams: row.datagrams });
    const wanted = expectedTotals(before, countedOf(row), row.frame, row.segments?.count);
    expect(readTotals(object, siteTable)).toEqual(wanted);
  });

  it.for(rows)('a dry run leaves no trace: $what ($program)', (row, context) => {
    if (row.program === 'lb_egress') return; // no ingress link means "made by the host" there
    ready(context);
    const state = stateOf(row, monotonicNs());
    writeState(object, state);
    const before = readTotals(object, siteTable);
    const run = runKernel(object, { ...inputOf(row), dryRun: true });
    expect(readTotals(object, siteTable)).toEqual(before);
    expect(readState(object)).toEqual(state);
    expect(run.reason).toBe(row.reason);
    expect(Buffer.compare(run.frame, row.out), describeDifference(run.frame, row.out)).toBe(0);
  });
});

/** What the row says, in the model's words. */
function countedOf({ reason, server, target, opens, program: name, frame, segments }: LbCase) {
  if (server === 0) return { reason, metered: undefined };
  const packets = segments?.count ?? 1;
  const isOut = reason?.startsWith('OUT_') ?? false;
  const metered = {
    serverSlot: server,
    targetSlot: target,
    direction: isOut || name === 'lb_egress' ? ('out' as const) : ('in' as const),
    packets,
    bytes: frame.length + (packets - 1) * 54, // plain TCP
    connections: opens,
  };
  return { reason, metered };
}
