// The loaded programs, packet by packet through BPF_PROG_RUN, against the packet table and the
// reference model: verdict, reason, every byte of the frame, counters, meters, remembered
// fragments.
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it, type TestContext } from 'vitest';
import { OBJECT_PATH } from '../../natter/daemon.ts';
import type { Datapath } from '../../natter/datapath.ts';
import { Slot } from '../../natter/entries.ts';
import { type FragmentRecord, STEPS } from '../../natter/mapping.ts';
import { PAGE_ENTRIES } from '../../natter/pages.ts';
import { createBpf } from '../../shared/bpf/kernel.ts';
import { LINK_OF, type LinkName, type NatterCase, natterCases } from '../support/natter-cases.ts';
import {
  buildLinks,
  type KernelRun,
  loadSite,
  monotonicNs,
  readFragments,
  runKernel,
  type SiteOptions,
  setFragments,
  slotFlags,
} from '../support/natter-kernel.ts';
import { leaksInside, leaksOutside } from '../support/natter-leaks.ts';
import { createSiteModel, type SiteModel } from '../support/natter-model.ts';
import { mutatedFrame, type RandomFrame, randomFrame } from '../support/natter-random.ts';
import { describeDifference, describeFrame } from '../support/packet.ts';
import { expectOneMap } from '../support/paged-map-property.ts';
import { needs, program, root } from '../support/skip.ts';

let ifindex: Record<LinkName, number>;
let datapath: Datapath;
let site: SiteModel;

beforeAll(() => {
  if (!root().met) return;
  ifindex = buildLinks();
  site = createSiteModel(ifindex);
});

/** Opens the site for the rest of its describe(). */
function loadBeforeAll(options: SiteOptions): void {
  beforeAll(() => {
    if (root().met) datapath = loadSite(ifindex, options);
  });
  afterAll(() => {
    if (root().met) datapath.close();
  });
}

/** The site has more /24s than two. Each layout meets random packets of its own. */
const layouts: { where: string; options: SiteOptions; seed: number }[] = [
  { where: 'in pages', options: {}, seed: 20261 },
  { where: 'in two pages and the hash', options: { pages: 2 }, seed: 20263 },
  { where: 'in the hash', options: { pages: 0 }, seed: 20265 },
];

const ready = (context: TestContext) => needs(context, root(), program('ip'));

/**
 * BPF_PROG_RUN neither sets tc_index nor takes an IPv4 frame without a whole header (EINVAL):
 * those rows are the model's alone here, and tried where packets really arrive and leave.
 */
const WHOLE_HEADER_BYTES = 34;
const isRunnable = (frame: Uint8Array): boolean =>
  frame.length >= WHOLE_HEADER_BYTES || frame[12] !== 0x08 || frame[13] !== 0x00;
const rows = natterCases.filter(({ translated, frame }) => !translated && isRunnable(frame));

describe.each(layouts)('the packet table in the kernel, mappings $where', ({ options }) => {
  loadBeforeAll(options);

  it.for(rows)('$what ($program)', (row, context) => {
    ready(context);
    setFragments(datapath, row.fragments);
    const before = readTotals();
    const startNs = monotonicNs();
    const run = runKernel(datapath, row, ifindex);
    const difference = describeDifference(run.frame, row.out);
    expect({ reason: run.reason, verdict: run.verdict }, difference).toEqual({
      reason: row.reason,
      verdict: row.verdict,
    });
    expect(Buffer.compare(run.frame, row.out), difference).toBe(0);
    expect(run.steps).toEqual(expect.arrayContaining(row.steps));
    expect(readTotals()).toEqual(expectedTotals(before, row));
    expectFragments(row, startNs);
  });

  it.for(rows)('a dry run leaves no trace: $what ($program)', (row, context) => {
    if (row.program === 'natter_egress') return; // no ingress link means "made by the host" there
    ready(context);
    setFragments(datapath, row.fragments);
    const before = readTotals();
    const known = readFragments(datapath);
    const run = runKernel(datapath, row, ifindex, { dryRun: true });
    expect(readTotals()).toEqual(before);
    expect(readFragments(datapath)).toEqual(known);
    if (row.reason?.includes('LIMIT')) return; // a dry run asks no limit
    expect(run.reason).toBe(row.reason);
    expect(Buffer.compare(run.frame, row.out), describeDifference(run.frame, row.out)).toBe(0);
  });
});

describe.each(layouts)('random packets, mappings $where', ({ options, seed }) => {
  loadBeforeAll(options);

  beforeEach(() => {
    if (root().met) setFragments(datapath, []);
  });

  it('kernel and model agree on packets that are right', (context) => {
    ready(context);
    fc.assert(fc.property(randomFrame, expectAgreement), { numRuns: 10_000, seed });
    expect(readFragments(datapath)).toEqual([]);
  });

  it('kernel and model agree on spoilt packets: nothing leaves untranslated', (context) => {
    ready(context);
    fc.assert(fc.property(mutatedFrame, expectAgreement), { numRuns: 40_000, seed: seed + 1 });
    expect(readFragments(datapath)).toEqual([]);
  });
});

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

