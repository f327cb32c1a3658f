// Random packets through lb's loaded programs (BPF_PROG_RUN) and through the reference model: both
// must agree in verdict, reason, every byte, counters, meters, and in what is remembered.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { FRAGMENT_LIFETIME_NS } from '../../lb/l4/model/find.ts';
import { type Outcome, STEPS, type State } from '../../lb/l4/model/types.ts';
import type { BpfObject } from '../../shared/bpf/types.ts';
import {
  type KernelRun,
  loadLb,
  monotonicNs,
  readState,
  readTotals,
  runKernel,
  type Totals,
  writeState,
} from '../support/lb/l4/kernel.ts';
import { runModel } from '../support/lb/l4/model.ts';
import { mutatedFrame, type RandomFrame, randomFrame, stateFor } from '../support/lb/l4/random.ts';
import { LINK_OF, type LinkName, siteTable } from '../support/lb/l4/site.ts';
import { expectedTotals } from '../support/lb/l4/totals.ts';
import { buildLinks } from '../support/natter-kernel.ts';
import { describeDifference, describeFrame } from '../support/packet.ts';
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

/** BPF_PROG_RUN takes no IPv4 frame without a whole header (EINVAL). */
const isRunnable = (frame: Uint8Array): boolean =>
  frame.length >= 34 || frame[12] !== 0x08 || frame[13] !== 0x00;

describe('random packets: kernel and model agree', () => {
  it('on packets that are right', (context) => {
    ready(context);
    expectAgreementOn(randomFrame, 20263);
  });

  it('on spoilt packets', (context) => {
    ready(context);
    expectAgreementOn(mutatedFrame, 20264);
  });

  it('on every way out but the one that must not be', (context) => {
    ready(context);
    const seen = new Set<string>();
    for (const random of fc.sample(randomFrame, { numRuns: 20_000, seed: 20263 })) {
      const { reason } = runModel({ ...random, state: stateFor(random, 1e13), nowNs: 1e13 });
      if (reason !== undefined) seen.add(reason);
    }
    expect([...seen].sort()).toEqual(reached.sort());
  });
});

function expectAgreementOn(frames: fc.Arbitrary<RandomFrame>, seed: number): void {
  totals = readTotals(object, siteTable);
  fc.assert(fc.property(frames, expectAgreement), { numRuns: 20_000, seed });
  expect(readTotals(object, siteTable)).toEqual(totals);
}

/** By plain frames for this machine; the others stand in the packet table. */
const reached = [
  'PASS_NOT_SERVER',
  'PASS_MARTIAN',
  'IN_REDIRECTED',
  'IN_TO_STACK',
  'DSR_REDIRECTED',
  'DSR_TO_NEIGHBOUR',
  'OUT_REDIRECTED',
  'OUT_TO_STACK',
  'OUT_AT_EGRESS',
  'DROP_MALFORMED',
  'DROP_NO_TARGET',
  'DROP_NO_ROUTE',
  'DROP_TTL_EXPIRED',
  'DROP_FRAGMENT_UNKNOWN',
  'DROP_ICMP_REDIRECT',
  'DROP_ERROR_MISMATCH',
];

/** What counters and meters must show; compared at the end, when all packets are through. */
let totals: Totals = {};

/** A machine that stood still meanwhile: who was known is not any more. */
const STOOD_STILL_NS = 5e8;

function expectAgreement(random: RandomFrame): void {
  const { program: name, frame } = random;
  fc.pre(isRunnable(frame));
  const nowNs = monotonicNs();
  const state = stateFor(random, nowNs);
  writeState(object, state);
  const model = runModel({ program: name, frame, state, nowNs }, ifindex);
  const run = runKernel(object, { program: name, frame, ifindex: ifindex[LINK_OF[name]] });
  if (monotonicNs() - nowNs > STOOD_STILL_NS) {
    totals = readTotals(object, siteTable);
    fc.pre(false);
  }
  const seen = comparable(run);
  const wanted = comparable(model);
  if (JSON.stringify(seen) !== JSON.stringify(wanted)) {
    const difference = describeDifference(run.frame, model.frame);
    expect(seen, `in:\n${describeFrame(frame)}\n${difference}`).toEqual(wanted);
  }
  expect(since(readState(object), nowNs)).toEqual(since(model.state, nowNs));
  totals = expectedTotals(totals, model, frame);
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** At egress a packet that is left alone says nothing more. */
function comparable(of: Outcome | KernelRun): Record<string, unknown> {
  const { reason, verdict } = of;
  const frame = hex(of.frame);
  if (reason === undefined) return { reason, verdict, frame };
  const { serverSlot, targetSlot, hash } = of;
  const taken = new Set<string>(of.steps);
  const steps = STEPS.filter((step) => taken.has(step) && step !== 'REFRESH_NEIGHBOUR');
  return { reason, verdict, frame, serverSlot, targetSlot, hash, steps };
}

/** Times as they are, those that mean "now" as 0: the kernel's clock ticks. */
function since({ connections, fragments, gate }: State, nowNs: number): unknown {
  const orNow = (ns: number): number => {
    const rest = (ns - nowNs) / 1e9;
    return Math.abs(rest) < 0.05 || (rest > 0 && rest < STOOD_STILL_NS / 1e9) ? 0 : ns;
  };
  const expiry = (ns: number): number => (orNow(ns - FRAGMENT_LIFETIME_NS) === 0 ? 0 : ns);
  return {
    connections: [...connections].map(([key, value]) => [
      key,
      { ...value, seenNs: orNow(value.seenNs) },
    ]),
    fragments: [...fragments]
      .map(([key, value]) => [key, { ...value, expiresNs: expiry(value.expiresNs) }] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
    gate: { ...gate, sinceNs: orNow(gate.sinceNs) },
  };
}
