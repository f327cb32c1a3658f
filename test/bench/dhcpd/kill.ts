// Something is killed while new clients come all the time: how long until one that asked after the
// kill has its address.
import { join } from 'node:path';
import { until } from '../../../lab/ready.ts';
import type { Run } from '../../../lab/run.ts';
import { NODE, spawnInside } from './site.ts';
import type { Faults, Running } from './types.ts';

const PROBER = join(import.meta.dirname, 'prober.ts');
const CLIENTS_BEFORE = 100;
const READY_LIMIT_MS = 30_000;
const ANSWER_LIMIT_MS = 120_000;

interface Answered {
  startedMs: number;
  answeredMs: number;
}

const nowMs = (): number => performance.timeOrigin + performance.now();

/** The last line may be half there. */
const answersIn = (output: string): Answered[] =>
  output
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Answered); // the prober's own

/** Milliseconds. */
export async function timeToAnswer(
  run: Run,
  { targets, faults }: Running,
  what: keyof Faults,
): Promise<number> {
  const fault = faults?.[what];
  const [first] = targets;
  if (fault === undefined || first === undefined) throw new Error(`nothing to kill: ${what}`);
  const servers = targets.map(({ server }) => server);
  const argv = [process.execPath, PROBER, first.relay, ...servers];
  const prober = spawnInside(run, argv, { name: 'prober', node: NODE.client });
  try {
    const isSteady = () => answersIn(prober.output()).length >= CLIENTS_BEFORE;
    await prober.ready('clients are served', isSteady, READY_LIMIT_MS);
    const killedMs = nowMs();
    await fault();
    const after = () =>
      answersIn(prober.output()).find(({ startedMs }) => startedMs > killedMs)?.answeredMs;
    const limit = { timeoutMs: ANSWER_LIMIT_MS };
    return (await until('a client is served again', after, limit)) - killedMs;
  } finally {
    await prober.kill9();
  }
}
