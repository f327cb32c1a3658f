// Where `--host` keeps its settings and state: a directory of its own, taken away in the end, and
// by the next run when this one was killed. What it did not make it does not touch.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OperationalError } from '../../shared/errors.ts';
import { startTicks } from '../run.ts';

const OWNER = '.edge-host';
const mark = (pid: number): string => `${pid} ${startTicks(pid)}`;

/** Throws EDGE_HOST_DIRECTORY when somebody else's files, or a living run, are there. */
export function makeDirectory(path: string): void {
  const owner = join(path, OWNER);
  if (existsSync(path) && readdirSync(path).length > 0) {
    const remedy = 'name another one: --directory DIR';
    if (!existsSync(owner)) {
      throw new OperationalError('EDGE_HOST_DIRECTORY', `${path} is not empty`, { remedy });
    }
    const written = readFileSync(owner, 'utf8');
    if (written === mark(Number(written.split(' ')[0]))) {
      throw new OperationalError('EDGE_HOST_DIRECTORY', `${path} is in use`, { remedy });
    }
    rmSync(path, { recursive: true });
  }
  mkdirSync(path, { recursive: true, mode: 0o700 });
  writeFileSync(owner, mark(process.pid));
  for (const name of ['store', 'zones', 'keys']) mkdirSync(join(path, name), { mode: 0o700 });
}
