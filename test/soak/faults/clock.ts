// A daemon's wall clock jumps, and jumps back: by a library that is loaded before libc (clock.c),
// as time namespaces do not cover this clock. The daemon is started with it first.
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../../../lab/ready.ts';
import { type Strike, victimOf } from './strike.ts';

const SOURCE = join(import.meta.dirname, 'clock.c');
const HOUR_NS = 3_600_000_000_000n;
const NEAR_MS = 60_000;

const eightBytes = (value: bigint): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(value);
  return bytes;
};

/** Of the run's own directory; built once. */
function library(directory: string): string {
  const built = join(directory, 'soak-clock.so');
  if (!existsSync(built)) {
    const args = ['-shared', '-fPIC', '-O2', '-Wall', '-Werror', '-o', built, SOURCE, '-ldl'];
    execFileSync('cc', args, { stdio: 'pipe' });
  }
  return built;
}

/** An hour ahead, or one back: as the length of the fault was drawn. */
export const clockJump: Strike = async (site, planned) => {
  const daemon = victimOf(site, planned);
  const { directory } = site.lab.run;
  const file = join(directory, `${daemon.name}.clock`);
  const jump = planned.holdMs % 2 === 0 ? HOUR_NS : -HOUR_NS;
  writeFileSync(file, eightBytes(0n));
  daemon.via = ['env', `LD_PRELOAD=${library(directory)}`, `EDGE_SOAK_CLOCK=${file}`];
  await daemon.restart();
  daemon.via = [];
  writeFileSync(file, eightBytes(jump), { flag: 'r+' });
  const wantedMs = Date.now() + Number(jump / 1_000_000n);
  daemon.daemon?.kill('SIGUSR1'); // it logs, and with each record the time
  await until(`${daemon.name} has the other time`, () => {
    const times = daemon.daemon?.output().matchAll(/"time":"([^"]+)"/g) ?? [];
    return [...times].some(([, time = '']) => Math.abs(Date.parse(time) - wantedMs) < NEAR_MS);
  });
  const heal = async (): Promise<void> => writeFileSync(file, eightBytes(0n), { flag: 'r+' });
  return { victim: daemon.name, struck: [daemon.name], heal };
};
