// natter's bench: all its cases, in one run of namespaces that is taken down whole at the end.
import { cleanDeadRuns, removeRun } from '../../../lab/clean.ts';
import { newRun } from '../../../lab/run.ts';
import type { BenchOptions, Row } from '../frame/types.ts';
import { benchDaemon } from './daemon.ts';
import { benchProgRun, type Size } from './progrun.ts';
import { benchTcp } from './tcp.ts';
import { benchUdp } from './udp.ts';

const SIZES: readonly Size[] = [
  { label: '1', eips: 1 },
  { label: '1k', eips: 1000 },
  { label: '100k', eips: 100_000 },
];
const MILLION: Size = { label: '1M', eips: 1_000_000 };

const sizesFor = (quick: boolean): readonly Size[] =>
  quick ? SIZES.filter(({ label }) => label !== '1k') : SIZES;

export async function* benchNatter(options: BenchOptions): AsyncGenerator<Row> {
  const wanted = (name: string): boolean =>
    options.cases.length === 0 || options.cases.some((start) => name.startsWith(start));
  const all = { ...options, wanted };
  const sizes = sizesFor(options.quick);
  await cleanDeadRuns();
  const run = newRun();
  try {
    yield* benchProgRun(run, [...sizes, MILLION], all);
    for (const { label, eips } of sizes) yield* benchUdp(run, eips, label, all);
    const bulk = options.quick ? sizes.slice(-1) : sizes;
    for (const { label, eips } of bulk) yield* benchTcp(run, eips, label, all);
    yield* benchDaemon(run, all);
  } finally {
    await removeRun(run.id);
  }
}
