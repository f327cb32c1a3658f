// A daemon whose state directory is a small file system of its own, in a mount namespace: it can be
// filled, and nothing of it outlives the daemon. From outside it is seen by way of /proc.
import { join } from 'node:path';
import type { LabDaemon } from '../../lab/daemon.ts';
import { LabDns } from '../../lab/dns.ts';
import type { Result } from '../../lab/exec.ts';
import type { LabNode } from '../../lab/node.ts';
import type { Run } from '../../lab/run.ts';

const EDGECTL = join(import.meta.dirname, '../../shared/ctl/main.ts');
const SIZE_MB = 32;
/** Run with the directory and the command as words; what the directory holds goes along. */
const MOUNT = `set -e
directory=$1; shift
mkdir -p "$directory"
copy=$(mktemp -d "$directory.XXXXXX")
cp -a "$directory/." "$copy"
mount -t tmpfs -o size=${SIZE_MB}m,mode=700 soak "$directory"
cp -a "$copy/." "$directory"
rm -rf "$copy"
exec "$@"`;

/** For LabDaemon.via. */
export const onSmallDisk = (directory: string): string[] => [
  ...['unshare', '--mount', 'sh', '-c', MOUNT, 'sh', directory],
];

const stateOf = ({ config }: LabDaemon): string => String(config.stateDirectory);

/** The state directory of a running daemon, as it sees it. */
export const insideOf = (daemon: LabDaemon): string =>
  join(`/proc/${daemon.daemon?.pid}/root`, stateOf(daemon));

/** Of a daemon with an embedded store. */
export const storeOf = (daemon: LabDaemon): string => `unix:${insideOf(daemon)}/redis.sock`;

/** Stores objects; whether they are in force is for others to wait for. */
export const applyTo = (
  from: LabNode,
  store: string,
  objects: Record<string, unknown[]>,
): Promise<Result> =>
  from.exec(process.execPath, [EDGECTL, 'apply', '-f', '-', '--no-wait'], {
    env: { EDGE_STORE: store },
    input: JSON.stringify(objects),
    allowFailure: true,
  });

/** A dns that stands alone, with all it knows on its small disk. It serves one zone. */
export async function startAppliance(
  run: Run,
  plan: { name: string; address: string; mac: string; port: string },
): Promise<LabDns> {
  const appliance = new LabDns(run, plan, { storeUrl: 'embedded', config: { lines: [] } });
  appliance.via = onSmallDisk(stateOf(appliance));
  await appliance.start();
  const primary = 'ns1.appliance.example';
  const objects = {
    zones: [{ zone: 'appliance.example', soa: { primary, mail: 'host.appliance.example' } }],
    records: [
      { name: 'appliance.example', type: 'NS', data: [primary] },
      { name: primary, type: 'A', data: [plan.address] },
    ],
  };
  const told = await applyTo(appliance, storeOf(appliance), objects);
  if (told.code !== 0) throw new Error(`the appliance refuses its zone: ${told.stderr}`);
  return appliance;
}
