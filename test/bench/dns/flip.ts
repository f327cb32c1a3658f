// The flip case: three of ours on one Redis. A target dies; how long until all three answer with
// the other one: from the vote that made the majority, and from the death of the target.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LabProcess } from '../../../lab/process.ts';
import { until } from '../../../lab/ready.ts';
import { formatRecord } from '../../../shared/site/record.ts';
import { formatTargetPool } from '../../../shared/site/target-pool.ts';
import { healthKeys } from '../../../shared/store/keys.ts';
import { alone } from './contenders.ts';
import {
  applyAll,
  EDGE_DNS,
  edgeConfig,
  nameServerOf,
  type Redis,
  startRedis,
  storedZone,
} from './edge.ts';
import { FLIP_INSTANCES, FLIP_PORT, FLIP_TARGETS } from './flip-plan.ts';
import { CPUS, runInside, spawnInside } from './site.ts';
import type { Case, Figures, Session } from './types.ts';

const CLIENT = join(import.meta.dirname, 'flip-client.ts');
const ZONE = 'flip.example';
const NAME = `www.${ZONE}`;
const FIRST_ADMIN_PORT = 9110;
const FLIPS = { quick: 3, full: 20 };
const FLIP_LIMIT_MS = 30_000;
const MAJORITY = Math.floor(FLIP_INSTANCES.length / 2) + 1;
const CHECK = { intervalMs: 1000, timeoutMs: 500, rise: 1, fall: 2 };

async function storeSite(redis: Redis): Promise<void> {
  const targets = FLIP_TARGETS.map((address, tier) => ({ address, weight: 1, tier }));
  const pool = formatTargetPool({
    name: 'www',
    targets,
    check: { type: 'tcp', port: FLIP_PORT, ...CHECK },
    answer: 'weighted',
    answers: 1,
    minHealthyPercent: 0,
  });
  const record = formatRecord({
    name: NAME,
    type: 'A',
    minTtlSeconds: 1,
    lines: new Map([['default', { sources: [{ pool: 'www' }] }]]),
    allDown: 'all',
    overflow: new Map(),
  });
  await applyAll(redis, 'pools', [pool]);
  await applyAll(redis, 'dns', [storedZone(ZONE), ...nameServerOf(ZONE), record]);
}

function startInstance({ run, directory }: Session, redis: Redis, index: number): LabProcess {
  const name = `flip-${index}`;
  const file = join(directory, `${name}.yaml`);
  const config = {
    ...edgeConfig(redis, directory, name),
    listen: [`${FLIP_INSTANCES[index]}:53`],
    admin: { listen: `127.0.0.1:${FIRST_ADMIN_PORT + index}` },
  };
  writeFileSync(file, JSON.stringify(config));
  return spawnInside(run, name, CPUS.all, [EDGE_DNS, '--config', file]);
}

type Said = { atMs: number } & (
  | { target: 'ended' | 'back' }
  | { instance: string; answer: string }
);

/** The last line may be half there. */
const saidBy = (client: LabProcess): Said[] =>
  client
    .output()
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Said); // flip-client's own

/** When the last instance began to answer so; undefined: not all do now. */
function allAnswer(client: LabProcess, address: string): number | undefined {
  const said = saidBy(client).filter((each) => 'instance' in each);
  const last = FLIP_INSTANCES.map((instance) =>
    said.findLast((each) => each.instance === instance),
  );
  if (!last.every((each) => each?.answer === address)) return undefined;
  return Math.max(...last.map((each) => each?.atMs ?? 0));
}

/** When the vote came by which most say that a target is down; Redis' clock is this machine's. */
async function quorumMs({ run }: Session, redis: Redis, sinceMs: number): Promise<number> {
  const read = ['XRANGE', healthKeys().changes, String(sinceMs), '+'];
  const cli = ['redis-cli', '-s', redis.path, '--json', ...read];
  const text = await runInside(run, CPUS.client, cli);
  const entries = JSON.parse(text) as [id: string, fields: string[]][]; // XRANGE's reply
  const voters = new Set<string>();
  for (const [id, fields] of entries) {
    const field = (name: string): string => fields[fields.indexOf(name) + 1] ?? '';
    const changes = JSON.parse(field('changes') || '[]') as string[]; // as the board has them
    if (changes.some((vote) => vote.startsWith('down '))) voters.add(field('node'));
    if (voters.size === MAJORITY) return Number(id.split('-')[0]);
  }
  throw new Error(`only ${voters.size} instances said that the target is down:\n${text}`);
}

interface Flip {
  afterQuorum: number;
  afterDeath: number;
}

async function flipOnce(session: Session, redis: Redis, client: LabProcess): Promise<Flip> {
  const [first = '', second = ''] = FLIP_TARGETS;
  const answered = (address: string): Promise<number> =>
    until(`all answer ${address}`, () => allAnswer(client, address), { timeoutMs: FLIP_LIMIT_MS });
  await answered(first);
  client.kill('SIGUSR2');
  const flippedMs = await answered(second);
  const diedMs = saidBy(client).findLast((each) => 'target' in each)?.atMs ?? 0;
  const flip = {
    afterQuorum: flippedMs - (await quorumMs(session, redis, diedMs)),
    afterDeath: flippedMs - diedMs,
  };
  session.progress(`    ${flip.afterDeath} ms, ${flip.afterQuorum} after the quorum's last vote`);
  client.kill('SIGUSR2');
  return flip;
}

async function measureFlip(session: Session): Promise<Figures> {
  const { run, directory, quick, signal } = session;
  const redis = await startRedis(run, directory);
  await storeSite(redis);
  const argv = [process.execPath, CLIENT, NAME, ...FLIP_INSTANCES];
  const client = spawnInside(run, 'flip-client', CPUS.all, argv);
  FLIP_INSTANCES.map((_, index) => startInstance(session, redis, index));
  const flips: Flip[] = [];
  while (flips.length < (quick ? FLIPS.quick : FLIPS.full)) {
    signal.throwIfAborted();
    flips.push(await flipOnce(session, redis, client));
  }
  return {
    'flip/after-quorum': Math.max(...flips.map(({ afterQuorum }) => afterQuorum)),
    'flip/after-death': Math.max(...flips.map(({ afterDeath }) => afterDeath)),
  };
}

const most = { unit: 'ms until all answer otherwise, most', better: 'lower' } as const;

export const FLIP_CASE: Case = {
  figures: { 'flip/after-quorum': most, 'flip/after-death': most },
  contenders: [alone],
  measure: measureFlip,
};