function expectAgreement({ program, frame }: RandomFrame): void {
  fc.pre(isRunnable(frame));
  const row = { program, frame, link: LINK_OF[program], hostMade: false };
  const model = site.run(row);
  const run = runKernel(datapath, row, ifindex);
  const seen = { reason: run.reason, verdict: run.verdict, frame: hex(run.frame) };
  const wanted = { reason: model.reason, verdict: model.verdict, frame: hex(model.frame) };
  if (JSON.stringify(seen) !== JSON.stringify(wanted)) {
    const difference = describeDifference(run.frame, model.frame);
    expect(seen, `in:\n${describeFrame(frame)}\n${difference}`).toEqual(wanted);
  }
  expect(leaksOf(run), describeFrame(run.frame)).toEqual([]);
  if (model.reason === undefined) return;
  expect(run.steps.filter(isComparable)).toEqual(STEPS.filter((step) => model.steps.has(step)));
  if (model.slot !== undefined) expect(run.slot).toBe(model.slot);
  if (model.fib?.result === 'success') expect(run.ifindex).toBe(model.fib.ifindex);
  if (model.recorded.length === 0) return;
  const records = readFragments(datapath).map(comparable).sort();
  setFragments(datapath, []);
  expect(records).toEqual(wantedRecords(model.recorded).sort());
}

/** Judged without the model, by the link that the program sends to. */
function leaksOf(run: KernelRun): string[] {
  if (run.verdict !== 'redirect') return [];
  const isOutward = run.reason === 'OUT_REDIRECTED';
  return isOutward ? leaksOutside(site.table, run.frame) : leaksInside(site.table, run.frame);
}

/** The model knows neither how old a neighbour entry is nor which buckets a slot has. */
const isComparable = (step: string): boolean =>
  step !== 'REFRESH_NEIGHBOUR' && step !== 'GROUP_LIMIT_CHECKED';

// ---- What the maps hold

type Totals = Record<string, { packets: number; bytes: number }>;

/** Counters by reason, meters by slot and direction; zeros left out. */
function readTotals(): Totals {
  const totals: Totals = {};
  const add = (name: string, packets: number, bytes: number) => {
    if (packets !== 0 || bytes !== 0) totals[name] = { packets, bytes };
  };
  for (const [reason, { packets, bytes }] of datapath.counters()) add(reason, packets, bytes);
  for (const { slot } of site.table.eipToPrivate.values()) {
    const meter = datapath.meter(slot);
    add(`${slot} in`, meter.in_packets, meter.in_bytes);
    add(`${slot} out`, meter.out_packets, meter.out_bytes);
  }
  return totals;
}

function expectedTotals(before: Totals, row: NatterCase): Totals {
  const totals = { ...before };
  const add = (name: string, packets: number, bytes: number) => {
    const sum = totals[name] ?? { packets: 0, bytes: 0 };
    totals[name] = { packets: sum.packets + packets, bytes: sum.bytes + bytes };
  };
  const { packets, bytes } = countedOf(row);
  if (row.reason !== undefined) add(row.reason, packets, bytes);
  for (const metered of row.metered) {
    add(`${metered.slot} ${metered.direction}`, metered.packets, metered.bytes);
  }
  return totals;
}

/** Reasons count as meters do: each segment with its headers, which are plain TCP in the table. */
function countedOf({ segments, frame }: NatterCase): { packets: number; bytes: number } {
  const packets = segments?.count ?? 1;
  return { packets, bytes: frame.length + (packets - 1) * 54 };
}

/** Of the flags those that a later fragment needs: the limits. */
const KEPT_FLAGS = Slot.mask | Slot.limitIn | Slot.limitOut;

const comparable = ({ key, address, slotFlags: flags }: ReturnType<typeof readFragments>[number]) =>
  `${Object.values(key).join(' ')} ${address} ${flags & KEPT_FLAGS}`;

function wantedRecords(records: readonly FragmentRecord[]): string[] {
  return records.map((record) => {
    const { source, destination, id, protocol, outbound } = record;
    const key = { source, destination, id, protocol, outbound: outbound ? 1 : 0 };
    return comparable({ key, address: record.address, slotFlags: slotFlags(record), expiresNs: 0 });
  });
}

const FRAGMENT_LIFETIME_NS = 2e9;
const COARSE_CLOCK_NS = 20e6; // the program may read a clock that ticks

function expectFragments(row: NatterCase, startNs: number): void {
  const records = readFragments(datapath);
  const wanted = wantedRecords([...row.fragments, ...row.recorded]);
  expect(records.map(comparable).sort()).toEqual(wanted.sort());
  if (row.recorded.length === 0) return;
  for (const { expiresNs } of records) {
    expect(expiresNs).toBeGreaterThan(startNs + FRAGMENT_LIFETIME_NS - COARSE_CLOCK_NS);
    expect(expiresNs).toBeLessThanOrEqual(monotonicNs() + FRAGMENT_LIFETIME_NS);
  }
}

describe('a map of pages and a hash in the kernel', () => {
  it.for([0, 2, 100])('is one map, with %i pages', (pages, context) => {
    needs(context, root());
    const maxEntries = {
      private_to_eip: 64,
      private_pages: Math.max(1, pages),
      private_entries: (pages + 1) * PAGE_ENTRIES,
    };
    const object = createBpf().load({ objectPath: OBJECT_PATH, maxEntries });
    try {
      expectOneMap(object.maps, 'private_to_eip', 100);
    } finally {
      object.close();
    }
  });
});
