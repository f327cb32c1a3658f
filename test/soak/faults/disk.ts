// A full disk: the daemon is started with a small file system of its own as its state directory (in
// a mount namespace, so that nothing of it outlives the daemon), which is then filled.
import { closeSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../../../lab/ready.ts';
import type { SoakSite } from '../site.ts';
import { applyTo, insideOf, onSmallDisk, storeOf } from '../small-disk.ts';
import { type Strike, victimOf } from './strike.ts';

const MB = 1024 * 1024;

/** Until not one byte more finds room. */
export function fill(path: string): void {
  const file = openSync(path, 'w', 0o600);
  try {
    for (let size = MB; size >= 1; ) {
      try {
        if (writeSync(file, Buffer.alloc(size)) < size) size >>= 1;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
        size >>= 1;
      }
    }
  } finally {
    closeSync(file);
  }
}

export const diskFull: Strike = async (site, planned) => {
  const { lab } = site;
  const daemon = victimOf(site, planned);
  const directory = String(daemon.config.stateDirectory);
  daemon.via = onSmallDisk(directory);
  await daemon.restart();
  daemon.via = [];
  // What it had is gone with the old disk: the next start shall not go back in time.
  for (const name of readdirSync(directory)) rmSync(join(directory, name), { recursive: true });
  const filler = join(insideOf(daemon), 'filler');
  fill(filler);
  // A change that it has to take although it cannot keep it.
  const added = await lab.edgectl('eip', 'add', '198.51.100.200', '10.0.1.200', '--no-wait');
  const heal = async (): Promise<void> => {
    rmSync(filler);
    const gone = await lab.edgectl('eip', 'del', '198.51.100.200', '--no-wait');
    for (const { code, stderr } of [added, gone]) {
      if (code !== 0) throw new Error(`edgectl eip: exit code ${code}: ${stderr}`);
    }
  };
  return { victim: daemon.name, struck: [daemon.name], heal };
};

const RECORD = { name: 'appliance.example', type: 'A' } as const;
let changes = 0;

/** Changes what the appliance serves; the exit code. */
async function change({ appliance, lab }: SoakSite): Promise<number> {
  const data = [`192.0.2.${1 + (changes++ % 250)}`];
  const objects = { records: [{ ...RECORD, data }] };
  return (await applyTo(lab.store, storeOf(appliance), objects)).code;
}

async function answers({ appliance }: SoakSite): Promise<boolean> {
  const query = ['+short', '+timeout=2', '@127.0.0.1', RECORD.name, RECORD.type];
  const { stdout } = await appliance.exec('kdig', query, { allowFailure: true });
  return stdout.startsWith('192.0.2.');
}

export const storeDiskFull: Strike = async (site) => {
  const { appliance } = site;
  await until('it takes a change', async () => (await change(site)) === 0);
  await until('and serves it', () => answers(site));
  const filler = join(insideOf(appliance), 'filler');
  fill(filler);
  try {
    await until('the full store refuses changes', async () => (await change(site)) !== 0);
    await until('what was stored is served on', () => answers(site));
  } catch (error) {
    rmSync(filler);
    throw error;
  }
  const heal = async (): Promise<void> => {
    rmSync(filler);
    await until('the store takes changes again', async () => (await change(site)) === 0);
    await until('and serves them', () => answers(site));
  };
  return { victim: appliance.name, struck: [], heal };
};
