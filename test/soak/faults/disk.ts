// A full disk: the daemon is started with a small file system of its own as its state directory (in
// a mount namespace, so that nothing of it outlives the daemon), which is then filled.
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type Strike, victimOf } from './strike.ts';

const MB = 1024 * 1024;
const SIZE_MB = 32;
/** Run with the directory and the command as words. */
const MOUNT = `set -e
directory=$1; shift
copy=$(mktemp -d "$directory.XXXXXX")
cp -a "$directory/." "$copy"
mount -t tmpfs -o size=${SIZE_MB}m,mode=700 soak "$directory"
cp -a "$copy/." "$directory"
rm -rf "$copy"
exec "$@"`;

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
  daemon.via = ['unshare', '--mount', 'sh', '-c', MOUNT, 'sh', directory];
  await daemon.restart();
  daemon.via = [];
  const filler = join(`/proc/${daemon.daemon?.pid}/root`, directory, 'filler');
  fill(filler);
  // A change that it has to take although it cannot keep it.
  const { code, stderr } = await lab.edgectl('eip', 'add', '198.51.100.200', '10.0.1.200');
  if (code !== 0) throw new Error(`edgectl eip add: exit code ${code}: ${stderr}`);
  const heal = async (): Promise<void> => {
    rmSync(filler);
    await lab.edgectl('eip', 'del', '198.51.100.200');
  };
  return { victim: daemon.name, struck: [daemon.name], heal };
};
