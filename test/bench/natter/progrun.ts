// What the program itself costs, by BPF_PROG_RUN: keys vary in random order, so that large tables
// miss the caches as they do in earnest. A lookup in the routing table is part of it; devices are
// not.
import type { Run } from '../../../lab/run.ts';
import { median } from '../frame/rows.ts';
import type { BenchOptions, Row } from '../frame/types.ts';
import { Remote } from './remote.ts';
import { buildSites, removeSites, siteOf } from './site.ts';

const CPU = 1;
const PACKETS = { full: 1_000_000, quick: 250_000 };
const UNIT = 'ns per packet';

export type Size = { label: string; eips: number };
const DIRECTIONS = { 'prog-run': 'in', 'prog-run-out': 'out' } as const;

async function measureSize(run: Run, eips: number, options: BenchOptions, names: string[]) {
  const site = siteOf('natter', 'own');
  await buildSites(run, [site], eips);
  const router = new Remote(run, site.router, CPU);
  try {
    await router.call('loadRing', { eips });
    const samples = new Map<string, number[]>(names.map((name) => [name, []]));
    const packets = options.quick ? PACKETS.quick : PACKETS.full;
    for (let round = 0; round < options.rounds; round++) {
      for (const [name, direction] of Object.entries(DIRECTIONS)) {
        options.signal.throwIfAborted();
        if (!samples.has(name)) continue;
        const { nsPerPacket } = await router.call('progRun', { direction, eips, packets });
        samples.get(name)?.push(nsPerPacket);
      }
    }
    return new Map([...samples].map(([name, list]) => [name, median(list)]));
  } finally {
    await router.stop();
    await removeSites(run, [site]);
  }
}

/** Each size; all but the first are compared with the first. */
export async function* benchProgRun(
  run: Run,
  sizes: readonly Size[],
  options: BenchOptions & { wanted(name: string): boolean },
): AsyncGenerator<Row> {
  const first = new Map<string, number>();
  for (const { label, eips } of sizes) {
    const names = Object.keys(DIRECTIONS).filter((name) => options.wanted(`${name}/${label}`));
    if (names.length === 0) continue;
    options.progress(`${label} EIPs: test runs`);
    for (const [name, ours] of await measureSize(run, eips, options, names)) {
      const row = { case: `${name}/${label}`, unit: UNIT, better: 'lower' as const, ours };
      const theirs = first.get(name);
      if (theirs === undefined) first.set(name, ours);
      yield theirs === undefined ? row : { ...row, peer: '1 EIP', theirs };
    }
  }
}
