// The natter soak: transfers that check themselves, faults drawn by a seed, and samples of what the
// daemons hold (memory, open files), whose growth must level off.
import { readdirSync, readFileSync } from 'node:fs';
import type { LabNatter } from '../../lab/natter.ts';
import { type Site, site } from '../../lab/site.ts';
import { seededRandom } from '../../shared/random.ts';
import { FAULTS } from '../support/faults.ts';
import { establishedResets, failuresOf, Repeated, type Transfer } from '../support/transfers.ts';

const MB = 1_000_000;
const MAX_GROWTH_MB = 100;
const MAX_MORE_FILES = 20;

export type SoakOptions = { minutes: number; seed: number; print: (line: string) => void };
type Sample = { rssMb: number; files: number };

/** True when nothing was lost. Prints a line a fault, and a summary. */
export async function soakNatter({ minutes, seed, print }: SoakOptions): Promise<boolean> {
  print(`soak natter: ${minutes} min, seed ${seed}`);
  const random = seededRandom(seed);
  await using lab = await site({ isps: 3, natters: 3, vms: 3, spray: true });
  const eips = lab.vms.map((vm, index) => ({
    address: `198.51.100.${11 + index}`,
    private: vm.address,
  }));
  await lab.apply({ eips });
  await lab.converged();
  const transfers = lab.clients.map((client, index) => {
    const direction: Transfer['direction'] = index % 2 === 0 ? 'download' : 'upload';
    const address = eips[index]?.address ?? '';
    return new Repeated({ client, address, direction, bytes: 20 * MB, bytesPerSecond: 5 * MB });
  });
  const deadline = performance.now() + minutes * 60_000;
  const first = new Map<LabNatter, Sample>();
  for (let round = 1; performance.now() < deadline; round++) {
    const fault = FAULTS[random.integer(FAULTS.length)];
    const victim = lab.natter(1 + random.integer(lab.natters.length));
    await fault?.strike(lab, victim);
    // A daemon that was started again is compared with its own beginning.
    for (const natter of lab.natters) {
      const sample = sampleOf(natter);
      const known = first.get(natter);
      if (!known || natter === victim) first.set(natter, sample);
    }
    print(`${round}: ${fault?.name} (${victim.name})`);
  }
  const results = (await Promise.all(transfers.map((transfer) => transfer.stop()))).flat();
  return await report(lab, first, failuresOf(results), results.length, print);
}

async function report(
  lab: Site,
  first: Map<LabNatter, Sample>,
  failures: string[],
  transfers: number,
  print: (line: string) => void,
): Promise<boolean> {
  const problems = [...failures];
  for (const node of [...lab.clients, ...lab.vms]) {
    const resets = await establishedResets(node);
    if (resets > 0) problems.push(`${node.name}: ${resets} connections reset`);
  }
  for (const [natter, before] of first) {
    if (natter.daemon?.exit) {
      problems.push(`${natter.name}: its daemon ended by itself:\n${natter.daemon.tail()}`);
      continue;
    }
    const after = sampleOf(natter);
    print(`${natter.name}: ${before.rssMb} → ${after.rssMb} MB, ${after.files} open files`);
    if (after.rssMb - before.rssMb > MAX_GROWTH_MB) problems.push(`${natter.name}: memory grows`);
    if (after.files - before.files > MAX_MORE_FILES) problems.push(`${natter.name}: files leak`);
  }
  for (const problem of problems) print(`FAILED ${problem}`);
  print(`${transfers} transfers, ${problems.length} problems`);
  return problems.length === 0;
}

function sampleOf(natter: LabNatter): Sample {
  const pid = natter.daemon?.pid ?? 0;
  const rss = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return {
    rssMb: Math.round(Number(rss) / 1024),
    files: readdirSync(`/proc/${pid}/fd`).length,
  };
}
