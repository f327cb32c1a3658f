// One namespace with the servers, one with perfdhcp, a link between them; and, for pairs, one with
// the standby, linked to both. The same for everyone.
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { execute } from '../../../lab/exec.ts';
import { connect, createNodes, netnsPath } from '../../../lab/netns.ts';
import { LabProcess } from '../../../lab/process.ts';
import { isLive, isRunId, type Run } from '../../../lab/run.ts';
import { PAIR, PREFIX_BITS, STANDBY, TARGETS } from './addresses.ts';

export const NODE = { servers: 'server', standby: 'standby', client: 'client' } as const;
type Node = (typeof NODE)[keyof typeof NODE];

/** Not /run or /tmp, which may be memory: what a server syncs must cost what it costs. */
const DATA_ROOT = '/var/tmp';
const DATA_PREFIX = 'edge-bench-';

const dataDirectory = (id: string): string => join(DATA_ROOT, `${DATA_PREFIX}${id}`);

export async function buildSite(run: Run): Promise<void> {
  const all = (side: 'server' | 'relay'): string[] =>
    TARGETS.map((target) => `${target[side]}/${PREFIX_BITS}`);
  const end = (node: Node, name: string, last: string, addresses: string[]) => {
    return { node, name, mac: `02:00:00:00:00:${last}`, addresses };
  };
  await createNodes(run, Object.values(NODE));
  await connect(run, [
    {
      ends: [
        end(NODE.servers, 'dhcp0', '01', all('server')),
        end(NODE.client, 'relay0', '02', all('relay')),
      ],
    },
    {
      ends: [
        end(NODE.standby, 'dhcp1', '03', [`${STANDBY.server}/24`]),
        end(NODE.client, 'relay1', '04', [`${STANDBY.relay}/24`]),
      ],
    },
    {
      ends: [
        end(NODE.servers, 'pair0', '05', [`${PAIR.primary}/24`]),
        end(NODE.standby, 'pair0', '06', [`${PAIR.standby}/24`]),
      ],
    },
  ]);
}

export function removeData(id: string): void {
  rmSync(dataDirectory(id), { recursive: true, force: true });
}

export function removeDirectory(directory: string): void {
  rmSync(directory, { recursive: true, force: true });
}

/** What runs left whose owner is dead. */
export function cleanDeadData(): void {
  const ids = readdirSync(DATA_ROOT)
    .filter((name) => name.startsWith(DATA_PREFIX))
    .map((name) => name.slice(DATA_PREFIX.length));
  for (const id of ids) if (isRunId(id) && !isLive(id)) removeData(id);
}

let directories = 0;

/** An empty directory for one start of a server; other users may pass through to their own. */
export function newDirectory(run: Run): string {
  const directory = join(dataDirectory(run.id), String(directories++));
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  return directory;
}

const nsenter = (run: Run, node: Node): [string, string, string] => [
  'nsenter',
  `--net=${netnsPath(run, node)}`,
  '--',
];

export interface Inside {
  name: string;
  node: Node;
  env?: Record<string, string>;
}

/** Its pid is the program's own. */
export function spawnInside(run: Run, argv: readonly string[], options: Inside): LabProcess {
  const { name, node, env } = options;
  return new LabProcess(run, [...nsenter(run, node), ...argv], { name, ...(env ? { env } : {}) });
}

/** What the command printed; throws when it fails with another code than `also`. */
export async function runInside(
  run: Run,
  node: Node,
  argv: readonly string[],
  options: { timeoutMs?: number; also?: number } = {},
): Promise<string> {
  const [command, ...inside] = nsenter(run, node);
  const args = [...inside, ...argv];
  const { also = 0, timeoutMs = 60_000 } = options;
  const { code, stdout, stderr } = await execute(command, args, { timeoutMs, allowFailure: true });
  if (code !== 0 && code !== also) throw new Error(`${argv[0]}: exit code ${code}\n${stderr}`);
  return stdout;
}

/** Counters of UDP in a node's namespace. */
export async function udpCounters(run: Run, node: Node): Promise<Map<string, number>> {
  const text = await runInside(run, node, ['cat', '/proc/net/snmp']);
  const [names = '', values = ''] = text.split('\n').filter((line) => line.startsWith('Udp:'));
  const numbers = values.split(' ').map(Number);
  return new Map(names.split(' ').map((name, index) => [name, numbers[index] ?? 0]));
}
