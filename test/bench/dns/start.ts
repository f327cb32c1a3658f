// How every server is started: a process on its CPUs, and beside it one that asks until the last
// names of its zones are answered.
import { join } from 'node:path';
import type { LabProcess } from '../../../lab/process.ts';
import type { Run } from '../../../lab/run.ts';
import { SMART_ZONE, ZONE } from './data.ts';
import { CPUS, SERVER, spawnInside } from './site.ts';
import type { Running, Wanted } from './types.ts';

const ASKER = join(import.meta.dirname, 'asker.ts');
const ASKER_LIMIT_MS = 10_000;
const START_LIMIT_MS = 180_000;
const STOP_LIMIT_MS = 15_000;

const lastNames = ({ names, smart }: Wanted): string[] => [
  ...(names > 0 ? [`n${names - 1}.${ZONE}`] : []),
  ...(smart > 0 ? [`s${smart - 1}.${SMART_ZONE}`] : []),
];

export interface Started extends Running {
  process: LabProcess;
}

export async function startServer(
  run: Run,
  name: string,
  wanted: Wanted,
  argv: readonly string[],
): Promise<Started> {
  const words = [process.execPath, ASKER, SERVER, ...lastNames(wanted)];
  const asker = spawnInside(run, `asker-${name}`, CPUS.client, words);
  const lines = (): string[] => asker.output().split('\n').slice(0, -1);
  await asker.ready('asks', () => lines().length > 0, ASKER_LIMIT_MS);
  const startedMs = Date.now();
  const server = spawnInside(run, name, wanted.cpus, argv);
  try {
    await server.ready('answers', () => lines().length > 1, START_LIMIT_MS);
  } finally {
    await asker.kill9();
  }
  return {
    process: server,
    pids: [server.pid],
    startMs: Number(lines()[1]) - startedMs,
    stop: async () => {
      await server.stop(STOP_LIMIT_MS);
    },
  };
}
