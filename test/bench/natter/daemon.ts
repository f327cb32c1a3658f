// The daemon's own cases: how long a million EIPs take from Redis into the kernel, how soon one
// change is there, and what a restart costs under traffic.
import { join } from 'node:path';
import { setImmediate as yieldNow } from 'node:timers/promises';
import type { Run } from '../../../lab/run.ts';
import { PAGE_ENTRIES } from '../../../natter/pages.ts';
import { callFailed } from '../../../shared/bpf/failure.ts';
import { libbpf, libc } from '../../../shared/bpf/ffi.ts';
import { readNumber, writeNumber } from '../../../shared/bpf/words.ts';
import { median } from '../frame/rows.ts';
import type { BenchOptions, Row } from '../frame/types.ts';
import { EIP_BASE, PRIVATE_BASE } from './addresses.ts';
import {
  apply,
  closeDaemonSite,
  type DaemonSite,
  eipChange,
  memoryOf,
  openDaemonSite,
  startDaemon,
  stopDaemon,
} from './daemon-site.ts';
import { Remote } from './remote.ts';
import { buildSites, removeSites, siteOf } from './site.ts';

type Options = BenchOptions & { wanted(name: string): boolean };

/** Descriptors. */
type EipMaps = { pages: number; entries: number };

const MAPPING_BYTES = 8;
const CHANGE_LIMIT_MS = 5_000;
const CHANGES = { full: 100, quick: 30 };
const TRAFFIC_SLICE = 500;
const TRAFFIC_AFTER_SLICES = 40;
const CPU = 1;

const bytesOf = (address: number): Uint8Array => {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, address);
  return bytes;
};

function openMap(at: DaemonSite, name: string): number {
  const fd = libbpf().bpf_obj_get(join(at.pinDirectory, name));
  if (fd < 0) throw callFailed('EDGE_BPF_PIN', name, fd);
  return fd;
}

/** The private address of an EIP in the kernel; the site is dense, so all are in pages. */
function lookup({ pages, entries }: EipMaps, eip: number): number | undefined {
  const [page, value] = [new Uint8Array(4), new Uint8Array(MAPPING_BYTES)];
  const address = EIP_BASE + eip;
  const octet = address % PAGE_ENTRIES;
  if (libbpf().bpf_map_lookup_elem(pages, bytesOf(address - octet), page) < 0) return undefined;
  const index = new Uint8Array(4);
  writeNumber(readNumber(page) * PAGE_ENTRIES + octet, index);
  if (libbpf().bpf_map_lookup_elem(entries, index, value) < 0) return undefined;
  return new DataView(value.buffer).getUint32(0);
}

/** Milliseconds from the wish in the store to the kernel's table. */
async function changeOne(at: DaemonSite, maps: EipMaps, eip: number, to: number): Promise<number> {
  const start = performance.now();
  await apply(at, eipChange(eip, to));
  while (lookup(maps, eip) !== PRIVATE_BASE + to) {
    if (performance.now() - start > CHANGE_LIMIT_MS) throw new Error('a change never arrived');
    await yieldNow();
  }
  return performance.now() - start;
}

async function changeRow(at: DaemonSite, eips: number, label: string, quick: boolean) {
  const maps = { pages: openMap(at, 'eip_pages'), entries: openMap(at, 'eip_entries') };
  const samples: number[] = [];
  const count = quick ? CHANGES.quick : CHANGES.full;
  for (let index = 0; index < count; index++) {
    const eip = Math.floor((index * eips) / count);
    samples.push(await changeOne(at, maps, eip, eips + index));
  }
  for (const fd of Object.values(maps)) libc().close(fd);
  return { case: `change/${label}`, unit: 'ms', better: 'lower' as const, ours: median(samples) };
}

/** A restart in the middle of traffic: packets that were sent and did not arrive. */
async function restartRow(
  at: DaemonSite,
  eips: number,
  label: string,
  progress: (line: string) => void,
): Promise<Row> {
  const router = new Remote(at.run, at.site.router, CPU);
  const sink = new Remote(at.run, at.site.vm, CPU);
  const flows = { link: 'up0', addresses: 'eip', eips, flows: eips, firstFlow: 0 } as const;
  const link = at.site.vmLink;
  let sent = 0;
  const traffic = async (until: () => boolean): Promise<void> => {
    while (!until()) {
      sent += (await router.call('flood', { ...flows, packets: TRAFFIC_SLICE })).packets;
    }
  };
  try {
    await sink.call('attachSink', { links: [link], capture: false });
    const before = await sink.call('arrived', { link });
    let done = false;
    const restarted = stopDaemon(at)
      .then(() => startDaemon(at))
      .finally(() => {
        done = true;
      });
    await Promise.all([traffic(() => done), restarted]);
    let slices = 0;
    await traffic(() => slices++ >= TRAFFIC_AFTER_SLICES);
    const lost = sent - ((await sink.call('arrived', { link })) - before);
    progress(`  restart/${label}: ${sent} packets sent meanwhile`);
    return { case: `restart/${label}`, unit: 'lost packets', better: 'lower', ours: lost };
  } finally {
    await Promise.all([router.stop(), sink.stop()]);
  }
}

async function* loadRows(at: DaemonSite, label: string, options: Options): AsyncGenerator<Row> {
  const start = performance.now();
  const daemon = await startDaemon(at);
  const seconds = (performance.now() - start) / 1000;
  const memory = memoryOf(daemon);
  options.progress(`  ${label}: at most ${memory.most.toFixed(0)} MB while loading`);
  const better = 'lower' as const;
  yield { case: `load/${label}`, unit: 'seconds', better, ours: seconds };
  yield { case: `load-memory/${label}`, unit: 'MB', better, ours: memory.most };
}

async function* benchSize(run: Run, eips: number, label: string, options: Options) {
  const names = ['load', 'load-memory', 'change', 'restart'];
  if (!names.some((name) => options.wanted(`${name}/${label}`))) return;
  options.progress(`${label} EIPs: the daemon`);
  const site = siteOf('natter', 'own');
  await buildSites(run, [site], eips);
  let at: DaemonSite | undefined;
  try {
    at = await openDaemonSite(run, site, eips);
    options.signal.throwIfAborted();
    for await (const row of loadRows(at, label, options)) if (options.wanted(row.case)) yield row;
    if (options.wanted(`change/${label}`)) yield await changeRow(at, eips, label, options.quick);
    if (options.wanted(`restart/${label}`)) {
      yield await restartRow(at, eips, label, options.progress);
    }
  } finally {
    if (at) await closeDaemonSite(at);
    await removeSites(run, [site]);
  }
}

/** Rows of the daemon with 100k EIPs, and, unless quick, with a million. */
export async function* benchDaemon(run: Run, options: Options): AsyncGenerator<Row> {
  yield* benchSize(run, 100_000, '100k', options);
  if (!options.quick) yield* benchSize(run, 1_000_000, '1M', options);
}
